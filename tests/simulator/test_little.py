from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from msgspec.structs import replace

from stream.simulator import office_centre, simulate
from stream.simulator.cases.plan import HelpDesk
from stream.simulator.centre import Centre
from tests.simulator.little import WEEKS, Life, agreement, lives_of

START = datetime(2024, 1, 1, tzinfo=UTC)

pytestmark = pytest.mark.slow


@cache
def lives() -> list[Life]:
    """Three quarters of a year of the office's cases, which are open at night and at the weekend, too."""
    desk: HelpDesk = office_centre().help_desk
    quiet = tuple(replace(queue, per_hour=tuple(rate / 2 for rate in queue.per_hour)) for queue in desk.queues)
    centre = Centre(name="little", queues=(), agents=(), help_desk=replace(desk, queues=quiet))
    return lives_of(simulate(centre, start=START, end=START + timedelta(weeks=WEEKS), seed=11))


def test_as_many_cases_are_open_as_come_in_times_how_long_they_are_open() -> None:
    found = agreement("open cases", [life.open for life in lives() if life.open], start=START)

    assert found.agrees, found
    # What is found is worth something: an error of a tenth would be seen.
    assert found.error < found.expected / 10


def test_as_many_customers_wait_as_ask_times_how_long_they_wait() -> None:
    found = agreement("waiting", [[wait] for life in lives() for wait in life.waits], start=START)

    assert found.agrees, found
    assert found.error < found.expected / 10


def test_whoever_forgets_that_cases_are_reopened_disagrees() -> None:
    right = agreement("open cases", [life.open for life in lives() if life.open], start=START)
    wrong = agreement("open cases", [life.open[:1] for life in lives() if life.open], start=START)

    assert not replace(right, expected=wrong.expected).agrees
