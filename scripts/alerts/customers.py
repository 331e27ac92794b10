"""
Alerts about customers: who must come again, who leaves, and what is left in carts, where the policy asks for it.

The customers of a queue or plan are on all workers: what is compared with a limit is recorded over all of them first.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from scripts.alerts.alert import Alert, Recording
from scripts.alerts.cases import SERVED
from scripts.alerts.expressions import (
    AWAKE,
    BY_MEMBERS,
    BY_QUEUE,
    alerted,
    by_members,
    by_queue,
    is_not_so,
    is_so,
    series,
    teams,
)
from scripts.customer_formulas import JOURNEYS, MEMBER_RATIOS, PERCENTILES, QUEUE_RATIOS, Formula, Sums, at_start
from stream.app.catalogue import metric
from stream.core.windows import TODAY
from stream.families.customers.labelled import MEMBER_LABELS, QUEUE_LABELS

__all__ = ["CUSTOMER_ALERTS", "CUSTOMER_RECORDINGS", "recorded"]

QUEUE_AWAKE = "queue:contact_customers_awake:team"
"""1 for every queue of contacts or cases in its opening hours and out of its quiet ones, with its team."""
MEMBERS_AWAKE = "members:contact_customers_awake:team"
"""The same of the plans and groups of each tenant."""
AT_START = "members:contact_customers_at_start:sum"
"""How many customers were there when a window began."""

A_MONTH = "30d"


QUARTER = timedelta(minutes=15)
"""While a partition changes hands its customers are counted twice or not at all, and that is no alert."""

ALL_CUSTOMERS = {"plan": "", "group": ""}
"""The labels of all customers of a tenant together."""


def recorded(name: str) -> str:
    """Return what the figure of a metric is called that is recorded over all workers."""
    one = metric(name)
    level = "queue" if "queue" in one.labels else "members"
    return f"{level}:{name.removesuffix(f'_{one.unit}')}:{one.unit}"


def _sums(by: Sequence[str]) -> Sums:
    def of(name: str, labels: Sequence[str], equals: Mapping[str, str]) -> str:
        windows = ("window",) if "window" in metric(name).labels and "window" not in equals else ()
        return f"sum by ({', '.join((*by, *windows, *labels))}) ({series(name, **equals)})"

    def policy(name: str) -> str:
        return f"max by ({', '.join(by)}) ({series(name)})"

    return Sums(of=of, policy=policy, by=tuple(by))


def _recordings(formulas: Mapping[str, Formula], by: Sequence[str]) -> Iterator[Recording]:
    sums = _sums(by)
    for name, formula in formulas.items():
        yield Recording(name=recorded(name), expr=formula(sums))


CUSTOMER_RECORDINGS = (
    Recording(name=QUEUE_AWAKE, expr=f"{AWAKE}\nor on ({BY_QUEUE}) {SERVED}"),
    Recording(
        name=MEMBERS_AWAKE,
        expr=teams(
            "contact_customer_policy_info",
            is_so("contact_customer_open", BY_MEMBERS),
            is_not_so("contact_customer_quiet", BY_MEMBERS),
            by=BY_MEMBERS,
        ),
    ),
    Recording(name=AT_START, expr=at_start(_sums(MEMBER_LABELS))),
    *_recordings({**QUEUE_RATIOS, **PERCENTILES}, QUEUE_LABELS),
    *_recordings({**MEMBER_RATIOS, **JOURNEYS}, MEMBER_LABELS),
)


def _in(name: str, window: str, by: str) -> str:
    """Return a recorded figure in a window."""
    return f'max by ({by}) ({name}{{window="{window}"}})'


def _fcr() -> str:
    """Return the first-contact resolution that is below its target, where enough was decided."""
    decided = f"sum by ({BY_QUEUE}) ({series('contact_customer_window_first_decided', window=A_MONTH)})"
    return (
        f"{_in(recorded('contact_fcr_ratio'), A_MONTH, BY_QUEUE)} < {by_queue('contact_fcr_target_ratio')}\n"
        f"and ({decided} >= {by_queue('contact_customer_queue_minimum')})"
    )


def _churn() -> str:
    """Return the churn that is above its limit, where enough customers were there to lose."""
    return (
        f"{_in(recorded('contact_churn_ratio'), A_MONTH, BY_MEMBERS)} > {by_members('contact_churn_limit_ratio')}\n"
        f"and ({_in(AT_START, A_MONTH, BY_MEMBERS)} >= {by_members('contact_customer_minimum')})"
    )


def _carts() -> str:
    """Return the abandonment of carts that is above its limit, where enough were ordered or abandoned."""
    # One of the two may never have happened.
    carts = " or ".join(
        f'label_replace ({series(f"contact_customer_window_carts_{what}", window=TODAY)}, "cart", "{what}", "", "")'
        for what in ("abandoned", "completed")
    )
    return (
        f"{_in(recorded('contact_cart_abandonment_ratio'), TODAY, BY_MEMBERS)}\n"
        f"> {by_members('contact_cart_abandonment_limit_ratio')}\n"
        f"and (sum by ({BY_MEMBERS}) ({carts}) >= {by_members('contact_customer_minimum')})"
    )


def _not_counted() -> str:
    """Return the events of today that no figure of customers has."""
    events = " or ".join(
        f"label_replace ({series(f'contact_customer_window_{what}', window=TODAY, **ALL_CUSTOMERS)}, "
        f'"why", "{what}", "", "")'
        for what in ("dropped", "unknown")
    )
    return f"sum by (tenant) ({events}) > 0"


CUSTOMER_ALERTS = (
    Alert(
        name="ContactFirstContactResolution",
        expr=alerted(_fcr(), QUEUE_AWAKE),
        severity="info",
        dashboard="customers",
        summary="{where}: {value} of the first contacts of 30d were enough, the target is {limit}",
        description="The other customers came again in the same matter, within the look-back. "
        "Read what they came back for, and let agents solve that at once.",
        value="ratio",
        limit="contact_fcr_target_ratio",
        pending=QUARTER,
        lingers=QUARTER,
    ),
    Alert(
        name="ContactChurn",
        expr=alerted(_churn(), MEMBERS_AWAKE, by=BY_MEMBERS),
        severity="info",
        concerns="customers",
        dashboard="customers",
        summary="{where}: {value} of the customers were lost in 30d, the limit is {limit}",
        description="They were there 30 days ago, and are gone. "
        "Look which plan or group loses most, since when, and what they were in contact about before.",
        value="ratio",
        limit="contact_churn_limit_ratio",
        pending=QUARTER,
        lingers=QUARTER,
    ),
    Alert(
        name="ContactCartAbandonment",
        expr=alerted(_carts(), MEMBERS_AWAKE, by=BY_MEMBERS),
        severity="warning",
        concerns="customers",
        dashboard="customers",
        summary="{where}: {value} of the carts of today were abandoned, the limit is {limit}",
        description="With these carts nothing happened any more for as long as the policy says. "
        "Buy something in the shop: see whether paying works, and prices and delivery are right.",
        value="ratio",
        limit="contact_cart_abandonment_limit_ratio",
        pending=QUARTER,
        lingers=QUARTER,
    ),
    Alert(
        name="ContactCustomersNotCounted",
        expr=_not_counted(),
        severity="info",
        concerns="feed",
        summary="{tenant}: {value} events of customers today are in no figure",
        description="There are more customers or carts than the limit, or one has too many events: figures are a "
        "lower bound. Raise the limit, or find who sends so many.",
        pending=QUARTER,
        lingers=QUARTER,
    ),
)
