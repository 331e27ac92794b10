"""What is still to happen to customers: put down in any order, told day by day in the order of time."""

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from stream.core.cloudevents import Event
from stream.simulator.arrivals import DAY_MS

__all__ = ["Agenda", "Entry"]


class Entry(NamedTuple):
    """One thing that is to happen."""

    at: int
    """In ms after the start."""
    mark: int
    """Its own number: it decides between two of the same millisecond, before anything that has no order is compared."""
    who: int
    """The number of the customer."""
    kind: Callable[..., Event]
    subject: str
    data: object


class Agenda:
    """
    Entries by day, sorted when their day has come.

    A heap of all of them would cost as much as all the rest: a million customers have millions of things to come.
    """

    def __init__(self) -> None:
        self._days: defaultdict[int, list[Entry]] = defaultdict(list)
        self._marks = 0

    def next_mark(self) -> int:
        """Return a number that nothing else has; names of carts, orders and contacts are made of such, too."""
        self._marks += 1
        return self._marks

    def put(self, at: int, who: int, kind: Callable[..., Event], subject: str, data: object) -> None:
        """Put down what is to happen *at* so many ms after the start: on a day that has not been told yet."""
        self._marks = mark = self._marks + 1
        # A NamedTuple as a plain tuple would be made in half the time: this is the innermost of all.
        self._days[at // DAY_MS].append(tuple.__new__(Entry, (at, mark, who, kind, subject, data)))

    def day(self, number: int) -> list[Entry]:
        """Return what happens on a day, in the order of time, and forget it."""
        entries = self._days.pop(number, [])
        entries.sort()
        return entries
