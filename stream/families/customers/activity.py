"""How many customers were active lately, by the last day on which each was."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from stream.families.customers.snapshot import Active

__all__ = ["LastDays", "active_of"]

_WEEK: Final = 7
_MONTH: Final = 30


class LastDays:
    """The last active days of customers, by local days; what is derived from rows, and in no table."""

    __slots__ = ("_customers",)

    def __init__(self) -> None:
        self._customers: defaultdict[int, int] = defaultdict(int)
        """By day."""

    def move(self, before: int, day: int) -> None:
        """Note that a customer whose last day was *before* (0: there was none) has another one (0: none any more)."""
        customers = self._customers
        if before:
            if left := customers[before] - 1:
                customers[before] = left
            else:
                del customers[before]
        if day:
            customers[day] += 1

    def since(self, day: int) -> int:
        """Return how many were active on a *day* or later."""
        return sum(number for last, number in self._customers.items() if last >= day)


def active_of(groups: Sequence[LastDays], today: int) -> Active:
    """Return how many of some groups of customers were active today, in 7 days and in 30, with today."""
    daily, weekly, monthly = (sum(one.since(today - days + 1) for one in groups) for days in (1, _WEEK, _MONTH))
    return daily, weekly, monthly
