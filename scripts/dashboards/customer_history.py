"""What the dashboard of customers shows of days and months: effort, churn, worth, activity, carts and journeys."""

from collections.abc import Iterator, Mapping

from grafana_foundation_sdk.builders import table, timeseries
from msgspec.structs import replace

from scripts.customer_formulas import changed
from scripts.dashboards import customer_queries as ask
from scripts.dashboards.frame import Page
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import Value, lines, plain, told, worst_first
from scripts.dashboards.queries import QUEUE
from scripts.dashboards.queues import queue_labels
from stream.families.customers.history import ACTIVITIES
from stream.families.customers.shown import TYPICAL_ABANDONMENT

__all__ = ["PERIOD", "bought", "effort", "journeys", "stayed"]

PERIOD = "period"
"""The variable that holds the window of what needs a month at least."""

PERIODS = ("30d", "month", "quarter")

LEGEND = "{{tenant}} · {{queue}} · {{channel}}"

EFFORTS = {
    "contact_effort_mean_seconds": "effort_mean",
    "contact_effort_contacts": "effort_contacts",
    "contact_effort_handovers": "effort_handovers",
    "contact_effort_solutions": "effort_solutions",
}
PERCENTILES = {
    "contact_effort_p90_seconds": "effort_p90",
    "contact_effort_p90_contacts": "effort_p90_contacts",
}
EFFORT_PARTS = ("effort_seconds", "efforts", "effort_contacts", "effort_handovers", "effort_solutions")

KEPT = {
    "contact_churn_ratio": "churn",
    "contact_retention_ratio": "retention",
    "contact_revenue_churn_ratio": "revenue_churn",
    "contact_net_revenue_retention_ratio": "net_revenue_retention",
    "contact_referral_ratio": "referral",
}
CHANGES = (
    *("joined", "left", "lost", "gained", "first_joined", "referred"),
    *("monthly_change", "monthly_lost", "monthly_gained", "revenue"),
)

WORTH = {"contact_customer_value_so_far": "value_so_far", "contact_customer_lifetime_value": "clv"}
MONEY = {"contact_customers_monthly_revenue": "monthly_revenue", "contact_customers_revenue": "revenue_so_far"}
ACTIVE = {"daily": "active_daily", "weekly": "active_weekly", "monthly": "active_monthly"}
STICKINESS = "contact_customer_stickiness_ratio"

CARTS = {
    "contact_cart_abandonment_ratio": "cart_abandonment",
    "contact_cart_value_abandonment_ratio": "cart_value_abandonment",
}
RECOVERY = "contact_cart_recovery_ratio"
CART_COUNTS = ("carts_created", "carts_checked_out", "carts_abandoned", "carts_completed", "carts_recovered")
CART_VALUES = ("carts_abandoned_value", "carts_completed_value", "carts_recovered_value")
NOT_COUNTED = ("other_currency", "dropped", "unknown")

AROUND = {
    "contact_journey_before": "journey_before",
    "contact_journey_after": "journey_after",
    "contact_journey_usual": "journey_usual",
    "contact_journey_difference": "journey_difference",
    "contact_journey_margin": "journey_margin",
}


def _part(field: str) -> str:
    return f"contact_customer_window_{field}"


def effort(page: Page) -> Iterator[Row]:
    """Yield what solutions took, by queue."""
    scope, word = page.scope, page.words
    yield Row(1, title=word["effort_to_solution"])
    mean, p90 = "contact_effort_mean_seconds", "contact_effort_p90_seconds"
    times = [
        Value(name=f"{word['mean']}: {LEGEND}", expr=ask.of_queues(scope, mean), look=plain(mean)),
        Value(name=f"90%: {LEGEND}", expr=ask.of_queues(scope, p90), look=plain(p90), dashed=True),
    ]
    took = [
        Value(name=word[key], expr=ask.of_queues(scope, name, ()), look=plain(name))
        for name, key in EFFORTS.items()
        if name != mean
    ]
    yield Row(
        8,
        (
            lines(word["effort_to_solution"], f"{told(mean, p90)}\n\n90%: 30 d.", times),
            lines(word["effort_contacts"], told(*(name for name in EFFORTS if name != mean)), took),
        ),
    )
    columns = [
        *(
            Value(name=word[key], expr=ask.of_queues(scope, name), look=plain(name))
            for name, key in (EFFORTS | PERCENTILES).items()
        ),
        *(
            Value(name=word[f"counted_{field}"], expr=scope.parts(_part(field), QUEUE), look=plain(_part(field)))
            for field in EFFORT_PARTS
        ),
    ]
    about = told(*EFFORTS, *PERCENTILES)
    yield Row(8, (worst_first(f"{word['effort_to_solution']}: {word['queues']}", about, queue_labels(page), columns),))


