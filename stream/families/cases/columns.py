"""How figures of cases are read from the snapshots of queues: columns, one value for each queue."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final

from stream.core.counted import corrected, counted_ever, counted_in
from stream.core.figure import Column, Reading
from stream.core.ratio import Ratio
from stream.core.vectors import Vectors
from stream.families.cases.rules import MAX_AGES, CasePolicy
from stream.families.cases.snapshot import CasesSnapshot
from stream.families.cases.tally import CaseTally

__all__ = [
    "AGES",
    "FIRST_RESPONSE_LEVEL",
    "MESSAGES_PER_RESOLUTION",
    "NEXT_RESPONSE_LEVEL",
    "ONE_TOUCH",
    "RESOLUTION",
    "RESOLUTION_OF_ASSIGNED",
    "Queues",
    "age_bound",
    "at_place",
    "corrections",
    "counted",
    "elapsed",
    "ever",
    "mean",
    "of_counts",
    "of_policy",
    "of_ratio",
    "of_snapshot",
    "older",
    "total",
    "total_seconds",
]

Queues = Reading[CasesSnapshot]

FIRST_RESPONSE_LEVEL: Final = Ratio(lambda of: (of.first_responses_in_target, of.first_responses))
NEXT_RESPONSE_LEVEL: Final = Ratio(lambda of: (of.next_responses_in_target, of.next_responses))
RESOLUTION: Final = Ratio(lambda of: (of.resolved, of.opened))
RESOLUTION_OF_ASSIGNED: Final = Ratio(lambda of: (of.assigned_resolved, of.assigned))
ONE_TOUCH: Final = Ratio(lambda of: (of.one_touch, of.full_resolutions))
MESSAGES_PER_RESOLUTION: Final = Ratio(lambda of: (of.messages, of.full_resolutions))

AGES: Final = tuple(str(number + 1) for number in range(MAX_AGES + 1))
"""The classes of age: the first are the youngest, and the policy says up to which age each goes."""


def counted(reading: Queues, window: str) -> Vectors[CaseTally]:
    """Return what each queue has counted in a window."""
    return counted_in(reading, CaseTally, window)


def ever(reading: Queues) -> Vectors[CaseTally]:
    """Return what counters show of each queue."""
    return counted_ever(reading, CaseTally)


def of_snapshot(name: str) -> Column[CasesSnapshot]:
    """Return a column of what snapshots have by that name."""
    get = attrgetter(name)
    return lambda reading, _: [*map(get, reading.snapshots)]


def of_policy(value: Callable[[CasePolicy], float]) -> Column[CasesSnapshot]:
    """Return a column of something in the queues' policies."""
    return lambda reading, _: [value(one.policy) for one in reading.snapshots]


def elapsed(name: str) -> Column[CasesSnapshot]:
    """Return for how many seconds something has lasted; None where it does not."""
    get = attrgetter(name)

    def column(reading: Queues, _: str) -> Sequence[float | None]:
        since = map(get, reading.snapshots)
        # The clock of a help desk may be a little ahead of ours: nobody waits for less than nothing.
        return [None if at is None else max((reading.at - at).total_seconds(), 0.0) for at in since]

    return column


def at_place(name: str, place: int) -> Column[CasesSnapshot]:
    """Return a column of one number of those that snapshots have by that name."""
    get = attrgetter(name)
    return lambda reading, _: [get(one)[place] for one in reading.snapshots]


def older(number: int) -> Column[CasesSnapshot]:
    """Return how many open cases are in a class of age; None where the policy has fewer of them."""
    return lambda reading, _: [one.by_age[number] if number < len(one.by_age) else None for one in reading.snapshots]


def age_bound(number: int) -> Column[CasesSnapshot]:
    """Return up to which age a class goes, in seconds; None for the last, and beyond it."""

    def column(reading: Queues, _: str) -> Sequence[float | None]:
        bounds = [one.policy.backlog_ages for one in reading.snapshots]
        return [ages[number].total_seconds() if number < len(ages) else None for ages in bounds]

    return column


def of_ratio(of: Ratio) -> Column[CasesSnapshot]:
    """Return a column of a ratio or mean."""
    return lambda reading, window: of.of_each(counted(reading, window))


def mean(what: str, *, business: bool = False) -> Column[CasesSnapshot]:
    """Return the mean of a length, in seconds; in *business* time: None where a queue is always served."""
    field = f"{what}_business_ms" if business else f"{what}_ms"
    of = Ratio(lambda counts: (getattr(counts, field), getattr(counts, what)), per=1000)

    def column(reading: Queues, window: str) -> Sequence[float | None]:
        means = of.of_each(counted(reading, window))
        if not business:
            return means
        calendars = [one.policy.calendar for one in reading.snapshots]
        return [None if own.always else value for own, value in zip(calendars, means, strict=True)]

    return column


def of_counts(field: str) -> Column[CasesSnapshot]:
    """Return a column of counts."""
    return lambda reading, window: getattr(counted(reading, window), field)


def total(field: str) -> Column[CasesSnapshot]:
    """Return a column of all that was ever counted; None where there never was one."""
    return lambda reading, _: [number or None for number in getattr(ever(reading), field)]


def total_seconds(field: str) -> Column[CasesSnapshot]:
    """Return a sum of lengths of all that was ever counted, in seconds."""
    return lambda reading, _: [ms / 1000 for ms in getattr(ever(reading), field)]


def corrections(reading: Queues, _: str) -> Sequence[int | None]:
    """Return how many facts were counted and taken back; None where none was."""
    counts = corrected(reading, CaseTally)
    if counts is None:
        return [None] * len(reading.snapshots)
    columns = [getattr(counts, field) for field in _COUNTED]
    return [sum(numbers) or None for numbers in zip(*columns, strict=True)]


_COUNTED: Final = tuple(
    name
    for name in CaseTally.__struct_fields__
    if not name.endswith(("_ms", "_in", "_in_target")) and name != "messages"
)
