"""Satisfaction that falls is told of where enough have answered, and where it is no chance."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.alerts.stories import STEP, assert_told, board_scrape
from tests.board.boards import NOON, a_board, a_queue
from tests.families.surveys.told import snapshots_of, survey_event, surveys_fold_of

FALLING = ("ContactSatisfactionFalling", "queue sales")


def scores(good: int, bad: int) -> list[int]:
    return [5] * good + [1] * bad


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (scores(90, 10), scores(30, 30), True),
        (scores(90, 10), scores(55, 5), False),  # better than before
        (scores(95, 5), scores(51, 9), False),  # worse, and above the target
        (scores(80, 20), scores(7, 3), False),  # it may be chance
        (scores(90, 10), scores(1, 5), False),  # of six answers nothing is said
        ([], scores(10, 50), False),  # of before nothing is known
    ],
    ids=["falls", "rises", "is kept", "by chance", "few", "first week"],
)
def test_satisfaction_that_falls_is_told_of_where_it_is_no_chance(
    before: Sequence[int], now: Sequence[int], *, told: bool, tmp_path: Path
) -> None:
    events = [
        survey_event("answered", f"s{ago}-{n}", NOON - timedelta(days=ago, hours=1), score=score)
        for ago, answers in ((10, before), (2, now))
        for n, score in enumerate(answers)
    ]
    rated = tuple(snapshots_of(surveys_fold_of(events), NOON))
    board = a_board(a_queue("sales", tenant="acme", channel="chat"))
    scrape = board_scrape(replace(board, snapshots={**board.snapshots, "surveys": rated}))

    scrapes = [scrape] * (timedelta(minutes=10) // STEP)
    assert_told(scrapes, {"8m": {FALLING} if told else set()}, tmp_path, only="ContactSatisfactionFalling")
