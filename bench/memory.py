"""How much memory an open contact takes when there are a million, and what it is made of."""

import gc
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from resource import getpagesize
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple

from bench.judged import Judged
from bench.processes import in_own_process
from bench.report import at_most
from stream.core.cloudevents import Event, encode
from stream.families.contacts.events import ContactAnswered, ContactEnqueued
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.payloads import AnsweredData, EnqueuedData
from stream.families.contacts.tables import SEGMENTS, TALLIES
from stream.families.registry import DECODER
from stream.runtime.gc_tuning import GcTuning

__all__ = ["MOST_BYTES", "Memory", "measure"]

CONTACTS = 1_000_000
QUEUES = 200
PARTITIONS = 16
BATCH = 1000
MOST_BYTES = 700

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
_CODECS: dict[str, Any] = {"tallies": TALLIES, "segments": SEGMENTS}
_ALIGNED = 16
"""Python hands out small objects in steps of so many bytes."""


class Memory(Struct, frozen=True):
    """Bytes for each open contact: in all, as the operating system counts them, and by what they are spent on."""

    bytes_each: float
    spent_on: dict[str, float]


def measure(*, contacts: int = CONTACTS) -> list[Judged]:
    """Measure contacts that wait and that talk, each as events told of them, and as a restart found them."""
    return [
        _judged(phase, contacts, restarted=restarted) for phase in ("waiting", "talking") for restarted in (False, True)
    ]


def _judged(phase: str, contacts: int, *, restarted: bool) -> Judged:
    found = in_own_process(open_contacts, phase, contacts, restarted=restarted)
    parts = ", ".join(f"{what} {size:.0f}" for what, size in sorted(found.spent_on.items(), key=lambda item: -item[1]))
    what = f"bytes for each of {contacts:,} contacts {phase}{', after a restart' if restarted else ''}"
    return at_most(what, found.bytes_each, MOST_BYTES, note=f" ({parts})")


def open_contacts(phase: str, contacts: int, *, restarted: bool) -> Memory:
    """Fold the contacts as a worker does, or load their rows, and weigh the process before and after."""
    GcTuning().apply()
    folds = [ContactsFold() for _ in range(PARTITIONS)]
    positions = [0] * PARTITIONS
    before = _resident()
    for first in range(0, contacts, BATCH * PARTITIONS):
        for partition, batch in enumerate(_batches(phase, range(first, min(first + BATCH * PARTITIONS, contacts)))):
            offsets = range(positions[partition], positions[partition] + len(batch))
            positions[partition] = offsets.stop
            if restarted:
                _load(folds[partition], batch, offsets)
            else:
                _fold(folds[partition], batch, offsets)
    if restarted:
        for fold in folds:
            fold.recovered()
    after = _resident()
    found = sum(
        len(queue.phases.waiting) + len(queue.phases.talking) for fold in folds for queue in fold.queues.values()
    )
    assert found == contacts
    return Memory((after - before) / contacts, _spent(folds[0]))


def _batches(phase: str, numbers: range) -> list[list[Event]]:
    """Return what the next records of each partition tell."""
    batches: list[list[Event]] = [[] for _ in range(PARTITIONS)]
    for number in numbers:
        batches[number % QUEUES % PARTITIONS] += map(DECODER.decode, _records(phase, number))
    return batches


def _records(phase: str, number: int) -> Iterator[bytes]:
    """Yield what a call system tells of a contact that is still in that phase."""
    at = START + timedelta(milliseconds=3 * number, microseconds=number % 1000)
    queue = f"queue-{number % QUEUES:03d}"
    told: dict[str, Any] = {
        "specversion": "1.0",
        "source": "pbx-1",
        "subject": f"6f1ed002-ab5d-4f5f-9a90-{number:012d}",
        "tenantid": f"tenant-{number % QUEUES // 50}",
    }
    yield encode(ContactEnqueued(id=f"{number}-1", time=at, data=EnqueuedData(queue=queue, channel="voice"), **told))
    if phase == "talking":
        answered = AnsweredData(queue=queue, channel="voice", wait_ms=10_000 + number % 1000)
        yield encode(ContactAnswered(id=f"{number}-2", time=at + timedelta(seconds=12), data=answered, **told))


def _fold(fold: ContactsFold, batch: Sequence[Event], offsets: range) -> None:
    """Apply a batch, take its checkpoint, and commit."""
    assert not fold.apply(batch, offsets).failed
    fold.settle()
    for name, rows in fold.tables.items():
        for key, row in rows.drain_changed():
            _CODECS[name].encode_key(key)
            _CODECS[name].encode_row(row)
    fold.committed(offsets.stop)


def _load(fold: ContactsFold, batch: Sequence[Event], offsets: range) -> None:
    """Load the rows that a worker of before wrote of a batch."""
    former = ContactsFold()
    assert not former.apply(batch, offsets).failed
    codec = _CODECS["segments"]
    keys = codec.decode_keys([codec.encode_key(key) for key in former.segments])
    rows = codec.decode_rows([codec.encode_row(row) for row in former.segments.values()])
    for key, row in zip(keys, rows, strict=True):
        fold.segments.load(key, row)


def _spent(fold: ContactsFold) -> dict[str, float]:
    """Return what the contacts of one fold are made of; what several share is counted once."""
    spent, seen = Counter[str](), set[int]()

    def add(what: str, thing: object, *parts: object) -> None:
        if id(thing) not in seen:
            seen.add(id(thing))
            spent[what] += -(-sys.getsizeof(thing) // _ALIGNED) * _ALIGNED
            for part in parts:
                inner = astuple(part) if isinstance(part, Struct) else part if isinstance(part, tuple) else ()
                add(type(part).__name__, part, *inner)

    add("rows", fold.segments)
    for key, row in fold.segments.items():
        add("key", key, *key)
        add("segment", row, *astuple(row))
    for queue in fold.queues.values():
        for phase in (queue.phases.waiting, queue.phases.talking):
            add("phases", phase)
            for key, since in phase.items():
                add("second key", key, *key)
                add("second instant", since)
    each = {what: size / len(fold.segments) for what, size in spent.items()}
    return {what: size for what, size in each.items() if size >= 1}


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * getpagesize()
