from itertools import pairwise, takewhile
from math import sqrt
from random import Random
from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.simulator.arrivals import DAY_MS, HOUR_MS, arrival_times

HOURS = tuple(float(20 * hour % 130) for hour in range(24))


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_each_hour_has_the_arrivals_of_its_rate(hour: int) -> None:
    """Within four standard deviations of a Poisson count, over a year."""
    year = takewhile(lambda at: at < 365 * DAY_MS, arrival_times(Random(1), HOURS, clock_ms=0))

    count = sum(at % DAY_MS // HOUR_MS == hour for at in year)

    assert abs(count - 365 * HOURS[hour]) <= 4 * sqrt(365 * HOURS[hour])


def test_arrivals_are_as_irregular_as_chance() -> None:
    """Gaps of a Poisson process have a standard deviation as large as their mean."""
    times = list(takewhile(lambda at: at < 40 * DAY_MS, arrival_times(Random(1), (60.0,), clock_ms=0)))
    gaps = [later - earlier for earlier, later in pairwise(times)]

    assert pstdev(gaps) / fmean(gaps) == pytest.approx(1.0, abs=0.02)


@given(st.integers(0, DAY_MS - 1), st.integers(0, 1000))
def test_the_first_hour_is_that_of_the_clock(clock_ms: int, seed: int) -> None:
    only_noon = tuple(600.0 if hour == 12 else 0.0 for hour in range(24))

    first = next(arrival_times(Random(seed), only_noon, clock_ms=clock_ms))

    assert first >= 0
    assert (first + clock_ms) % DAY_MS // HOUR_MS in {12, 13}  # rounded to the millisecond, it may strike one


def test_where_nobody_ever_comes_there_is_no_arrival() -> None:
    assert list(arrival_times(Random(1), (0.0,) * 24, clock_ms=0)) == []
