"""What is measured with: a day of a busy centre as records, and a topic filled with it."""

import asyncio
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from msgspec import Struct

import stream
from stream.core.cloudevents import encode, key_of
from stream.families.contacts.events import ContactEnqueued
from stream.families.registry import DECODER
from stream.runtime.routing.processor import home_of
from stream.simulator import busy_centre, simulate

__all__ = ["CACHE", "START", "Material", "Sent", "by_home", "fill", "material"]

START = datetime(2026, 11, 20, tzinfo=UTC)
CACHE = Path(__file__).parents[1] / ".cache" / "bench"
BATCH_BYTES = 900_000


class Sent(NamedTuple):
    """One record."""

    key: bytes
    value: bytes


class Material(Struct, frozen=True):
    """Records of a day in the order of time, and by partition."""

    records: list[Sent]
    by_partition: list[list[Sent]]

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return sum(len(record.value) for record in self.records)


def material(events: int, queues: int, partitions: int, *, seed: int = 1) -> Material:
    """Return the first *events* contact events of a busy day; what took long to simulate is kept in `.cache/bench`."""
    kept = CACHE / f"day-{queues}-{events}-{seed}-{_version()}.jsonl"
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        # Under a name of its own: two processes may both find that there is none.
        with tempfile.NamedTemporaryFile(dir=CACHE, suffix=".part", delete=False) as filling:
            filling.write(b"".join(value + b"\n" for value in _simulated(events, queues, seed)))
        Path(filling.name).rename(kept)
    with kept.open("rb") as lines:
        records = [Sent(key_of(DECODER.decode(value)), value) for value in map(bytes.rstrip, lines)]
    return Material(records, by_home(records, partitions))


def by_home(records: Iterable[Sent], partitions: int) -> list[list[Sent]]:
    """Share records out to the partitions of their keys."""
    shares: list[list[Sent]] = [[] for _ in range(partitions)]
    homes: dict[bytes, list[Sent]] = {}
    for record in records:
        share = homes.get(record.key)
        if share is None:
            share = homes[record.key] = shares[home_of(record.key, partitions)]
        share.append(record)
    return shares


def _simulated(events: int, queues: int, seed: int) -> Iterator[bytes]:
    told = simulate(busy_centre(queues), start=START, end=START + timedelta(days=30), seed=seed)
    return map(encode, islice((event for event in told if event.topic == ContactEnqueued.topic), events))


def _version() -> str:
    """Return a digest of what the material follows from."""
    home = Path(stream.__path__[0])
    sources = [
        *sorted((home / "simulator").glob("*.py")),
        home / "core/cloudevents.py",
        *sorted((home / "families").glob("*/events.py")),
        home / "families/contacts/payloads.py",
    ]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:8]


async def fill(
    address: str, topic: str, what: Material, *, batch_bytes: int = BATCH_BYTES, compression: str | None = None
) -> None:
    """Write all records to the partitions of their keys, in full batches of *batch_bytes*."""
    producer = AIOKafkaProducer(
        bootstrap_servers=address,
        max_batch_size=batch_bytes,
        max_request_size=2 * BATCH_BYTES,
        compression_type=compression,
    )
    await producer.start()
    try:
        lanes = (_fill(producer, topic, partition, records) for partition, records in enumerate(what.by_partition))
        await asyncio.gather(*lanes)
    finally:
        await producer.stop()


async def _fill(producer: AIOKafkaProducer, topic: str, partition: int, records: Iterable[Sent]) -> None:
    batch = producer.create_batch()
    for record in records:
        if batch.append(key=record.key, value=record.value, timestamp=None) is None:
            await (await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(key=record.key, value=record.value, timestamp=None)
    await (await producer.send_batch(batch, topic, partition=partition))
