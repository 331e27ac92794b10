"""What events count for, by part and day: counted once for each when somebody reads it, or a checkpoint needs it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from stream.core.windows import EPOCH
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.matters import OF_MEMBERS, CustomerFact, Fields
from stream.families.customers.parts import Part, PartSet

__all__ = ["Pending"]

_MILLISECOND: Final = timedelta(milliseconds=1)

_UNKNOWN: Final = ("unknown",)


class _Sum:
    """What counts on one day in one part; a contribution."""

    __slots__ = ("_fields", "_in_lists", "at")

    def __init__(self, at: datetime) -> None:
        self.at = at
        """An instant of that day."""
        self._fields: defaultdict[str, int] = defaultdict(int)
        self._in_lists: defaultdict[tuple[str, int], int] = defaultdict(int)

    def add(self, names: Fields, number: int) -> None:
        """Add to fields that count together, or to one place of a list."""
        if type(names[-1]) is int:
            self._in_lists[names] += number
            return
        for name in names:
            self._fields[str(name)] += number

    def count(self, tallies: Iterable[CustomerCounts], sign: int) -> None:
        """Add it to each of *tallies*, or take it back."""
        for tally in tallies:
            for name, number in self._fields.items():
                setattr(tally, name, getattr(tally, name) + sign * number)
            for (name, place), number in self._in_lists.items():
                getattr(tally, name)[place] += sign * number


_Sums = defaultdict[tuple[PartSet, int], defaultdict[Fields, int]]
"""How much counts, by parts and local day, and then by fields."""


def _no_sums() -> _Sums:
    return defaultdict(lambda: defaultdict(int))


class Pending:
    """Sums of facts until they are counted; has the parts hear of the events that they are of."""

    def __init__(self) -> None:
        self.applied_to = -1
        """The offset of the event that is folded now, or was last."""
        # Ordered: identical runs must write identical changelogs.
        self._new, self._gone = _no_sums(), _no_sums()
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

    def add(self, at_ms: int, sets: Sequence[PartSet], new: Iterable[CustomerFact]) -> None:
        """
        Add what an event of that instant counts for; the parts of its facts hear of it.

        *sets* are those of the places, in their order, and at last that of the customer.
        """
        self._sum(self._new, at_ms, sets, new)

    def remove(self, at_ms: int, sets: Sequence[PartSet], gone: Iterable[CustomerFact]) -> None:
        """Take back what was counted before and does not count any more, since that event."""
        self._sum(self._gone, at_ms, sets, gone)

    def add_unknown(self, members: PartSet, at_ms: int) -> None:
        """Add an event of somebody who is beyond the limit, and of whom nothing else is kept."""
        self.add(at_ms, [members], [(OF_MEMBERS, at_ms, _UNKNOWN, 1)])

    def _sum(self, sums: _Sums, at_ms: int, sets: Sequence[PartSet], facts: Iterable[CustomerFact]) -> None:
        last_ms = -1
        last: PartSet | None = None
        for place, counts_ms, names, number in facts:
            parts = sets[place]
            if at_ms > parts.heard_ms or not parts.touched:
                self.hear(parts, at_ms)
                last = None  # that may have counted what there was
            if parts is not last or counts_ms != last_ms:
                last, last_ms = parts, counts_ms
                on_day = sums[parts, parts.days.day(counts_ms)]
            on_day[names] += number

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


def _by_part(sums: _Sums) -> Iterator[tuple[Part, _Sum]]:
    """Yield what counts in each part and day, all of it together: customers of all plans count in the same part."""
    by_day: dict[tuple[Part, int], _Sum] = {}
    for (parts, day), on_day in sums.items():
        for part in parts.parts:
            one = by_day.get((part, day))
            if one is None:
                one = by_day[part, day] = _Sum(EPOCH + parts.days.start(day) * _MILLISECOND)
            for names, number in on_day.items():
                one.add(names, number)
    for (part, _), one in by_day.items():
        yield part, one
