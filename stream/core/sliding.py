"""Sums of the sliding windows, kept while minutes come and go: a read costs what the answer costs."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from stream.core.counts import Counts, CountsRow, packed, size_of

__all__ = ["SlidingSums"]

T = TypeVar("T", bound=Counts)

_NEAR = 5
"""Largest gap, in minutes, advanced incrementally; beyond it, sums are recomputed. The owner has what leaves."""

_NEVER = -1_000_000_000
"""Before every minute: nothing was read yet."""


class SlidingSums(Generic[T]):
    """
    The counts of all sliding windows of one key, over its minutes.

    Keeps, for the minute that was read last, the sum of the closed minutes of each window: as a number (see
    `Counts.number`), and packed as long as it stays. The running minute is for whoever reads to add. `minutes` stays
    the owner's, and is never changed here.
    """

    def __init__(self, minutes: Mapping[int, CountsRow[T]], kind: type[T], windows: Mapping[str, int]) -> None:
        """*windows* are lengths in minutes by name, the shortest first."""
        self._minutes = minutes
        self._size = size_of(kind)
        self._windows = windows
        self._longest = max(windows.values(), default=0)
        self._closed: dict[str, int] = {}
        self._packed: dict[str, bytes] = {}
        """Of what is closed; empty: to be packed again."""
        self.running = _NEVER
        """The minute that was read last: what is counted in an earlier one has to be told by `add`."""

    def add(self, minute: int, delta: T) -> None:
        """Take note that *delta* was added to *minute*."""
        if minute >= self.running:
            return
        number = delta.number()
        self._packed = {}
        for name, length in self._windows.items():
            # Only what the window still has. Its oldest minute is `running - length`; the running one is added
            # at the read.
            if self.running - length <= minute:
                self._closed[name] += number

    def forget(self, first: int) -> None:
        """Take note that minutes before *first* go: what still counts one of them is summed anew."""
        if first > self.running - self._longest:
            self.running = _NEVER

    def at(self, minute: int) -> dict[str, bytes]:
        """Return what each window that ends in the running *minute* has counted before it, packed."""
        if minute != self.running:
            self._move_to(minute)
        if not self._packed:
            self._packed = {name: packed(closed, self._size) for name, closed in self._closed.items()}
        return self._packed.copy()

    def _number(self, minute: int) -> int:
        row = self._minutes.get(minute)
        return 0 if row is None else row.tally.number()

    def _move_to(self, minute: int) -> None:
        if 0 < minute - self.running <= _NEAR:
            for closing in range(self.running, minute):
                entering = self._number(closing)
                for name, length in self._windows.items():
                    self._closed[name] += entering - self._number(closing - length)
        else:
            self._sum_up(minute)
        self.running, self._packed = minute, {}

    def _sum_up(self, minute: int) -> None:
        """Sum each minute once: a window is the next shorter one, and the minutes before that."""
        closed, end = 0, minute
        for name, length in self._windows.items():
            first = minute - length
            closed = self._closed[name] = closed + sum(map(self._number, range(first, end)))
            end = first
