"""Sums of sliding windows, kept while minutes, hours or days come and go: a read costs what the answer costs."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from stream.core.counts import Counts, CountsRow, packed, size_of

__all__ = ["SlidingSums"]

T = TypeVar("T", bound=Counts)

_NEAR = 5
"""Largest gap, in units, advanced incrementally; beyond it, sums are recomputed. The owner has what leaves."""

_NEVER = -1_000_000_000
"""Before every unit: nothing was read yet."""


class SlidingSums(Generic[T]):
    """
    The counts of all sliding windows of one key that are made of one unit: of its minutes, or hours, or days.

    Some may end before the running one: the period before each.

    Keeps, for the unit that was read last, the sum of the closed ones of each window: as a number (see
    `Counts.number`), and packed as long as it stays. The running one is for whoever reads to add. `rows` stay the
    owner's, and are never changed here.
    """

    def __init__(self, rows: Mapping[int, CountsRow[T]], kind: type[T], windows: Mapping[str, tuple[int, int]]) -> None:
        """*rows* by number of their unit; *windows* by name: from and up to so many units before the running one."""
        self._rows = rows
        self._kind = kind
        self._size = size_of(kind)
        self._windows = windows
        self._longest = max((oldest for oldest, _ in windows.values()), default=0)
        self._closed: dict[str, int] = {}
        self._packed: dict[str, bytes] = {}
        """Of what is closed; empty: to be packed again."""
        self.running = _NEVER
        """The number of the unit that was read last: what is counted in an earlier one has to be told by `add`."""

    def add(self, number: int, delta: T) -> None:
        """Take note that *delta* was added to the unit of a *number*."""
        if number >= self.running:
            return
        counts = delta.number()
        self._packed = {}
        age = self.running - number
        for name, (oldest, newest) in self._windows.items():
            # Only what the window has; the running unit is added at the read.
            if newest <= age <= oldest:
                self._closed[name] += counts

    def forget(self, first: int) -> None:
        """Take note that what is before *first* goes: what still counts some of it is summed anew."""
        if first > self.running - self._longest:
            self.running = _NEVER

    def at(self, running: int) -> dict[str, bytes]:
        """Return what each window that ends in the *running* unit has counted before it, packed; to be read only."""
        if running != self.running:
            self._move_to(running)
        if not self._packed:
            self._packed = {name: packed(closed, self._size) for name, closed in self._closed.items()}
        return self._packed

    def _counts(self, number: int) -> int:
        row = self._rows.get(number)
        return 0 if row is None else row.read(self._kind).number()

    def _move_to(self, running: int) -> None:
        if 0 < running - self.running <= _NEAR:
            for closing in range(self.running, running):
                closed = self._counts(closing)
                for name, (oldest, newest) in self._windows.items():
                    entering = closed if newest == 1 else self._counts(closing + 1 - newest)
                    self._closed[name] += entering - self._counts(closing - oldest)
        else:
            self._sum_up(running)
        self.running, self._packed = running, {}

    def _sum_up(self, running: int) -> None:
        """Sum each unit once: all up to the end of a window, less all up to its begin."""
        sums, closed, end = {0: 0}, 0, 0
        for age in sorted({age for oldest, newest in self._windows.values() for age in (oldest, newest - 1)}):
            closed += sum(map(self._counts, range(running - age, running - end)))
            sums[age], end = closed, age
        for name, (oldest, newest) in self._windows.items():
            self._closed[name] = sums[oldest] - sums[newest - 1]
