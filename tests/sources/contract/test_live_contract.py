"""What sources must do that hear things once: no lost connection, burst, noise or stop loses or doubles anything."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest

from stream.core.cloudevents import Event, tag_of
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.pulling.shipping import PositionFile, ship
from stream.sources.source import Listener
from tests.sources.contract.live import LIVE, LiveSystem
from tests.sources.contract.sinks import WatchedTopic

CALLS = 200


def told(events: Iterable[Event]) -> list[tuple[str, str]]:
    return [(event.subject, tag_of(event).removeprefix("contact.")) for event in events]


async def shipped(
    system: LiveSystem, folder: Path, *sessions: bytes, count: int, intake: Intake | None = None, away: int = 0
) -> WatchedTopic:
    """Listen until so many events have arrived, then stop as a signal does."""
    topic, counts = WatchedTopic(away=away), intake or Intake()
    async with asyncio.timeout(100), system.speaking(folder, counts, sessions) as listener:
        shipping = asyncio.create_task(ship(listener, topic, PositionFile(folder / "position"), counts))
        await topic.until(count)
        await stopped(listener, shipping)
    return topic


async def stopped(listener: Listener, shipping: "asyncio.Task[None]") -> None:
    if not listener.finish():
        shipping.cancel()
    await asyncio.wait([shipping])
    assert shipping.cancelled() or shipping.exception() is None


@pytest.fixture(params=[*LIVE.values()], ids=[*LIVE])
def system(request: pytest.FixtureRequest) -> LiveSystem:
    found: LiveSystem = request.param
    return found


def calls(system: LiveSystem, numbers: Iterable[int]) -> bytes:
    return b"".join(map(system.call, numbers))


def whole(count: int) -> list[tuple[str, str]]:
    return [(f"c{number}", kind) for number in range(count) for kind in ("enqueued", "abandoned")]


def by_call(events: Iterable[Event]) -> list[tuple[str, str]]:
    """Return what was told, call by call: events of different calls may come in any order."""
    return sorted(
        ((subject.partition("@")[0], kind) for subject, kind in told(events)), key=lambda each: int(each[0][1:])
    )


async def test_a_burst_of_ten_thousand_events_arrives_once_each_contact_in_order(
    system: LiveSystem, tmp_path: Path
) -> None:
    topic = await shipped(system, tmp_path, calls(system, range(5_000)), count=10_000)

    assert by_call(topic.events) == whole(5_000)
    assert len({event.id for event in topic.events}) == 10_000


async def test_noise_is_counted_never_quoted_and_changes_nothing(system: LiveSystem, tmp_path: Path) -> None:
    aside = list[BadLine]()
    intake = Intake(aside.append)
    said = b"".join(system.noise + system.call(number) for number in range(CALLS))

    topic = await shipped(system, tmp_path, said, count=2 * CALLS, intake=intake)

    assert by_call(topic.events) == whole(CALLS)
    counted = (intake.refused.total(), intake.ignored.total(), intake.unknown.total())
    assert all(got >= CALLS * one for got, one in zip(counted, system.counted, strict=True))
    assert intake.read == sum(counted) + intake.used.total() + intake.empty
    assert len(aside) == intake.refused.total() + intake.unknown.total()
    assert not any("38640000001" in str(bad) for bad in aside)


@pytest.mark.parametrize("places", [(1,), (100,), (50, 51, 150)], ids=str)
async def test_a_lost_connection_loses_and_doubles_nothing_that_was_said(
    system: LiveSystem, tmp_path: Path, places: tuple[int, ...]
) -> None:
    bounds = [0, *places, CALLS]
    sessions = [calls(system, range(begin, end)) for begin, end in pairwise(bounds)]

    topic = await shipped(system, tmp_path, *sessions, count=2 * CALLS)

    assert by_call(topic.events) == whole(CALLS)


async def test_a_broker_that_was_away_gets_all_of_it(system: LiveSystem, tmp_path: Path) -> None:
    topic = await shipped(system, tmp_path, calls(system, range(CALLS)), count=2 * CALLS, away=1)

    assert by_call(topic.events) == whole(CALLS)


async def test_a_restart_goes_on_behind_what_has_arrived(system: LiveSystem, tmp_path: Path) -> None:
    before = await shipped(system, tmp_path, calls(system, range(100)), count=200)
    after = await shipped(system, tmp_path, calls(system, range(100, CALLS)), count=200)

    assert by_call([*before.events, *after.events]) == whole(CALLS)


async def test_what_was_said_before_a_stop_arrives_though_the_broker_is_slow(
    system: LiveSystem, tmp_path: Path
) -> None:
    topic, intake = WatchedTopic(holds_after=0), Intake()
    async with asyncio.timeout(100), system.speaking(tmp_path, intake, (calls(system, range(2_000)),)) as listener:
        shipping = asyncio.create_task(ship(listener, topic, PositionFile(tmp_path / "position"), intake))
        await topic.holds.wait()
        assert listener.finish()
        topic.may_go_on.set()
        await shipping

    assert by_call(topic.events) == whole(2_000)
