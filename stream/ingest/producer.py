"""The producer SDK: hands events to the broker and knows which of them it has acknowledged.

Key, topic and CloudEvents envelope are made here; an event that is not valid is refused at once, with the
reason. `BlockingProducer` (in `stream.ingest.blocking`) is the same for synchronous programs.
"""

import asyncio
import logging
from collections.abc import Iterable
from functools import lru_cache
from types import TracebackType
from typing import Self

import msgspec
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import murmur2

from stream import codec
from stream.domain.events import Event
from stream.errors import BrokerError, InvalidEvent
from stream.ingest.link import Client, Link, ProducerPolicy
from stream.ingest.outbox import Delivery, Lane, Parcel, Room

__all__ = ["BufferFull", "Producer", "ProducerPolicy", "checked"]

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

REQUESTS_OF_AN_ATTEMPT = 3
"""
So many requests may time out until a client is given up for a new one.

aiokafka tries an idempotent batch for ever, and after a broker has hung for a while does not always get on with it.
"""

BREATHER = 500
"""So many events of a large batch are taken before others get their turn on the event loop."""

HOPELESS = (MessageSizeTooLargeError, TopicAuthorizationFailedError)
"""What will not be better at the next attempt."""


class BufferFull(BrokerError):
    """The buffer has no room for another event: the broker takes fewer than are made."""


def checked(event: Event) -> bytes:
    """Return the event as it goes on the wire; raises InvalidEvent if a reader would refuse it."""
    try:
        value = codec.encode(event)
    except (msgspec.MsgspecError, TypeError, ValueError) as failure:
        # Their messages quote types, not values; the value at fault may be personal data.
        raise InvalidEvent("invalid_field", f"the event cannot be written as JSON ({type(failure).__name__})") from None
    codec.decode(value)
    return value