def stayed(page: Page) -> Iterator[Row]:
    """Yield who is there, who left, what they are worth, and how active they are."""
    word = page.words
    yield Row(1, title=f"{word['churn']} · {word['retention']}")
    names = ("contact_churn_ratio", "contact_retention_ratio", "contact_net_revenue_retention_ratio")
    yield Row(8, [_over_periods(page, name) for name in names])
    for label in ("plan", "group"):
        yield Row(8, (_kept(page, label),))
    yield Row(1, title=word["clv"])
    for label in ("plan", "group"):
        yield Row(8, (_there(page, label),))
    yield Row(8, (_money(page), _revenue(page)))
    yield Row(1, title=word["activity"])
    yield Row(8, [*(_active(page, period) for period in ACTIVE), _stickiness(page)])


def _over_periods(page: Page, name: str) -> timeseries.Panel:
    word = page.words
    by = ("tenant",) if "revenue" in name else ()
    values = [
        Value(
            name=word[f"window_{period}"] + (": {{tenant}}" if by else ""),
            expr=ask.of_members(page.scope, name, by, window=period),
            look=plain(name),
        )
        for period in PERIODS
    ]
    return lines(word[KEPT[name]], told(name), values, whole="net" not in name)


def _members(page: Page, label: str) -> tuple[tuple[str, ...], Mapping[str, str], dict[str, str]]:
    """Return the labels of a table of plans or groups, which of them are asked for, and the titles of the columns."""
    by = ("tenant", label)
    return by, ask.BY_PLAN if label == "plan" else ask.BY_GROUP, {name: page.words[name] for name in by}


def _kept(page: Page, label: str) -> table.Panel:
    word = page.words
    by, where, titles = _members(page, label)
    periods = replace(page.scope, window=PERIOD)
    columns = [
        *(
            Value(name=word[key], expr=ask.of_members(periods, name, by, **where), look=plain(name))
            for name, key in KEPT.items()
        ),
        *(
            Value(
                name=word[f"customers_{field}"], expr=periods.parts(_part(field), by, **where), look=plain(_part(field))
            )
            for field in CHANGES
        ),
    ]
    about = told(*KEPT, _part("lost"), _part("gained"))
    return worst_first(f"{word['churn']} · {word['retention']}: {word[label]}", about, titles, columns)


def _there(page: Page, label: str) -> table.Panel:
    scope, word = page.scope, page.words
    by, where, titles = _members(page, label)
    columns = [
        Value(
            name=word["customers"], expr=scope.parts("contact_customers", by, **where), look=plain("contact_customers")
        ),
        *(Value(name=word[key], expr=scope.parts(name, by, **where), look=plain(name)) for name, key in MONEY.items()),
        *(
            Value(name=word[key], expr=ask.of_members(scope, name, by, **where), look=plain(name))
            for name, key in (WORTH | {STICKINESS: "stickiness"}).items()
        ),
        *(
            Value(name=word[key], expr=scope.parts(name, by, kind="any", **where), look=plain(name))
            for period, key in ACTIVE.items()
            if (name := f"contact_customers_active_{period}")
        ),
    ]
    return worst_first(f"{word['customers']}: {word[label]}", told("contact_customers", *WORTH), titles, columns)


def _money(page: Page) -> timeseries.Panel:
    scope, word = page.scope, page.words
    values = [
        Value(name=f"{word[key]}: {{{{tenant}}}}", expr=ask.of_members(scope, name, ("tenant",)), look=plain(name))
        for name, key in WORTH.items()
    ]
    return lines(word["clv"], told(*WORTH), values)


def _revenue(page: Page) -> timeseries.Panel:
    scope, word = page.scope, page.words
    revenue, monthly, purchases = _part("revenue"), "contact_customers_monthly_revenue", _part("purchases")
    values = [
        Value(name=f"{word['revenue']}: {{{{tenant}}}}", expr=scope.parts(revenue, ("tenant",)), look=plain(revenue)),
        Value(
            name=f"{word['monthly_revenue']}: {{{{tenant}}}}",
            expr=scope.parts(monthly, ("tenant",)),
            look=plain(monthly),
        ),
        Value(name=word["purchases"], expr=scope.parts(purchases), look=plain(purchases)),
    ]
    return lines(word["revenue"], told(revenue, monthly, purchases), values)


