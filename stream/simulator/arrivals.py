"""When contacts arrive: a Poisson process whose rate changes with the hour of the day."""

from collections.abc import Iterator, Sequence
from random import Random

__all__ = ["DAY_MS", "HOUR_MS", "arrival_times"]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def arrival_times(rng: Random, per_hour: Sequence[float], *, clock_ms: int) -> Iterator[int]:
    """
    Yield arrivals for ever, in milliseconds after an instant whose time of day is *clock_ms*.

    Inversion of the cumulative rate: unit exponentials are spent against the rate of each hour
    (Çinlar, Introduction to Stochastic Processes, 1975). Nothing is drawn in vain, as it is with
    thinning, so the arrivals of a queue depend on its seed and rates alone.
    """
    # At a rate of 0 all day the loop below would go from hour to hour for ever.
    if not any(per_hour):
        return
    at = float(clock_ms)
    spend = rng.expovariate(1.0)
    while True:
        hour = int(at // HOUR_MS)
        # One figure for each hour of the day, or a single one for all of them.
        rate = per_hour[hour % len(per_hour)] / HOUR_MS
        hour_ends = (hour + 1.0) * HOUR_MS
        # What is not spent when the hour ends is carried into the next: the exponential has no memory, and
        # nothing is drawn anew.
        if spend < rate * (hour_ends - at):
            at += spend / rate
            yield round(at) - clock_ms
            spend = rng.expovariate(1.0)
        else:
            spend -= rate * (hour_ends - at)
            at = hour_ends
