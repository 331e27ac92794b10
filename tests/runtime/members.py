"""Workers without a broker, one after the other or two at a time, on a log in memory that outlives them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self, cast

from faust.types import TP

from stream.runtime.app import Worker, create_app
from stream.runtime.checkpoint.checkpoint import Checkpoints
from stream.runtime.checkpoint.rebalance import RebalanceListener
from stream.runtime.checkpoint.tables import RowTable
from stream.runtime.kafka.transport import Batch, Start
from stream.runtime.routing.dead_letters import Outlet
from stream.runtime.routing.processor import Processor
from stream.runtime.source_topic import SourceTopic
from stream.settings import Settings
from tests.runtime.fakes import Crash, FakeProducer, FakeRecord, MemberLog, MemoryLog, changelog_event

Topics = Mapping[TP, list[FakeRecord]]


class Member:
    """One worker of the group; `crash_at` names the step of a checkpoint that it does not survive."""

    def __init__(
        self, log: MemoryLog, topics: Topics, sources: Sequence[SourceTopic], settings: Settings, now: datetime
    ) -> None:
        self.topics = dict(topics)
        self.crash_at: str | None = None
        self.rewinds: list[int] = []
        self.worker: Worker = create_app(settings, sources, brokers="nowhere:9092", clock=lambda: now)
        self.ownership = self.worker.ownership
        self.producer = FakeProducer()
        self.tables = cast("dict[str, RowTable]", dict(self.worker.app.tables))
        self.log = MemberLog(log)
        self.checkpoints = Checkpoints(self.ownership, self.tables, self.log, fault=self._fault)
        self.listener = RebalanceListener(self.ownership, self.checkpoints, last_within=timedelta(seconds=9))
        self.processors = {source.name: self._processor(source, settings.partitions) for source in sources}

    def _processor(self, source: SourceTopic, partitions: int) -> Processor:
        return Processor(
            source,
            self.ownership,
            Outlet(lambda: self.producer, self.worker.feed, topic="dead", limit=0),
            partitions=partitions,
            rewind=self._rewind,
            highwater=lambda tp: len(self.topics[tp]),
        )

    def join(self) -> None:
        """Become the only member of the group: whoever was it before may not commit any more."""
        self.log.join()
        self.listener.assign(self.topics)

    def begin(self) -> Self:
        """Join, recover every partition from the changelogs, and start at the committed offsets."""
        self.join()
        self.recover()
        return self

    def recover(self) -> None:
        """Load what the changelogs hold now, from where the rows that were kept end, and start."""
        self.read_changelogs()
        self.start()

    def read_changelogs(self) -> None:
        """Load what the changelogs hold now."""
        for table in self.tables.values():
            for tp in self.topics:
                changelog = table.changelog_topic_name, tp.partition
                kept = table.persisted_offset(TP(*changelog))
                records = [one for one in self.log.shared.changelogs[changelog] if one.offset > kept]
                if tp.topic == table.source and records:
                    self.load(table, tp.partition, records)

    def start(self) -> None:
        """Start at the offsets that are committed now."""
        committed, wanted = self.log.shared.committed, self.listener.expect(self.topics)
        self.listener.start({tp: Start(committed.get(tp, 0), 0, len(self.topics[tp])) for tp in wanted})

    def load(self, table: RowTable, partition: int, records: Sequence[FakeRecord]) -> None:
        """Hand changelog records to a table, as Faust's recovery does."""
        generation = self.worker.app.consumer_generation_id
        batch = Batch(0, cast("Any", list(records)))
        table.apply_changelog_batch([changelog_event(table.changelog_topic_name, partition, batch, generation)])

    async def apply(self, number: int) -> None:
        """Apply the next *number* records of each partition."""
        for owned in list(self.ownership):
            if records := self.topics[owned.tp][owned.position : owned.position + number]:
                batch = Batch(owned.seek, cast("Any", records))
                await self.processors[owned.tp.topic].apply(owned.tp.partition, batch)

    @property
    def done(self) -> bool:
        """Whether every record is applied."""
        return all(owned.position == len(self.topics[owned.tp]) for owned in self.ownership)

    async def _rewind(self, tp: TP, offset: int) -> int:
        self.rewinds.append(offset)
        owned = self.ownership.get(*tp)
        assert owned is not None
        return owned.seek + 1

    async def _fault(self, step: str) -> None:
        if step == self.crash_at:
            raise Crash(step)
