"""What decision 0003 assumes of Apache Kafka's compaction, asked of Apache Kafka."""

import asyncio
from collections.abc import AsyncIterator

import aiokafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import TopicPartition

from scripts.apache_kafka.admin import admin_of
from scripts.apache_kafka.cluster import Cluster as Kafka
from stream.runtime.kafka.topics import TopicDeclaration, ensure_topics

HASTY = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": "0",
    "delete.retention.ms": "0",
    "segment.ms": "50",
    "min.cleanable.dirty.ratio": "0.001",
}
"""Everything that may be compacted is, at once."""


@pytest.fixture
async def hasty(kafka: Kafka) -> AsyncIterator[str]:
    """A broker whose cleaner hardly rests."""
    async with admin_of(kafka.address) as admin:
        await _rest(admin, {"log.cleaner.backoff.ms": "50"})
        topics = {"idle": HASTY, "busy": HASTY, "kept": {**HASTY, "delete.retention.ms": "600000"}}
        await ensure_topics([kafka.address], [TopicDeclaration(name, 1, config) for name, config in topics.items()])
        yield kafka.address
        await admin.delete_topics([*topics])
        await _rest(admin, {})


async def _rest(admin: AIOKafkaAdminClient, settings: dict[str, str]) -> None:
    await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", configs=settings)])


async def write(address: str, topic: str, *records: tuple[bytes, bytes | None], first: int = 0) -> None:
    """Write each record, the *first* of them at this offset, so much later that it begins a new segment."""
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=address) as producer:
        for number, (key, value) in enumerate(records, first):
            await producer.send_and_wait(topic, value, key=key, partition=0, timestamp_ms=1_000_000_000 + number * 1000)


async def read(address: str, topic: str) -> list[tuple[int, bytes | None]]:
    """Return offsets and values of what the topic holds now."""
    where = TopicPartition(topic, 0)
    async with aiokafka.AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        consumer.assign([where])
        end = (await consumer.end_offsets([where]))[where]
        await consumer.seek_to_beginning(where)
        found = []
        while await consumer.position(where) < end:
            found += [(one.offset, one.value) for one in (await consumer.getmany(timeout_ms=100)).get(where, [])]
        return found


async def test_what_was_written_last_is_neither_compacted_nor_a_reason_to_compact(hasty: str) -> None:
    """So a stale row after which nothing follows hides no newer one; and recovery finds the last offset."""
    records: list[tuple[bytes, bytes | None]] = [(b"k", b"newer"), (b"k", b"stale")]
    await write(hasty, "idle", *records)
    await write(hasty, "busy", *records, (b"gone", None))
    async with asyncio.timeout(60):
        while (0, b"newer") in await read(hasty, "busy"):
            await asyncio.sleep(0.1)

    assert await read(hasty, "busy") == [(1, b"stale"), (2, None)]
    assert await read(hasty, "idle") == [(0, b"newer"), (1, b"stale")]


async def compacted(address: str, topic: str, offset: int) -> None:
    """Write until the record at *offset*, which is not the last of its key, is gone."""
    async with asyncio.timeout(60):
        while offset in (found := [at for at, _ in await read(address, topic)]):
            await write(address, topic, (b"next", b"x"), first=found[-1] + 1)


@pytest.mark.parametrize(("topic", "kept"), [("busy", False), ("kept", True)])
async def test_a_tombstone_outlives_what_it_deletes_by_as_long_as_is_declared(
    hasty: str, topic: str, *, kept: bool
) -> None:
    """So a recovery that has read a row learns that it is gone, though the row is compacted away meanwhile."""
    await write(hasty, topic, (b"k", b"row"), (b"k", None), (b"next", b"x"))
    await compacted(hasty, topic, 0)
    (newest, _) = (await read(hasty, topic))[-1]
    await write(hasty, topic, (b"next", b"x"), first=newest + 1)
    await compacted(hasty, topic, newest)  # by another run of the cleaner: the first one only sets the time

    assert ((1, None) in await read(hasty, topic)) == kept
