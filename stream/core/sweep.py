"""Looks at every row of a table, some at a time, whether it may go: no checkpoint waits until a million were seen."""

from collections.abc import Collection, Sequence
from typing import Final, Generic, TypeVar

__all__ = ["SWEPT_AT_ONCE", "Sweep"]

SWEPT_AT_ONCE: Final = 20_000
"""Rows that are looked at between two checkpoints."""

K = TypeVar("K")


class Sweep(Generic[K]):
    """
    Gives out the keys of a table once in a day of events.

    Days are those of the events, so that a replay looks when the first run did; what comes meanwhile is for the next
    day.
    """

    def __init__(self, keys: Collection[K]) -> None:
        self._keys = keys
        self._left: list[K] = []
        self._begun_on = 0
        self.has_ended = False
        """Whether those that were given out last were the last of their day."""

    def some(self, day: int) -> Sequence[K]:
        """Return the keys to look at now, by the ordinal of the *day* that the events are at; none once all were."""
        if not self._left:
            self.has_ended = False
            if day == self._begun_on:
                return ()
            self._left, self._begun_on = [*self._keys], day
        some, self._left = self._left[:SWEPT_AT_ONCE], self._left[SWEPT_AT_ONCE:]
        self.has_ended = not self._left
        return some
