"""A producer in a process of its own that sends live events at an even pace, and tells when probes were acknowledged.

`python -m bench.live '{"address": …}'`. Probes are events like all others, on one queue per partition;
each counts in `contact_blocked_total` of its queue, so the page shows how many have arrived there.
"""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, cycle, islice
from time import monotonic

import msgspec
from msgspec import Struct

from bench.lives import EVENTS_OF_A_CONTACT, LONGEST_LIFE, lives
from stream.core.cloudevents import Event
from stream.families.contacts.events import ContactBlocked
from stream.families.contacts.payloads import BlockedData
from stream.families.registry import DECODER
from stream.runtime.routing.processor import home_of
from stream.sdk.producer import Producer

__all__ = ["Acknowledged", "Live"]

TICK_SECONDS = 0.005
PROBE_EVERY = 6
"""Of so many events one is a probe: with 5,000 a second and 16 partitions each gets one in 20 ms."""
STILL_OPEN = 20_000
QUEUES = 200


class Live(Struct, frozen=True):
    """What to send, and where."""

    address: str
    partitions: int
    per_second: int
    seconds: float


class Acknowledged(Struct, frozen=True):
    """What was sent."""

    began: float
    """When the even pace began, by the machine's monotonic clock."""
    ended: float
    events: int
    latest_seconds: float
    """How far the producer itself was behind its pace, at most."""
    probes: list[list[float]]
    """By partition, when each probe was acknowledged."""


class _Pace:
    """Sends what is due, tick by tick."""

    def __init__(self, order: Live, producer: Producer) -> None:
        self._order = order
        self._producer = producer
        self._probes: list[list[float]] = [[] for _ in range(order.partitions)]
        self._names = [probe_of(partition, order.partitions) for partition in range(order.partitions)]
        self._waiting: set[asyncio.Task[None]] = set()
        self._latest = 0.0

    async def run(self, events: Iterator[Event]) -> Acknowledged:
        partitions, began, sent = cycle(range(self._order.partitions)), monotonic(), 0
        while (now := monotonic()) < began + self._order.seconds:
            due = int((now - began) * self._order.per_second)
            self._latest = max(self._latest, now - began - sent / self._order.per_second)
            for number in range(sent, due):
                if number % PROBE_EVERY == 0:
                    self._probe(next(partitions), number)
                else:
                    self._producer.post_nowait(next(events))
            sent = due
            await asyncio.sleep(TICK_SECONDS)
        await self._producer.flush()
        await asyncio.gather(*self._waiting)
        return Acknowledged(began, monotonic(), sent, self._latest, self._probes)

    def _probe(self, partition: int, number: int) -> None:
        event = ContactBlocked(
            id=f"probe-{number}",
            source="/bench/live",
            time=datetime.now(UTC),
            subject=f"probe-{number}",
            specversion="1.0",
            data=BlockedData(queue=self._names[partition], reason="full"),
        )
        task = asyncio.create_task(self._send(event, self._probes[partition]))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _send(self, event: Event, acknowledged: list[float]) -> None:
        await self._producer.send(event)
        acknowledged.append(monotonic())


def probe_of(partition: int, partitions: int) -> str:
    """Return the name of the queue whose events lie in *partition*."""
    names = (f"probe-{partition}-{number}" for number in count())
    return next(name for name in names if home_of(f"default/{name}".encode(), partitions) == partition)


async def _live(order: Live) -> Acknowledged:
    contacts_per_second = order.per_second * (1 - 1 / PROBE_EVERY) / EVENTS_OF_A_CONTACT
    past = (STILL_OPEN + LONGEST_LIFE) / contacts_per_second
    start = datetime.now(UTC) - timedelta(seconds=past)
    steps = lives(QUEUES, STILL_OPEN, start=start, per_second=contacts_per_second)
    async with Producer(order.address) as producer:
        for step in islice(steps, STILL_OPEN + LONGEST_LIFE):
            for event in step:
                await producer.post(DECODER.decode(event.value))
        await producer.flush()
        events = (DECODER.decode(event.value) for step in steps for event in step)
        return await _Pace(order, producer).run(events)


if __name__ == "__main__":
    found = asyncio.run(_live(msgspec.json.decode(sys.argv[1], type=Live)))
    sys.stdout.buffer.write(msgspec.json.encode(found))
