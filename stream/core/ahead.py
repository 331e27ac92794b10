"""Days after the running one: what is counted there already, and longer units must not show before its day has come.

Only of families that foresee something. Windows of days need none of this, since none has a day that lies ahead.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Generic, TypeVar

from stream.core.counted import Counted
from stream.core.counts import Counts, CountsRow, number_in, packed
from stream.core.windows import ALL, MONTHS_OF_QUARTER, Unit, first_day_of, month_of, quarter_of

__all__ = ["DaysAhead"]

T = TypeVar("T", bound=Counts)


class DaysAhead(Generic[T]):
    """
    The days of one key that lie ahead, to be subtracted from what was read.

    `days` stay the owner's, and are never changed here. What is known of a day is as good as long as its row counts up
    to the same offset, and is not *counting*: so a read looks at the few days that were counted in since the last one.
    """

    def __init__(self, days: Mapping[int, CountsRow[T]], counting: Collection[int], kind: type[T]) -> None:
        """*days* by number; *counting* are the numbers of those whose rows count more than their offset says."""
        self._days, self._counting, self._kind = days, counting, kind
        self._known: dict[int, tuple[int, int]] = {}
        """Up to which offset each day ahead counted when it was read last, and its counts as a number."""

    def subtract_from(self, counted: Counted, today: int, first: int) -> None:
        """
        Subtract the days after *today* from the running month and quarter, and from all there ever was.

        The total has counted days from the *first* on; nothing of what is earlier is subtracted from it.
        """
        if not (ahead := self._after(today)):
            return
        counted.windows[ALL] = _less(counted.windows[ALL], (one for day, one in ahead.items() if day >= first))
        for unit, last in _last_days(today).items():
            if unit in counted.running:
                later = (one for day, one in ahead.items() if day <= last)
                counted.running[unit] = _less(counted.running[unit], later)

    def _after(self, today: int) -> dict[int, int]:
        """Return the counts of each day after *today*, as a number."""
        self._known = {day: self._read(day, row) for day, row in self._days.items() if day > today}
        return {day: counts for day, (_, counts) in self._known.items()}

    def _read(self, day: int, row: CountsRow[T]) -> tuple[int, int]:
        known = self._known.get(day)
        if known is None or known[0] != row.applied_offset or day in self._counting:
            return row.applied_offset, row.read(self._kind).number()
        return known


@lru_cache(maxsize=64)  # all keys are read on the same few days
def _last_days(today: int) -> dict[Unit, int]:
    """Return the last day of each unit that may have days after the running one."""
    next_month, next_quarter = month_of(today) + 1, quarter_of(today) + 1
    return {"month": first_day_of(next_month) - 1, "quarter": first_day_of(next_quarter * MONTHS_OF_QUARTER) - 1}


def _less(data: bytes, numbers: Iterable[int]) -> bytes:
    """Return packed counts without those that the *numbers* are."""
    return packed(number_in(data) - sum(numbers), len(data))
