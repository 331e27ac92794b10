"""
Customers: who comes again, who stays, what they are worth, and what they leave in carts.

The customers of a queue or plan are on all workers: `customer_queries` adds them up.
"""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import stat, table
from grafana_foundation_sdk.models import dashboard
from msgspec.structs import replace

from scripts.customer_formulas import at_start
from scripts.dashboards import customer_queries as ask
from scripts.dashboards.banner import banner
from scripts.dashboards.customer_history import PERIOD, bought, effort, journeys, stayed
from scripts.dashboards.frame import Choices, Page, framed
from scripts.dashboards.layout import Row
from scripts.dashboards.panels import Value, lines, numbers, plain, told, worst_first
from scripts.dashboards.queries import QUEUE, quantity
from scripts.dashboards.queues import queue_labels
from stream.families.customers.queue_figures import QUEUE_COUNTS

__all__ = ["CUSTOMERS", "customers"]

ABOUT = (
    "Customers: first-contact resolution and repeats, effort to a solution, churn and retention, what customers are "
    "worth and how active they are, carts, and contacts around a purchase. Choose plans or groups, not both; All is "
    "all customers of a tenant."
)

CUSTOMERS = Choices(
    queues="contact_fcr_target_ratio",
    windows="contact_customer_window_contacts",
    window="30d",
    variable="customer_window",
    members="contact_customers",
    period=PERIOD,
)

NEUTRAL = "#2b3b55"
LEGEND = "{{tenant}} · {{queue}} · {{channel}}"

FCR, SO_FAR, FCR_TARGET = "contact_fcr_ratio", "contact_fcr_provisional_ratio", "contact_fcr_target_ratio"
REPEAT = "contact_repeat_ratio"
CHURN, CHURN_LIMIT = "contact_churn_ratio", "contact_churn_limit_ratio"
CARTS, CARTS_LIMIT = "contact_cart_abandonment_ratio", "contact_cart_abandonment_limit_ratio"

COUNTED_EFFORTS = {"effort_contacts", "effort_handovers", "effort_solutions"}
"""What the table of efforts shows."""

PROMISES = {
    CHURN_LIMIT: "churn_limit",
    CARTS_LIMIT: "cart_abandonment_limit",
    "contact_customer_minimum": "customer_minimum",
    "contact_customer_margin_ratio": "margin",
    "contact_customer_open": "queue_open",
    "contact_customer_quiet": "queue_quiet",
}


def customers(page: Page) -> dashboard.Dashboard:
    """Return the dashboard of customers."""
    page = replace(page, scope=replace(page.scope, window=CUSTOMERS.variable))
    sections = (_tiles, _coming_again, effort, stayed, bought, journeys, _promises)
    rows = [banner(page, 3), *(row for section in sections for row in section(page))]
    return framed(page, "customers", rows, about=ABOUT, choices=CUSTOMERS, alerts="customers", since="now-30d")


def _tiles(page: Page) -> Iterator[Row]:
    scope, word = page.scope, page.words
    now = "contact_customers"
    yield Row(
        5,
        (
            _fcr(page),
            _number(page, "repeat_contacts", REPEAT, ask.of_queues(scope, REPEAT, ())),
            numbers(
                word["customers"],
                told(now),
                [Value(name=word["customers"], expr=scope.parts(now), look=plain(now, colour=NEUTRAL))],
                name=False,
            ),
            _churn(page),
        ),
    )
    kept, worth = "contact_net_revenue_retention_ratio", "contact_customer_lifetime_value"
    yield Row(
        5,
        (
            _number(page, "retention", "contact_retention_ratio", _in_30_days(page, "contact_retention_ratio")),
            _number(page, "net_revenue_retention", kept, _in_30_days(page, kept, ("tenant",))),
            _number(page, "clv", worth, ask.of_members(scope, worth, ("tenant",)), legend="{{tenant}}"),
            _carts(page),
        ),
    )


def _in_30_days(page: Page, name: str, by: tuple[str, ...] = ()) -> str:
    return ask.of_members(page.scope, name, by, window="30d")


def _number(page: Page, key: str, name: str, expr: str, *, legend: str = "") -> stat.Panel:
    word = page.words[key]
    value = Value(name=legend or word, expr=expr, look=plain(name, colour=NEUTRAL))
    return numbers(word, told(name), [value], name=bool(legend))


def _fcr(page: Page) -> stat.Panel:
    scope, word = page.scope, page.words
    many = scope.parts("contact_customer_window_first_decided", QUEUE)
    target = f"sum ({scope.each(FCR_TARGET)} * {many}) / (sum ({many}) > 0)"
    enough = f"sum ({many} >= {scope.each('contact_customer_queue_minimum')})"
    gap = f"{target} - {ask.of_queues(scope, FCR, ())} and {enough}"
    values = [
        Value(name=word["fcr"], expr=ask.of_queues(scope, FCR, ()), look=plain(FCR, colour=NEUTRAL)),
        Value(name=word["fcr_so_far"], expr=ask.of_queues(scope, SO_FAR, ()), look=plain(SO_FAR, colour=NEUTRAL)),
        Value(name=word["target_state"], expr=gap, look=page.against(-0.05, 1e-6)),
    ]
    return numbers(word["fcr"], told(FCR, SO_FAR, FCR_TARGET), values)


