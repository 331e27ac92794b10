"""A recorded day that is sent once more, at a pace: when each event is sent, with what time, and after a stop."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.errors import SourceError
from stream.families.contacts.events import CallbackRequested
from stream.families.contacts.payloads import CallbackData
from stream.simulator import office_centre, simulate
from stream.sources.intake import Intake
from stream.sources.pulling.recording import BATCH, PacedRecording, RecordingPosition, Schedule, shifted
from stream.sources.pulling.shipping import PositionFile, ship
from stream.sources.source import UnreadablePosition
from tests.sources.new_sources import BEGIN

DAY = list(simulate(office_centre(), start=BEGIN, end=BEGIN.replace(hour=10), seed=2))
MORNING = DAY[:60]
LATER = BEGIN + timedelta(days=200)


class Clock:
    """A clock that goes on only while somebody sleeps."""

    def __init__(self, at: datetime = LATER) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.at += timedelta(seconds=seconds)


class Crash(Exception):
    """The power is gone."""


class Topic:
    """A sink that notes what came when; it can lose the power once so many events are there."""

    def __init__(self, clock: Clock, *, crash_after: float = math.inf) -> None:
        self.came: list[tuple[datetime, Event]] = []
        self._clock = clock
        self._crash_after = crash_after

    @property
    def events(self) -> list[Event]:
        return [event for _, event in self.came]

    async def send_many(self, events: Iterable[Event]) -> int:
        batch = list(events)
        self.came += [(self._clock(), event) for event in batch]
        if len(self.came) >= self._crash_after:
            raise Crash
        return len(batch)


def paced(
    clock: Clock,
    day: Sequence[Event] = DAY,
    *,
    speed: float = 60,
    times: Literal["original", "now"] = "original",
    told: list[int] | None = None,
) -> PacedRecording:
    def acknowledged(count: int, _: datetime) -> None:
        if told is not None:
            told.append(count)

    def read() -> Iterator[Event]:
        return iter(day)

    return PacedRecording(read, speed=speed, times=times, acknowledged=acknowledged, clock=clock, sleep=clock.sleep)


async def send(recording: PacedRecording, topic: Topic, state: Path) -> None:
    await ship(recording, topic, PositionFile(state), Intake())


# -- the pace ----------------------------------------------------------------------------------


def test_an_event_is_due_after_its_part_of_the_recorded_time() -> None:
    schedule = Schedule(LATER, BEGIN, 60)

    assert schedule.wait(BEGIN + timedelta(minutes=10), LATER) == 10
    assert schedule.wait(BEGIN + timedelta(minutes=10), LATER + timedelta(seconds=15)) == -5
    assert Schedule(LATER, BEGIN, math.inf).wait(BEGIN + timedelta(days=300), LATER) == 0


@pytest.mark.parametrize("speed", [0.5, 1, 60, 3600])
async def test_every_event_comes_when_it_is_due_with_the_time_that_it_had(tmp_path: Path, speed: float) -> None:
    clock = Clock()
    topic = Topic(clock)

    await send(paced(clock, speed=speed), topic, tmp_path / "state")

    assert topic.events == DAY
    for came, event in topic.came:
        assert abs(came - LATER - (event.time - DAY[0].time) / speed) < timedelta(milliseconds=1)


async def test_at_full_speed_nobody_waits_and_batches_are_bounded() -> None:
    clock = Clock()

    sizes = [len(batch.events) async for batch in paced(clock, DAY * 3, speed=math.inf).batches(None)]

    assert clock.at == LATER
    assert sum(sizes) == 3 * len(DAY) > BATCH
    assert max(sizes) == BATCH


async def test_after_a_slow_broker_what_is_overdue_comes_at_once_and_then_the_pace_goes_on() -> None:
    clock = Clock()
    came: list[tuple[datetime, int]] = []
    async for batch in paced(clock, speed=1).batches(None):
        if not batch.events:  # the position that it begins with
            continue
        came.append((clock.at, len(batch.events)))
        if len(came) == 1:
            clock.at += timedelta(minutes=20)

    until = DAY[0].time + timedelta(minutes=20)
    assert came[1] == (LATER + timedelta(minutes=20), sum(1 for event in DAY if event.time <= until) - came[0][1])
    assert came[-1][0] == LATER + (DAY[-1].time - DAY[0].time)


async def test_a_recording_without_events_is_sent_at_once(tmp_path: Path) -> None:
    topic = Topic(Clock())

    await send(paced(Clock(), []), topic, tmp_path / "state")

    assert topic.events == []


# -- times -------------------------------------------------------------------------------------


async def test_shifted_to_now_the_first_event_is_of_now_and_the_board_is_that_of_the_recording(tmp_path: Path) -> None:
    clock = Clock()
    topic = Topic(clock)

    await send(paced(clock, speed=1, times="now"), topic, tmp_path / "state")

    shift = LATER - DAY[0].time
    assert [(event.id, event.time - shift) for event in topic.events] == [(event.id, event.time) for event in DAY]
    assert all(came == event.time for came, event in topic.came)
    assert board_of(topic.events, moved_back=shift) == board_of(DAY)


def board_of(events: list[Event], *, moved_back: timedelta = timedelta(0)) -> list[dict[str, object]]:
    """The board when the last event happens, with its instants moved back."""
    snapshots = replay(events).board(events[-1].time).snapshots
    fields = [msgspec.structs.asdict(each) for family in snapshots.values() for each in family]
    return [
        {name: value - moved_back if isinstance(value, datetime) else value for name, value in each.items()}
        for each in fields
    ]


def test_what_an_event_says_of_the_future_is_shifted_with_it() -> None:
    event = CallbackRequested(
        id="1",
        source="/test",
        time=BEGIN,
        subject="c1",
        specversion="1.0",
        data=CallbackData(queue="sales", channel="voice", due_at=BEGIN + timedelta(hours=1)),
    )

    moved = shifted(event, timedelta(days=2))

    assert isinstance(moved, CallbackRequested)
    assert (moved.time, moved.data.due_at) == (BEGIN + timedelta(days=2), BEGIN + timedelta(days=2, hours=1))
    assert msgspec.structs.replace(moved, time=event.time, data=event.data) == event


# -- after a stop ------------------------------------------------------------------------------


@given(cuts=st.lists(st.integers(1, len(MORNING)), max_size=4), times=st.sampled_from(["original", "now"]))
async def test_however_often_it_crashes_nothing_is_lost_and_all_have_the_ids_and_the_shift_they_began_with(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], times: Literal["original", "now"]
) -> None:
    state = tmp_path_factory.mktemp("state") / "position"
    clock = Clock()
    arrived: list[Event] = []
    for cut in [*cuts, None]:
        topic = Topic(clock, crash_after=math.inf if cut is None else cut)
        try:
            await send(paced(clock, MORNING, times=times), topic, state)
        except Crash:
            clock.at += timedelta(hours=3)
        arrived += topic.events

    shift = LATER - MORNING[0].time if times == "now" else timedelta(0)
    expected = [shifted(event, shift) for event in MORNING]
    distinct = {event.id: event for event in arrived}
    assert list(distinct.values()) == expected
    # Sent again with nothing changed: whoever counts by ids counts once.
    assert all(event == distinct[event.id] for event in arrived)


async def test_what_was_acknowledged_is_not_sent_again_and_is_told_of() -> None:
    clock = Clock()
    everything = [batch async for batch in paced(clock, MORNING).batches(None)]
    # The first is of nothing: it only keeps the shift.
    for number, batch in enumerate(everything[1:], 1):
        told: list[int] = []

        again = [later.events async for later in paced(clock, MORNING, told=told).batches(batch.position)]

        rest = [event for later in everything[number + 1 :] for event in later.events]
        assert [event for events in again for event in events] == rest
        assert (told[0], told[-1]) == (len(MORNING) - len(rest), len(MORNING))


async def test_another_recording_than_the_one_that_was_begun_is_refused(tmp_path: Path) -> None:
    half = RecordingPosition(acknowledged=0, digest="", times="original", shift_us=0)
    for event in DAY[:40]:
        half = half.behind(event)
    (tmp_path / "state").write_bytes(msgspec.json.encode(half))
    for other in (DAY[1:], DAY[:39], [*DAY[:10], *DAY[11:]], []):
        topic = Topic(Clock())

        with pytest.raises(SourceError, match="state: the recording does not begin with the 40 events"):
            await send(paced(Clock(), other), topic, tmp_path / "state")
        assert topic.events == []

    with pytest.raises(SourceError, match="state: it was begun with --times original"):
        await send(paced(Clock(), times="now"), Topic(Clock()), tmp_path / "state")


async def test_a_position_that_is_none_is_refused() -> None:
    with pytest.raises(UnreadablePosition, match="no position in a recording"):
        await anext(paced(Clock()).batches(b'{"page": 4}'))
