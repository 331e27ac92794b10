"""What a batch of events counts for, by part and day: counted once for each at its end."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from stream.core.windows import EPOCH
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.matters import Fact, Field
from stream.families.customers.parts import PartSet

__all__ = ["Pending"]

_MILLISECOND: Final = timedelta(milliseconds=1)


class _Sum(Struct, gc=False):
    """What counts on one day; a contribution."""

    at_ms: int
    counts: dict[Field, int] = {}

    @property
    def at(self) -> datetime:
        """An instant of that day."""
        return EPOCH + self.at_ms * _MILLISECOND

    def count(self, tallies: Iterable[CustomerCounts], sign: int) -> None:
        """Add it to each of *tallies*, or take it back."""
        for tally in tallies:
            for name, number in self.counts.items():
                if isinstance(name, str):
                    setattr(tally, name, getattr(tally, name) + sign * number)
                else:
                    getattr(tally, name[0])[name[1]] += sign * number


class Pending:
    """Sums of facts until they are counted."""

    def __init__(self) -> None:
        # Ordered: identical runs must write identical changelogs.
        self._new: dict[tuple[PartSet, int], _Sum] = {}
        self._gone: dict[tuple[PartSet, int], _Sum] = {}

    def add(self, sets: list[PartSet], facts: Iterable[Fact]) -> None:
        """Add facts; *sets* are those of the places, in their order, and at last those of the customer."""
        self._add(self._new, sets, facts)

    def take_back(self, sets: list[PartSet], facts: Iterable[Fact]) -> None:
        """Take facts back that were counted before."""
        self._add(self._gone, sets, facts)

    def _add(self, sums: dict[tuple[PartSet, int], _Sum], sets: list[PartSet], facts: Iterable[Fact]) -> None:
        for place, at_ms, name, number in facts:
            parts = sets[place]
            key = (parts, parts.days.day(at_ms))
            one = sums.get(key)
            if one is None:
                one = sums[key] = _Sum(at_ms)
            one.counts[name] = one.counts.get(name, 0) + number

    def count(self, offset: int) -> None:
        """Count all of it, by the *offset* of the last event that it is of."""
        for (parts, _), one in self._new.items():
            for part in parts.parts:
                part.counts.count_difference((), (one,), offset)
        for (parts, _), one in self._gone.items():
            for part in parts.parts:
                part.counts.count_difference((one,), (), offset)
        self._new.clear()
        self._gone.clear()
