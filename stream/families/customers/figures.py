"""
The figures of customers: metrics, and what a board shows of each queue, plan and group.

The customers of one plan are on many partitions. So what workers tell are parts: counts add up, a ratio or mean of several
workers is that of the sums (`grafana/prometheus/rules`), as the board computes it.
"""

from collections.abc import Mapping
from typing import Final

from stream.core.columns import of_policy
from stream.core.figure import Column, Figure
from stream.core.metric import Kind, Metric, counter, gauge
from stream.core.windows import MONTH, QUARTER, TODAY
from stream.families.customers import columns as read
from stream.families.customers.history import ACTIVITIES
from stream.families.customers.shown import CHURN_OF_30_DAYS, CUSTOMER_SAMPLES, CUSTOMERS_SHOWN
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = ["FIGURES", "QUEUE_COUNTS"]

_QUEUE: Final = ("tenant", "queue", "channel")
_MEMBERS: Final = ("tenant", "plan", "group")

_MAIN: Final = (TODAY, "7d", "30d")
_PERIODS: Final = ("30d", MONTH, QUARTER)
_SLOW: Final = ("30d", "90d")

_ANY: Final = len(ACTIVITIES)

CustomerFigure = Figure[CustomersSnapshot]


def _queue_labels(one: CustomersSnapshot) -> tuple[str, ...] | None:
    return one.key[:3] if one.queue else None


def _member_labels(one: CustomersSnapshot) -> tuple[str, ...] | None:
    return None if one.queue else (one.tenant, one.plan, one.group)


def _sampled(metric: Metric, column: Column[CustomersSnapshot]) -> Column[CustomersSnapshot]:
    """Return the column of a figure; what is judged knows of how many it was made."""
    number = CUSTOMER_SAMPLES.get(metric.name)
    return column if number is None else read.sampled(column, number)


def _of_queue(
    section: str, metric: Metric, column: Column[CustomersSnapshot], written_in: tuple[str, ...] | None = None
) -> CustomerFigure:
    return Figure(
        metric=metric,
        section=section,
        column=_sampled(metric, read.of_queues(column)),
        labels_of=_queue_labels,
        show=CUSTOMERS_SHOWN.get(metric.name),
        written_in=written_in,
    )


def _of_members(
    section: str, metric: Metric, column: Column[CustomersSnapshot], written_in: tuple[str, ...] | None = None
) -> CustomerFigure:
    return Figure(
        metric=metric,
        section=section,
        column=_sampled(metric, read.of_members(column)),
        labels_of=_member_labels,
        show=CUSTOMERS_SHOWN.get(metric.name),
        written_in=written_in,
    )


def _by(
    section: str,
    metric: Metric,
    columns: Mapping[str, Column[CustomersSnapshot]],
    written_in: tuple[str, ...] | None = None,
) -> CustomerFigure:
    return Figure(
        metric=metric,
        section=section,
        by={name: read.of_members(column) for name, column in columns.items()},
        labels_of=_member_labels,
        written_in=written_in,
    )


# By queue: who comes again, and what a solution takes.

_WINDOW: Final = (*_QUEUE, "window")

_COMING_AGAIN: Final = (
    _of_queue(
        "customer_queues",
        gauge(
            "contact_repeat_ratio",
            "ratio",
            _WINDOW,
            "Share of the contacts whose customer had come in the same matter within the look-back.",
            "repeats ÷ contacts of known customers",
        ),
        read.CUSTOMERS_COUNTED.of_ratio(read.REPEAT),
        _MAIN,
    ),
    _of_queue(
        "customer_queues",
        gauge(
            "contact_fcr_ratio",
            "ratio",
            _WINDOW,
            "First-contact resolution: of the first contacts whose look-back has ended in the window, the share after "
            "which the customer did not come again.",
            "first resolved ÷ first decided",
        ),
        read.CUSTOMERS_COUNTED.of_ratio(read.FCR),
        _MAIN,
    ),
    _of_queue(
        "customer_queues",
        gauge(
            "contact_fcr_provisional_ratio",
            "ratio",
            _WINDOW,
            "First-contact resolution so far: of the first contacts in the window, the share after which the customer "
            "has not come again by now. It can only fall.",
            "first not repeated ÷ first served",
        ),
        read.CUSTOMERS_COUNTED.of_ratio(read.FCR_SO_FAR),
        _MAIN,
    ),
)

_EFFORT_METRICS: Final = {
    "effort_seconds": (
        "contact_effort_mean_seconds",
        "seconds",
        "Time from the first contact to the solution, in the mean.",
    ),
    "effort_p90_seconds": (
        "contact_effort_p90_seconds",
        "seconds",
        "Time from the first contact to the solution that nine in ten did not exceed.",
    ),
    "effort_contacts": ("contact_effort_contacts", "contacts", "Contacts that a solution took, in the mean."),
    "effort_p90_contacts": (
        "contact_effort_p90_contacts",
        "contacts",
        "Contacts that a solution took and that nine in ten did not exceed.",
    ),
    "effort_handovers": ("contact_effort_handovers", "handovers", "Hand-overs that a solution took, in the mean."),
    "effort_solutions": ("contact_effort_solutions", "solutions", "Solutions offered until one held, in the mean."),
}

