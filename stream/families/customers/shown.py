"""How a board shows the figures of customers, and judges them: by policy, and only where there are enough to tell."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from stream.core.family import worst
from stream.core.figure import Column, Parts, Row, Show, ShownNote
from stream.core.judgement import State, kept_above, kept_below
from stream.families.customers import columns as read
from stream.families.customers.columns import CUSTOMERS_COUNTED, ByChannel, CustomerReading, SampledColumn
from stream.families.customers.history import ACTIVITIES
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = [
    "CHURN_OF_30_DAYS",
    "CUSTOMERS_SHOWN",
    "CUSTOMER_COLUMNS",
    "CUSTOMER_FACTS",
    "CUSTOMER_NOW",
    "CUSTOMER_SAMPLES",
    "CUSTOMER_SECTIONS",
    "CUSTOMER_SHOWN_FACTS",
    "TYPICAL_ABANDONMENT",
    "customer_states",
    "plans_before_queues",
]

TYPICAL_ABANDONMENT: Final = 0.63
"""What a survey of studies found: no target, but a line to compare with."""

_LIMITED_IN: Final = "30d"
"""The limit of churn is one of 30 days: of a day hardly anybody would reach it, and in a quarter nearly all would."""

# How it is judged.


def _decided_carts(reading: CustomerReading, window: str) -> Sequence[int]:
    counts = CUSTOMERS_COUNTED.counted(reading, window)
    return list(counts.carts_abandoned + counts.carts_completed)


CUSTOMER_SAMPLES: Final[dict[str, Column[CustomersSnapshot]]] = {
    "contact_fcr_ratio": CUSTOMERS_COUNTED.of_counts("first_decided"),
    "contact_cart_abandonment_ratio": _decided_carts,
}
"""Of how many a figure is made that is judged in each window, by metric."""


def _verdicts(
    reading: CustomerReading,
    column: SampledColumn,
    target: Callable[[CustomersSnapshot], float | None],
    verdict: Callable[[float | None, float], State],
) -> Sequence[State]:
    """Judge a column by a target, where there is one, and where there are as many as the policy asks for."""
    return [
        State.NO_SAMPLE
        if (limit := target(one)) is None or number < one.policy.customer_minimum
        else verdict(value, limit)
        for one, value, number in zip(reading.snapshots, column, column.made_of, strict=True)
    ]


def _judge_fcr(reading: CustomerReading, column: Sequence[Any]) -> Sequence[State]:
    assert isinstance(column, SampledColumn)
    return _verdicts(reading, column, lambda one: one.policy.fcr_target, kept_above)


def _judge_carts(reading: CustomerReading, column: Sequence[Any]) -> Sequence[State]:
    assert isinstance(column, SampledColumn)
    return _verdicts(reading, column, lambda one: one.policy.cart_abandonment_limit, kept_below)


def _judge_churn(reading: CustomerReading, _: Sequence[Any]) -> Sequence[State]:
    """Judge the churn of 30 days, as alerts do."""
    churn = read.sampled(read.for_members(read.churn), read.at_start)(reading, _LIMITED_IN)
    assert isinstance(churn, SampledColumn)
    return _verdicts(reading, churn, lambda one: one.policy.churn_limit, kept_below)


_FCR: Final = read.sampled(read.for_queues(CUSTOMERS_COUNTED.of_ratio(read.FCR)), CUSTOMER_SAMPLES["contact_fcr_ratio"])
_CART_ABANDONMENT: Final = read.sampled(
    read.for_members(CUSTOMERS_COUNTED.of_ratio(read.CART_ABANDONMENT)), _decided_carts
)


def customer_states(reading: CustomerReading, window: str) -> Sequence[State]:
    """Tell how each row stands; of plans and groups without any limit all is well, where there are enough customers."""
    verdicts = zip(
        _judge_fcr(reading, _FCR(reading, window)),
        _judge_carts(reading, _CART_ABANDONMENT(reading, window)),
        _judge_churn(reading, ()),
        strict=True,
    )
    return [
        State.OK if state is State.NO_SAMPLE and one.present >= one.policy.customer_minimum else state
        for one, state in zip(reading.snapshots, map(worst, verdicts), strict=True)
    ]


# How it is shown.

_OF_QUEUES: Final[dict[str, Show[CustomersSnapshot]]] = {
    "contact_fcr_ratio": Show(
        name="fcr",
        format="level",
        title="FCR",
        tile="large",
        judged_as="fcr",
        judge=_judge_fcr,
        notes=(
            ShownNote(word="fcr_so_far_note", blanks={"fcr_so_far": "level"}, if_any=True),
            ShownNote(word="fcr_of", blanks={"first_decided": "count"}, if_any=True),
        ),
    ),
    "contact_fcr_provisional_ratio": Show(name="fcr_so_far", format="level", title="so far", rank=2),
    "contact_repeat_ratio": Show(
        name="repeat_ratio", format="share", title="repeats", word="repeat_contacts", rank=3, tile="large"
    ),
    "contact_effort_mean_seconds": Show(
        name="effort_seconds", format="duration", title="effort", word="effort", rank=4, tile="large"
    ),
    "contact_effort_p90_seconds": Show(name="effort_p90_seconds", format="duration", title="effort p90", if_any=True),
    "contact_effort_contacts": Show(
        name="effort_contacts", format="score", title="contacts/solution", rank=7, tile="small"
    ),
    "contact_effort_p90_contacts": Show(name="effort_p90_contacts", format="count", title="contacts p90", if_any=True),
    "contact_effort_handovers": Show(name="effort_handovers", format="score", title="hand-overs", if_any=True),
    "contact_effort_solutions": Show(name="effort_solutions", format="score", title="solutions", if_any=True),
    "contact_customer_window_contacts": Show(name="contacts", format="count", title="contacts", rank=8, tile="small"),
    **{
        f"contact_customer_window_{name}": Show(name=name, format="count", title=name.replace("_", " "), if_any=True)
        for name in ("repeats", "first_served", "first_decided", "efforts", "asked", "asked_too_often")
    },
}

_OF_MEMBERS: Final[dict[str, Show[CustomersSnapshot]]] = {
    "contact_churn_ratio": Show(
        name="churn",
        format="share",
        title="churn",
        tile="large",
        rank=1,
        judged_as="churn",
        notes=(
            ShownNote(word="lost_of", blanks={"lost": "count", "customers_at_start": "count"}, if_any=True),
            ShownNote(
                word="in_30_days", blanks={"churn_elsewhere": "share"}, where=("tile",), if_any=True, signed=True
            ),
        ),
    ),
    "contact_retention_ratio": Show(name="retention", format="level", title="retention", rank=6, tile="small"),
    "contact_revenue_churn_ratio": Show(name="revenue_churn", format="share", title="revenue churn", if_any=True),
    "contact_net_revenue_retention_ratio": Show(
        name="net_revenue_retention", format="share", title="NRR", rank=7, if_any=True
    ),
    "contact_referral_ratio": Show(name="referral", format="share", title="referral", rank=8, tile="small"),
    "contact_cart_abandonment_ratio": Show(
        name="cart_abandonment",
        format="share",
        title="carts lost",
        tile="large",
        rank=1,
        judged_as="cart_abandonment",
        judge=_judge_carts,
        notes=(ShownNote(word="typical", blanks={"typical_abandonment": "share"}, if_any=True),),
    ),
    "contact_cart_value_abandonment_ratio": Show(
        name="cart_value_abandonment", format="share", title="value lost", if_any=True
    ),
    "contact_cart_recovery_ratio": Show(name="cart_recovery", format="share", title="recovered", if_any=True),
    "contact_customers": Show(
        name="customers", format="count", title="customers", tile="small", rank=2, summary="tenants"
    ),
    "contact_customers_monthly_revenue": Show(name="monthly_revenue", format="amount", title="monthly"),
    "contact_customer_stickiness_ratio": Show(
        name="stickiness",
        format="share",
        title="DAU/MAU",
        rank=9,
    ),
    "contact_customer_value_so_far": Show(name="value_so_far", format="amount", title="CLV so far", rank=10),
    "contact_customer_lifetime_value": Show(name="clv", format="amount", title="CLV", rank=5, tile="large"),
    **{
        f"contact_customer_window_{name}": Show(name=name, format="count", title=name.replace("_", " "), if_any=True)
        for name in (
            *("joined", "left", "purchases", "carts_created", "carts_checked_out"),
            *("carts_abandoned", "carts_completed", "carts_recovered", "other_currency", "dropped", "unknown"),
        )
    },
    "contact_customer_window_revenue": Show(name="revenue", format="amount", title="revenue", if_any=True),
}

CHURN_OF_30_DAYS: Final[Show[CustomersSnapshot]] = Show(
    name="churn_30d",
    format="share",
    title="churn 30 d",
    judged_as="churn",
    judge=_judge_churn,
    only_without="queue",
)
"""What is judged, whatever window is shown: of the churn of other windows a detail says no verdict."""

CUSTOMERS_SHOWN: Final[dict[str, Show[CustomersSnapshot]]] = {
    **{metric: replace(show, only_with="queue") for metric, show in _OF_QUEUES.items()},
    **{metric: replace(show, only_without="queue") for metric, show in _OF_MEMBERS.items()},
}
"""By metric. Who comes again is told by queue, all else by plan and group."""

CUSTOMER_COLUMNS: Final = (
    *("customers", "churn", "cart_abandonment", "clv", "retention", "net_revenue_retention", "referral", "stickiness"),
    *("fcr", "fcr_so_far", "repeat_ratio", "effort_seconds", "contacts", "effort_contacts"),
)
"""What a list shows: what plans and groups have, and then what queues have."""

CUSTOMER_NOW: Final = (
    *("churn", "churn_30d", "cart_abandonment", "clv", "value_so_far", "customers", "monthly_revenue", "stickiness"),
    *("fcr", "repeat_ratio", "effort_seconds", "effort_contacts"),
)
"""What a detail shows large."""

CUSTOMER_SECTIONS: Final = {
    "coming_again": ("fcr", "fcr_so_far", "repeat_ratio", "contacts", "repeats", "first_served", "first_decided"),
    "solutions": (
        *("effort_seconds", "effort_p90_seconds", "effort_contacts", "effort_p90_contacts"),
        *("effort_handovers", "effort_solutions", "efforts"),
    ),
    "being_asked": ("asked", "asked_too_often"),
    "being_there": ("churn", "retention", "revenue_churn", "net_revenue_retention", "referral", "joined", "left"),
    "activity": ("active",),
    "buying": ("purchases", "revenue"),
    "carts": (
        *("cart_abandonment", "cart_value_abandonment", "cart_recovery", "carts_created", "carts_checked_out"),
        *("carts_abandoned", "carts_completed", "carts_recovered"),
    ),
    "journey": ("journey_before", "journey_after", "journey_usual", "journey_changed"),
    "not_counted": ("other_currency", "dropped", "unknown"),
}
"""What a detail shows in every window."""

_ACTIVE_IN: Final = {"today": 0, "7d": 1, "30d": 2}
"""The windows of which it is known who was active, and their places in what a snapshot tells of that."""

_ANY_KIND: Final = "in_any_way"


def _active(reading: CustomerReading, window: str) -> Sequence[dict[str, int]]:
    """Return by kind how many were active in a window; nothing of queues, nor in windows of which it is not known."""
    place = _ACTIVE_IN.get(window)
    names = (*ACTIVITIES, _ANY_KIND)
    return [
        {}
        if one.queue or place is None
        else {name: active[place] for name, active in zip(names, one.active, strict=True)}
        for one in reading.snapshots
    ]


_JOURNEYS_IN: Final = frozenset({"30d", "90d"})
"""In a day there are too few purchases; of a month that has begun nobody knows what is usual in 30 days."""


def _journeys(reading: CustomerReading, window: str) -> Sequence[Sequence[ByChannel]]:
    return read.journeys(reading, window) if window in _JOURNEYS_IN else [()] * len(reading.snapshots)


def _by_channel(field: str) -> Column[CustomersSnapshot]:
    return lambda reading, window: [
        {one.channel: value for one in channels if (value := getattr(one, field)) is not None}
        for channels in _journeys(reading, window)
    ]


def _changed(reading: CustomerReading, window: str) -> Sequence[dict[str, tuple[float, float]]]:
    """
    Return by channel how many contacts more there are after a purchase than usual, and the margin of error of that.

    Only where it is no chance, of enough contacts to tell; what differs most comes first.
    """
    return [
        {
            one.channel: one.change
            for one in sorted(channels, key=lambda one: -abs(one.difference or 0))
            if one.change is not None
        }
        for channels in _journeys(reading, window)
    ]


def _typical(reading: CustomerReading, window: str) -> Sequence[float | None]:
    return [TYPICAL_ABANDONMENT if number else None for number in _decided_carts(reading, window)]


def _churn_elsewhere(reading: CustomerReading, window: str) -> Sequence[float | None]:
    """Return the churn that is judged, where the window shows another one."""
    return [None] * len(reading.snapshots) if window == _LIMITED_IN else read.churn(reading, _LIMITED_IN)


CUSTOMER_FACTS: Final[dict[str, Column[CustomersSnapshot]]] = {
    "currency": read.for_members(lambda reading, _: [one.policy.currency for one in reading.snapshots]),
    "lost": read.for_members(CUSTOMERS_COUNTED.of_counts("lost")),
    "customers_at_start": read.for_members(read.at_start),
    "churn_elsewhere": read.for_members(_churn_elsewhere),
    "typical_abandonment": read.for_members(_typical),
    "active": _active,
    "journey_before": _by_channel("before"),
    "journey_after": _by_channel("after"),
    "journey_usual": _by_channel("usual"),
    "journey_changed": _changed,
}
"""What a row tells beside its figures."""

_CHANNELS: Final = Parts(called="channel", absent_is_unknown=True)

CUSTOMER_SHOWN_FACTS: Final[tuple[Show[CustomersSnapshot], ...]] = (
    Show(
        name="active",
        format="count",
        title="active",
        parts=Parts(names=(*ACTIVITIES, _ANY_KIND), absent_is_unknown=True),
        only_without="queue",
    ),
    *(
        Show(name=f"journey_{name}", format="rate", title=f"contacts {name}", parts=_CHANNELS, only_without="queue")
        for name in ("before", "after", "usual")
    ),
    Show(name="journey_changed", format="change", title="contacts changed", parts=_CHANNELS, only_without="queue"),
)
"""How those facts are shown that the detail has."""


def plans_before_queues(row: Row) -> tuple[int, float]:
    """Order rows of one state: all customers, then plans and groups by churn, then queues by who comes again."""
    if row["queue"]:
        return 2, -(row["repeat_ratio"] or 0.0)
    return (1 if row["plan"] or row["group"] else 0), -(row["churn"] or 0.0)
