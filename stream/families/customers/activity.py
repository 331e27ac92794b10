"""How many customers were active lately, by the last day on which each was."""

from collections import defaultdict
from typing import Final

from stream.families.customers.snapshot import Active

__all__ = ["LastDays"]

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

    def active(self, today: int) -> Active:
        """Return how many were active today, in 7 days and in 30, with today."""
        daily = weekly = monthly = 0
        for day, number in self._customers.items():
            age = today - day
            if age < _MONTH:
                monthly += number
                if age < _WEEK:
                    weekly += number
                    daily += number if age < 1 else 0
        return daily, weekly, monthly
