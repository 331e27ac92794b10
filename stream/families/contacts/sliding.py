"""Sums of the sliding windows, kept while minutes come and go: a read costs what the answer costs."""

from collections.abc import Mapping

from stream.core.counts import summed
from stream.core.windows import WINDOWS
from stream.families.contacts.tally import Tally, TallyRow

__all__ = ["SlidingSums"]

_EMPTY = Tally()
_NEAR = 5
"""Minutes from one read to the next up to which sums are moved on; the owner still has every minute that leaves."""

_LONGEST = max(WINDOWS.values())

_NEVER = -1_000_000_000
"""Before every minute: nothing was read yet."""


class SlidingSums:
    """
    The tallies of all sliding windows of one queue, over its minutes.

    Keeps, for the minute that was read last, the sum of the closed minutes of each window; the
    running minute is added at the read. `minutes` stays the owner's, and is never changed here.
    """

    def __init__(self, minutes: Mapping[int, TallyRow]) -> None:
        self._minutes = minutes
        self._closed: dict[str, Tally] = {}
        self.running = _NEVER
        """The minute that was read last: what is counted in an earlier one has to be told by `add`."""

    def add(self, minute: int, delta: Tally) -> None:
        """Take note that *delta* was added to *minute*."""
        if minute >= self.running:
            return
        for name, length in WINDOWS.items():
            if self.running - length <= minute:
                self._closed[name] += delta

    def forget(self, first: int) -> None:
        """Take note that minutes before *first* go: what still counts one of them is summed anew."""
        if first > self.running - _LONGEST:
            self.running = _NEVER

    def at(self, minute: int) -> dict[str, Tally]:
        """Return the tally of each window that ends in the running *minute*. The tallies are not to be changed."""
        if minute != self.running:
            self._move_to(minute)
        running = self._minutes.get(minute)
        if running is None:
            return dict(self._closed)
        return {name: closed + running.tally for name, closed in self._closed.items()}

    def _move_to(self, minute: int) -> None:
        if 0 < minute - self.running <= _NEAR:
            for name, length in WINDOWS.items():
                self._closed[name] = self._moved(self._closed[name], minute, length)
        else:
            self._sum_up(minute)
        self.running = minute

    def _moved(self, closed: Tally, minute: int, length: int) -> Tally:
        for closing in range(self.running, minute):
            if (entering := self._minutes.get(closing)) is not None:
                closed += entering.tally
            if (leaving := self._minutes.get(closing - length)) is not None:
                closed -= leaving.tally
        return closed

    def _sum_up(self, minute: int) -> None:
        """Sum each minute once: a window is the next shorter one, and the minutes before that."""
        closed, end = _EMPTY, minute
        for name, length in WINDOWS.items():
            first = minute - length
            seen = [row.tally for at in range(first, end) if (row := self._minutes.get(at)) is not None]
            closed = self._closed[name] = summed([closed, *seen])
            end = first
