from datetime import datetime, timedelta
from itertools import islice, takewhile

import pytest

from stream.core.cloudevents import Event
from stream.families.agents import events as agents
from stream.simulator import demo_centre, live, paced
from tests.simulator.centres import START

SECOND = timedelta(seconds=1)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = START
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def logins(*seconds: float) -> list[Event]:
    return [
        agents.AgentLoggedIn(id=str(s), source="/test", time=START + s * SECOND, subject="ann", specversion="1.0")
        for s in seconds
    ]


async def test_at_speed_one_each_event_comes_when_it_happens() -> None:
    clock = Clock()

    came = [clock.now - START async for _ in paced(logins(1, 2.5, 2.5), speed=1, clock=clock, sleep=clock.sleep)]

    assert came == [SECOND, 2.5 * SECOND, 2.5 * SECOND]


@pytest.mark.parametrize(("speed", "takes"), [(0.5, 20), (1, 10), (10, 1)])
async def test_speed_is_simulated_time_by_real_time(speed: float, takes: float) -> None:
    clock = Clock()

    came = [clock.now - START async for _ in paced(logins(10), speed=speed, clock=clock, sleep=clock.sleep)]

    assert came == [takes * SECOND]


async def test_the_past_comes_at_once() -> None:
    clock = Clock()

    came = [clock.now - START async for _ in paced(logins(-3600, -1, 0, 2), speed=1, clock=clock, sleep=clock.sleep)]

    assert came == [0 * SECOND, 0 * SECOND, 0 * SECOND, 2 * SECOND]


async def test_who_takes_events_late_catches_up() -> None:
    clock = Clock()
    came = []

    async for event in paced(logins(1, 2, 3, 9), speed=1, clock=clock, sleep=clock.sleep):
        came.append(clock.now - START)
        if event.id == "1":
            clock.now += 4 * SECOND

    assert came == [SECOND, 5 * SECOND, 5 * SECOND, 9 * SECOND]


async def test_a_recorded_day_is_played_from_its_own_beginning() -> None:
    clock = Clock()
    clock.now += timedelta(days=7)
    began = clock.now

    events = paced(logins(5), speed=1, clock=clock, sleep=clock.sleep, origin=START)

    assert [clock.now - began async for _ in events] == [5 * SECOND]


async def test_a_live_centre_has_a_past_hour_and_goes_on() -> None:
    clock = Clock()
    events = live(demo_centre(), now=START, warm_up=timedelta(hours=1), seed=1)

    came = [
        (event.time, clock.now) async for event in paced(islice(events, 8000), speed=1, clock=clock, sleep=clock.sleep)
    ]

    assert came[0] == (START - timedelta(hours=1), START)
    assert all(now == max(time, START) for time, now in came)
    assert came[-1][1] > START + timedelta(minutes=10)


async def test_cases_of_the_days_before_come_at_once_too() -> None:
    clock = Clock()
    events = live(demo_centre(), now=START, warm_up=timedelta(hours=1), seed=1, cases_before=timedelta(days=2))

    before = START - timedelta(hours=1)
    came = [
        event.topic
        async for event in paced(
            takewhile(lambda event: event.time < before, events), speed=1, clock=clock, sleep=clock.sleep
        )
    ]

    assert {*came} == {"cases"}
    assert clock.now == START
