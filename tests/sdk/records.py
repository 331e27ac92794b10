"""What has arrived on a broker, record by record."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic

from scripts.apache_kafka.admin import admin_of
from stream.core.cloudevents import Event
from stream.families.registry import DECODER, FAMILIES

__all__ = ["Record", "create_topics", "records_of"]

PARTITIONS = 4


class Record(NamedTuple):
    """One record, and the event in it."""

    partition: int
    key: bytes
    event: Event
    value: bytes
    headers: list[tuple[str, bytes]]


async def create_topics(address: str) -> None:
    """Create the topics of all families."""
    async with admin_of(address) as admin:
        await admin.create_topics([NewTopic(family.name, PARTITIONS, 1) for family in FAMILIES])


@asynccontextmanager
async def _reading(address: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def records_of(address: str, tenant: str, topic: str = "contacts") -> list[Record]:
    """Return each record of a tenant, in the order of its partition."""
    found: list[Record] = []
    async with _reading(address) as consumer:
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        # Tansu's end offset lags behind within a batch: an empty fetch behind it is the end.
        more = True
        while more or any([await consumer.position(place) < ends[place] for place in places]):
            fetched = await consumer.getmany(timeout_ms=150)
            for place, records in fetched.items():
                found += [
                    Record(place.partition, one.key, DECODER.decode(one.value), one.value, [*one.headers])
                    for one in records
                ]
            more = bool(fetched)
    return [one for one in found if one.event.tenantid == tenant]
