"""Sums of the sliding windows, kept while minutes come and go: a read costs what the answer costs."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from stream.core.counts import Counts, CountsRow, summed

__all__ = ["SlidingSums"]

T = TypeVar("T", bound=Counts)

_NEAR = 5
"""Largest gap, in minutes, advanced incrementally; beyond it, sums are recomputed. The owner has what leaves."""

_NEVER = -1_000_000_000
"""Before every minute: nothing was read yet."""


class SlidingSums(Generic[T]):
    """
    The counts of all sliding windows of one key, over its minutes.

    Keeps, for the minute that was read last, the sum of the closed minutes of each window; the
    running minute is added at the read. `minutes` stays the owner's, and is never changed here.
    """

    def __init__(self, minutes: Mapping[int, CountsRow[T]], zero: Callable[[], T], windows: Mapping[str, int]) -> None:
        """*windows* are lengths in minutes by name, the shortest first."""
        self._minutes = minutes
        self._empty = zero()
        self._windows = windows
        self._longest = max(windows.values(), default=0)
        self._closed: dict[str, T] = {}
        self.running = _NEVER
        """The minute that was read last: what is counted in an earlier one has to be told by `add`."""

    def add(self, minute: int, delta: T) -> None:
        """Take note that *delta* was added to *minute*."""
        if minute >= self.running:
            return
        for name, length in self._windows.items():
            # Only what the window still has. Its oldest minute is `running - length`; the running one is added
            # at the read.
            if self.running - length <= minute:
                self._closed[name] += delta

    def forget(self, first: int) -> None:
        """Take note that minutes before *first* go: what still counts one of them is summed anew."""
        if first > self.running - self._longest:
            self.running = _NEVER

    def at(self, minute: int) -> dict[str, T]:
        """Return the counts of each window that ends in the running *minute*; they are not to be changed."""
        if minute != self.running:
            self._move_to(minute)
        running = self._minutes.get(minute)
        if running is None:
            # A copy of the names, not of the sums: the next move replaces these objects and changes none.
            return dict(self._closed)
        return {name: closed + running.tally for name, closed in self._closed.items()}

    def _move_to(self, minute: int) -> None:
        if 0 < minute - self.running <= _NEAR:
            for name, length in self._windows.items():
                self._closed[name] = self._moved(self._closed[name], minute, length)
        else:
            self._sum_up(minute)
        self.running = minute

    def _moved(self, closed: T, minute: int, length: int) -> T:
        for closing in range(self.running, minute):
            if (entering := self._minutes.get(closing)) is not None:
                closed += entering.tally
            if (leaving := self._minutes.get(closing - length)) is not None:
                closed -= leaving.tally
        return closed

    def _sum_up(self, minute: int) -> None:
        """Sum each minute once: a window is the next shorter one, and the minutes before that."""
        closed, end = self._empty, minute
        for name, length in self._windows.items():
            first = minute - length
            seen = [row.tally for at in range(first, end) if (row := self._minutes.get(at)) is not None]
            closed = self._closed[name] = summed([closed, *seen])
            end = first
