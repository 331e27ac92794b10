"""Stories of surveys and reviews, and the figures that they make."""

from datetime import timedelta

import pytest

from stream.core.policies import Policies, Rule
from tests.families.surveys.told import (
    applied_by,
    counted,
    figure,
    on,
    rated,
    snapshots_of,
    survey_event,
    surveys_fold_of,
    told,
)

THREE_OF_FOUR = """
    1 09:00 invited  s1
    1 10:00 answered s1 score=5
    1 11:00 answered s2 score=4
    2 10:00 answered s3 score=3
    2 11:00 answered s4 score=5 comment=true
    """


def test_satisfied_are_those_with_a_score_of_the_positive_set() -> None:
    sales = rated(THREE_OF_FOUR, on(3))

    assert figure(sales, "csat").value == 0.75
    assert figure(sales, "csat").number == 4
    assert figure(sales, "csat_mean").value == 4.25
    assert counted(sales).comments == 1


def test_an_answer_counts_on_the_day_on_which_it_was_given() -> None:
    sales = rated(THREE_OF_FOUR, on(2, "23:00"))

    assert figure(sales, "csat", "today").value == 0.5
    assert figure(sales, "csat", "today before").value == 1


@pytest.mark.parametrize(
    ("scale", "scores", "share", "mean"),
    [
        ("1-5", [5, 4, 3, 1], 0.5, 3.25),
        ("1-10", [10, 7, 6, 1], 0.5, 1 + 4 * (9 + 6 + 5 + 0) / 9 / 4),
        ("1-7", [7, 6, 5, 4], 0.5, 1 + 4 * (6 + 5 + 4 + 3) / 6 / 4),
        ("thumbs", [1, 1, 0, 0], 0.5, 3),
        ("yes_no", [1, 0, 0, 0], 0.25, 2),
        ("smileys", [3, 2, 1, 3], 0.5, 1 + 4 * 5 / 8),
    ],
)
def test_every_scale_has_its_positive_set_and_the_mean_is_told_in_that_of_the_policy(
    scale: str, scores: list[int], share: float, mean: float
) -> None:
    events = [survey_event("answered", f"s{n}", on(1), score=score, scale=scale) for n, score in enumerate(scores)]
    sales = rated(events, on(1))

    assert figure(sales, "csat").value == share
    assert figure(sales, "csat_mean").value == pytest.approx(mean)


def test_where_the_highest_score_is_the_worst_scores_are_turned_over() -> None:
    sales = rated("1 09:00 answered s1 score=1 higher_is_better=false", on(1))

    assert (figure(sales, "csat").value, figure(sales, "csat_mean").value) == (1, 5)


EFFORT = """
    1 08:00 invited  e1 kind=ces
    1 08:00 invited  e2 kind=ces
    1 08:00 invited  e3 kind=ces
    1 08:00 invited  e4 kind=ces
    1 10:00 answered e1 kind=ces score=9
    1 11:00 answered e2 kind=ces score=7
    """


def test_effort_is_the_sum_of_the_ratings_over_all_who_were_asked() -> None:
    assert figure(rated(EFFORT, on(1)), "ces").value == 4


def test_effort_may_be_the_mean_of_the_answers_on_another_scale() -> None:
    policies = Policies(rules=(Rule(changes={"ces_per": "answered", "ces_scale": "1-7"}),))
    sales = rated(
        "1 10:00 answered e1 kind=ces score=7 scale=1-7\n1 10:00 answered e2 kind=ces score=4 scale=1-7",
        on(1),
        policies,
    )

    assert figure(sales, "ces").value == 5.5


def test_whoever_answers_without_a_known_invitation_was_asked_too() -> None:
    sales = rated(EFFORT + "1 12:00 answered e5 kind=ces score=4", on(1))

    assert figure(sales, "ces").value == (9 + 7 + 4) / 5
    assert figure(sales, "ces_response").value == 0.5, "but is no response to an invitation"


def test_promoters_less_detractors() -> None:
    scores = [10, 9, 9, 8, 7, 6, 0]
    sales = rated(
        [survey_event("answered", f"n{n}", on(1), kind="nps", score=one) for n, one in enumerate(scores)], on(1)
    )

    assert figure(sales, "nps").value == pytest.approx(100 * (3 - 2) / 7)


REVIEWS = """
    1 10:00 reviewed r1 categories=tone:4/4*30,facts:1/2*70
    1 11:00 reviewed r2 categories=tone:4/4*30,facts:0/2*70!
    1 12:00 reviewed r3 categories=tone:4/4*30,facts:-/2*70
    1 13:00 reviewed r4 categories=tone:-/4*30
    """


def test_reviews_are_weighted_critical_ones_can_fail_them_and_what_does_not_apply_is_left_out() -> None:
    sales = rated(REVIEWS, on(1))

    assert figure(sales, "iqs").value == pytest.approx((0.65 + 0 + 1) / 3)
    assert figure(sales, "iqs").number == 3, "of the fourth nothing applies"
    assert figure(sales, "iqs_passed").value == pytest.approx(1 / 3)


def test_a_later_review_replaces_the_score_on_the_day_of_the_first() -> None:
    sales = rated(REVIEWS + "3 09:00 reviewed r2 categories=tone:4/4*30,facts:2/2*70!", on(3))

    assert figure(sales, "iqs").value == pytest.approx((0.65 + 1 + 1) / 3)
    assert counted(sales, "today").reviews == 0


