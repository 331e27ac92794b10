"""What is measured with: a day of a busy centre as records, and a topic filled with it."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2
from msgspec import Struct

from stream.codec import encode, key_of
from stream.domain.events import AgentEvent
from stream.ingest.simulator import busy_centre, simulate

__all__ = ["START", "Material", "Sent", "fill", "material"]

START = datetime(2026, 11, 20, tzinfo=UTC)
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
    """Return the first *events* contact events of a busy day."""
    told = simulate(busy_centre(queues), start=START, end=START + timedelta(days=30), seed=seed)
    of_contacts = (event for event in told if not isinstance(event, AgentEvent))
    records = [Sent(key_of(event), encode(event)) for event in islice(of_contacts, events)]
    by_partition: list[list[Sent]] = [[] for _ in range(partitions)]
    for record in records:
        by_partition[(murmur2(record.key) & 0x7FFFFFFF) % partitions].append(record)
    return Material(records, by_partition)


async def fill(address: str, topic: str, what: Material) -> None:
    """Write all records to the partitions of their keys, packed as tightly as a busy producer packs them."""
    producer = AIOKafkaProducer(bootstrap_servers=address, max_batch_size=BATCH_BYTES, max_request_size=2 * BATCH_BYTES)
    await producer.start()
    try:
        for partition, records in enumerate(what.by_partition):
            batch = producer.create_batch()
            for record in records:
                if batch.append(key=record.key, value=record.value, timestamp=None) is None:
                    await (await producer.send_batch(batch, topic, partition=partition))
                    batch = producer.create_batch()
                    batch.append(key=record.key, value=record.value, timestamp=None)
            await (await producer.send_batch(batch, topic, partition=partition))
    finally:
        await producer.stop()
