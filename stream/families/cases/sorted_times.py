"""Instants in their order, of which many are asked for by how long ago they are: of a queue's open cases."""

from array import array
from bisect import bisect_left, insort

__all__ = ["SortedTimes"]


class SortedTimes:
    """A multiset of instants, in ms since 1970; eight bytes for each."""

    # One array, and no tree: a case that opens now is the newest, and moving what is behind one that goes costs
    # microseconds where a queue has a hundred thousand.
    __slots__ = ("_times",)

    def __init__(self) -> None:
        self._times = array("q")

    def __len__(self) -> int:
        return len(self._times)

    def add(self, ms: int) -> None:
        """Take one in."""
        insort(self._times, ms)

    def remove(self, ms: int) -> None:
        """Take one out that is in."""
        place = bisect_left(self._times, ms)
        assert self._times[place] == ms, "what goes must have come"
        del self._times[place]

    def before(self, ms: int) -> int:
        """Return how many are earlier."""
        return bisect_left(self._times, ms)

    @property
    def first(self) -> int | None:
        """The earliest; None where there is none."""
        return self._times[0] if self._times else None

    def load(self, ms: int) -> None:
        """Take one in before `loaded`, which puts them in order."""
        self._times.append(ms)

    def loaded(self) -> None:
        """Put in order what was loaded."""
        self._times = array("q", sorted(self._times))
