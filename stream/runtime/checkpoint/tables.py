"""Faust tables of typed rows, kept per partition and written to the changelog at checkpoints only.

The rows live in the folds of the owned partitions; a table knows their bytes, writes those that a
checkpoint took, and loads them at recovery.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import faust
from faust.tables import TableManager
from faust.types import TP, EventT

from stream.core.row_codec import RowCodec
from stream.core.rows import Rows
from stream.errors import ContactStreamError
from stream.runtime.checkpoint.partitions import OwnedPartition, Ownership
from stream.runtime.kafka.transport import BatchSchema
from stream.runtime.source_topic import Record

__all__ = ["APPLIED_OFFSET_HEADER", "ChangelogRecord", "PromptTableManager", "RowTable", "UnreadableRow"]

APPLIED_OFFSET_HEADER = "fence"
"""
Header of a tombstone: a row that is gone cannot carry its applied offset itself.

Its name is that of the first release: changelogs have it, and tombstones without it would delete any row.
"""

RECOVERY_BUFFER = 2
"""Fetches that Faust collects before it hands them on; with 1 it would follow the changelog for ever."""

ChangelogRecord = tuple[bytes, bytes | None, list[tuple[str, bytes]]]
"""Key, row (None: a tombstone) and headers."""


class UnreadableRow(ContactStreamError):
    """A changelog holds a row that this version cannot read; the message says where and what to do."""


class RowTable(faust.Table[Any, Any]):
    """
    One table of the folds of a source topic, with one changelog partition per source partition.

    Faust's own store stays empty: `rows` of the owned partitions are the truth.
    """

    def __init__(
        self,
        app: Any,
        *,
        name: str,
        source: str,
        codec: RowCodec[Any, Any],
        ownership: Ownership,
        fail: Callable[[BaseException], None],
        **options: Any,
    ) -> None:
        super().__init__(app, name=name, schema=BatchSchema(), recovery_buffer_size=RECOVERY_BUFFER, **options)
        self.source = source
        self._codec = codec
        self._ownership = ownership
        self._fail = fail
        self._tombstones: defaultdict[int, dict[bytes, int]] = defaultdict(dict)

    def cut(self, owned: OwnedPartition) -> tuple[list[Any], list[ChangelogRecord]]:
        """
        Take the rows of *owned* that changed, encoded: their keys, and the records to write.

        It is consistent with `owned.position`, since nothing awaits in here.
        """
        codec, drained = self._codec, owned.rows(self.name).drain_changed()
        # Everything applied so far is at or below this offset.
        applied_offset = [(APPLIED_OFFSET_HEADER, str(owned.position - 1).encode())]
        records: list[ChangelogRecord] = [
            (codec.encode_key(key), None, applied_offset)
            if row is None
            else (codec.encode_key(key), codec.encode_row(row), [])
            for key, row in drained
        ]
        return [key for key, _ in drained], records

    def written(self, owned: OwnedPartition, ours: Sequence[range]) -> Sequence[range]:
        """
        Note that *ours*, in ascending order, are the newest records of the changelog.

        Returns the offsets before each of them that are not ours: a worker that did not know that it had lost
        the partition has written there, or compaction has left nothing. What it wrote has to be rewritten.
        """
        ends = [owned.changelog_ends.get(self.name, 0), *(one.stop for one in ours)]
        owned.changelog_ends[self.name] = ends[-1]
        return [range(end, one.start) for end, one in zip(ends, ours, strict=False) if end < one.start]

    def rewrite(self, owned: OwnedPartition, keys: Sequence[bytes]) -> None:
        """Have the rows of *keys*, or that there are none, written once more, after what somebody else wrote."""
        # What stands last is what compaction leaves: it must be what this worker knows.
        owned.rows(self.name).write_again(self._codec.decode_keys(keys))

    def apply_changelog_batch(self, batch: Iterable[EventT[Any]]) -> None:
        """Load recovered rows. Faust calls it, and swallows what it raises: so a failure stops the worker."""
        for event in batch:
            message = event.message
            # Faust keeps what it had received before a rebalance, and hands records of partitions it
            # does not know to any table.
            if message.generation_id != self.app.consumer_generation_id or message.topic != self.changelog_topic_name:
                continue
            owned = self._ownership.get(self.source, message.partition)
            if owned is not None and not owned.live:
                self._load_or_fail(owned, cast("Any", message.value).records)

    def _load_or_fail(self, owned: OwnedPartition, records: list[Record]) -> None:
        try:
            self._load(owned, records, self._tombstones[owned.tp.partition])
        except Exception as failure:  # noqa: BLE001  # a codec may raise anything, and Faust would drop it
            self._fail(self._unreadable(owned.tp.partition, records, failure))
            return
        owned.indexed = False
        owned.changelog_ends[self.name] = records[-1].offset + 1
        self._ownership.recovered_rows(len(records))

    def _unreadable(self, partition: int, records: list[Record], failure: Exception) -> UnreadableRow:
        unreadable = UnreadableRow(
            f"{self.changelog_topic_name}, partition {partition}, offsets {records[0].offset} to {records[-1].offset}: "
            f"a row cannot be read ({failure!r}). Run the version that wrote it; or choose another "
            f"CONTACT_STREAM_GROUP, which counts the source topics from their beginning. Do not delete this topic "
            f"alone: the other tables would take what it lacks for counted."
        )
        unreadable.__cause__ = failure
        return unreadable

    def _load(self, owned: OwnedPartition, records: Sequence[Record], tombstones: dict[bytes, int]) -> None:
        rows = owned.rows(self.name)
        keyed = [(record, key) for record in records if (key := record.key) is not None]
        keys = self._codec.decode_keys([raw_key for _, raw_key in keyed])
        values = [record.value for record, _ in keyed]
        decoded = iter(self._codec.decode_rows([value for value in values if value is not None]))
        # In the order of the log, and yet the order decides nothing: of two rows the higher applied offset stays.
        for (record, raw_key), key, value in zip(keyed, keys, values, strict=True):
            if value is None:
                self._bury(rows, key, record, tombstones)
                continue
            row = next(decoded)
            gone_at = tombstones.get(raw_key, -1) if tombstones else -1
            if owned.known_to and key not in rows:
                # Of these records every row is here: one that is not was forgotten, by a tombstone read long ago.
                gone_at = max(gone_at, owned.known_to - 1)
            if gone_at >= 0 and row.applied_offset <= gone_at:
                rows.write_again([key])  # a stale row after its tombstone
            else:
                rows.load(key, row)

    def _bury(self, rows: Rows[Any, Any], key: Any, record: Record, tombstones: dict[bytes, int]) -> None:
        applied_offset = _applied_offset_of(record)
        known = rows.get(key)
        if known is not None and known.applied_offset > applied_offset:
            rows.write_again([key])  # a stale tombstone: compaction would leave nothing else
            return
        rows.load(key, None)
        tombstones[cast("bytes", record.key)] = applied_offset

    def persisted_offset(self, tp: TP) -> int:
        """Return the last changelog offset that the rows contain; recovery begins there. -1: at the beginning."""
        # Never None: Faust would go on where it stopped reading before a rebalance, with rows that are gone.
        owned = self._ownership.get(self.source, tp.partition)
        return -1 if owned is None else owned.changelog_ends.get(self.name, 0) - 1

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Forget what only recovery needs."""
        self._tombstones.clear()
        await super().on_recovery_completed(active_tps, standby_tps)


class PromptTableManager(TableManager):
    """Faust's, without the second that it sleeps for tables to be declared: ours are, before the start."""

    async def on_start(self) -> None:
        """Begin to recover as soon as partitions are assigned."""
        await self._update_channels()
        await self.recovery.start()


def _applied_offset_of(tombstone: Record) -> int:
    for name, value in tombstone.headers:
        if name == APPLIED_OFFSET_HEADER and value is not None:
            return int(value)
    # Not written by us; a person who deletes a row by hand means it.
    return 2**63
