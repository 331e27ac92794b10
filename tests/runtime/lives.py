"""Toy workers without a broker, one life after the other, on a log in memory that outlives them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from faust.types import TP

from stream.runtime.checkpoint.partitions import OwnedPartition
from stream.runtime.kafka.transport import Batch
from stream.runtime.routing.processor import Processor
from stream.settings import Settings
from tests.runtime.fakes import FakeRecord, MemoryLog
from tests.runtime.members import Member
from tests.runtime.toy import TOPIC, Ping, ToyFold, encode, toy_source

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SETTINGS = Settings(group="lives", partitions=1)
PARTITION = TP(TOPIC, 0)


def records_of(pings: Sequence[Ping]) -> list[FakeRecord]:
    """Return the source topic that holds *pings*."""
    return [
        FakeRecord(offset, ping.key.encode(), encode(ping.key, ping.id, poison=ping.poison))
        for offset, ping in enumerate(pings)
    ]


class Life(Member):
    """A member that owns the only partition of the toys."""

    def __init__(self, log: MemoryLog, topic: list[FakeRecord]) -> None:
        super().__init__(log, {PARTITION: topic}, [toy_source()], SETTINGS, NOW)
        self.topic = topic

    @property
    def processor(self) -> Processor:
        return self.processors[TOPIC]

    @property
    def owned(self) -> OwnedPartition:
        owned = self.ownership.get(*PARTITION)
        assert owned is not None
        return owned

    @property
    def fold(self) -> ToyFold:
        return cast("ToyFold", self.owned.fold)

    @property
    def counts(self) -> dict[str, int]:
        return {key: row.count for key, row in self.fold.counts.items()}

    async def apply_batch(self, records: Sequence[FakeRecord], *, seek: int | None = None) -> None:
        """Apply a batch as it comes, also one that is void or has holes."""
        seek = self.owned.seek if seek is None else seek
        await self.processor.apply(0, Batch(seek, cast("Any", list(records))))
