"""Margins of error beside an independent way to find them, and what is judged by them."""

from math import comb, sqrt
from statistics import NormalDist, mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.figure import Reading
from stream.core.judgement import State
from stream.core.policies import Policies, Rule
from stream.families.surveys.family import FAMILY
from stream.families.surveys.margins import mean_bounds, share_bounds
from tests.families.surveys.told import figure, on, rated, survey_event

Z = NormalDist().inv_cdf(0.975)


@given(st.integers(1, 500), st.data())
def test_the_bounds_of_a_share_are_the_shares_from_which_it_is_just_not_far_enough(
    whole: int, data: st.DataObject
) -> None:
    """What Wilson's formula solves: a share p whose own standard error, times z, is the distance to what was seen."""
    part = data.draw(st.integers(0, whole))
    bounds = share_bounds(part, whole)

    assert bounds is not None
    for bound in bounds:
        seen = part / whole
        assert (seen - bound) ** 2 == pytest.approx(Z * Z * bound * (1 - bound) / whole, abs=1e-9)
    assert 0 <= bounds[0] <= part / whole <= bounds[1] <= 1


def test_the_bounds_of_a_share_are_those_of_the_literature() -> None:
    """Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3."""
    told = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0, 0.1611), (1, 29): (0.0061, 0.1718)}

    for (part, whole), (low, high) in told.items():
        assert share_bounds(part, whole) == pytest.approx((low, high), abs=0.0001)


@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_ninety_five_times_in_a_hundred_the_truth_is_between_the_bounds(share: float) -> None:
    """Summed over all that may be seen of fifty answers."""
    covered = 0.0
    for part in range(51):
        low, high = share_bounds(part, 50) or (0, 0)
        if low <= share <= high:
            covered += comb(50, part) * share**part * (1 - share) ** (50 - part)

    assert covered == pytest.approx(0.95, abs=0.03)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=60))
def test_the_bounds_of_a_mean_are_two_standard_errors_away(scores: list[int]) -> None:
    half = Z * stdev(scores) / sqrt(len(scores))
    bounds = mean_bounds(len(scores), sum(scores), sum(one * one for one in scores))

    assert bounds == pytest.approx((mean(scores) - half, mean(scores) + half), abs=1e-6)


@given(st.lists(st.integers(0, 10), min_size=2, max_size=60))
def test_the_bounds_of_nps_and_of_means_on_any_scale_are_those_of_their_values(scores: list[int]) -> None:
    """From steps and their squares, as they are counted, and back again; cut off where the scale ends."""
    events = [
        survey_event("answered", f"{kind}{n}", on(1), kind=kind, score=score, scale="0-10")
        for kind in ("nps", "csat")
        for n, score in enumerate(scores)
    ]
    sales = rated(events, on(1))
    worth = [100 if one >= 9 else -100 if one <= 6 else 0 for one in scores]
    for name, values, ends in (("nps", worth, (-100, 100)), ("csat_mean", [1 + one * 0.4 for one in scores], (1, 5))):
        found, half = figure(sales, name), Z * stdev(values) / sqrt(len(values))

        assert found.value == pytest.approx(mean(values), abs=1e-9)
        assert found.bounds == pytest.approx(
            (max(ends[0], mean(values) - half), min(ends[1], mean(values) + half)), abs=1e-4
        )


@given(st.lists(st.integers(1, 10), min_size=1, max_size=20), st.integers(0, 20))
def test_the_bounds_of_effort_count_those_who_did_not_answer_as_nothing(scores: list[int], silent: int) -> None:
    asked = [survey_event("invited", f"e{n}", on(1), kind="ces") for n in range(len(scores) + silent)]
    answers = [survey_event("answered", f"e{n}", on(1), kind="ces", score=one) for n, one in enumerate(scores)]
    found, values = figure(rated([*asked, *answers], on(1)), "ces"), [*scores, *[0] * silent]

    assert found.value == pytest.approx(mean(values))
    if len(values) < 2:
        assert found.bounds is None
    else:
        half = Z * stdev(values) / sqrt(len(values))
        assert found.bounds == pytest.approx((max(0, mean(values) - half), min(10, mean(values) + half)), abs=1e-4)


def test_there_are_no_bounds_without_answers_and_none_of_a_mean_of_one() -> None:
    assert share_bounds(0, 0) is share_bounds(3, 2) is mean_bounds(1, 5, 25) is None


# What is judged by them.


@pytest.mark.parametrize(
    ("good", "bad", "state"),
    [
        (8, 1, State.NO_SAMPLE),  # nine answers are too few
        (8, 2, State.OK),
        (7, 3, State.AT_RISK),  # it may be chance
        (70, 30, State.BREACHED),
        (3, 7, State.BREACHED),
    ],
)
def test_a_target_is_missed_when_not_even_the_upper_bound_reaches_it(good: int, bad: int, state: State) -> None:
    scores = [5] * good + [1] * bad
    sales = rated([survey_event("answered", f"s{n}", on(1), score=one) for n, one in enumerate(scores)], on(1))
    reading = Reading(on(1), [sales])
    [csat] = [one for one in FAMILY.figures if one.show is not None and one.show.name == "csat"]
    assert csat.column is not None
    assert csat.show is not None
    assert csat.show.judge is not None

    assert csat.show.judge(reading, csat.column(reading, "7d")) == [state]
    missing = FAMILY.facts["csat_missing"](reading, "7d")
    assert missing == [1 if state is State.NO_SAMPLE else None]


def test_what_has_no_target_is_not_judged_and_what_has_one_is() -> None:
    events = [survey_event("answered", f"s{n}", on(1), kind="nps", score=0) for n in range(20)]
    for policies, state in (
        (Policies(), State.NO_SAMPLE),
        (Policies(rules=(Rule(changes={"nps_target": 10.0}),)), State.BREACHED),
    ):
        reading = Reading(on(1), [rated(events, on(1), policies)])
        [nps] = [one for one in FAMILY.figures if one.show is not None and one.show.name == "nps"]
        assert nps.column is not None
        assert nps.show is not None
        assert nps.show.judge is not None

        assert nps.show.judge(reading, nps.column(reading, "7d")) == [state]
