"""Reads whole fetches, and past what cannot be read as Kafka records: a broken header, an unknown compression.

aiokafka raises on such a record, and would on every fetch from there. Here a stand-in takes its offset,
so that it becomes a dead letter, and reading goes on with what comes after it. Another one takes the offset of what
there is nothing to read of: the end of a transaction, and the records of one that was aborted.
"""

# ruff: noqa: SLF001  # aiokafka has no public way past a record that it cannot read; constraints.txt pins it

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException, KafkaError
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from aiokafka.record.util import decode_varint

from stream.runtime.source_topic import Headers, Record

__all__ = ["LeftOut", "Unreadable", "WholeFetch", "keep_batches"]

logger = logging.getLogger(__name__)

MAX_STAND_INS = 10_000
"""For a batch that claims to have more records than that, the last stands for the rest."""

MAGIC_AT = 16
"""Where a batch says its format; only format 2 can be read record by record."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Stands at the offset of a record that cannot be read: a record without anything."""

    offset: int
    why: str
    """For the dead letter and the log; never quotes the record."""
    timestamp: int | None = None
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Stands at an offset without a record: else the jump would be taken for a loss, and a lag would never end."""

    offset: int
    timestamp: int | None = None
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()


class _Batches:
    """Splits a fetch into batches as aiokafka does, and remembers the bytes of the one being read."""

    def __init__(self, fetched: bytes) -> None:
        self._batches = _MemoryRecordsPy(fetched)
        self.raw = b""
        self.batch: Any = None

    def size_in_bytes(self) -> int:
        return int(self._batches.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._batches.has_next())

    def next_batch(self) -> Any:
        self.batch, self.raw = None, self._batches._next_slice
        self.batch = self._batches.next_batch()
        return self.batch


def keep_batches() -> None:
    """Have aiokafka's fetchers remember the bytes of a batch while they read it."""
    fetcher.MemoryRecords = _Batches


class WholeFetch:
    """
    The records of one fetch and partition, in place of aiokafka's own: it passes them one by one.

    That costs more than all the rest of parsing, and so does the dataclass of 11 fields that it makes
    of each: its own record object has what we need.
    """

    def __init__(self, fetched: Any, *, stand_ins: bool) -> None:
        self._fetched = fetched
        self._stand_ins = stand_ins
        # aiokafka's iterator and what it reads hold each other until it is used up, which it never
        # will be: each would keep its megabyte until the collector comes by.
        fetched._records_iterator = None

    @property
    def next_fetch_offset(self) -> int:
        """Where to fetch next, once the records have been taken."""
        return int(self._fetched.next_fetch_offset)

    def __iter__(self) -> Iterator[Record]:
        """Return the records; raises what aiokafka raises at what cannot be read, unless that gets *stand_ins*."""
        fetched, records = self._fetched, list[Record]()
        while fetched._records.has_next():
            try:
                _read_batch(fetched, records, stand_ins=self._stand_ins)
            except Exception as failure:
                if not self._stand_ins or fetched._records.batch is None:
                    raise  # without the bounds of a batch it is no answer of a broker
                # The batch was read up to the record at fault: what came before it is not read again.
                if records:
                    fetched.next_fetch_offset = max(records[-1].offset + 1, fetched.next_fetch_offset)
                records += _rest_of_batch(fetched, failure)
        return iter(records)


def _read_batch(fetched: Any, records: list[Record], *, stand_ins: bool) -> None:
    """Add the next batch to *records*; a compressed one may begin before the offset that was asked for."""
    batch = fetched._records.next_batch()
    if not batch.validate_crc():
        raise CorruptRecordException("its checksum is wrong")
    if (batch.is_transactional or batch.is_control_batch) and _is_left_out(fetched, batch):
        if stand_ins:
            records += map(LeftOut, _offsets(max(batch.base_offset, fetched.next_fetch_offset), batch.next_offset))
    elif batch.base_offset >= fetched.next_fetch_offset:
        records += batch
    else:
        records += [record for record in batch if record.offset >= fetched.next_fetch_offset]
    fetched.next_fetch_offset = batch.next_offset


def _is_left_out(fetched: Any, batch: Any) -> bool:
    """Tell whether a batch only ends a transaction, or is of one that was aborted; as aiokafka does."""
    fetched._consume_aborted_up_to(batch.base_offset)
    aborted = fetched._aborted_producers
    if not batch.is_control_batch:
        return batch.producer_id in aborted
    if batch.is_transactional and fetched._contains_abort_marker(batch):
        aborted.discard(batch.producer_id)
    return True


def _offsets(start: int, end: int) -> Iterator[int]:
    yield from range(start, end)[: MAX_STAND_INS - 1]
    yield from range(start, end)[MAX_STAND_INS - 1 :][-1:]


def _rest_of_batch(fetched: Any, failure: Exception) -> Iterator[Record]:
    """Yield what aiokafka has not delivered of the batch at which it failed; each offset once."""
    batch, at = fetched._records.batch, fetched.next_fetch_offset
    end = max(int(batch.next_offset), at + 1)
    where = (*fetched._tp, at, end - 1, _explained(failure))
    logger.warning("%s, partition %d: within offsets %d to %d something cannot be read, set aside: %s", *where)
    try:
        for record in _one_by_one(fetched._records.raw):
            if at <= record.offset < end:
                at = fetched.next_fetch_offset = record.offset + 1
                yield record
    except Exception as broken:  # noqa: BLE001  # whatever a decompressor raises: the rest of the batch is lost
        failure = broken
    for offset in _offsets(at, end):
        fetched.next_fetch_offset = offset + 1
        yield Unreadable(offset, _explained(failure))
    fetched.next_fetch_offset = end


def _one_by_one(raw: bytes) -> Iterator[Record]:
    """Yield the records of a batch and stand-ins for broken ones; raises where it cannot be told any more."""
    if raw[MAGIC_AT] != 2:  # the format since Kafka 0.11
        raise CorruptRecordException("in a format of before Kafka 0.11")
    batch = _DefaultRecordBatchPy(raw)
    if not batch.validate_crc():
        raise CorruptRecordException("its checksum is wrong")
    batch._maybe_uncompress()
    for _ in range(batch._num_records):
        start = batch._pos
        try:
            record: Record = batch._read_msg()
        except (ValueError, IndexError, CorruptRecordException) as failure:
            record = _stand_in(batch, start, failure)
        yield record


def _stand_in(batch: Any, start: int, failure: Exception) -> Unreadable:
    """Move *batch* past the record at *start* and return what stands in for it."""
    length, body = decode_varint(batch._buffer, start)
    _, at = decode_varint(batch._buffer, body)  # attributes
    _, at = decode_varint(batch._buffer, at)  # time
    delta, _ = decode_varint(batch._buffer, at)
    batch._pos = body + length
    return Unreadable(batch.base_offset + delta, _explained(failure))


def _explained(failure: Exception) -> str:
    cause = failure.__cause__ or failure
    # Messages of decoders quote bytes of the record, which may be personal.
    if isinstance(cause, UnicodeDecodeError):
        return "the name of a header is not UTF-8"
    return str(cause) if isinstance(cause, KafkaError) else type(cause).__name__
