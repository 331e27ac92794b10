"""What follows for other families from one family's events is written with its checkpoints, and never lost."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from faust.types import TP
from msgspec.structs import replace

from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.core.family import Board, Family
from stream.core.windows import ALL
from stream.errors import InvalidEvent
from stream.families import registry
from stream.families.contacts.events import ContactEnqueued
from stream.families.contacts.payloads import EnqueuedData
from stream.http.shown import Shown
from stream.runtime.routing import processor
from stream.runtime.routing.processor import home_of
from tests.brokers import Broker
from tests.running import running_service, scrape, send, until
from tests.runtime.fakes import Crash, Fate, MemoryLog
from tests.runtime.members import Member
from tests.toy import family as toy
from tests.toy.events import ToyThrown
from tests.toy.fold import Throws
from tests.toy.test_toy import NOON, PARTITIONS, STEPS, board_of, die_at, throws
from tests.toy.test_toy import member as toys_member

HOME = home_of(b"default/prizes", PARTITIONS)


def prize(thrown: ToyThrown) -> Iterable[Event]:
    """Whoever hits waits for a prize."""
    if thrown.data.hit:
        yield ContactEnqueued(
            id=f"{thrown.id}/prize",
            source=thrown.source,
            time=thrown.time,
            subject=thrown.subject,
            specversion="1.0",
            data=EnqueuedData(queue="prizes"),
        )


def defect(thrown: ToyThrown) -> Iterable[Event]:
    """Fail with every tenth ring."""
    if thrown.id.endswith("7"):
        raise ValueError(thrown.id)
    return prize(thrown)


def families(derive: Any = prize) -> tuple[Family[Any], ...]:
    return (*registry.FAMILIES, replace(toy.FAMILY, derive=lambda _: {ToyThrown: derive}))


def prizes(board: Board) -> int:
    return sum(queue.total.offered for queue in board.snapshots["contacts"] if queue.queue == "prizes")


def member(log: MemoryLog, derive: Any = prize) -> Member:
    """A worker that also reads what workers before it have derived."""
    worker = toys_member(log, families(derive))
    for partition in range(PARTITIONS):
        worker.topics[TP("contacts", partition)] = log.changelogs["contacts", partition]
    return worker


async def finish(worker: Member) -> Board:
    while not worker.done:
        await worker.apply(4)
        assert await worker.checkpoints.write()
    return board_of(worker, families())


def test_a_replay_folds_what_follows() -> None:
    assert prizes(replay(throws(), families=families()).board(NOON)) == 20


@pytest.mark.parametrize("step", [*STEPS, "derived", "throws 0", "throws 1", "commit 0", "commit 1"])
async def test_a_worker_that_dies_at_any_step_writes_again_what_follows_and_nothing_is_counted_twice(step: str) -> None:
    expected = replay(throws(), families=families()).board(NOON)
    for checkpoints in range(4):
        worker = member(MemoryLog()).begin()
        for _ in range(checkpoints):
            await worker.apply(4)
            assert await worker.checkpoints.write()
        await worker.apply(4)
        die_at(worker, step)
        with pytest.raises(Crash):
            await worker.checkpoints.write()

        assert await finish(member(worker.log.shared).begin()) == expected


@pytest.mark.parametrize("share", [0, 0.5, 1])
async def test_a_worker_that_dies_while_it_writes_them_writes_them_again(share: float) -> None:
    worker = member(MemoryLog()).begin()
    await worker.apply(8)
    worker.log.fates["contacts", HOME] = Fate(share, Crash())
    with pytest.raises(Crash):
        await worker.checkpoints.write()

    heir = member(worker.log.shared).begin()
    assert await finish(heir) == replay(throws(), families=families()).board(NOON)


async def test_what_was_not_acknowledged_is_written_by_the_next_checkpoint_of_the_same_worker() -> None:
    worker = member(MemoryLog()).begin()
    await worker.apply(4)
    worker.log.fates["contacts", HOME] = Fate(0, OSError("no broker"))

    assert not await worker.checkpoints.write()
    assert await finish(worker) == replay(throws(), families=families()).board(NOON)


async def test_an_event_of_which_nothing_can_be_derived_is_set_aside_and_the_others_go_on() -> None:
    worker = member(MemoryLog(), defect).begin()

    board = await finish(worker)

    assert prizes(board) < 20
    counted = [stand.counted.window(ALL, Throws).thrown for stand in board.snapshots["toys"]]
    assert sum(counted) == 36, "nor are they counted where they were thrown"
    reasons = [
        dict(options["headers"])["dead-letter.reason"] for topic, _, options in worker.producer.sent if topic == "dead"
    ]
    assert reasons == [b"processing_failed"] * 4


def invalid(thrown: ToyThrown) -> Iterable[Event]:
    """Derive what no producer may send."""
    return [replace(one, subject="") for one in prize(thrown)]


def later(thrown: ToyThrown) -> Iterable[Event]:
    """Derive what has not happened yet."""
    return [replace(one, time=one.time + timedelta(seconds=1)) for one in prize(thrown)]


@pytest.mark.parametrize("derive", [invalid, later])
async def test_what_is_derived_is_held_to_the_contract_in_a_worker_and_in_a_replay(derive: Any) -> None:
    worker = member(MemoryLog(), derive).begin()

    assert prizes(await finish(worker)) == 0
    assert sum(topic == "dead" for topic, *_ in worker.producer.sent) == 20
    with pytest.raises(InvalidEvent):
        replay(throws(), families=families(derive))


async def test_while_checkpoints_fail_what_waits_for_them_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "MAX_DERIVED", 1)
    monkeypatch.setattr(processor, "ROOM_CHECKED_EVERY_SECONDS", 0.001)
    worker = member(MemoryLog()).begin()
    await worker.apply(4)
    more = asyncio.ensure_future(worker.apply(4))
    for _ in range(20):
        worker.log.fates["contacts", HOME] = Fate(0, OSError("no right to write"))
        assert not await worker.checkpoints.write()

    assert not more.done()
    assert max(owned.position for owned in worker.ownership) == 4
    assert await worker.checkpoints.write()
    await more
    monkeypatch.undo()
    assert await finish(worker) == replay(throws(), families=families()).board(NOON)


async def test_a_worker_reads_what_it_has_derived(fresh_broker: Broker) -> None:
    shown = Shown(families=families(), registry="tests.toy.registry:FAMILIES")
    async with running_service(fresh_broker, at=NOON, shown=shown) as service:
        await send(fresh_broker.address, [*throws()])
        await until(lambda: service.feed.events["contact.enqueued"] == 20)
        samples = await scrape(service)

    queue = (("channel", "voice"), ("queue", "prizes"), ("tenant", "default"))
    assert samples["contact_offered_total", queue] == 20
