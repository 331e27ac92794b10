"""Violence by a seeded schedule: while events are sent, workers and brokers are killed, frozen, added and removed.

A *deed* is one act. The schedule, the pauses and the victims follow from the seed; what the machine
makes of it, to the microsecond, does not: a seed repeats the story, not every instruction.
"""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import ceil
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from scripts.apache_kafka.cluster import Cluster
from scripts.apache_kafka.node import Node
from stream.core.cloudevents import Event
from stream.core.family import Board
from stream.families.registry import FAMILIES
from stream.sdk.producer import Producer
from tests.e2e.crew import Crew, WorkerProcess
from tests.running import Figures

__all__ = ["SESSION_SECONDS", "Chaos", "Deed", "Step", "schedule", "send_paced"]

SESSION_SECONDS = 3.0
"""So long may a worker be silent until its partitions go to others."""

TICK_SECONDS = 0.1
EVENTS_IN_A_TICK = 300
MOST_OF_THE_REST = 0.005
"""Of what is not sent yet, no more is sent in a tick."""
READY_SECONDS = WORK_SECONDS = SETTLED_SECONDS = 120.0
"""What is waited for takes seconds; a machine with much else to do may take longer."""


class Deed(StrEnum):
    """What may happen."""

    KILL = "worker killed"
    KILL_AT_WORK = "worker killed at work"
    KILL_ALL = "all workers killed"
    FREEZE = "worker frozen at work, beyond its session"
    ADD = "worker added"
    REMOVE = "worker removed"
    KILL_BROKER = "broker killed and restarted"
    LOSE_BROKER = "broker lost for good"


class Step(NamedTuple):
    """A deed, and what comes before it."""

    pause: float
    """Seconds."""
    deed: Deed


def schedule(chance: random.Random, deeds: Sequence[Deed], *, in_order: Sequence[Deed]) -> list[Step]:
    """Mix *deeds* at random with those that keep their order among themselves; most pauses are short."""
    mixed = list(deeds)
    chance.shuffle(mixed)
    for number, place in enumerate(sorted(chance.sample(range(len(mixed)), len(in_order)))):
        mixed.insert(place + number, in_order[number])
    # Some deeds hit a group that has just come to rest, others one that is in the middle of a rebalance.
    return [Step(chance.choice([0.1, 0.5, 1, 2, 3]) * chance.uniform(0.5, 1.5), deed) for deed in mixed]


