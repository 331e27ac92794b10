"""Workers without a broker, one life after the other, on a log in memory that outlives them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from faust.types import TP

from stream.processing.app import Worker, WorkerSettings, create_app
from stream.processing.checkpoint import Checkpoints
from stream.processing.dead_letters import Outlet
from stream.processing.partitions import OwnedPartition
from stream.processing.processors import Processor
from stream.processing.tables import RowTable
from stream.processing.transport import Batch, Start
from tests.processing.fakes import Crash, FakeProducer, FakeRecord, MemoryLog, changelog_event
from tests.processing.toy import TOPIC, Ping, ToyFold, encode, toy_source

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SETTINGS = WorkerSettings(brokers="nowhere:9092", group="lives", partitions=1)
PARTITION = TP(TOPIC, 0)


def records_of(pings: Sequence[Ping]) -> list[FakeRecord]:
    """Return the source topic that holds *pings*."""
    return [
        FakeRecord(offset, ping.key.encode(), encode(ping.key, ping.id, poison=ping.poison))
        for offset, ping in enumerate(pings)
    ]


class Life:
    """One worker from its recovery to its end; `crash_at` names the step of a checkpoint that it does not survive."""

    def __init__(self, log: MemoryLog, topic: list[FakeRecord]) -> None:
        self.log = log
        self.topic = topic
        self.crash_at: str | None = None
        self.rewinds: list[int] = []
        self.worker: Worker = create_app(SETTINGS, [toy_source()], clock=lambda: NOW)
        self.producer = FakeProducer()
        self.tables = cast("dict[str, RowTable]", dict(self.worker.app.tables))
        self.checkpoints = Checkpoints(self.worker.ownership, self.tables, log, fault=self._fault)
        self.processor = Processor(
            toy_source(),
            self.worker.ownership,
            Outlet(lambda: self.producer, self.worker.feed, topic="dead"),
            partitions=1,
            rewind=self._rewind,
            highwater=lambda _: len(topic),
        )

    def begin(self) -> "Life":
        """Own the partition, recover it from the changelogs, and start at the committed offset."""
        ownership = self.worker.ownership
        ownership.assign([PARTITION])
        for table in self.tables.values():
            if log := self.log.changelogs[table.changelog_topic_name, 0]:
                self.recover(table, log)
        start = Start(self.log.committed.get(PARTITION, 0), seek=0, highwater=len(self.topic))
        ownership.start({PARTITION: start})
        return self

    def recover(self, table: RowTable, records: Sequence[FakeRecord]) -> None:
        generation = self.worker.app.consumer_generation_id
        batch = Batch(0, cast("Any", list(records)))
        table.apply_changelog_batch([changelog_event(table.changelog_topic_name, 0, batch, generation)])

    @property
    def owned(self) -> OwnedPartition:
        owned = self.worker.ownership.get(*PARTITION)
        assert owned is not None
        return owned

    @property
    def fold(self) -> ToyFold:
        return cast("ToyFold", self.owned.fold)

    @property
    def counts(self) -> dict[str, int]:
        return {key: row.count for key, row in self.fold.counts.items()}

    async def apply(self, number: int) -> None:
        """Apply the next *number* records of the topic."""
        if batch := self.topic[self.owned.position : self.owned.position + number]:
            await self.take(batch)

    async def take(self, records: Sequence[FakeRecord], *, seek: int | None = None) -> None:
        seek = self.owned.seek if seek is None else seek
        await self.processor.take(0, Batch(seek, cast("Any", list(records))))

    async def _rewind(self, tp: TP, offset: int) -> int:
        assert tp == PARTITION
        self.rewinds.append(offset)
        return self.owned.seek + 1

    async def _fault(self, step: str) -> None:
        if step == self.crash_at:
            raise Crash(step)
