import math
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.erlang import erlang_a, erlang_b, erlang_c

MINUTE = timedelta(minutes=1)
FOR_EVER = timedelta(days=3650)


def erlang_a_from_states(per_hour: float, service: timedelta, agents: int, patience: timedelta) -> tuple[float, float]:
    """P(wait) and P(abandon), the slow way: solve the birth and death process state by state."""
    birth, serve, give_up = per_hour / 3600, 1 / service.total_seconds(), 1 / patience.total_seconds()
    weights = [1.0]
    for n in range(1, 2000):
        weights.append(weights[-1] * birth / (min(n, agents) * serve + max(n - agents, 0) * give_up))
    total = math.fsum(weights)
    queue = math.fsum(max(n - agents, 0) * weight for n, weight in enumerate(weights)) / total
    return math.fsum(weights[agents:]) / total, give_up * queue / birth


def test_erlang_c_is_the_quotient_of_the_textbook() -> None:
    """The form with powers and factorials, exact in rationals: 200 calls an hour of three minutes, 14 agents."""
    load, agents = Fraction(10), 14
    powers = [load**n / math.factorial(n) for n in range(agents + 1)]
    crowded = powers[agents] * agents / (agents - load)
    waits = float(crowded / (sum(powers[:agents]) + crowded))

    figures = erlang_c(200, 3 * MINUTE, agents)

    assert figures.wait_probability == pytest.approx(waits)
    assert figures.service_level(timedelta(seconds=20)) == pytest.approx(1 - waits * math.exp(-4 * 20 / 180))
    assert figures.asa.total_seconds() == pytest.approx(waits * 180 / 4, abs=1e-6)


def test_one_agent_waits_as_in_the_textbook() -> None:
    """M/M/1: half of the time busy, half of the contacts wait, and those for two minutes on average."""
    figures = erlang_c(30, MINUTE, 1)

    assert figures.wait_probability == pytest.approx(0.5)
    assert figures.asa.total_seconds() == pytest.approx(60)


def test_erlang_b_is_the_quotient_of_the_loads() -> None:
    powers = [5.0**n / math.factorial(n) for n in range(9)]

    assert erlang_b(5.0, 8) == pytest.approx(powers[8] / sum(powers))


def test_erlang_c_refuses_a_queue_that_grows_for_ever() -> None:
    with pytest.raises(ValueError, match="grow for ever"):
        erlang_c(200, 3 * MINUTE, 10)


@given(st.floats(10, 400), st.integers(1, 40), st.integers(20, 600))
def test_erlang_a_is_what_the_states_of_the_queue_say(per_hour: float, agents: int, patience_seconds: int) -> None:
    patience = timedelta(seconds=patience_seconds)

    figures = erlang_a(per_hour, 3 * MINUTE, agents, patience)

    waits, abandons = erlang_a_from_states(per_hour, 3 * MINUTE, agents, patience)
    assert figures.wait_probability == pytest.approx(waits)
    assert figures.abandonment_probability == pytest.approx(abandons, rel=1e-6, abs=1e-12)
    assert figures.mean_wait.total_seconds() == pytest.approx(abandons * patience_seconds, abs=1e-5)


def test_whose_patience_is_like_service_sees_as_many_others_as_with_endless_agents() -> None:
    """Every contact leaves at the same rate, served or not, so the number inside is Poisson."""
    load, agents = 10.0, 8
    poisson = [math.exp(-load) * load**n / math.factorial(n) for n in range(80)]

    figures = erlang_a(200, 3 * MINUTE, agents, 3 * MINUTE)

    assert figures.wait_probability == pytest.approx(1 - sum(poisson[:agents]))
    assert figures.abandonment_probability == pytest.approx(
        sum((n - agents) * p for n, p in enumerate(poisson) if n > agents) / load
    )


def test_with_endless_patience_erlang_a_becomes_erlang_c() -> None:
    patient, endless = erlang_a(180, 3 * MINUTE, 10, FOR_EVER), erlang_c(180, 3 * MINUTE, 10)

    assert patient.wait_probability == pytest.approx(endless.wait_probability, rel=1e-4)
    assert patient.asa.total_seconds() == pytest.approx(endless.asa.total_seconds(), rel=1e-4)
    assert patient.abandonment_probability < 1e-6


def test_without_patience_erlang_a_becomes_erlang_b() -> None:
    hasty = erlang_a(200, 3 * MINUTE, 10, timedelta(milliseconds=1))

    assert hasty.abandonment_probability == pytest.approx(erlang_b(10.0, 10), rel=1e-3)


def test_the_answered_wait_less_than_those_who_give_up_in_a_crowded_queue() -> None:
    figures = erlang_a(240, 3 * MINUTE, 10, 2 * MINUTE)

    assert timedelta(0) < figures.asa
    assert figures.mean_wait.total_seconds() == pytest.approx(figures.abandonment_probability * 120, rel=1e-4)


def test_the_wait_of_the_answered_is_that_of_the_integral_over_all_waits() -> None:
    """With one agent, patience like service: the offered wait of who finds j before them has a known density."""
    per_hour, service, patience = 90.0, MINUTE, MINUTE
    figures = erlang_a(per_hour, service, 1, patience)

    # E[V exp(-θV)] by numeric differentiation of E[exp(-sV)], one state after another.
    rate, load = 1 / 60, 1.5
    states = [math.exp(-load) * load**n / math.factorial(n) for n in range(60)]

    def transform(s: float) -> float:
        total = states[0]
        for n in range(1, 60):
            total += states[n] * math.prod(rate * (i + 1) / (rate * (i + 1) + s) for i in range(n))
        return total

    step = 1e-6
    served_wait = -(transform(rate + step) - transform(rate - step)) / (2 * step)
    assert figures.asa.total_seconds() == pytest.approx(served_wait / transform(rate), rel=1e-5)
    assert figures.abandonment_probability == pytest.approx(1 - transform(rate))


def test_a_great_overload_neither_overflows_nor_forgets_how_many_can_be_served() -> None:
    figures = erlang_a(60_000, 3 * MINUTE, 1000, 30 * MINUTE)

    assert figures.wait_probability == pytest.approx(1.0)
    assert figures.abandonment_probability == pytest.approx(1 - 1000 / 3000, rel=1e-6)