class Chaos:
    """Does deeds to a cluster and a crew, and counts them."""

    def __init__(self, cluster: Cluster, crew: Crew, chance: random.Random, *, partitions: int) -> None:
        self.done: Counter[Deed] = Counter()
        self._cluster = cluster
        self._crew = crew
        self._chance = chance
        self._thawing: set[asyncio.Task[None]] = set()
        self._lost: set[int] = set()
        self._partitions = partitions
        self._reader = AIOKafkaConsumer(bootstrap_servers=cluster.address)

    async def __aenter__(self) -> Self:
        await self._reader.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._thawing:
            task.cancel()
        await self._reader.stop()

    async def run(self, steps: Sequence[Step]) -> None:
        """Do one deed after the other."""
        began = time.monotonic()
        for step in steps:
            await asyncio.sleep(step.pause)
            self._crew.assert_sound()
            await self._do(step.deed)
            print(f"{time.monotonic() - began:7.1f} s  {step.deed}; {self._crew}", flush=True)
            self.done[step.deed] += 1
        await asyncio.gather(*self._thawing)

    async def kill_all(self) -> None:
        """Kill every worker, and start as many."""
        for worker in list(self._crew.alive):
            await self._replace(worker)

    async def until_ready(self) -> None:
        """Wait until every worker has its partitions."""
        async with asyncio.timeout(READY_SECONDS):
            while await self._crew.pages() is None:
                self._crew.assert_sound()
                await asyncio.sleep(TICK_SECONDS)

    async def _do(self, deed: Deed) -> None:
        match deed:
            case Deed.KILL:
                await self._replace(self._victim())
            case Deed.KILL_ALL:
                await self.kill_all()
            case Deed.KILL_AT_WORK:
                await self._replace(await self._at_work())
            case Deed.FREEZE:
                self._freeze(await self._at_work())
            case Deed.ADD:
                self._crew.start()
            case Deed.REMOVE:
                await self._crew.remove(self._victim())
            case Deed.KILL_BROKER | Deed.LOSE_BROKER:
                await self._harm(self._broker(), for_good=deed is Deed.LOSE_BROKER)

    async def _at_work(self) -> WorkerProcess:
        """Return a worker that applies events, at some moment within a second."""
        async with asyncio.timeout(WORK_SECONDS):
            while not (working := [worker for worker in self._crew.alive if worker.applied and not worker.frozen]):
                self._crew.assert_sound()
                await asyncio.sleep(TICK_SECONDS)
        await asyncio.sleep(self._chance.random())
        return self._chance.choice(working)

    def _victim(self) -> WorkerProcess:
        awake = [worker for worker in self._crew.alive if not worker.frozen]
        return self._chance.choice(awake or self._crew.alive)

    def _broker(self) -> Node:
        return self._chance.choice([node for node in self._cluster.nodes if node.number not in self._lost])

    async def _replace(self, worker: WorkerProcess) -> None:
        await self._crew.kill(worker)
        self._crew.start()

    def _freeze(self, worker: WorkerProcess) -> None:
        """Stop a worker for longer than its session, and let other deeds go on meanwhile."""
        worker.tell(signal.SIGSTOP)
        task = asyncio.create_task(self._thaw(worker, SESSION_SECONDS * self._chance.uniform(1.2, 2.5)))
        self._thawing.add(task)
        task.add_done_callback(self._thawing.discard)

    async def _thaw(self, worker: WorkerProcess, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if worker in self._crew.alive:
            worker.tell(signal.SIGCONT)

    async def _harm(self, broker: Node, *, for_good: bool) -> None:
        if for_good:
            self._lost.add(broker.number)
            broker.wipe()
            return
        broker.kill()
        await asyncio.sleep(self._chance.uniform(0.5, 4))
        # It dies with the thread that starts it: that must be this one.
        broker.spawn()
        await asyncio.to_thread(broker.wait)

    async def settled(self) -> tuple[list[Figures], Board]:
        """Return all pages, and the board of all, once everything sent is applied and durable, by one worker each."""
        async with asyncio.timeout(SETTLED_SECONDS):
            while True:
                self._crew.assert_sound()
                pages = await self._crew.pages()
                if pages is not None and _is_durable(pages, await self.ends()):
                    # Taken after the last record was applied, as all workers agree.
                    pages, board = await self._crew.pages(), await self._crew.board()
                    if pages is not None and board is not None:
                        return pages, board
                await asyncio.sleep(0.2)

    async def summary(self, events: int) -> str:
        """Tell in a line what was done, and what there was to withstand."""
        crew = self._crew
        deeds = ", ".join(f"{count} × {deed}" for deed, count in self.done.items())
        twice = sum((await self.ends()).values()) - events
        return (
            f"{deeds}; {crew.killed} SIGKILLs of workers, {crew.killed_at_work} of them at work; "
            f"{len(crew.lives)} lives; {events} events, {twice} of them twice from the producer; "
            f"{crew.total('contact_events_replayed_total')} replayed onto rows that had them; "
            f"{crew.total('contact_foreign_writes_total')} foreign writes; "
            f"{crew.total('contact_checkpoint_failures_total')} checkpoints failed; at most {crew.largest_mb} MB, "
            f"{crew.longest_log} lines of log in a life"
        )

    async def ends(self) -> dict[TopicPartition, int]:
        """Return the end of each source partition."""
        topics = [family.name for family in FAMILIES]
        wanted = [TopicPartition(topic, number) for topic in topics for number in range(self._partitions)]
        return dict(await self._reader.end_offsets(wanted))


def _is_durable(pages: Sequence[Figures], ends: Mapping[TopicPartition, int]) -> bool:
    """Tell whether all is applied and committed, and no partition says that something of it is not."""
    told = {name for page in pages for name, _ in page}
    every = [_offsets(pages, name) for name in ("contact_applied_offset", "contact_committed_offset")]
    return every == [ends, ends] and "contact_uncommitted_timestamp_seconds" not in told


def _offsets(pages: Sequence[Figures], metric: str) -> dict[TopicPartition, int]:
    return {
        TopicPartition(dict(labels)["topic"], int(dict(labels)["partition"])): int(value)
        for page in pages
        for (name, labels), value in page.items()
        if name == metric
    }


async def send_paced(address: str, day: Sequence[Event], hurry: asyncio.Event) -> None:
    """Send a day through the SDK at thousands of events per second, the rest at once when told to *hurry*."""
    sent = 0
    async with Producer(f"kafka://{address}") as producer:
        while sent < len(day):
            rest = len(day) - sent
            # Something is left until the last deed, however slow the machine: who is killed at work has to have some.
            share = rest if hurry.is_set() else min(EVENTS_IN_A_TICK, ceil(rest * MOST_OF_THE_REST))
            for event in day[sent : sent + share]:
                await producer.post(event)
            sent += share
            await asyncio.sleep(TICK_SECONDS)
        await producer.flush()
