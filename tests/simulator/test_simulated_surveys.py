from collections import Counter
from datetime import timedelta

import pytest

from stream.app.replay import replay
from stream.core.cloudevents import Event, encode, tag_of
from stream.families.registry import DECODER
from stream.families.surveys.events import EVENTS
from stream.simulator import demo_centre, simulate, with_surveys
from tests.families.surveys.told import counted
from tests.simulator.centres import START


@pytest.fixture(scope="module")
def hours() -> list[Event]:
    day = simulate(demo_centre(), start=START, end=START + timedelta(hours=4), seed=3)
    return list(with_surveys(day))


def test_what_happens_in_the_centre_is_what_it_was(hours: list[Event]) -> None:
    day = [*simulate(demo_centre(), start=START, end=START + timedelta(hours=4), seed=3)]

    assert [one for one in hours if not isinstance(one, EVENTS)] == day


def test_events_come_in_the_order_of_time_each_once_and_are_valid(hours: list[Event]) -> None:
    times = [one.time for one in hours]

    assert times == sorted(times)
    assert max(Counter((one.source, one.id) for one in hours).values()) == 1
    assert all(DECODER.decode(encode(one)) == one for one in hours if isinstance(one, EVENTS))


def test_every_kind_of_event_and_of_survey_comes_to_pass(hours: list[Event]) -> None:
    told = [one for one in hours if isinstance(one, EVENTS)]

    assert {tag_of(one) for one in told} == {tag_of(kind) for kind in EVENTS}
    assert {one.data.kind for one in told if hasattr(one.data, "kind")} == {"csat", "ces", "nps"}


def test_the_same_day_is_told_the_same_way_again(hours: list[Event]) -> None:
    again = simulate(demo_centre(), start=START, end=START + timedelta(hours=4), seed=3)

    assert [*with_surveys(again)] == hours


def test_a_board_shows_every_figure_of_it(hours: list[Event]) -> None:
    shown = replay(hours).board().snapshots["surveys"]
    largest = max((counted(one, "7d") for one in shown), key=lambda one: one.answered)

    assert min(largest.csat_answered, largest.nps_answered, largest.ces_answered, largest.reviews) > 0
    assert 0.25 < largest.responded / largest.invited < 0.45
