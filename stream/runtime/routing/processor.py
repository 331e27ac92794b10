"""One processor per source topic: takes fetched batches, has them folded, and sets aside what is no event.

It holds no figures and does no arithmetic; folds do. An exception in here is a defect that stops the worker.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from aiokafka.partitioner import murmur2
from faust.types import TP

from stream.core.cloudevents import KeyParts, key_from, key_of, tag_of
from stream.errors import FutureEvent, InvalidEvent
from stream.runtime.checkpoint.partitions import DerivedRecord, OwnedPartition, Ownership
from stream.runtime.kafka.transport import Batch
from stream.runtime.kafka.unreadable import LeftOut
from stream.runtime.routing.dead_letters import REKEYED, DeadLetter, MisroutedRecord, Outlet
from stream.runtime.source_topic import Applied, Record, SourceTopic

__all__ = ["SLICE", "Processor", "home_of"]

SLICE = 5000
"""Records folded before others get their turn on the event loop: all of a full fetch, about 20 ms."""

LATEST_MS = 4_133_980_800_000
"""The year 2101: later time stamps of records are no milliseconds."""

MAX_HOMES = 10_000
"""Keys of a partition that are remembered; beyond that the memory starts anew."""

MAX_DERIVED = 100_000
"""Events for other families that may wait for a checkpoint; beyond that nothing more of their partition is applied."""

ROOM_CHECKED_EVERY_SECONDS = 0.1

MAX_VAIN_REWINDS = 3
"""How often missing records are fetched again in vain until jumps are taken for what they are."""


class Processor:
    """Applies the batches of one source topic to the folds of its owned partitions."""

    def __init__(
        self,
        source: SourceTopic,
        ownership: Ownership,
        outlet: Outlet,
        *,
        partitions: int,
        rewind: Callable[[TP, int], Awaitable[int]],
        highwater: Callable[[TP], int | None],
    ) -> None:
        self._source = source
        # Of a topic all events have the same kind of key; the method of the class, not of `Family`: one call an event.
        self._key_parts_of = source.family.events[0].key_parts
        self._ownership = ownership
        self._outlet = outlet
        self._partitions = partitions
        self._rewind = rewind
        self._highwater = highwater
        self._at_home: defaultdict[int, dict[bytes | None, KeyParts]] = defaultdict(dict)
        """By partition, the keys that were seen where they belong, and what each is made of."""

    async def apply(self, partition: int, batch: Batch) -> None:
        """Apply a batch, unless it is void: fetched before a rebalance or seek."""
        owned = self._ownership.applying(self._source.name, partition)
        if owned is None or batch.seek != owned.seek:
            return
        records = await self._following(owned, batch.records)
        for start in range(0, len(records), SLICE):
            if self._ownership.applying(self._source.name, partition) is not owned:
                return
            if not await self._has_room(owned):
                return
            await self._apply_slice(owned, records[start : start + SLICE])
            await asyncio.sleep(0)  # pages, heartbeats and other partitions get their turn

    async def _following(self, owned: OwnedPartition, records: list[Record]) -> list[Record]:
        """Return the records from the partition's position on; none if some seem lost and are fetched again."""
        first = records[0].offset
        if first > owned.position:
            if owned.vain_rewinds < MAX_VAIN_REWINDS and owned.rewound_at != owned.position:
                # Faust clears queues here and there: fetch again before calling it a gap.
                owned.rewound_at = owned.position
                owned.seek = await self._rewind(owned.tp, owned.position)
                return []
            owned.vain_rewinds += 1
            self._count_gaps(owned, 1)
        elif first < owned.position:
            records = [record for record in records if record.offset >= owned.position]
        if records and records[-1].offset - records[0].offset >= len(records):
            offsets = [record.offset for record in records]
            self._count_gaps(owned, sum(b - a > 1 for a, b in pairwise(offsets)))
        return records

    def _count_gaps(self, owned: OwnedPartition, gaps: int) -> None:
        owned.feed.gaps += gaps
        self._ownership.feed.gaps += gaps

    async def _apply_slice(self, owned: OwnedPartition, records: Sequence[Record]) -> None:
        """Fold one slice; it counts as applied when its dead letters and misrouted are acknowledged."""
        events, offsets, letters, misrouted = self._sort(owned.tp.partition, records)
        derived, failures = self._derive(events, offsets)
        if failures:  # before anything of it is counted: whoever mends the defect can send the event again
            letters += self._failures(owned.tp, records, failures.items())
            told = [(event, offset) for event, offset in zip(events, offsets, strict=True) if offset not in failures]
            events, offsets = [event for event, _ in told], [offset for _, offset in told]
        if misrouted:
            await self._outlet.forward(misrouted)
        if letters:
            self._note_refused(letters)
            await self._outlet.set_aside(letters)
        # While that was sent, the partition may have gone: its next owner will read these records again.
        if (misrouted or letters) and self._ownership.applying(*owned.tp) is not owned:
            return
        if events:
            self._outlet.event_seen()
            applied = owned.fold.apply(events, offsets)
            owned.derived_unwritten += len(derived)
            for tp, record in derived:
                owned.derived.setdefault(tp, []).append(record)
            self._count(applied)
            if applied.failed:
                await self._outlet.set_aside(self._failures(owned.tp, records, applied.failed))
        self._advance(owned, records[-1])

    def _sort(
        self, partition: int, records: Sequence[Record]
    ) -> tuple[list[Any], list[int], list[DeadLetter], list[MisroutedRecord]]:
        if (plain := self._plain(partition, records)) is not None:
            return plain, [record.offset for record in records], [], []
        if len(told := [record for record in records if type(record) is not LeftOut]) < len(records):
            return self._sort(partition, told)
        decode, key_parts_of, at_home = self._source.decode, self._key_parts_of, self._at_home[partition]
        events: list[Any] = []
        offsets: list[int] = []
        letters: list[DeadLetter] = []
        misrouted: list[MisroutedRecord] = []
        for record in records:
            try:
                event = decode(record.value, record.headers)
                parts = key_parts_of(event)
            except InvalidEvent as invalid:
                letters.append(DeadLetter(self._source.name, partition, record, invalid))
                continue
            except Exception as failure:  # noqa: BLE001  # a defect of decoding must not stop the stream
                letters.append(DeadLetter(self._source.name, partition, record, _defect(failure)))
                continue
            # The first half is true of nearly all, and cheap.
            if at_home.get(record.key) == parts or self._is_at_home(partition, record, parts, letters, misrouted):
                events.append(event)
                offsets.append(record.offset)
        return events, offsets, letters, misrouted

    def _plain(self, partition: int, records: Sequence[Record]) -> list[Any] | None:
        """Return the events of records that all are as they should be; None where one needs a closer look."""
        events = self._source.decode_all(records)
        if events is None:
            return None
        # A whole slice is compared in one go, which saves half a microsecond an event: nearly all slices are plain.
        expected = map(self._at_home[partition].get, [record.key for record in records])
        return events if [*expected] == [*map(self._key_parts_of, events)] else None

    def _is_at_home(
        self,
        partition: int,
        record: Record,
        parts: KeyParts,
        letters: list[DeadLetter],
        misrouted: list[MisroutedRecord],
    ) -> bool:
        """Tell whether a record is under its own key and in that key's partition; note where it goes otherwise."""
        key = key_from(parts)
        home = home_of(key, self._partitions)
        if record.key == key and home == partition:
            # Cleared, not trimmed: keys that are in use are back within a slice, and nothing has to be ordered.
            if len(self._at_home[partition]) >= MAX_HOMES:
                self._at_home[partition].clear()
            self._at_home[partition][key] = parts
            return True
        if any(name == REKEYED for name, _ in record.headers):
            wrong = InvalidEvent("invalid_field", "forwarded once, and still not under its own key", field="key")
            letters.append(DeadLetter(self._source.name, partition, record, wrong))
        else:
            misrouted.append(MisroutedRecord(self._source.name, partition, record, key, home))
        return False

    def _derive(
        self, events: Sequence[Any], offsets: Sequence[int]
    ) -> tuple[list[tuple[TP, DerivedRecord]], dict[int, Exception]]:
        """Return what follows from events for other families, and where it goes; by offset, why nothing can follow."""
        derived: list[tuple[TP, DerivedRecord]] = []
        failures: dict[int, Exception] = {}
        if (derive := self._source.derive) is None:
            return derived, failures
        for event, follows in derive(events):
            if isinstance(follows, Exception):
                failures[offsets[next(n for n, one in enumerate(events) if one is event)]] = follows
                continue
            for one, value in follows:
                key = key_of(one)
                derived.append((TP(one.topic, home_of(key, self._partitions)), (key, value, [])))
        return derived, failures

    async def _has_room(self, owned: OwnedPartition) -> bool:
        """Wait, as long as checkpoints fail, until there is room for more of what follows; False: it is not ours."""
        while owned.derived_unwritten >= MAX_DERIVED:
            await asyncio.sleep(ROOM_CHECKED_EVERY_SECONDS)
            if self._ownership.applying(*owned.tp) is not owned:
                return False
        return True

    def _failures(
        self, tp: TP, records: Sequence[Record], failures: Iterable[tuple[int, Exception]]
    ) -> list[DeadLetter]:
        by_offset = {record.offset: record for record in records}
        return [DeadLetter(tp.topic, tp.partition, by_offset[offset], _defect(failure)) for offset, failure in failures]

    def _note_refused(self, letters: Iterable[DeadLetter]) -> None:
        for letter in letters:
            if isinstance(letter.cause, FutureEvent):
                self._ownership.feed.refused(letter.cause.source, letter.cause.time, self._ownership.clock())

    def _count(self, applied: Applied) -> None:
        feed = self._ownership.feed
        for kind, count in applied.by_type.items():
            feed.events[tag_of(kind)] += count
        feed.duplicates += applied.duplicates
        feed.replayed += applied.replayed
        feed.late += applied.late
        feed.overflowed += applied.overflowed
        feed.heard(applied.times_by_source, self._ownership.clock())

    def _advance(self, owned: OwnedPartition, last: Record) -> None:
        if self._ownership.applying(*owned.tp) is not owned:
            return
        # Only now: a crash before this line reads the slice again, and rows skip what they have.
        owned.position = last.offset + 1
        owned.contest()
        feed = owned.feed
        feed.position = owned.position
        feed.applied_at = self._ownership.feed.progress_at = self._ownership.clock()
        feed.uncommitted_since = feed.uncommitted_since or feed.applied_at
        # A producer chooses the time stamp of a record: any number may stand there.
        if last.timestamp is not None and 0 <= last.timestamp < LATEST_MS:
            feed.record_at = datetime.fromtimestamp(last.timestamp / 1000, UTC)
        feed.highwater = max(self._highwater(owned.tp) or 0, owned.position)


@lru_cache(maxsize=65_536)  # 4 µs each, and the same keys come again
def home_of(key: bytes, partitions: int) -> int:
    """Return the partition of *key* as Kafka's own producers choose it (murmur2)."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def _defect(failure: Exception) -> InvalidEvent:
    # Only the type: the message of an arbitrary exception may quote the event.
    return InvalidEvent("processing_failed", f"a defect of this version: {type(failure).__name__}")
