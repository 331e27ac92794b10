"""Satisfaction that falls is told of where enough have answered, and where it is no chance."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from zlib import crc32

import pytest
from msgspec.structs import replace

from scripts.alerts.surveys import SURVEY_ALERTS
from stream.app.policy_file import policies_of
from stream.core.cloudevents import Event
from stream.core.policies import Policies
from stream.families.about_customers import told_by_survey
from stream.families.customers.snapshot import CustomersSnapshot
from tests.alerts.stories import STEP, Scrapes, assert_told, board_scrape
from tests.board.boards import NOON, a_board
from tests.families.customers.told import customers_fold_of
from tests.families.surveys.told import snapshots_of, survey_event, surveys_fold_of

FALLING = ("ContactSatisfactionFalling", "queue sales")
OFTEN = ("ContactCustomersAskedTooOften", "queue sales")


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
    assert_told(scrapes_of(events), {"12m": {FALLING} if told else set()}, tmp_path, only="ContactSatisfactionFalling")


@pytest.mark.parametrize(
    ("invitations", "customers", "told"),
    [
        (60, 10, True),  # of six invitations each, three are too many
        (60, 60, False),
        (12, 2, False),  # six too many: of so few nothing is said
        (303, 101, False),  # three each, as often as is allowed
    ],
    ids=["too often", "once each", "few", "as allowed"],
)
def test_customers_who_are_asked_too_often_are_told_of_where_they_are_many(
    invitations: int, customers: int, *, told: bool, tmp_path: Path
) -> None:
    events = [
        survey_event("invited", f"s{n}", NOON - timedelta(days=2, minutes=-n), customer=f"c{n % customers}")
        for n in range(invitations)
    ]

    assert_told(scrapes_of(events), {"4m": set(), "12m": {OFTEN} if told else set()}, tmp_path, only=OFTEN[0])


@pytest.mark.parametrize("hours", ['opening_hours = "13:00-14:00"', 'quiet_hours = "11:00-13:00"'])
def test_nobody_hears_of_surveys_while_the_queue_is_closed_or_quiet(hours: str, tmp_path: Path) -> None:
    events = [survey_event("invited", f"s{n}", NOON - timedelta(days=2, minutes=-n), customer="c") for n in range(60)]

    assert_told(scrapes_of(events, hours), {"12m": set()}, tmp_path)


def test_every_alert_about_surveys_has_its_story() -> None:
    assert {name for name, _ in (FALLING, OFTEN)} == {alert.name for alert in SURVEY_ALERTS}


def scrapes_of(events: Sequence[Event], policies: str = "") -> Scrapes:
    """What a quarter of an hour of scrapes at noon shows of a queue that reports nothing but surveys."""
    read = policies_of(f"[defaults]\n{policies}", "policies")
    rated = tuple(snapshots_of(surveys_fold_of(events, policies=read), NOON))
    board = a_board()
    scrape = board_scrape(replace(board, snapshots={**board.snapshots, "surveys": rated}))
    # The customers of a queue are on all workers.
    for number, asked in enumerate(customers_by_worker(events, read)):
        scrape |= board_scrape(replace(board, snapshots={"customers": asked}), f"worker-{number}")
    return [scrape] * (timedelta(minutes=15) // STEP)


def customers_by_worker(events: Sequence[Event], policies: Policies) -> list[tuple[CustomersSnapshot, ...]]:
    """Return what two workers show of the customers whom the events name, each of some of them."""
    follow = told_by_survey(policies)
    told = [one for event in events if (derive := follow.get(type(event))) for one in derive(event)]
    shares = [[one for one in told if crc32(one.subject.encode()) % 2 == number] for number in range(2)]
    folds = [customers_fold_of(share, policies) for share in shares]
    return [tuple(one for _, one in fold.snapshots(NOON)) for fold in folds]
