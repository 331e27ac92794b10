"""Events per second: decode and fold alone, a whole worker on the embedded broker, and the ceiling of the client."""

import asyncio
from datetime import UTC, datetime
from time import perf_counter

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from bench.material import Material, fill
from stream.codec import CONTACTS_TOPIC, decode
from stream.domain.floor import Floor
from stream.domain.policy import DEFAULT_POLICIES
from stream.processing.app import Worker, WorkerSettings, create_app, declared_topics
from stream.processing.interpreter import Tuning
from stream.processing.sources import source_topics
from stream.processing.topics import ensure_topics
from stream.settings import Settings

__all__ = ["ceiling", "fill_topic", "fold_alone", "whole_worker"]

BATCH = 4000


def fold_alone(what: Material) -> float:
    """Return events/s of decoding and folding in memory, partition by partition, in batches as a worker gets them."""
    floors = [Floor() for _ in what.by_partition]
    began = perf_counter()
    for floor, records in zip(floors, what.by_partition, strict=True):
        for start in range(0, len(records), BATCH):
            values = records[start : start + BATCH]
            floor.apply([decode(record.value) for record in values], range(start, start + len(values)))
            floor.committed(start)
    seconds = perf_counter() - began
    return len(what.records) / seconds


async def fill_topic(address: str, what: Material) -> None:
    """Declare all topics of a worker and fill the contacts topic."""
    settings = _settings(address, "fill", len(what.by_partition))
    await ensure_topics([address], declared_topics(settings, _sources()), replication=1)
    await fill(address, CONTACTS_TOPIC, what)


async def ceiling(address: str, what: Material) -> float:
    """Return records/s of `aiokafka.getmany` and `orjson.loads`, which nothing in Python on this client can pass."""
    partitions = [TopicPartition(CONTACTS_TOPIC, number) for number in range(len(what.by_partition))]
    consumer = AIOKafkaConsumer(bootstrap_servers=address, max_partition_fetch_bytes=2**20, enable_auto_commit=False)
    await consumer.start()
    consumer.assign(partitions)
    await consumer.seek_to_beginning()
    tuning = Tuning()
    tuning.apply()  # as a worker does: the ceiling must not pay more for its garbage
    seen, began = 0, perf_counter()
    while seen < len(what.records):
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            for record in records:
                orjson.loads(record.value)
            seen += len(records)
    seconds = perf_counter() - began
    tuning.restore()
    await consumer.stop()
    return seen / seconds


async def whole_worker(address: str, what: Material, *, group: str) -> float:
    """Return events/s of a worker with changelogs and checkpoints, from its first record to its last."""
    worker = create_app(_settings(address, group, len(what.by_partition)), _sources())
    starting = asyncio.create_task(worker.start())
    began = await _first_applied(worker)
    while worker.feed.events.total() < len(what.records):
        worker._raise_failure()
        await asyncio.sleep(0.005)
    seconds = perf_counter() - began
    await starting
    await worker.checkpoints.take()
    assert worker.feed.dead_letters == worker.feed.gaps == 0
    await worker.stop()
    return len(what.records) / seconds


async def _first_applied(worker: Worker) -> float:
    while not worker.feed.partitions or worker.feed.recovery != "ready":
        await asyncio.sleep(0.001)
    return perf_counter()


def _settings(address: str, group: str, partitions: int) -> WorkerSettings:
    return WorkerSettings(
        brokers=address,
        group=group,
        partitions=partitions,
        session_timeout=Settings().session_timeout / 2,
        idempotent=False,
    )


def _sources() -> list:  # type: ignore[type-arg]  # of the worker's own kind
    return source_topics(
        DEFAULT_POLICIES,
        partitions=1,
        max_queues_per_tenant=100_000,
        max_queues=100_000,
        future_tolerance=Settings().future_tolerance,
        clock=lambda: datetime.now(UTC),
    )
