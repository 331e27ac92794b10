"""Fakes for what lies at the edges of processing: records, a producer, a log in memory."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Self

from aiokafka.errors import KafkaTimeoutError
from faust.types import TP

from stream.processing.tables import ChangelogRecord


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
    """Changelogs and committed offsets that survive the workers of a test, as a broker would."""

    changelogs: defaultdict[tuple[str, int], list[FakeRecord]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[TP, int] = field(default_factory=dict)
    appends: list[str] = field(default_factory=list)
    crash_in_append: int | None = None
    """Crash within that many appends from now, after writing half of the rows."""
    failure: Exception | None = None
    """What the next call raises."""

    def pack(self, records: Iterable[ChangelogRecord]) -> Sequence[ChangelogRecord]:
        return list(records)

    async def append(self, topic: str, partition: int, packed: Sequence[ChangelogRecord]) -> tuple[int, int]:
        self._fail()
        log = self.changelogs[topic, partition]
        first = len(log)
        written = packed
        if self.crash_in_append is not None:
            self.crash_in_append -= 1
            if self.crash_in_append == 0:
                written = packed[: len(packed) // 2]
        for key, value, headers in written:
            log.append(FakeRecord(len(log), key, value, headers))
        self.appends.append(topic)
        if written is not packed:
            raise Crash
        return first, len(log)

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        self._fail()
        self.committed.update(offsets)

    def _fail(self) -> None:
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure


def changelog_event(topic: str, partition: int, batch: Any, generation: int) -> Any:
    """Wrap *batch* as Faust hands it to a table."""
    message = SimpleNamespace(topic=topic, partition=partition, value=batch, generation_id=generation)
    return SimpleNamespace(message=message)
