"""Fakes for what lies at the edges of processing: records, a producer, a log in memory."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self

from aiokafka.errors import CommitFailedError, KafkaTimeoutError
from faust.types import TP

from stream.runtime.checkpoint.tables import ChangelogRecord


@dataclass(slots=True)
class FakeRecord:
    offset: int
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp: int | None = 1_767_603_600_000


def record(offset: int, **fields: Any) -> FakeRecord:
    return FakeRecord(offset, **fields)


class FakeProducer:
    """Takes what is sent, after failing as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.sent: list[tuple[str, bytes | None, Mapping[str, Any]]] = []

    @property
    def client(self) -> Self:
        return self

    async def send_and_wait(self, topic: str, value: bytes | None, **options: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise KafkaTimeoutError
        self.sent.append((topic, value, options))


class Crash(Exception):
    """The process ends here."""


@dataclass
class MemoryLog:
    """Changelogs, committed offsets and the group, which survive the workers of a test, as on a broker."""

    changelogs: defaultdict[tuple[str, int], list[FakeRecord]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[TP, int] = field(default_factory=dict)
    generation: int = 0
    appends: list[str] = field(default_factory=list)
    crash_in_append: int | None = None
    """Crash within that many appends from now, after writing half of the rows."""
    failure: Exception | None = None
    """What the next call raises."""
    stranger: ChangelogRecord | None = None
    """What somebody else writes into the middle of the next append."""

    def append(self, topic: str, partition: int, packed: Sequence[ChangelogRecord]) -> Sequence[range]:
        self._fail()
        stranger, self.stranger = self.stranger, None
        if stranger is not None:
            half = len(packed) // 2
            before = self.append(topic, partition, packed[:half])
            self.append(topic, partition, [stranger])
            return [*before, *self.append(topic, partition, packed[half:])]
        log = self.changelogs[topic, partition]
        first = log[-1].offset + 1 if log else 0
        written = packed
        if self.crash_in_append is not None:
            self.crash_in_append -= 1
            if self.crash_in_append == 0:
                written = packed[: len(packed) // 2]
        log += [FakeRecord(first + place, *one) for place, one in enumerate(written)]
        self.appends.append(topic)
        if written is not packed:
            raise Crash
        return [range(first, first + len(written))]

    def commit(self, offsets: Mapping[TP, int], generation: int) -> None:
        self._fail()
        if generation != self.generation:
            raise CommitFailedError
        self.committed.update(offsets)

    def compact(self) -> None:
        """Keep the last record of each key, and no tombstone; what was appended last is not touched."""
        for log in filter(None, self.changelogs.values()):
            *older, last = log
            newest = {one.key: one for one in older}
            log[:] = [*(one for one in older if newest[one.key] is one and one.value is not None), last]

    def _fail(self) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure


@dataclass
class Fate:
    """What becomes of one request on its way to the log."""

    share: float = 1.0
    """How much of it becomes durable."""
    failure: Exception | None = None
    """What the sender sees then; None: the acknowledgement."""
    arrives: asyncio.Event | None = None
    """It is in flight until this is set."""
    in_flight: asyncio.Event = field(default_factory=asyncio.Event)


class MemberLog:
    """The log as one member of the group writes it; `fates` say what the next request of a kind meets."""

    def __init__(self, shared: MemoryLog) -> None:
        self.shared = shared
        self.generation = -1
        self.abandoned = 0
        self.fates: dict[tuple[str, int], Fate] = {}
        """By table and partition of a write; by `commit` and 0."""

    def join(self) -> None:
        self.shared.generation += 1
        self.generation = self.shared.generation

    def pack(self, records: Iterable[ChangelogRecord]) -> Sequence[ChangelogRecord]:
        return list(records)

    async def append(self, topic: str, partition: int, packed: Sequence[ChangelogRecord]) -> Sequence[range]:
        table = topic.removesuffix("-changelog").rpartition("-")[2]
        fate = await self._travel(table, partition)
        written = self.shared.append(topic, partition, packed[: round(len(packed) * fate.share)])
        if fate.failure is not None:
            raise fate.failure
        return written

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        fate = await self._travel("commit", 0)
        if fate.share:
            self.shared.commit(offsets, self.generation)
        if fate.failure is not None:
            raise fate.failure

    async def keys(self, changelog: TP, offsets: range) -> Sequence[bytes]:
        log = self.shared.changelogs[changelog.topic, changelog.partition]
        return [one.key for one in log if one.offset in offsets and one.key is not None]

    async def ends(self, partitions: Collection[TP]) -> dict[TP, int]:
        logs = {tp: self.shared.changelogs[tp.topic, tp.partition] for tp in partitions}
        return {tp: log[-1].offset + 1 if log else 0 for tp, log in logs.items()}

    async def abandon(self) -> None:
        """Only counted: what is in flight cannot be called back."""
        self.abandoned += 1

    async def _travel(self, what: str, partition: int) -> Fate:
        fate = self.fates.pop((what, partition), Fate())
        fate.in_flight.set()
        if fate.arrives is not None:
            await fate.arrives.wait()
        return fate


def changelog_event(topic: str, partition: int, batch: Any, generation: int) -> Any:
    """Wrap *batch* as Faust hands it to a table."""
    message = SimpleNamespace(topic=topic, partition=partition, value=batch, generation_id=generation)
    return SimpleNamespace(message=message)
