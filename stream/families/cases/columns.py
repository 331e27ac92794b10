"""How figures of cases are read from the snapshots of queues: columns, one value for each queue."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from stream.core.columns import CountColumns
from stream.core.figure import Column, Reading
from stream.core.ratio import Ratio
from stream.families.cases.rules import MAX_AGES
from stream.families.cases.snapshot import CasesSnapshot
from stream.families.cases.tally import CaseTally

__all__ = [
    "AGES",
    "CASES_COUNTED",
    "FIRST_RESPONSE_LEVEL",
    "MESSAGES_PER_RESOLUTION",
    "NEXT_RESPONSE_LEVEL",
    "ONE_TOUCH",
    "RESOLUTION",
    "RESOLUTION_OF_ASSIGNED",
    "CaseReading",
    "age_bound",
    "at_place",
    "elapsed_since",
    "mean_of",
    "older",
]

CaseReading = Reading[CasesSnapshot]

CASES_COUNTED: Final = CountColumns(CaseTally)
"""What queues have counted of cases."""

FIRST_RESPONSE_LEVEL: Final = Ratio(lambda of: (of.first_responses_in_target, of.first_responses))
NEXT_RESPONSE_LEVEL: Final = Ratio(lambda of: (of.next_responses_in_target, of.next_responses))
RESOLUTION: Final = Ratio(lambda of: (of.resolved, of.opened))
RESOLUTION_OF_ASSIGNED: Final = Ratio(lambda of: (of.assigned_resolved, of.assigned))
ONE_TOUCH: Final = Ratio(lambda of: (of.one_touch, of.full_resolutions))
MESSAGES_PER_RESOLUTION: Final = Ratio(lambda of: (of.messages, of.full_resolutions))

AGES: Final = tuple(str(number + 1) for number in range(MAX_AGES + 1))
"""The classes of age: the first are the youngest, and the policy says up to which age each goes."""


def elapsed_since(name: str) -> Column[CasesSnapshot]:
    """Return for how many seconds something has lasted; None where it does not."""
    get = attrgetter(name)

    def column(reading: CaseReading, _: str) -> Sequence[float | None]:
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

    def column(reading: CaseReading, _: str) -> Sequence[float | None]:
        bounds = [one.policy.backlog_ages for one in reading.snapshots]
        return [ages[number].total_seconds() if number < len(ages) else None for ages in bounds]

    return column


def mean_of(what: str, *, business: bool = False) -> Column[CasesSnapshot]:
    """Return the mean of a length, in seconds; in *business* time: None where a queue is always served."""
    field = f"{what}_business_ms" if business else f"{what}_ms"
    of = Ratio(lambda counts: (getattr(counts, field), getattr(counts, what)), per=1000)

    def column(reading: CaseReading, window: str) -> Sequence[float | None]:
        means = of.of_each(CASES_COUNTED.counted(reading, window))
        if not business:
            return means
        calendars = [one.policy.calendar for one in reading.snapshots]
        return [None if own.always else value for own, value in zip(calendars, means, strict=True)]

    return column
