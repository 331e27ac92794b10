"""What decision 0003 assumes of Apache Kafka's compaction, asked of Apache Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiokafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import TopicPartition

from scripts.apache_kafka.cluster import Cluster as Kafka
from stream.processing.topics import TopicDeclaration, ensure_topics

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
    async with _admin(kafka.address) as admin:
        await _rest(admin, {"log.cleaner.backoff.ms": "50"})
        await ensure_topics([kafka.address], [TopicDeclaration(name, 1, HASTY) for name in ("idle", "busy")])
        yield kafka.address
        await admin.delete_topics(["idle", "busy"])
        await _rest(admin, {})


@asynccontextmanager
async def _admin(address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _rest(admin: AIOKafkaAdminClient, settings: dict[str, str]) -> None:
    await admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", configs=settings)])


async def write(address: str, topic: str, *records: tuple[bytes, bytes | None]) -> None:
    """Write each record so much later that it begins a new segment."""
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=address) as producer:
        for number, (key, value) in enumerate(records):
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