def _active(page: Page, period: str) -> timeseries.Panel:
    name, word = f"contact_customers_active_{period}", page.words
    values = [
        Value(name=word[f"active_{kind}"], expr=page.scope.parts(name, kind=kind), look=plain(name))
        for kind in (*ACTIVITIES, "any")
    ]
    return lines(word[ACTIVE[period]], told(name), values)


def _stickiness(page: Page) -> timeseries.Panel:
    word = page.words["stickiness"]
    value = Value(name=word, expr=ask.of_members(page.scope, STICKINESS), look=plain(STICKINESS))
    return lines(word, told(STICKINESS), [value])


def bought(page: Page) -> Iterator[Row]:
    """Yield what became of carts, beside the share that is usually abandoned."""
    scope, word = page.scope, page.words
    yield Row(1, title=word["carts"])
    rates = [
        *(Value(name=word[key], expr=ask.of_members(scope, name), look=plain(name)) for name, key in CARTS.items()),
        Value(
            name=word["typical"],
            expr=f"vector ({TYPICAL_ABANDONMENT})",
            look=plain("contact_cart_abandonment_ratio"),
            dashed=True,
        ),
    ]
    recovered = [Value(name=word["cart_recovery"], expr=ask.of_members(scope, RECOVERY), look=plain(RECOVERY))]
    yield Row(
        8,
        (
            lines(word["cart_abandonment"], told(*CARTS), rates),
            lines(word["cart_recovery"], told(RECOVERY), recovered, whole=False),
            _counts(page, "carts", {field: field for field in CART_COUNTS}),
        ),
    )
    yield Row(
        8,
        (_carts_by_plan(page), _counts(page, "not_counted", {field: f"customers_{field}" for field in NOT_COUNTED})),
        (16, 8),
    )


def _counts(page: Page, key: str, fields: Mapping[str, str]) -> timeseries.Panel:
    """Return lines of what was counted, with the words of each."""
    values = [
        Value(name=page.words[word], expr=page.scope.parts(_part(field)), look=plain(_part(field)))
        for field, word in fields.items()
    ]
    return lines(page.words[key], told(*map(_part, fields)), values)


def _carts_by_plan(page: Page) -> table.Panel:
    scope, word = page.scope, page.words
    by, where, titles = _members(page, "plan")
    columns = [
        *(
            Value(name=word[key], expr=ask.of_members(scope, name, by, **where), look=plain(name))
            for name, key in (CARTS | {RECOVERY: "cart_recovery"}).items()
        ),
        *(
            Value(name=word[field], expr=scope.parts(_part(field), by, **where), look=plain(_part(field)))
            for field in (*CART_COUNTS, *CART_VALUES)
        ),
    ]
    return worst_first(f"{word['carts']}: {word['plan']}", told(*CARTS, RECOVERY), titles, columns)


def journeys(page: Page) -> Iterator[Row]:
    """Yield the contacts around purchases by channel, and what changes with them."""
    scope, word = page.scope, page.words
    by = ("tenant",)
    yield Row(1, title=word["journey"])
    around = [
        Value(name=word[key], expr=ask.of_members(scope, name, by), look=plain(name)) for name, key in AROUND.items()
    ]
    parts = [
        Value(name=word[f"counted_{field}"], expr=scope.parts(name, (*by, "by"), window="90d"), look=plain(name))
        for field in ("before", "after", "came")
        if (name := _part(field))
    ]
    titles = {"tenant": word["tenant"], "by": word["channel"]}
    about = told(*AROUND) + "\n\n" + told(_part("journeys"))
    differs = Value(
        name=word["journey_difference"],
        expr=changed(ask.sums(scope, by)),
        look=plain("contact_journey_difference"),
    )
    many = Value(
        name="{{tenant}}",
        expr=scope.parts(_part("journeys"), by, window="90d"),
        look=plain(_part("journeys")),
    )
    yield Row(
        9,
        (
            worst_first(word["journey"], about, titles, [*around, *parts]),
            worst_first(
                word["journey_changed"], told("contact_journey_difference", "contact_journey_margin"), titles, [differs]
            ),
            lines(word["counted_journeys"], told(_part("journeys")), [many]),
        ),
        (12, 6, 6),
    )
