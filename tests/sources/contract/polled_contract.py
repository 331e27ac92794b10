"""What every source must do that asks a system which keeps things: whatever happens, each record is told once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import cast

import pytest

from stream.core.cloudevents import Event, encode
from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.pulling.shipping import BackOff, PositionFile, ship
from stream.sources.source import PulledBatch
from tests.sources.contract.kept import Interrupted, Kept, PolledSystem
from tests.sources.contract.sinks import Topic, WatchedTopic

__all__ = ["OutageContract", "PolledContract"]

CALLS = 2_500
BURST = 10_000
PATIENCE = 100


def once(events: Iterable[Event]) -> list[Event]:
    """Return events without repeats, which say what they said the first time."""
    found: dict[tuple[str, str], Event] = {}
    for event in events:
        assert encode(found.setdefault((event.source, event.id), event)) == encode(event)
    return [*found.values()]


def in_order(events: Sequence[Event], system: PolledSystem, calls: int) -> None:
    """Assert that these are so many calls, as they came one after another."""
    assert len(events) == calls * system.tells == len({(event.source, event.id) for event in events})
    assert len({event.subject for event in events}) == calls
    assert [event.time for event in events] == sorted(event.time for event in events)
    for event in events:
        checked(event)


async def pulled(kept: Kept, saved: bytes | None, count: int, intake: Intake | None = None) -> list[PulledBatch]:
    """Take batches until they have so many events: a puller goes on for ever."""
    batches: list[PulledBatch] = []
    async with asyncio.timeout(PATIENCE), aclosing(batches_of(kept, saved, intake)) as found:
        while sum(len(batch.events) for batch in batches) < count:
            batches.append(await anext(found))
    return batches


async def events_of(kept: Kept, count: int, intake: Intake | None = None) -> list[Event]:
    """Return so many events, from the first on."""
    return events_in(await pulled(kept, None, count, intake))


def events_in(batches: Iterable[PulledBatch]) -> list[Event]:
    return [event for batch in batches for event in batch.events]


def batches_of(kept: Kept, saved: bytes | None, intake: Intake | None) -> AsyncGenerator[PulledBatch, None]:
    """Return batches that can be closed, as those of every puller can be that is written as a generator."""
    return cast("AsyncGenerator[PulledBatch, None]", kept.puller(intake or Intake()).batches(saved))


def shipping_to(topic: Topic, kept: Kept, folder: Path) -> "asyncio.Task[None]":
    """Begin to send, from the position that is in the folder."""
    intake, back_off = Intake(), BackOff(first=0.001)
    return asyncio.create_task(
        ship(kept.puller(intake), topic, PositionFile(folder / "position"), intake, back_off=back_off)
    )


async def shipped(topic: WatchedTopic, kept: Kept, folder: Path, count: int) -> list[Event]:
    """Send until so many events are there, then stop as a signal does; return what is there."""
    shipping, arrived = shipping_to(topic, kept, folder), asyncio.create_task(topic.until(count))
    done, _ = await asyncio.wait([shipping, arrived], timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    await stopped(shipping, arrived)
    assert done == {arrived}, f"{len(topic.events)} events are there"
    return topic.events


async def stopped(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


class PolledContract:
    """Tests for one system or several: who inherits them has a fixture `system`."""

    @pytest.fixture
    async def kept(self, system: PolledSystem, tmp_path: Path) -> AsyncIterator[Kept]:
        async with system.kept(tmp_path) as kept:
            yield kept

    async def test_what_is_kept_is_told_in_its_order_and_again_with_the_same_ids(
        self, system: PolledSystem, kept: Kept
    ) -> None:
        await kept.add(map(system.call, range(CALLS)))

        told = await events_of(kept, CALLS * system.tells)

        in_order(told, system, CALLS)
        assert await events_of(kept, CALLS * system.tells) == told

    async def test_a_restart_in_the_middle_goes_on_behind_the_position_that_was_saved(
        self, system: PolledSystem, kept: Kept
    ) -> None:
        saved, told = None, list[Event]()
        for begin, end in ((0, 1), (1, 120), (120, CALLS)):
            await kept.add(map(system.call, range(begin, end)))
            batches = await pulled(kept, saved, (end - begin) * system.tells)
            told += events_in(batches)
            saved = batches[-1].position

        in_order(told, system, CALLS)

    async def test_a_burst_of_ten_thousand_is_told_in_batches_and_gone_on_with_behind_any(
        self, system: PolledSystem, kept: Kept
    ) -> None:
        await kept.add(map(system.call, range(BURST)))

        batches = await pulled(kept, None, BURST * system.tells)

        in_order(events_in(batches), system, BURST)
        assert len(batches) > 1
        middle = len(batches) // 2
        rest = events_in(batches[middle:])
        assert events_in(await pulled(kept, batches[middle - 1].position, len(rest))) == rest

    async def test_what_is_of_no_use_is_counted_never_quoted_and_changes_nothing(
        self, system: PolledSystem, kept: Kept
    ) -> None:
        aside = list[BadLine]()
        intake = Intake(aside.append)
        await kept.add(record for number in range(CALLS) for record in (*system.noise, system.call(number)))

        in_order(await events_of(kept, CALLS * system.tells, intake), system, CALLS)

        counted = (intake.refused.total(), intake.ignored.total(), intake.unknown.total())
        assert counted == tuple(CALLS * each for each in system.counted)
        assert intake.used.total() == CALLS
        assert intake.read == sum(counted) + intake.used.total() + intake.empty
        assert len(aside) == intake.refused.total() + intake.unknown.total()
        assert not any("38640000001" in str(bad) for bad in aside)

    async def test_after_a_crash_what_is_sent_again_has_the_ids_that_it_had(
        self, system: PolledSystem, kept: Kept, tmp_path: Path
    ) -> None:
        await kept.add(map(system.call, range(CALLS)))
        topic = WatchedTopic(breaks_after=CALLS // 2)
        with pytest.raises(ConnectionAbortedError):
            await shipping_to(topic, kept, tmp_path)
        topic.breaks_after = None

        events = await shipped(topic, kept, tmp_path, CALLS * system.tells)

        assert len(events) > CALLS * system.tells
        in_order(once(events), system, CALLS)

    async def test_a_broker_that_was_away_gets_all_of_it_once(
        self, system: PolledSystem, kept: Kept, tmp_path: Path
    ) -> None:
        await kept.add(map(system.call, range(CALLS)))

        in_order(await shipped(WatchedTopic(away=3), kept, tmp_path, CALLS * system.tells), system, CALLS)

    async def test_a_stop_in_the_middle_of_a_burst_loses_nothing(
        self, system: PolledSystem, kept: Kept, tmp_path: Path
    ) -> None:
        await kept.add(map(system.call, range(BURST)))
        topic = WatchedTopic(holds_after=1)
        shipping = shipping_to(topic, kept, tmp_path)
        await asyncio.wait_for(topic.holds.wait(), PATIENCE)
        await stopped(shipping)
        assert 0 < len(topic.events) < BURST * system.tells
        topic.may_go_on.set()

        in_order(once(await shipped(topic, kept, tmp_path, BURST * system.tells)), system, BURST)


class OutageContract(PolledContract):
    """The same, and more for systems that a test may take away."""

    async def test_a_system_that_is_away_at_the_start_is_waited_for(self, system: PolledSystem, kept: Kept) -> None:
        assert isinstance(kept, Interrupted)
        await kept.add(map(system.call, range(CALLS)))
        await kept.goes_away()

        in_order(await events_of(kept, CALLS * system.tells), system, CALLS)

    async def test_a_system_that_was_away_in_between_is_gone_on_with(self, system: PolledSystem, kept: Kept) -> None:
        assert isinstance(kept, Interrupted)
        told, intake, half = list[Event](), Intake(), CALLS // 2
        await kept.add(map(system.call, range(half)))
        async with asyncio.timeout(PATIENCE), aclosing(batches_of(kept, None, intake)) as batches:
            async for batch in batches:
                told += batch.events
                if len(told) == half * system.tells:
                    await kept.add(map(system.call, range(half, CALLS)))
                    await kept.goes_away()
                if len(told) == CALLS * system.tells:
                    break

        in_order(told, system, CALLS)
        assert intake.read == CALLS
