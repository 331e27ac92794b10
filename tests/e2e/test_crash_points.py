"""
The product's folds and codecs under the real checkpoints, cut off at every step: the board is that of `replay`.

The log in memory does at each request what a broker may do: keep all, a part or nothing of it, acknowledge
or not, at once or late. All is decided by the seeds, which are part of the tests' names.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import pytest
from aiokafka.errors import KafkaTimeoutError
from faust.types import TP

from stream.app.replay import replay
from stream.app.topics import source_topics
from stream.core.cloudevents import Event, encode, key_of
from stream.core.family import Board, merged
from stream.core.policies import Policies
from stream.families.registry import FAMILIES
from stream.http.exposition import TextFormat, written
from stream.runtime.routing.processor import home_of
from stream.settings import Settings
from stream.simulator import demo_centre, simulate
from tests.board.boards import families_of
from tests.families.contacts.test_laws import with_repeats
from tests.runtime.fakes import Crash, FakeRecord, Fate, MemoryLog
from tests.runtime.members import Member, Topics

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PARTITIONS = 2
SETTINGS = Settings(group="crash", partitions=PARTITIONS)
TABLES = ("tallies", "agents", "segments")
CHUNK = 150
"""Records of each partition between two checkpoints: three minutes of the centre, or so."""
CHECKPOINTS = 9
"""So many checkpoints are cut off, one by one: at the last of them the first segments have been deleted."""

Arrived = tuple[list[Event], Topics]


@cache
def arrived(seed: int) -> Arrived:
    """Half an hour of a busy centre as it arrives: some events late, some once more; and the topics that hold it."""
    day = list(simulate(demo_centre(), start=NOON - timedelta(minutes=30), end=NOON, seed=seed))
    events = with_repeats(day, random.Random(seed))
    topics: Topics = {TP(topic, n): [] for topic in ("contacts", "agents", "cases") for n in range(PARTITIONS)}
    for event in events:
        topic = topics[TP(event.topic, home_of(key_of(event), PARTITIONS))]
        topic.append(FakeRecord(len(topic), key_of(event), encode(event)))
    return events, topics


@cache
def replayed(seed: int) -> tuple[Board, bytes]:
    """What `replay` shows of it, and what it writes."""
    board = replay(arrived(seed)[0]).board(NOON)
    return board, written(families_of(board), TextFormat.TEXT)


def member(log: MemoryLog, topics: Topics) -> Member:
    sources = source_topics(
        Policies(),
        partitions=PARTITIONS,
        max_queues_per_tenant=1000,
        max_queues=1000,
        max_customers=10_000,
        future_tolerance=timedelta(hours=1),
        clock=lambda: NOON,
    )
    return Member(log, topics, sources, SETTINGS, NOON)


def board(worker: Member) -> Board:
    snapshots: dict[str, list[Any]] = {family.name: [] for family in FAMILIES}
    for feed, fold in worker.ownership.shown():
        snapshots[feed.topic] += [snapshot for _, snapshot in fold.snapshots(NOON) if snapshot is not None]
    return Board(at=NOON, snapshots={name: merged(of) for name, of in snapshots.items()})


async def assert_exact(worker: Member, seed: int) -> None:
    """To the end of the day: what the worker shows, and what the next one recovers, is what `replay` shows."""
    _, topics = arrived(seed)
    expected, page = replayed(seed)
    while not worker.done:
        await worker.apply(CHUNK)
        assert await worker.checkpoints.write()
    shown = board(worker)
    assert shown == expected
    assert written(families_of(shown), TextFormat.TEXT) == page
    assert worker.worker.feed.gaps == 0
    await worker.checkpoints.check_changelogs()  # as a worker does long before anything is compacted
    assert await worker.checkpoints.write()
    worker.log.shared.compact()
    assert board(member(worker.log.shared, topics).begin()) == expected


class Fault(NamedTuple):
    """What happens at a checkpoint."""

    at: str
    """The step after which the process dies; or the table, or `commit`, whose request meets the rest."""
    share: float = 0.0
    """How much of the request becomes durable, in one partition: in the others all does."""
    deadly: bool = True
    """Whether the process dies then, or sees a failure of the broker."""

    @property
    def name(self) -> str:
        """As it is part of the test's name."""
        return f"{self.at}-{self.share:g}-{'death' if self.deadly else 'failure'}".replace(" ", "-")


STEPS = ["begun", "cut", "written 0", "written 1", "written 2", "committed", "told"]
FAULTS = [
    *(Fault(step) for step in STEPS),
    *(Fault(table, share, deadly) for table in TABLES for share in (0, 0.5, 1) for deadly in (True, False)),
    *(Fault("commit", share, deadly) for share in (0, 1) for deadly in (True, False)),
]


