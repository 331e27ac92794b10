"""How a board shows the figures of customers, and judges them: by the policy, and only where there are enough to tell."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from stream.core.figure import Column, Parts, Row, Show, ShownNote
from stream.core.judgement import State, kept_above, kept_below
from stream.families.customers import columns as read
from stream.families.customers.columns import CUSTOMERS_COUNTED, CustomerReading
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = [
    "CUSTOMERS_SHOWN",
    "CUSTOMER_COLUMNS",
    "CUSTOMER_FACTS",
    "CUSTOMER_NOW",
    "CUSTOMER_SECTIONS",
    "CUSTOMER_SHOWN_FACTS",
    "TYPICAL_ABANDONMENT",
    "most_lost",
]

TYPICAL_ABANDONMENT: Final = 0.63
"""What a survey of studies found: no target, but a line to compare with."""


def _judged(
    target: Callable[[CustomersSnapshot], float | None],
    number: Callable[[CustomerReading], Sequence[int]],
    verdict: Callable[[float | None, float], State],
) -> Callable[[CustomerReading, Sequence[Any]], Sequence[State]]:
    """Return what judges a column by a target, where there are as many as the policy asks for."""

    def judge(reading: CustomerReading, values: Sequence[Any]) -> Sequence[State]:
        return [
            State.NO_SAMPLE
            if value is None or (limit := target(one)) is None or many < one.policy.customer_minimum
            else verdict(value, limit)
            for one, value, many in zip(reading.snapshots, values, number(reading), strict=True)
        ]

    return judge


def _first_decided(reading: CustomerReading) -> Sequence[int]:
    return list(CUSTOMERS_COUNTED.counted(reading, "30d").first_decided)


def _customers_at_start(reading: CustomerReading) -> Sequence[int]:
    return read.at_start(reading, "30d")


def _carts_today(reading: CustomerReading) -> Sequence[int]:
    counts = CUSTOMERS_COUNTED.counted(reading, "today")
    return list(counts.carts_abandoned + counts.carts_completed)


CUSTOMERS_SHOWN: Final[dict[str, Show[CustomersSnapshot]]] = {
    "contact_fcr_ratio": Show(
        name="fcr",
        format="level",
        title="FCR",
        tile="large",
        judged_as="fcr",
        judge=_judged(lambda one: one.policy.fcr_target if one.queue else None, _first_decided, kept_above),
        notes=(
            ShownNote(word="fcr_so_far_note", blanks={"fcr_so_far": "level"}, if_any=True),
            ShownNote(word="fcr_of", blanks={"first_decided": "count"}, if_any=True, where=("detail",)),
        ),
    ),
    "contact_fcr_provisional_ratio": Show(name="fcr_so_far", format="level", title="so far", rank=2),
    "contact_repeat_ratio": Show(
        name="repeat_ratio", format="share", title="repeats", word="repeat_contacts", rank=3, tile="small"
    ),
    "contact_effort_mean_seconds": Show(
        name="effort_seconds", format="duration", title="effort", word="effort", rank=4, tile="small"
    ),
    "contact_effort_p90_seconds": Show(name="effort_p90_seconds", format="duration", title="effort p90", if_any=True),
    "contact_effort_contacts": Show(name="effort_contacts", format="score", title="contacts", if_any=True),
    "contact_effort_p90_contacts": Show(name="effort_p90_contacts", format="score", title="contacts p90", if_any=True),
    "contact_effort_handovers": Show(name="effort_handovers", format="score", title="hand-overs", if_any=True),
    "contact_effort_solutions": Show(name="effort_solutions", format="score", title="solutions", if_any=True),
    "contact_churn_ratio": Show(
        name="churn",
        format="share",
        title="churn",
        tile="large",
        rank=1,
        judged_as="churn",
        judge=_judged(lambda one: one.policy.churn_limit, _customers_at_start, kept_below),
        notes=(ShownNote(word="lost_of", blanks={"lost": "count", "customers_at_start": "count"}, if_any=True),),
    ),
    "contact_retention_ratio": Show(name="retention", format="level", title="retention", rank=5),
    "contact_revenue_churn_ratio": Show(name="revenue_churn", format="share", title="revenue churn", if_any=True),
    "contact_net_revenue_retention_ratio": Show(
        name="net_revenue_retention", format="share", title="NRR", rank=7, if_any=True
    ),
    "contact_referral_ratio": Show(name="referral", format="share", title="referral", rank=8, if_any=True),
    "contact_cart_abandonment_ratio": Show(
        name="cart_abandonment",
        format="share",
        title="carts lost",
        tile="large",
        rank=1,
        judged_as="cart_abandonment",
        judge=_judged(lambda one: one.policy.cart_abandonment_limit, _carts_today, kept_below),
        notes=(ShownNote(word="typical", blanks={"typical_abandonment": "share"}, if_any=True),),
    ),
    "contact_cart_value_abandonment_ratio": Show(
        name="cart_value_abandonment", format="share", title="value lost", if_any=True
    ),
    "contact_cart_recovery_ratio": Show(name="cart_recovery", format="share", title="recovered", if_any=True),
    "contact_customers": Show(name="customers", format="count", title="customers", tile="small", rank=2, summary="max"),
    "contact_customers_monthly_revenue": Show(name="monthly_revenue", format="count", title="monthly", if_any=True),
    "contact_customer_stickiness_ratio": Show(name="stickiness", format="share", title="DAU/MAU", rank=9),
    "contact_customer_value_so_far": Show(
        name="value_so_far", format="count", title="CLV so far", rank=10, if_any=True
    ),
    "contact_customer_lifetime_value": Show(name="clv", format="count", title="CLV", rank=6, tile="small"),
    **{
        f"contact_customer_window_{name}": Show(name=name, format="count", title=name.replace("_", " "), if_any=True)
        for name in (
            *("contacts", "repeats", "first_served", "first_decided", "efforts", "asked", "asked_too_often"),
            *("joined", "left", "purchases", "carts_created", "carts_checked_out"),
            *("carts_abandoned", "carts_completed", "carts_recovered", "other_currency", "dropped", "unknown"),
        )
    },
    "contact_customer_window_revenue": Show(name="revenue", format="count", title="revenue", if_any=True),
}
"""By metric."""

CUSTOMER_COLUMNS: Final = (
    *("fcr", "fcr_so_far", "repeat_ratio", "effort_seconds", "customers", "churn", "retention"),
    *("net_revenue_retention", "clv", "referral", "stickiness", "cart_abandonment"),
)
"""What a list shows."""

CUSTOMER_NOW: Final = ("fcr", "repeat_ratio", "customers", "churn", "clv", "cart_abandonment")
"""What a detail shows large."""

CUSTOMER_SECTIONS: Final = {
    "coming_again": ("fcr", "fcr_so_far", "repeat_ratio", "contacts", "repeats", "first_served", "first_decided"),
    "solutions": (
        *("effort_seconds", "effort_p90_seconds", "effort_contacts", "effort_p90_contacts"),
        *("effort_handovers", "effort_solutions", "efforts"),
    ),
    "being_there": (
        *("churn", "retention", "revenue_churn", "net_revenue_retention", "referral", "joined", "left"),
        *("active_daily", "active_weekly", "active_monthly"),
    ),
    "buying": (
        *("purchases", "revenue", "cart_abandonment", "cart_value_abandonment", "cart_recovery", "carts_created"),
        *("carts_checked_out", "carts_abandoned", "carts_completed", "carts_recovered"),
    ),
    "journey": ("journey_before", "journey_after", "journey_usual", "journey_changed"),
    "asked_customers": ("asked", "asked_too_often", "other_currency", "dropped", "unknown"),
}
"""What a detail shows in every window."""


def _by_kind(period: int) -> Column[CustomersSnapshot]:
    names = ("contact", "purchase", "visit", "answer", "any")
    return lambda reading, _: [
        {} if one.queue else {name: active[period] for name, active in zip(names, one.active, strict=True)}
        for one in reading.snapshots
    ]


def _by_channel(field: str) -> Column[CustomersSnapshot]:
    return lambda reading, window: [
        {one.channel: value for one in channels if (value := getattr(one, field)) is not None}
        for channels in read.journeys(reading, window)
    ]


def _typical(reading: CustomerReading, window: str) -> Sequence[float | None]:
    carts = CUSTOMERS_COUNTED.counted(reading, window).carts_abandoned
    return [TYPICAL_ABANDONMENT if number else None for number in carts]


CUSTOMER_FACTS: Final[dict[str, Column[CustomersSnapshot]]] = {
    "lost": read.of_members(CUSTOMERS_COUNTED.of_counts("lost")),
    "customers_at_start": read.of_members(read.at_start),
    "typical_abandonment": _typical,
    "active_daily": _by_kind(0),
    "active_weekly": _by_kind(1),
    "active_monthly": _by_kind(2),
    "journey_before": _by_channel("before"),
    "journey_after": _by_channel("after"),
    "journey_usual": _by_channel("usual"),
    "journey_changed": read.changed,
}
"""What a row tells beside its figures."""

CUSTOMER_SHOWN_FACTS: Final[tuple[Show[CustomersSnapshot], ...]] = (
    *(
        Show(name=name, format="count", title=name.replace("_", " "), parts=Parts(), if_any=True)
        for name in ("active_daily", "active_weekly", "active_monthly")
    ),
    *(
        Show(name=name, format="score", title=name.replace("_", " "), parts=Parts(), if_any=True)
        for name in ("journey_before", "journey_after", "journey_usual", "journey_changed")
    ),
)
"""How those facts are shown that the detail has."""


def most_lost(row: Row) -> tuple[float]:
    """Order rows of one state by how many customers they lose."""
    return (-(row["churn"] or 0.0),)