_EFFORT: Final = tuple(
    _of_queue("customer_queues", gauge(metric, unit, _WINDOW, meaning), read.EFFORT_COLUMNS[name], _MAIN)
    for name, (metric, unit, meaning) in _EFFORT_METRICS.items()
)

QUEUE_COUNTS: Final = {
    "contacts": ("contacts", "Contacts of known customers, by when they came"),
    "repeats": ("contacts", "Contacts whose customer had come in the same matter within the look-back"),
    "first_served": ("contacts", "Contacts that were served and are no repeats, by when they came"),
    "first_not_repeated": ("contacts", "Of these, those after which the customer has not come again by now"),
    "first_decided": ("contacts", "Contacts that were served and are no repeats, by when their look-back ended"),
    "first_resolved": ("contacts", "Of these, those after which the customer did not come again"),
    "efforts": ("matters", "Matters that are solved by now, by time of their last solution"),
    "effort_contacts": ("contacts", "Contacts that these took"),
    "effort_handovers": ("handovers", "Hand-overs that these took"),
    "effort_solutions": ("solutions", "Solutions that were offered for these"),
    "asked": ("invitations", "Invitations to surveys of known customers"),
    "asked_too_often": ("invitations", "Invitations to customers who had been asked as often as the policy allows"),
}
"""Fields of `CustomerCounts` that count by queue: unit and meaning."""

_PROVISIONAL: Final = frozenset({"first_not_repeated", "first_decided", "first_resolved"})
"""A counter would be wrong: the first can only fall, the others count when a day comes that was known before."""

_QUEUE_PARTS: Final = (
    *(
        _of_queue(
            "customer_queues",
            gauge(f"contact_customer_window_{name}", unit, _WINDOW, f"{text}; in the window."),
            read.CUSTOMERS_COUNTED.count_if_ever(name),
            _MAIN,
        )
        for name, (unit, text) in QUEUE_COUNTS.items()
    ),
    _of_queue(
        "customer_queues",
        gauge(
            "contact_customer_window_effort_seconds",
            "seconds",
            _WINDOW,
            "Times from the first contact to the solution, summed up; in the window.",
        ),
        read.CUSTOMERS_COUNTED.seconds("effort_ms"),
        _MAIN,
    ),
    *(
        _of_queue(
            "customer_totals",
            counter(f"contact_customer_{name}_total", unit, _QUEUE, f"{text}."),
            read.CUSTOMERS_COUNTED.total_if_any(name),
        )
        for name, (unit, text) in QUEUE_COUNTS.items()
        if name not in _PROVISIONAL
    ),
    _of_queue(
        "customer_totals",
        counter(
            "contact_customer_corrections_total",
            "facts",
            _QUEUE,
            "What counters of customers have counted of a queue and a later event took back.",
        ),
        read.CUSTOMERS_COUNTED.correction(
            "contacts", "repeats", "first_served", "first_not_repeated", "efforts", "asked"
        ),
    ),
)

# By plan and group: who is there, and what they are worth.

_PERIOD: Final = (*_MEMBERS, "window")

_THERE: Final = (
    _of_members(
        "customers",
        gauge("contact_customers", "customers", _MEMBERS, "Customers who are there now."),
        read.present,
    ),
    _of_members(
        "customers",
        gauge("contact_customers_monthly_revenue", "currency", _MEMBERS, "What they pay in a month."),
        read.money_now("monthly"),
    ),
    _of_members(
        "customers",
        gauge("contact_customers_revenue", "currency", _MEMBERS, "What they have paid so far."),
        read.money_now("revenue"),
    ),
    *(
        _by(
            "customers",
            gauge(
                f"contact_customers_active_{name}",
                "customers",
                (*_MEMBERS, "kind"),
                f"Customers who were active {text}, by kind.",
            ),
            {kind: read.active(number, period) for number, kind in enumerate((*ACTIVITIES, "any"))},
        )
        for period, (name, text) in enumerate(
            (("daily", "today"), ("weekly", "in 7 days with today"), ("monthly", "in 30 days with today"))
        )
    ),
    _of_members(
        "customers",
        gauge(
            "contact_customer_stickiness_ratio",
            "ratio",
            _MEMBERS,
            "Of the customers who were active in 30 days, the share that was active today.",
            "daily ÷ monthly active",
        ),
        read.stickiness,
    ),
    _of_members(
        "customers",
        gauge(
            "contact_customer_value_so_far",
            "currency",
            _MEMBERS,
            "Lifetime value so far: what a customer who is there has paid, in the mean.",
            "revenue ÷ customers",
        ),
        read.value_so_far,
    ),
    _of_members(
        "customers",
        gauge(
            "contact_customer_lifetime_value",
            "currency",
            _MEMBERS,
            "What may be expected of a customer in all; no sample where nobody was lost in 30 days, or of few customers.",
            "mean revenue of 30 days × margin ÷ churn of 30 days",
        ),
        read.lifetime_value,
    ),
)