def _churn(page: Page) -> stat.Panel:
    """Judged by the tenant that is nearest to its limit, or most beyond it, of those with enough customers."""
    word, by = page.words, ask.MEMBERS
    limit, minimum = (page.scope.each(name, by) for name in (CHURN_LIMIT, "contact_customer_minimum"))
    start = at_start(ask.sums(page.scope, by, window="30d"))
    judged = f"max (({_in_30_days(page, CHURN, by)}) / {limit}\nand ({start} >= {minimum}))"
    values = [
        Value(name=word["churn"], expr=_in_30_days(page, CHURN), look=plain(CHURN, colour=NEUTRAL)),
        Value(name=word["target_state"], expr=judged, look=page.against(0.9, 1 + 1e-6)),
    ]
    return numbers(f"{word['churn']}: {word['window_30d']}", told(CHURN, CHURN_LIMIT), values)


def _carts(page: Page) -> stat.Panel:
    word, by = page.words, ask.MEMBERS
    limit, minimum = (page.scope.each(name, by) for name in (CARTS_LIMIT, "contact_customer_minimum"))
    sums = ask.sums(page.scope, by)
    ended = f"{sums.if_any('carts_abandoned', 'carts_completed')} + {sums.if_any('carts_completed', 'carts_abandoned')}"
    judged = f"max (({ask.of_members(page.scope, CARTS, by)}) / {limit}\nand ({ended} >= {minimum}))"
    values = [
        Value(name=word["cart_abandonment"], expr=ask.of_members(page.scope, CARTS), look=plain(CARTS, colour=NEUTRAL)),
        Value(name=word["target_state"], expr=judged, look=page.against(0.9, 1 + 1e-6)),
    ]
    return numbers(word["cart_abandonment"], told(CARTS, CARTS_LIMIT), values)


def _coming_again(page: Page) -> Iterator[Row]:
    scope, word = page.scope, page.words
    yield Row(1, title=f"{word['fcr']} · {word['repeat_contacts']}")
    final = [
        Value(name=LEGEND, expr=ask.of_queues(scope, FCR), look=plain(FCR)),
        Value(
            name=f"{word['fcr_so_far']}: {LEGEND}", expr=ask.of_queues(scope, SO_FAR), look=plain(SO_FAR), dashed=True
        ),
    ]
    repeats = [Value(name=LEGEND, expr=ask.of_queues(scope, REPEAT), look=plain(REPEAT))]
    yield Row(
        9,
        (lines(word["fcr"], told(FCR, SO_FAR), final), lines(word["repeat_contacts"], told(REPEAT), repeats)),
    )
    yield Row(9, (_queues(page),))


def _queues(page: Page) -> table.Panel:
    scope, word = page.scope, page.words
    ratios = {FCR: "fcr", SO_FAR: "fcr_so_far", REPEAT: "repeat_contacts"}
    columns = [
        *(Value(name=word[key], expr=ask.of_queues(scope, name), look=plain(name)) for name, key in ratios.items()),
        *(
            Value(name=word[key], expr=scope.each(name), look=plain(name))
            for name, key in ((FCR_TARGET, "aim"), ("contact_customer_queue_minimum", "customer_minimum"))
        ),
        *(
            Value(name=word[f"counted_{field}"], expr=scope.parts(name, QUEUE), look=plain(name))
            for field in QUEUE_COUNTS
            if (name := f"contact_customer_window_{field}") and field not in COUNTED_EFFORTS
        ),
    ]
    names = ("contact_customer_window_first_decided", "contact_customer_window_asked_too_often")
    return worst_first(word["worst_queues"], told(*ratios, *names), queue_labels(page), columns)


def _promises(page: Page) -> Iterator[Row]:
    """Yield what the policy of each tenant says of its customers as a whole."""
    scope, word = page.scope, page.words
    yield Row(1, title=word["promises"])
    whole, labels = {"plan": "", "group": ""}, ("currency", "team")
    own = scope.each("contact_customer_policy_info", ("tenant", *labels), **whole)
    columns = [
        Value(
            name=word[key],
            expr=f"{own} * on (tenant) group_left () {scope.each(name, ('tenant',), **whole)}",
            look=page.truth if quantity(name).unit == "bool" else plain(name),
        )
        for name, key in PROMISES.items()
    ]
    titles = {label: word[label] for label in ("tenant", *labels)}
    yield Row(7, (worst_first(word["promises"], told(*PROMISES, "contact_customer_policy_info"), titles, columns),))
