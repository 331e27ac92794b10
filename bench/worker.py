"""A worker in a process of its own that tells how far it is: `python -m bench.worker '{"brokers": …}'`.

It is the whole product, pages included. Each line it prints is a `Progress`; it stops in order when
its standard input ends.
"""

import asyncio
import sys
from collections import deque
from datetime import timedelta
from time import monotonic, process_time, thread_time

import msgspec
from msgspec import Struct

from stream.app.service import Service
from stream.runtime.checkpoint.partitions import OwnedPartition
from stream.settings import Settings

__all__ = ["Order", "Progress"]

TELL_SECONDS = 0.02
# The material has the times of a day that is to come on a machine whose clock is behind.
ANY_TIME = timedelta(days=36_500)


class Order(Struct, frozen=True):
    """What worker to be."""

    brokers: str
    idempotent: bool
    group: str
    partitions: int
    max_queues: int = 10_000


class Progress(Struct, frozen=True):
    """How far a worker is, at an instant of the machine's monotonic clock."""

    at: float
    cpu: float
    """Seconds of processor time of this process."""
    cpu_of_main_thread: float
    """Of its main thread, which folds; the Kafka client has a thread of its own."""
    ready: bool
    applied: int
    """Events, since the start."""
    durable: int
    """Events below the committed offsets of the partitions that are owned now."""
    until_durable: float
    """Seconds from the application of a record to the commit that covers it: the longest since the line before."""
    checkpoint: float
    """Seconds that the last checkpoint took."""
    rows: int
    """Written to changelogs."""
    faults: int
    """Dead letters, gaps, failed checkpoints: not zero makes every figure void."""
    url: str


class Durability:
    """Follows applied and committed offsets, as often as it looks."""

    def __init__(self) -> None:
        self._applied: dict[OwnedPartition, deque[tuple[int, float]]] = {}

    def look(self, partitions: list[OwnedPartition], now: float) -> float:
        """Note what has been applied, and return how long what has just become durable had to wait for that."""
        longest = 0.0
        for owned in partitions:
            waiting = self._applied.setdefault(owned, deque())
            if owned.position > (waiting[-1][0] if waiting else owned.committed):
                waiting.append((owned.position, now))
            while waiting and waiting[0][0] <= owned.committed:
                longest = max(longest, now - waiting.popleft()[1])
        return longest


async def _work(order: Order) -> None:
    settings = Settings(
        group=order.group,
        partitions=order.partitions,
        future_tolerance=ANY_TIME,
        max_queues=order.max_queues,
        max_queues_per_tenant=order.max_queues,
        http_port=0,
    )
    service = Service(settings, brokers=order.brokers, idempotent=order.idempotent)
    telling = asyncio.create_task(_tell(service))
    async with service:
        await asyncio.to_thread(sys.stdin.read)
    telling.cancel()


async def _tell(service: Service) -> None:
    durability = Durability()
    lines = msgspec.json.Encoder()
    while True:
        await asyncio.sleep(TELL_SECONDS)
        now, feed = monotonic(), service.feed
        owned = [one for one in service.worker.ownership if one.tp.topic == "contacts" and one.live]
        progress = Progress(
            at=now,
            cpu=process_time(),
            cpu_of_main_thread=thread_time(),
            ready=feed.ready,
            applied=feed.events.total(),
            durable=sum(one.committed for one in owned),
            until_durable=durability.look(owned, now),
            checkpoint=feed.checkpoints.seconds_last,
            rows=feed.checkpoints.rows,
            faults=feed.dead_letters + feed.gaps + feed.checkpoints.failures,
            url=service.address if feed.ready else "",
        )
        print(lines.encode(progress).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(_work(msgspec.json.decode(sys.argv[1], type=Order)))