async def suffer(worker: Member, fault: Fault, chance: random.Random) -> Member:
    """Take a checkpoint that meets a fault; returns who works from then on: the same worker, or another one."""
    if fault.at in STEPS:
        worker.crash_at = fault.at
    else:
        failure = Crash(fault.at) if fault.deadly else KafkaTimeoutError()
        partition = 0 if fault.at == "commit" else chance.randrange(PARTITIONS)
        worker.log.fates[fault.at, partition] = Fate(fault.share, failure)
    try:
        await worker.checkpoints.write()
    except Crash:
        return member(worker.log.shared, worker.topics).begin()
    worker.log.fates.clear()
    worker.crash_at = None
    return worker


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_checkpoint_cut_off_anywhere_changes_no_figure(fault: Fault, seed: int) -> None:
    for number in range(CHECKPOINTS):
        worker = member(MemoryLog(), arrived(seed)[1]).begin()
        for _ in range(number):
            await worker.apply(CHUNK)
            assert await worker.checkpoints.write()
        await worker.apply(CHUNK if number % 2 else 4 * CHUNK)

        await assert_exact(await suffer(worker, fault, random.Random(number)), seed)


@pytest.mark.parametrize("seed", range(40))
async def test_any_series_of_faults_changes_no_figure(seed: int) -> None:
    """Also in the replay after a fault; and with the partitions given up and taken back in between."""
    chance = random.Random(seed)
    worker = member(MemoryLog(), arrived(seed % 4)[1]).begin()
    pace = chance.choice([CHUNK, 4 * CHUNK])  # slow checkpoints: segments are over that were never committed
    for _ in range(20):
        await worker.apply(chance.randint(0, pace))
        if chance.random() < 0.4:
            worker = await suffer(worker, chance.choice(FAULTS), chance)
        else:
            worker = await handed_over(worker, chance.choice(WAYS))

    await assert_exact(worker, seed % 4)


WAYS = ("kept", "lost", "given up", "killed", "not at all")
"""How partitions change hands: given up and taken back, lost and taken back, to another worker that starts anew."""


async def handed_over(worker: Member, way: str) -> Member:
    """Return who has the partitions now."""
    if way == "not at all":
        await worker.checkpoints.write()
        worker.log.shared.compact()
        return worker
    if way != "killed":
        await worker.listener.give_up(lost=way == "lost")
    same = way in {"kept", "lost"}
    return (worker if same else member(worker.log.shared, worker.topics)).begin()


class Zombie:
    """A worker stopped in the middle of a checkpoint, each of its writes in flight until it is let go."""

    def __init__(self, worker: Member) -> None:
        self.log = worker.log
        self.fates = {table: Fate(arrives=asyncio.Event()) for table in TABLES}
        worker.log.fates = {(table, n): fate for table, fate in self.fates.items() for n in range(PARTITIONS)}
        self.checkpoint = asyncio.create_task(worker.checkpoints.write())

    async def until(self, *tables: str) -> None:
        """Return when it has come to write one of the tables, or to its end."""
        reached = [asyncio.create_task(self.fates[table].in_flight.wait()) for table in tables]
        await asyncio.wait([self.checkpoint, *reached], return_when=asyncio.FIRST_COMPLETED)
        for waiting in reached:
            waiting.cancel()

    async def let_go(self, table: str) -> None:
        """Have a write arrive at the log, and wait for what the zombie does then."""
        self.fates[table].arrives.set()  # type: ignore[union-attr]  # made above
        if self.fates[table].in_flight.is_set():
            await self.until(*TABLES[TABLES.index(table) + 1 :])


MOMENTS = 5
"""Before the next worker reads the changelogs, right after it, and after each of its next checkpoints."""


def arrivals() -> Iterator[tuple[int, int, int]]:
    """When each of the three writes of a zombie arrives: none before the one before it is acknowledged."""
    for first in range(MOMENTS):
        for second in range(first, MOMENTS):
            for third in range(second, MOMENTS):
                yield first, second, third


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("when", [*arrivals()], ids=lambda when: "".join(map(str, when)))
async def test_a_zombies_writes_arrive_late_and_change_no_figure(when: Sequence[int], seed: int) -> None:
    chance = random.Random(f"{seed}{when}")
    log, topics = MemoryLog(), arrived(seed)[1]
    stopped = member(log, topics).begin()
    for _ in range(chance.randint(1, CHECKPOINTS - 4)):
        await stopped.apply(CHUNK)
        assert await stopped.checkpoints.write()
    await stopped.apply(CHUNK)
    zombie = Zombie(stopped)
    await zombie.until(*TABLES)

    successor = member(log, topics)
    successor.join()
    for moment in range(MOMENTS):
        for table, arrives in zip(TABLES, when, strict=True):
            if arrives == moment:
                await zombie.let_go(table)
        if moment == 0:
            successor.recover()
        else:
            # Less than the zombie had applied, so that what it wrote is ahead; or more, so that it is behind, or so
            # much that contacts have come and gone meanwhile.
            await successor.apply(chance.choice([CHUNK // 5, CHUNK, 6 * CHUNK]))
            assert await successor.checkpoints.write()
            if chance.random() < 0.3:  # it keeps its rows, and reads of the changelogs what is new
                successor = await handed_over(successor, "kept")

    assert not await zombie.checkpoint  # its commit was refused
    if chance.random() < 0.5:
        successor = member(log, topics).begin()  # the next one has both in the changelog
    await assert_exact(successor, seed)