class Producer:
    """
    Sends events to the broker at *address* (`host:port`, or `kafka://host:port,host:port`).

    It connects when it must, so it can be made while the broker is down; events wait in a bounded buffer, are
    sent again until they are acknowledged, and after `delivery_timeout` their sender gets a BrokerError. Events
    of one queue keep their order. Use it as a context manager, on one event loop.
    """

    def __init__(self, address: str, *, policy: ProducerPolicy | None = None) -> None:
        self._policy = policy or ProducerPolicy()
        self._link = Link(address, self._policy)
        self._room = Room(self._policy.buffer_bytes)
        self._posted = Delivery()
        self._lanes: dict[tuple[str, int | None], Lane] = {}
        self._partitions: dict[str, list[int]] = {}
        self._closed = False

    async def send(self, event: Event) -> None:
        """Return when the broker has acknowledged the event; if cancelled, the event may arrive all the same."""
        delivery = Delivery()
        await self._accept(event, delivery)
        await delivery.wait()

    async def send_many(self, events: Iterable[Event]) -> int:
        """
        Return when the broker has acknowledged all of them, and how many they were.

        The fast way: they travel in batches. An invalid event stops it, after those before it have arrived.
        """
        delivery = Delivery()
        try:
            for event in events:
                await self._accept(event, delivery)
                if not delivery.taken % BREATHER:
                    await asyncio.sleep(0)
        except InvalidEvent:
            await delivery.wait()
            raise
        return await delivery.wait()

    async def post(self, event: Event) -> None:
        """Return when there is room for the event in the buffer; `flush` and `close` tell if it was lost."""
        await self._accept(event, self._posted)

    def post_nowait(self, event: Event) -> None:
        """Put the event into the buffer; raises BufferFull if there is no room."""
        parcel = self._parcel(event, self._posted)
        if not self._room.take_now(parcel.size):
            raise BufferFull(f"the buffer of {self._room.limit} bytes (buffer_bytes) is full")
        self._put(codec.topic_of(event), parcel)

    async def flush(self) -> None:
        """Wait until every posted event is acknowledged; raises BrokerError naming how many were not."""
        await self._posted.wait()

    async def close(self) -> None:
        """Deliver what is in the buffer, and disconnect; raises BrokerError naming how many posted events were not."""
        self._closed = True
        await self._room.empty()
        await self._link.close()
        await self.flush()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.close()
        except BrokerError as lost:
            if error is None:
                raise
            log.warning("%s", lost)  # the error that is on its way says more

    def _parcel(self, event: Event, delivery: Delivery) -> Parcel:
        if self._closed:
            raise BrokerError("the producer is closed")
        return Parcel(codec.key_of(event), checked(event), delivery)

    async def _accept(self, event: Event, delivery: Delivery) -> None:
        parcel = self._parcel(event, delivery)
        if not self._room.take_now(parcel.size):
            await self._room.take(parcel.size)
        self._put(codec.topic_of(event), parcel)

    def _put(self, topic: str, parcel: Parcel) -> None:
        """Take a parcel, for which there is room, on its way."""
        parcel.delivery.add()
        parcel.deadline = asyncio.get_running_loop().time() + self._policy.delivery_timeout.total_seconds()
        self._load(topic, parcel)

    def _load(self, topic: str, parcel: Parcel) -> None:
        known = self._partitions.get(topic)
        partition = known[_hash(parcel.key) % len(known)] if known else None
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = Lane(topic, partition, self._room)
        lane.parcels.append(parcel)
        if lane.task is None:
            self._start(lane)

    def _start(self, lane: Lane) -> None:
        lane.task = asyncio.create_task(self._run(lane))
        lane.task.add_done_callback(lambda task: self._stopped(lane, task))

    def _stopped(self, lane: Lane, task: asyncio.Task[None]) -> None:
        """Go on if something came in meanwhile; after a defect of ours nobody may wait for ever."""
        lane.task = None
        if task.cancelled():
            return
        if task.exception() is not None:
            lane.settle(len(lane.parcels), f"the producer failed: {type(task.exception()).__name__}")
            log.error("the producer failed on %s", lane.topic, exc_info=task.exception())
        if lane.parcels:
            self._start(lane)

    async def _run(self, lane: Lane) -> None:
        """Empty a lane; one task at a time does, so its order is kept."""
        pause = FIRST_PAUSE_SECONDS
        while lane.parcels:
            failure = await self._attempt(lane)
            if failure is None:
                pause = FIRST_PAUSE_SECONDS
                continue
            left = lane.parcels[0].deadline - asyncio.get_running_loop().time()
            await asyncio.sleep(max(0.0, min(pause, left)))
            self._give_up(lane, failure)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _attempt(self, lane: Lane) -> Exception | None:
        """Send one batch; returns what went wrong."""
        client: Client | None = None
        problem: Exception
        try:
            patience = REQUESTS_OF_AN_ATTEMPT * self._policy.request_timeout.total_seconds()
            until = asyncio.get_running_loop().time() + patience
            async with asyncio.timeout_at(min(until, lane.parcels[0].deadline)):
                client = await self._link.client()
                await self._advance(client, lane)
        except (KafkaError, TimeoutError, OSError) as failure:
            problem = failure
        else:
            return None
        log.warning("%s: the broker at %s: %s", lane.topic, self._link.address, type(problem).__name__)
        if not isinstance(problem, (UnknownTopicOrPartitionError, *HOPELESS)):
            self._link.drop(client)
        return problem

    async def _advance(self, client: Client, lane: Lane) -> None:
        self._partitions[lane.topic] = known = await self._link.partitions(client, lane.topic)
        if lane.partition not in known:
            self._reload(lane)
            return
        batch, count = client.create_batch(), 0
        for parcel in lane.parcels:
            # The time of arrival, not of the event: brokers delete by it, and a recorded day would be gone at once.
            if batch.append(timestamp=None, key=parcel.key, value=parcel.value) is None:
                break
            count += 1
        lane.batch = count
        await (await client.send_batch(batch, lane.topic, partition=lane.partition))
        lane.settle(count)

    def _reload(self, lane: Lane) -> None:
        """Put parcels into the lanes that they belong to, now that the topic's partitions are known."""
        parcels = list(lane.parcels)
        lane.parcels.clear()
        for parcel in parcels:
            self._load(lane.topic, parcel)

    def _give_up(self, lane: Lane, failure: Exception) -> None:
        why = self._explain(lane, failure)
        if isinstance(failure, HOPELESS):
            lane.settle(lane.batch or len(lane.parcels), why)
        else:
            lane.expire(asyncio.get_running_loop().time(), why)

    def _explain(self, lane: Lane, failure: Exception) -> str:
        at = f"the broker at {self._link.address}"
        if isinstance(failure, UnknownTopicOrPartitionError):
            return f"{at} has no topic {lane.topic}; create it with `contact-stream topics`"
        if isinstance(failure, HOPELESS):
            return f"{at} refuses events on {lane.topic}: {type(failure).__name__}"
        seconds = self._policy.delivery_timeout.total_seconds()
        return f"{at} did not take them within {seconds:g} s (delivery_timeout): {type(failure).__name__}"


@lru_cache(maxsize=4096)
def _hash(key: bytes) -> int:
    """Return what Java's default partitioner computes, so that every producer agrees on the partition."""
    return int(murmur2(key)) & 0x7FFFFFFF
