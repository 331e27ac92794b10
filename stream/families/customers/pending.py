"""What a batch of events counts for, by part and day: counted once for each at its end."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from stream.core.windows import EPOCH
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.local_days import LocalDays
from stream.families.customers.matters import OF_MEMBERS, CustomerFact, Fields
from stream.families.customers.parts import Part, PartSet

__all__ = ["Pending"]

_MILLISECOND: Final = timedelta(milliseconds=1)

_UNKNOWN: Final = ("unknown",)


class _Sum:
    """What counts on one day in one part; a contribution."""

    __slots__ = ("at", "counts")

    def __init__(self, at: datetime) -> None:
        self.at = at
        """An instant of that day."""
        self.counts: defaultdict[Fields, int] = defaultdict(int)

    def count(self, tallies: Iterable[CustomerCounts], sign: int) -> None:
        """Add it to each of *tallies*, or take it back."""
        for tally in tallies:
            for names, number in self.counts.items():
                place = names[-1]
                if isinstance(place, int):
                    getattr(tally, str(names[0]))[place] += sign * number
                    continue
                for name in names:
                    setattr(tally, str(name), getattr(tally, str(name)) + sign * number)


_Sums = defaultdict[tuple[PartSet, int, Fields], int]
"""How much counts, by parts, local day and fields."""


class Pending:
    """Sums of facts until they are counted; has the parts hear of the events that they are of."""

    def __init__(self) -> None:
        self.applied_to = -1
        """The offset of the event that was folded last."""
        # Ordered: identical runs must write identical changelogs.
        self._new: _Sums = defaultdict(int)
        self._gone: _Sums = defaultdict(int)
        self._touched: dict[PartSet, None] = {}
        self.counted: dict[PartSet, None] = {}
        """What has been counted in since somebody cleared it."""

    def hear(self, parts: PartSet, at_ms: int) -> None:
        """Note that an event tells something of *parts*, before what it counts for is added."""
        if at_ms > parts.heard_ms:
            if at_ms > parts.silent_from_ms:
                self.count()  # what came before a silence must not be counted after it
                parts.heard_ms = at_ms
                parts.hear()
            parts.heard_ms = at_ms
        if not parts.touched:
            parts.touched = True
            self._touched[parts] = None

    def add(self, sets: Sequence[PartSet], facts: Iterable[CustomerFact]) -> None:
        """Add facts; *sets* are those of the places, in their order, and at last that of the customer."""
        _add(self._new, sets, facts)

    def add_unknown(self, members: PartSet, at_ms: int) -> None:
        """Add an event of somebody who is beyond the limit, and of whom nothing else is kept."""
        self.hear(members, at_ms)
        self.add([members], [(OF_MEMBERS, at_ms, _UNKNOWN, 1)])

    def remove(self, sets: Sequence[PartSet], facts: Iterable[CustomerFact]) -> None:
        """Take facts back that were counted before."""
        _add(self._gone, sets, facts)

    def count(self) -> None:
        """Count all of it, by the offset of the last event that it is of."""
        for parts in self._touched:
            parts.hear()
            parts.touched = False
        for part, one in _by_part(self._new):
            part.counts.count_difference((), (one,), self.applied_to)
        for part, one in _by_part(self._gone):
            part.counts.count_difference((one,), (), self.applied_to)
        self.counted |= self._touched
        self._touched = {}
        self._new.clear()
        self._gone.clear()


def _add(sums: _Sums, sets: Sequence[PartSet], facts: Iterable[CustomerFact]) -> None:
    last_ms, day = -1, 0
    last_days: LocalDays | None = None
    for place, at_ms, names, number in facts:
        parts = sets[place]
        if at_ms != last_ms or parts.days is not last_days:
            last_ms, last_days = at_ms, parts.days
            day = last_days.day(at_ms)
        sums[parts, day, names] += number


def _by_part(sums: _Sums) -> Iterator[tuple[Part, _Sum]]:
    """Yield what counts in each part and day, all of it together: customers of all plans count in the same part."""
    by_day: dict[tuple[Part, int], _Sum] = {}
    for (parts, day, names), number in sums.items():
        for part in parts.parts:
            one = by_day.get((part, day))
            if one is None:
                one = by_day[part, day] = _Sum(EPOCH + parts.days.start(day) * _MILLISECOND)
            one.counts[names] += number
    for (part, _), one in by_day.items():
        yield part, one
