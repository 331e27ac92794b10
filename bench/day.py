"""The day that every benchmark of speed shares: how large it is, and a broker that holds all of it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from bench.brokers import Broker, broker
from bench.material import fill, material
from bench.processes import in_own_process
from stream.runtime.kafka.topics import ensure_topics, source_topic
from stream.settings import Settings

__all__ = ["Day", "filled_broker"]


class Day(Struct, frozen=True):
    """How much happens in it, and how producers send it."""

    events: int = 2_000_000
    queues: int = 200
    partitions: int = 16
    batch_bytes: int = 16_384
    """Kafka's own default of a producer (`batch.size`), which batches of a backlog fill."""
    compression: str | None = None
    """Kafka's own default is none."""


@contextmanager
def filled_broker(kind: str, day: Day) -> Iterator[Broker]:
    """Run a broker whose contacts topic holds the *day*."""
    with broker(kind) as running:
        size = in_own_process(_fill, running.address, day)
        print(
            f"{running.name}: {day.events:,} events of {day.queues} queues on {day.partitions} partitions, "
            f"{size} bytes each, in batches of {day.batch_bytes // 1024} KiB, compression {day.compression or 'none'}",
            flush=True,
        )
        yield running


def _fill(address: str, day: Day) -> int:
    what = material(day.events, day.queues, day.partitions)
    topic = source_topic("contacts", day.partitions, retention=Settings().retention)
    asyncio.run(ensure_topics([address], [topic], replication=1))
    asyncio.run(fill(address, "contacts", what, batch_bytes=day.batch_bytes, compression=day.compression))
    return what.size // day.events