# Changes, order and time.


def test_a_change_replaces_the_score_where_the_first_answer_counted() -> None:
    sales = rated(THREE_OF_FOUR + "4 10:00 changed s3 score=5", on(4))

    assert figure(sales, "csat").value == 1
    assert figure(sales, "csat", "today").value is None
    assert figure(sales, "csat_mean").value == 4.75


def test_of_two_answers_the_later_one_stands_in_whatever_order_they_come() -> None:
    events = told(THREE_OF_FOUR + "4 10:00 changed s3 score=5\n4 09:00 changed s3 score=1")

    in_turn = sorted(events, key=lambda event: event.time)
    assert rated(events, on(4)).windows == rated(in_turn, on(4)).windows
    assert figure(rated(events, on(4)), "csat").value == 1


def test_an_answer_may_come_before_its_invitation() -> None:
    sales = rated("1 10:00 answered s1 score=5\n1 09:00 invited s1", on(1))

    assert figure(sales, "response").value == 1


def test_repeats_change_nothing() -> None:
    events = told(THREE_OF_FOUR)
    fold = surveys_fold_of(events)
    shown = snapshots_of(fold, on(3))
    applied = applied_by(fold, events, len(events))

    assert applied.duplicates == len(events)
    assert snapshots_of(fold, on(3)) == shown


@pytest.mark.parametrize("days", [1, 59, 60, 99])
def test_a_survey_is_answered_long_after_it_was_sent(days: int) -> None:
    story = f"1 09:00 invited s1\n{1 + days} 09:00 answered s1 score=5"
    sales = rated(story, on(1 + days))

    assert counted(sales, "today").csat_responded == 1
    assert counted(sales, "90d").csat_invited == (days <= 90)


def test_an_answer_that_comes_late_counts_in_its_own_day_as_long_as_that_is_kept() -> None:
    fold = surveys_fold_of(told("200 10:00 answered new score=5"))
    kept = applied_by(fold, told("130 10:00 answered s1 score=1"), 1)
    lost = applied_by(fold, told("10 10:00 answered s2 score=1"), 2)
    [sales] = snapshots_of(fold, on(200))

    assert (kept.late, lost.late) == (0, 1)
    assert (counted(sales, "90d").csat_answered, counted(sales, "all").csat_answered) == (2, 3)


def test_a_survey_that_was_forgotten_takes_nothing_back() -> None:
    fold = surveys_fold_of(told("1 10:00 answered s1 score=1"))
    fold.committed(1)
    fold.apply(told("110 10:00 answered s2 score=5"), [1])
    fold.settle()

    assert [key[3] for key in fold.surveys] == ["s2"]
    assert {key[6] for key in fold.counts if key[5] == "day"} == {on(1).toordinal(), on(110).toordinal()}


# What has figures of its own.


def test_each_channel_and_kind_has_its_own() -> None:
    story = """
        1 10:00 answered a score=5 channel=voice
        1 10:00 answered b score=1
        1 10:00 answered c score=1 queue=none channel=none
        """
    fold = surveys_fold_of(told(story))

    assert [one.key[:3] for one in snapshots_of(fold, on(1))] == [
        ("acme", "(none)", ""),
        ("acme", "sales", "chat"),
        ("acme", "sales", "voice"),
    ]


def test_groups_have_figures_up_to_the_limit_of_the_policy_and_the_rest_is_one() -> None:
    policies = Policies(rules=(Rule(changes={"survey_groups": 2}),))
    story = "\n".join(f"1 10:0{n} answered s{n} score={n + 1} group={name}" for n, name in enumerate("abcab"))
    fold = surveys_fold_of(told(story), policies)

    answered = {one.group: counted(one).csat_answered for one in snapshots_of(fold, on(1))}
    assert answered == {"": 5, "a": 2, "b": 2, "(other)": 1}


@pytest.mark.parametrize(("by_agent", "agents"), [(False, {""}), (True, {"", "eva"})])
def test_agents_have_figures_only_where_the_policy_says_so(*, by_agent: bool, agents: set[str]) -> None:
    policies = Policies(rules=(Rule(changes={"survey_by_agent": by_agent}),))
    fold = surveys_fold_of(told("1 10:00 answered s1 score=5 agent=eva"), policies)

    assert {one.agent for one in snapshots_of(fold, on(1))} == agents


def test_an_answer_that_does_not_say_whom_it_rates_is_of_whom_the_invitation_named() -> None:
    fold = surveys_fold_of(told("1 10:00 answered s1 score=5 channel=none\n1 09:00 invited s1 group=vip"))

    answered = {one.key[2:4]: counted(one).csat_answered for one in snapshots_of(fold, on(1))}
    assert answered == {("", ""): 0, ("chat", ""): 1, ("chat", "vip"): 1}


def test_figures_of_the_period_before_stand_beside_those_of_the_window() -> None:
    story = "\n".join(f"{day} 10:00 answered s{day} score={5 if day > 8 else 1}" for day in range(1, 17))
    sales = rated(story, on(16))

    assert (figure(sales, "csat", "7d").value, figure(sales, "csat", "7d before").value) == (1, 0)


def test_what_was_silent_for_longer_than_any_window_vanishes() -> None:
    fold = surveys_fold_of(told(THREE_OF_FOUR))

    assert snapshots_of(fold, on(2) + timedelta(days=90))
    assert not snapshots_of(fold, on(2) + timedelta(days=100))
