"""
How figures of customers are read from snapshots: columns, one value for each queue, plan or group.

None where there is nothing to tell: a ratio of nothing, or what a queue has not, such as customers who left.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from math import sqrt
from typing import Final, NamedTuple

from stream.core.columns import CountColumns
from stream.core.distribution import quantile, whole_quantile
from stream.core.figure import Column, Reading
from stream.core.ratio import Ratio
from stream.core.windows import (
    SPANS,
)
from stream.families.customers.counts import CHANNELS, EFFORT_BOUNDS_SECONDS, EFFORT_CONTACTS_BOUNDS, CustomerCounts
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = [
    "CART_ABANDONMENT",
    "CART_VALUE_ABANDONMENT",
    "CUSTOMERS_COUNTED",
    "EFFORT_COLUMNS",
    "FCR",
    "FCR_SO_FAR",
    "RECOVERY",
    "REFERRAL",
    "REPEAT",
    "ByChannel",
    "CustomerColumn",
    "CustomerReading",
    "SampledColumn",
    "active",
    "at_start",
    "by_channel",
    "churn",
    "for_members",
    "for_queues",
    "journeys",
    "lifetime_value",
    "money_counted",
    "money_now",
    "net_revenue_retention",
    "present",
    "retention",
    "revenue_churn",
    "sampled",
    "stickiness",
    "value_so_far",
]

CustomerReading = Reading[CustomersSnapshot]
CustomerColumn = Column[CustomersSnapshot]

CUSTOMERS_COUNTED: Final = CountColumns(CustomerCounts)

REPEAT: Final = Ratio(lambda of: (of.repeats, of.contacts))
FCR: Final = Ratio(lambda of: (of.first_resolved, of.first_decided))
FCR_SO_FAR: Final = Ratio(lambda of: (of.first_not_repeated, of.first_served))
REFERRAL: Final = Ratio(lambda of: (of.referred, of.first_joined))
CART_ABANDONMENT: Final = Ratio(lambda of: (of.carts_abandoned, of.carts_abandoned + of.carts_completed))
CART_VALUE_ABANDONMENT: Final = Ratio(
    lambda of: (of.carts_abandoned_value, of.carts_abandoned_value + of.carts_completed_value)
)
RECOVERY: Final = Ratio(lambda of: (of.carts_recovered, of.carts_abandoned))

_HUNDREDTHS: Final = 100

_CLV_WINDOW: Final = "30d"
"""Churn and revenue of a lifetime value are those of a sliding month."""


def for_queues(column: CustomerColumn) -> CustomerColumn:
    """Return a column only of queues; None for plans and groups."""
    return lambda reading, window: [
        value if one.queue else None for one, value in zip(reading.snapshots, column(reading, window), strict=True)
    ]


def for_members(column: CustomerColumn) -> CustomerColumn:
    """Return a column only of plans, groups and all customers together; None for queues."""
    return lambda reading, window: [
        None if one.queue else value for one, value in zip(reading.snapshots, column(reading, window), strict=True)
    ]


class SampledColumn(list[float | None]):
    """A column of values that knows of how many each was made: of few nothing is judged."""

    def __init__(self, values: Iterable[float | None], made_of: Sequence[int]) -> None:
        super().__init__(values)
        self.made_of = made_of


def sampled(column: CustomerColumn, number: CustomerColumn) -> CustomerColumn:
    """Return the *column* with a *number* of how many customers, contacts or carts each of its values was made of."""
    return lambda reading, window: SampledColumn(column(reading, window), number(reading, window))


def _shares(parts: Sequence[float], wholes: Sequence[float]) -> list[float | None]:
    return [part / whole if whole > 0 else None for part, whole in zip(parts, wholes, strict=True)]


# Who is there.


def present(reading: CustomerReading, _: str) -> Sequence[int]:
    """Return how many customers are there now."""
    return [one.present for one in reading.snapshots]


def money_now(name: str) -> CustomerColumn:
    """Return a column of what customers pay or have paid, which snapshots tell in hundredths."""
    return lambda reading, _: [getattr(one, name) / _HUNDREDTHS for one in reading.snapshots]


def money_counted(field: str) -> CustomerColumn:
    """Return a column of money that was counted in hundredths."""
    counted = CUSTOMERS_COUNTED.of_counts(field)
    return lambda reading, window: [number / _HUNDREDTHS for number in counted(reading, window)]


def at_start(reading: CustomerReading, window: str) -> Sequence[int]:
    """Return how many customers were there when a window began."""
    counts = CUSTOMERS_COUNTED.counted(reading, window)
    return [
        one.present - joined + left
        for one, joined, left in zip(reading.snapshots, counts.joined, counts.left, strict=True)
    ]


def churn(reading: CustomerReading, window: str) -> Sequence[float | None]:
    """Return which share of those who were there when a window began is gone; who joined later does not count."""
    return _shares(CUSTOMERS_COUNTED.counted(reading, window).lost, at_start(reading, window))


def retention(reading: CustomerReading, window: str) -> Sequence[float | None]:
    """Return which share of those who were there when a window began is there now."""
    return [None if lost is None else 1 - lost for lost in churn(reading, window)]


def _monthly_at_start(reading: CustomerReading, window: str) -> list[int]:
    changes = CUSTOMERS_COUNTED.counted(reading, window).monthly_change
    return [one.monthly - change for one, change in zip(reading.snapshots, changes, strict=True)]


def revenue_churn(reading: CustomerReading, window: str) -> Sequence[float | None]:
    """Return which share of what was paid in a month when a window began was paid by those who are gone now."""
    return _shares(CUSTOMERS_COUNTED.counted(reading, window).monthly_lost, _monthly_at_start(reading, window))


def net_revenue_retention(reading: CustomerReading, window: str) -> Sequence[float | None]:
    """Return what those who were there when a window began pay now, by what they paid then: above 1 where it grows."""
    gained = CUSTOMERS_COUNTED.counted(reading, window).monthly_gained
    kept = [one.monthly - new for one, new in zip(reading.snapshots, gained, strict=True)]
    return _shares(kept, _monthly_at_start(reading, window))


# What they are worth.


def value_so_far(reading: CustomerReading, _: str) -> Sequence[float | None]:
    """Return what a customer who is there has paid so far, in the mean."""
    return _shares([one.revenue / _HUNDREDTHS for one in reading.snapshots], present(reading, ""))


def lifetime_value(reading: CustomerReading, _: str) -> Sequence[float | None]:
    """
    Return what may be expected of a customer in all: mean revenue of 30 days × margin ÷ churn of 30 days.

    None where nobody was lost, or there were too few customers to tell.
    """
    counts = CUSTOMERS_COUNTED.counted(reading, _CLV_WINDOW)
    return [
        revenue / _HUNDREDTHS / start * one.policy.margin / lost
        if lost and start >= one.policy.customer_minimum
        else None
        for one, revenue, start, lost in zip(
            reading.snapshots,
            counts.revenue,
            at_start(reading, _CLV_WINDOW),
            churn(reading, _CLV_WINDOW),
            strict=True,
        )
    ]


# How active they are.


def active(what: int, period: int) -> CustomerColumn:
    """Return how many were active in one of `ACTIVITIES` by number, or any, today (0), this week (1) or month (2)."""
    return for_members(lambda reading, _: [one.active[what][period] for one in reading.snapshots])


def stickiness(reading: CustomerReading, _: str) -> Sequence[float | None]:
    """Return which share of the customers of a month was active today."""
    return _shares([one.active[-1][0] for one in reading.snapshots], [one.active[-1][2] for one in reading.snapshots])


# What a solution took.

_NINE_IN_TEN: Final = 0.9


def effort_mean(field: str, per: int = 1) -> CustomerColumn:
    """Return what a solution took in the mean: *field* of the counts, by so many *per* unit."""
    return CUSTOMERS_COUNTED.of_ratio(Ratio(lambda of: (getattr(of, field), of.efforts), per=per))


def effort_percentile(
    field: str, bounds: Sequence[float], estimate: Callable[[float, Sequence[int], Sequence[float]], float | None]
) -> CustomerColumn:
    """Return what nine in ten solutions did not exceed, estimated from buckets."""

    def column(reading: CustomerReading, window: str) -> Sequence[float | None]:
        buckets = getattr(CUSTOMERS_COUNTED.counted(reading, window), field)
        return [estimate(_NINE_IN_TEN, counts, bounds) for counts in zip(*buckets, strict=True)]

    return column


EFFORT_COLUMNS: Final[dict[str, CustomerColumn]] = {
    "effort_seconds": effort_mean("effort_ms", 1000),
    "effort_p90_seconds": effort_percentile("effort_in", EFFORT_BOUNDS_SECONDS, quantile),
    "effort_contacts": effort_mean("effort_contacts"),
    "effort_p90_contacts": effort_percentile("effort_contacts_in", EFFORT_CONTACTS_BOUNDS, whole_quantile),
    "effort_handovers": effort_mean("effort_handovers"),
    "effort_solutions": effort_mean("effort_solutions"),
}
"""What a solution took, by name."""


# Contacts before and after a purchase.

Z95: Final = 1.959963984540054
"""So many standard deviations to both sides have 95 % of a normal distribution between them."""

ENOUGH_CONTACTS: Final = 5
"""Of fewer, expected or come, a normal distribution is no likeness of a Poisson one: chance is not told apart."""

_JOURNEY_DAYS: Final = 30

_DAY: Final = timedelta(days=1)


class ByChannel(NamedTuple):
    """How many contacts by one channel there are in 30 days, in the mean."""

    channel: str
    before: float
    """Of somebody who bought something, in the 30 days before that."""
    after: float
    """In the 30 days after it."""
    usual: float | None
    """Of any customer of the group; None where there are too few to tell."""
    difference: float | None
    """After a purchase more than usual; less where it is negative."""
    margin: float | None
    """By so much the difference may be more or less: 95 % sure."""
    change: tuple[float, float] | None
    """Both, where the difference is more than chance, of enough contacts to tell."""


def journeys(reading: CustomerReading, window: str) -> Sequence[Sequence[ByChannel]]:
    """
    Return the channels of each snapshot with contacts around purchases; none where none is 30 days ago by now.

    Contacts of a customer come independently of each other, nearly: so their number has the variance of its mean.
    Of contacts after purchases that is the number that was to be expected, or came if more did: of none that came it
    would be 0, as if nobody could ever come.
    """

    def compute() -> Sequence[Sequence[ByChannel]]:
        counts = CUSTOMERS_COUNTED.counted(reading, window)
        columns = zip(
            *(zip(*getattr(counts, name), strict=True) for name in ("before_by", "after_by", "came_by")), strict=True
        )
        return [
            [*_by_channel(one, number, _days_in(window), zip(CHANNELS, *lists, strict=True))]
            for one, number, lists in zip(reading.snapshots, counts.journeys, columns, strict=True)
        ]

    return reading.once(("journeys", window), compute)


def _by_channel(
    one: CustomersSnapshot, journeys: int, days: float | None, numbers: Iterable[tuple[str, int, int, int]]
) -> Iterator[ByChannel]:
    if journeys <= 0:
        return
    # So many times 30 days of a customer the contacts of the group are spread over.
    enough = one.present >= one.policy.customer_minimum
    spells = one.present * days / _JOURNEY_DAYS if days and enough else 0
    for channel, before, after, came in numbers:
        if not (before or after or came):
            continue
        means = channel, before / journeys, after / journeys
        if not spells:
            yield ByChannel(*means, None, None, None, None)
            continue
        usual = came / spells
        number = max(after, usual * journeys)
        difference = after / journeys - usual
        margin = Z95 * sqrt(number / journeys**2 + came / spells**2)
        is_changed = abs(difference) > margin and number >= ENOUGH_CONTACTS
        yield ByChannel(*means, usual, difference, margin, (difference, margin) if is_changed else None)


def _days_in(window: str) -> float | None:
    """Return how long a window of days is, at noon of the running one; None of others. Recordings reckon the same."""
    span = SPANS.get(window)
    return span.before + 0.5 if span is not None and span.unit == "day" else None


def by_channel(field: str) -> dict[str, CustomerColumn]:
    """Return by channel a column of one field of `ByChannel`."""

    def of(channel: str) -> CustomerColumn:
        return lambda reading, window: [
            next((getattr(one, field) for one in channels if one.channel == channel), None)
            for channels in journeys(reading, window)
        ]

    return {channel: of(channel) for channel in CHANNELS}
