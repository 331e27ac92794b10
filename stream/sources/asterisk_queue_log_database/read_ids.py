"""Which rows of a table were told, by their ids, though rows do not become visible in the order of their ids.

A row has its id before its transaction commits, so a smaller one may appear after a larger one. Pure: it is told the
time, in microseconds, and what there is to read.
"""

from bisect import bisect_right
from typing import Annotated, Final

from msgspec import Meta, Struct, field

__all__ = ["GRACE_US", "IdGap", "NewestIds", "ReadIds"]

GRACE_US: Final = 2_000_000
"""So long a gap of ids may hold up the rows behind it. Asterisk commits each row by itself, in milliseconds."""

LOOK_BACK_US: Final = 600 * 1_000_000
"""So long a row that is missing is looked for: longer than any sane transaction."""

GAPS_KEPT: Final = 256
"""Rows that were deleted, or an auto-increment by more than one, leave gaps that are never filled."""

_Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class IdGap(Struct, frozen=True, array_like=True):
    """Ids that were not there when a larger one was told."""

    first: _Id
    last: _Id
    since: int


class ReadIds(Struct):
    """The part that is saved: all ids up to `newest` were told, but those in the gaps."""

    newest: _Id = 0
    gaps: list[IdGap] = field(default_factory=list)

    def ready(self, ids: list[int], settled: int) -> int:
        """Return how many of *ids*, which rise, may be told: up to a gap that reaches past the id *settled*."""
        before = self.newest
        for count, found in enumerate(ids):
            if found > before + 1 and found - 1 > settled:
                return count
            before = found
        return len(ids)

    def tell(self, told: int, at: int) -> None:
        """Note that a row was told, behind all others or in a gap."""
        if told > self.newest:
            if told > self.newest + 1:
                self.gaps.append(IdGap(self.newest + 1, told - 1, at))
                del self.gaps[:-GAPS_KEPT]
            self.newest = told
            return
        place = bisect_right(self.gaps, told, key=lambda gap: gap.first) - 1
        gap = self.gaps[place]
        parts = (IdGap(gap.first, told - 1, gap.since), IdGap(told + 1, gap.last, gap.since))
        self.gaps[place : place + 1] = [part for part in parts if part.first <= part.last]

    def forget(self, at: int) -> None:
        """Give up the gaps that are too old to be filled."""
        self.gaps = [gap for gap in self.gaps if gap.since > at - LOOK_BACK_US]


class NewestIds:
    """Which ids are settled: a row that is missing below one that was seen some time ago will hardly come any more."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, int]] = []

    def see(self, newest: int, at: int) -> None:
        """Note the largest id that there is at an instant."""
        if not self._seen or newest > self._seen[-1][0]:
            self._seen.append((newest, at))

    def settled(self, at: int) -> int:
        """Return the largest id that was there so long before *at* as a gap may hold up others."""
        settled = 0
        while self._seen and self._seen[0][1] <= at - GRACE_US:
            settled, _ = self._seen[0]
            # The last that is old enough answers the next calls, too.
            if len(self._seen) == 1 or self._seen[1][1] > at - GRACE_US:
                break
            self._seen.pop(0)
        return settled

    def forget(self) -> None:
        """Begin anew: the ids do."""
        self._seen.clear()
