"""When customers do something: at any instant of a day, more often in the evening than at night."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import Final

from stream.simulator.arrivals import DAY_MS, HOUR_MS

__all__ = ["Moments"]

_CURVE: Final = (
    *(0.3, 0.2, 0.1, 0.1, 0.1, 0.3, 0.6, 1.0, 1.2, 1.3, 1.4, 1.4),
    *(1.4, 1.3, 1.2, 1.2, 1.3, 1.5, 1.7, 1.8, 1.7, 1.4, 1.0, 0.5),
)
"""How much happens in an hour of the day (UTC), beside the other hours."""


class Moments:
    """Draws instants of days that begin at any hour of the clock."""

    def __init__(self, rng: Random, *, clock_ms: int) -> None:
        self._rng = rng
        begins = clock_ms // HOUR_MS
        curve = _CURVE[begins:] + _CURVE[:begins]
        self._shares = [share / sum(curve) for share in curve]
        self._before = [0.0, *accumulate(self._shares)][:-1]

    def of_day(self, day: int, many: float) -> Iterator[int]:
        """Yield instants of a *day*, earliest first, in ms after the start: *many* on average, a Poisson process."""
        # At a rate of 0 nothing happens, and the next thing would be infinitely far.
        if many <= 0:
            return
        expovariate = self._rng.expovariate
        share = expovariate(many)
        while share < 1.0:
            yield day * DAY_MS + self._at(share)
            share += expovariate(many)

    def one_of_day(self, day: int) -> int:
        """Return an instant of a *day*, in ms after the start."""
        return day * DAY_MS + self._at(self._rng.random())

    def _at(self, share: float) -> int:
        """Return when such a share of a day's doings is over."""
        hour = bisect_right(self._before, share) - 1
        within = min((share - self._before[hour]) / self._shares[hour], 1.0)
        return min(int((hour + within) * HOUR_MS), DAY_MS - 1)