_KEPT: Final = tuple(
    _of_members("customer_periods", gauge(name, "ratio", _PERIOD, meaning, formula), column, _PERIODS)
    for name, meaning, formula, column in (
        (
            "contact_churn_ratio",
            "Of the customers who were there when the window began, the share that is gone.",
            "lost ÷ customers at its start",
            read.churn,
        ),
        (
            "contact_retention_ratio",
            "Of the customers who were there when the window began, the share that is there now.",
            "1 - churn",
            read.retention,
        ),
        (
            "contact_revenue_churn_ratio",
            "Of what was paid in a month when the window began, the share that customers paid who are gone.",
            "monthly revenue of the lost ÷ monthly revenue at its start",
            read.revenue_churn,
        ),
        (
            "contact_net_revenue_retention_ratio",
            "What customers who were there when the window began pay in a month now, by what they paid then.",
            "(monthly revenue - that of the gained) ÷ monthly revenue at its start",
            read.net_revenue_retention,
        ),
        (
            "contact_referral_ratio",
            "Of the customers who began in the window, the share that another customer has sent.",
            "referred ÷ first joined",
            read.CUSTOMERS_COUNTED.of_ratio(read.REFERRAL),
        ),
    )
)

_CARTS: Final = tuple(
    _of_members("carts", gauge(name, "ratio", _PERIOD, meaning, formula), column, _MAIN)
    for name, meaning, formula, column in (
        (
            "contact_cart_abandonment_ratio",
            "Of the carts that were ordered or abandoned in the window, the share that was abandoned.",
            "abandoned ÷ (abandoned + completed)",
            read.CUSTOMERS_COUNTED.of_ratio(read.CART_ABANDONMENT),
        ),
        (
            "contact_cart_value_abandonment_ratio",
            "The same by what was in them.",
            "value abandoned ÷ (value abandoned + value completed)",
            read.CUSTOMERS_COUNTED.of_ratio(read.CART_VALUE_ABANDONMENT),
        ),
        (
            "contact_cart_recovery_ratio",
            "Carts ordered after they had been abandoned, by those abandoned in the window.",
            "recovered ÷ abandoned",
            read.CUSTOMERS_COUNTED.of_ratio(read.RECOVERY),
        ),
    )
)

_JOURNEYS: Final = tuple(
    _by(
        "customer_journeys",
        gauge(f"contact_journey_{name}", "contacts", (*_PERIOD, "by"), f"{text}, by channel."),
        read.by_channel(field),
        ("90d",),
    )
    for name, field, text in (
        ("before", "before", "Contacts of a customer in the 30 days before a purchase, in the mean"),
        ("after", "after", "Contacts of a customer in the 30 days after a purchase, in the mean"),
        ("usual", "usual", "Contacts of any customer of the plan or group in 30 days, in the mean"),
        ("difference", "difference", "Contacts after a purchase more than usual; negative: fewer"),
        ("margin", "margin", "Margin of error of that difference: with 95 % confidence it is no further off"),
    )
)

_MEMBER_COUNTS: Final = {
    "joined": ("customers", "Customers who began or came back", _PERIODS),
    "left": ("customers", "Customers who left", _PERIODS),
    "lost": ("customers", "Customers who were there when the window began, and are gone", _PERIODS),
    "gained": ("customers", "Customers who are there, and were not when the window began", _PERIODS),
    "first_joined": ("customers", "Customers who began and had never been there before", _PERIODS),
    "referred": ("customers", "Of these, those whom another customer has sent", _PERIODS),
    "purchases": ("purchases", "Purchases", _MAIN),
    "journeys": ("purchases", "Purchases whose 30 days after them have ended", _SLOW),
    "carts_created": ("carts", "Carts that were created", _MAIN),
    "carts_checked_out": ("carts", "Carts that went to the till", _MAIN),
    "carts_abandoned": ("carts", "Carts with which nothing happened for too long", _MAIN),
    "carts_completed": ("carts", "Carts that were ordered and had never been abandoned", _MAIN),
    "carts_recovered": ("carts", "Carts that were ordered after they had been abandoned", _MAIN),
    "other_currency": ("amounts", "Amounts in another currency than that of the policy: no sum has them", _MAIN),
    "dropped": ("events", "Events of which one customer had too many: figures are a lower bound", _MAIN),
    "unknown": ("events", "Events of customers and carts beyond the limit: figures are a lower bound", _MAIN),
}

_MEMBER_MONEY: Final = {
    "monthly_change": ("What customers pay in a month: by how much it has changed", _PERIODS),
    "monthly_lost": ("What customers paid in a month when the window began who are gone", _PERIODS),
    "monthly_gained": ("What customers pay in a month who were not there when the window began", _PERIODS),
    "revenue": ("What was paid for purchases, less what was paid back", (TODAY, "7d", *_PERIODS)),
    "carts_abandoned_value": ("What abandoned carts were worth", _MAIN),
    "carts_completed_value": ("What completed carts were worth", _MAIN),
    "carts_recovered_value": ("What recovered carts were worth", _MAIN),
}

_TURNS: Final = frozenset({"joined", "left", "lost", "gained"})
"""A ratio of several workers needs all of them: of the lost and gained nothing is left once they are long ago."""

_MEMBER_PARTS: Final = (
    *(
        _of_members(
            "customer_periods",
            gauge(f"contact_customer_window_{name}", unit, _PERIOD, f"{text}; in the window."),
            (read.CUSTOMERS_COUNTED.of_counts if name in _TURNS else read.CUSTOMERS_COUNTED.count_if_ever)(name),
            windows,
        )
        for name, (unit, text, windows) in _MEMBER_COUNTS.items()
    ),
    *(
        _of_members(
            "customer_periods",
            gauge(f"contact_customer_window_{name}", "currency", _PERIOD, f"{text}; in the window."),
            read.money_counted(name),
            windows,
        )
        for name, (text, windows) in _MEMBER_MONEY.items()
    ),
    *(
        _of_members(
            "customer_totals",
            counter(f"contact_customer_{name}_total", unit, _MEMBERS, f"{text}."),
            read.CUSTOMERS_COUNTED.total_if_any(name),
        )
        for name, (unit, text, _) in _MEMBER_COUNTS.items()
        if name
        in {"joined", "left", "purchases", "carts_created", "carts_completed", "carts_recovered", "dropped", "unknown"}
    ),
)

_POLICY: Final = (
    _of_queue(
        "customer_policy",
        gauge(
            "contact_fcr_target_ratio",
            "ratio",
            _QUEUE,
            "The share of matters that should be done with the first contact.",
        ),
        of_policy(lambda policy: policy.fcr_target),
    ),
    _of_queue(
        "customer_policy",
        gauge(
            "contact_customer_queue_minimum",
            "contacts",
            _QUEUE,
            "So many contacts a window must have before a ratio of them is judged, or somebody is alerted of it.",
        ),
        of_policy(lambda policy: policy.customer_minimum),
    ),
    _of_members(
        "customer_policy",
        gauge(
            "contact_customer_minimum",
            "customers",
            _MEMBERS,
            "So many customers or carts there must be before a ratio of them is judged, or somebody is alerted of it.",
        ),
        of_policy(lambda policy: policy.customer_minimum),
    ),
    _of_members(
        "customer_policy",
        gauge(
            "contact_churn_limit_ratio",
            "ratio",
            _MEMBERS,
            "Somebody is alerted when a larger share of customers was lost in 30 days; no sample: nobody is.",
        ),
        lambda reading, _: [one.policy.churn_limit for one in reading.snapshots],
    ),
    _of_members(
        "customer_policy",
        gauge(
            "contact_cart_abandonment_limit_ratio",
            "ratio",
            _MEMBERS,
            "Somebody is alerted when a larger share of today's carts is abandoned; no sample: nobody is.",
        ),
        lambda reading, _: [one.policy.cart_abandonment_limit for one in reading.snapshots],
    ),
    Figure(
        metric=gauge(
            "contact_customer_policy_info",
            "info",
            (*_MEMBERS, "currency", "team"),
            "In which money figures are told, and who is alerted.",
            kind=Kind.INFO,
        ),
        section="customer_policy",
        column=read.of_members(lambda reading, _: [1] * len(reading.snapshots)),
        labels_of=lambda one: (
            None if one.queue else (one.tenant, one.plan, one.group, one.policy.currency, one.policy.team)
        ),
    ),
)

_ONLY_SHOWN: Final = (
    Figure(column=read.of_members(lambda reading, _: read.churn(reading, "30d")), show=CHURN_OF_30_DAYS),
)

FIGURES: Final[tuple[CustomerFigure, ...]] = (
    *_COMING_AGAIN,
    *_EFFORT,
    *_THERE,
    *_KEPT,
    *_CARTS,
    *_JOURNEYS,
    *_QUEUE_PARTS,
    *_MEMBER_PARTS,
    *_POLICY,
    *_ONLY_SHOWN,
)
"""Every figure, in the order of the page of metrics."""
