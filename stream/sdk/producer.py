"""The producer SDK: hands events to the broker and knows which of them it has acknowledged.

Key, topic and CloudEvents envelope are made here; an event that is not valid is refused at once, with the
reason. `BlockingProducer` (in `stream.sdk.blocking`) is the same for synchronous programs.
"""

import asyncio
import logging
from collections.abc import Iterable
from functools import cache, lru_cache
from types import TracebackType
from typing import NamedTuple, Self

import msgspec
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import murmur2

from stream.core.cloudevents import Event, EventDecoder, encode, key_of
from stream.errors import (
    BrokerError,
    BrokerRefused,
    ContactStreamError,
    EventRefusalReason,
    EventsRefused,
    InvalidEvent,
    SettingsError,
)
from stream.sdk.buffer import BufferedRecord, ByteBudget, Delivery, PartitionBuffer
from stream.sdk.connection import Client, Link, ProducerPolicy
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity
from stream.security.refusals import refused_right

__all__ = ["BufferFull", "EncodedEvent", "KafkaSecurity", "Producer", "ProducerPolicy", "checked"]

logger = logging.getLogger(__name__)

# Doubled with each failure up to the longest: a broker that restarts is found soon, and one that is down is not
# hammered.
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

REQUESTS_OF_AN_ATTEMPT = 3
"""
So many requests may time out until a client is given up for a new one.

aiokafka tries an idempotent batch for ever, and after a broker has hung for a while does not always get on with it.
"""

BREATHER = 500
"""So many events of a large batch are taken before others get their turn on the event loop."""

BEYOND_MAX_BYTES = (MessageSizeTooLargeError, RecordListTooLargeError)
NO_RIGHT = (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)

HOPELESS = (*BEYOND_MAX_BYTES, *NO_RIGHT)
"""What will not be better at the next attempt."""


class BufferFull(BrokerError):
    """The buffer has no room for another event: the broker takes fewer than are made."""


class EncodedEvent(NamedTuple):
    """An event as it goes on the wire, which somebody has checked already."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def checked(event: Event) -> bytes:
    """Return the event as it goes on the wire; raises InvalidEvent if a reader would refuse it."""
    try:
        value = encode(event)
    except (msgspec.MsgspecError, TypeError, ValueError) as failure:
        # Their messages quote types, not values; the value at fault may be personal data.
        raise InvalidEvent("invalid_field", f"the event cannot be written as JSON ({type(failure).__name__})") from None
    # Read as a reader would read it: msgspec checks types and limits when it decodes, not when a struct is
    # made.
    _decoder_of(type(event)).decode(value)
    return value


class Producer:
    """
    Sends events to the broker at *address* (`host:port`, or `kafka://host:port,host:port`).

    It connects when it must, so it can be made while the broker is down; events wait in a bounded buffer, are
    sent again until they are acknowledged, and after `delivery_timeout` their sender gets a BrokerError. Events
    of one queue keep their order. *security* says how it comes to brokers that want TLS or a login; a first connection
    that they refuse fails at once, with the reason. Use it as a context manager, on one event loop.
    """

    def __init__(
        self, address: str, *, policy: ProducerPolicy | None = None, security: KafkaSecurity = PLAINTEXT
    ) -> None:
        self._policy = policy or ProducerPolicy()
        self._security = security
        self._link = Link(address, self._policy, security)
        self._budget = ByteBudget(self._policy.buffer_bytes)
        self._posted = Delivery()
        self._buffers: dict[tuple[str, int | None], PartitionBuffer] = {}
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

    async def send_encoded(self, events: Iterable[EncodedEvent]) -> int:
        """
        As `send_many`, for events that were checked and encoded before: they go as they are.

        Raises EventsRefused, a BrokerError, where the broker will not have some of them.
        """
        delivery = Delivery()
        records: list[BufferedRecord] = []
        for topic, key, value, headers in events:
            self._refuse_if_closed()
            records.append(BufferedRecord(key, value, delivery, headers))
            await self._hand_over(topic, records[-1])
            if not delivery.taken % BREATHER:
                await asyncio.sleep(0)
        try:
            return await delivery.wait()
        except BrokerError as lost:
            reasons = {place: one.refusal for place, one in enumerate(records) if one.refusal}
            raise EventsRefused(str(lost), reasons) if reasons else lost from None

    async def post(self, event: Event) -> None:
        """Return when there is room for the event in the buffer; `flush` and `close` tell if it was lost."""
        await self._accept(event, self._posted)

    def post_nowait(self, event: Event) -> None:
        """Put the event into the buffer; raises BufferFull if there is no room."""
        record = self._record(event, self._posted)
        if not self._budget.reserve_now(record.size):
            raise BufferFull(f"the buffer of {self._budget.limit} bytes (buffer_bytes) is full")
        self._put(event.topic, record)

    async def flush(self) -> None:
        """Wait until every posted event is acknowledged; raises BrokerError naming how many were not."""
        await self._posted.wait()

    async def close(self) -> None:
        """Deliver what is in the buffer, and disconnect; raises BrokerError naming how many posted events were not."""
        # Before the first await, so that nothing comes in any more while the buffer is emptied.
        self._closed = True
        # First let what is under way arrive, then disconnect, and only then say what was lost: all of it is
        # known by now.
        await self._budget.empty()
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
            logger.warning("%s", lost)  # the error that is on its way says more

    def _record(self, event: Event, delivery: Delivery) -> BufferedRecord:
        self._refuse_if_closed()
        return BufferedRecord(key_of(event), checked(event), delivery)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise BrokerError("the producer is closed")

    async def _accept(self, event: Event, delivery: Delivery) -> None:
        await self._hand_over(event.topic, self._record(event, delivery))

    async def _hand_over(self, topic: str, record: BufferedRecord) -> None:
        if not self._budget.reserve_now(record.size):
            await self._budget.reserve(record.size)
        self._put(topic, record)

    def _put(self, topic: str, record: BufferedRecord) -> None:
        """Take a record, for which there is room, on its way."""
        record.delivery.add()
        record.deadline = asyncio.get_running_loop().time() + self._policy.delivery_timeout.total_seconds()
        self._load(topic, record)

    def _load(self, topic: str, record: BufferedRecord) -> None:
        known = self._partitions.get(topic)
        # Chosen here and not by aiokafka, so that each partition has a buffer, and order, of its own.
        partition = known[_hash(record.key) % len(known)] if known else None
        buffer = self._buffers.get((topic, partition))
        if buffer is None:
            buffer = self._buffers[topic, partition] = PartitionBuffer(topic, partition, self._budget)
        buffer.records.append(record)
        if buffer.task is None:
            self._start(buffer)

    def _start(self, buffer: PartitionBuffer) -> None:
        buffer.task = asyncio.create_task(self._run(buffer))
        buffer.task.add_done_callback(lambda task: self._stopped(buffer, task))

    def _stopped(self, buffer: PartitionBuffer, task: asyncio.Task[None]) -> None:
        """Go on if something came in meanwhile; after a defect of ours nobody may wait for ever."""
        buffer.task = None
        if task.cancelled():
            return
        if task.exception() is not None:
            buffer.settle(len(buffer.records), f"the producer failed: {type(task.exception()).__name__}")
            logger.error("the producer failed on %s", buffer.topic, exc_info=task.exception())
        if buffer.records:
            self._start(buffer)

    async def _run(self, buffer: PartitionBuffer) -> None:
        """Empty a buffer; one task at a time does, so its order is kept."""
        pause = FIRST_PAUSE_SECONDS
        while buffer.records:
            failure = await self._attempt(buffer)
            if failure is None:
                pause = FIRST_PAUSE_SECONDS
                continue
            # The broker does not say which record is at fault: it is sought by halves, so that no other is given up.
            if isinstance(failure, BEYOND_MAX_BYTES) and buffer.batch > 1:
                buffer.most = buffer.batch // 2
                continue
            left = buffer.records[0].deadline - asyncio.get_running_loop().time()
            # Never past the deadline of the oldest: its sender learns in time that it was given up.
            await asyncio.sleep(max(0.0, min(pause, left)))
            self._give_up(buffer, failure)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _attempt(self, buffer: PartitionBuffer) -> Exception | None:
        """Send one batch; returns what went wrong."""
        client: Client | None = None
        problem: Exception
        try:
            patience = REQUESTS_OF_AN_ATTEMPT * self._policy.request_timeout.total_seconds()
            until = asyncio.get_running_loop().time() + patience
            # The deadline of the oldest as well, whose sender has waited long enough by then.
            async with asyncio.timeout_at(min(until, buffer.records[0].deadline)):
                client = await self._link.client()
                await self._advance(client, buffer)
        except (KafkaError, TimeoutError, OSError, BrokerRefused, SettingsError) as failure:
            problem = failure
        else:
            return None
        said = problem if isinstance(problem, ContactStreamError) else type(problem).__name__
        logger.warning("%s: the broker at %s: %s", buffer.topic, self._link.address, said)
        # After these the connection is as good as before; after anything else nobody knows. After a batch that was too
        # large an idempotent client has counted what the broker has not, which then refuses all that follow.
        if not isinstance(problem, (UnknownTopicOrPartitionError, *NO_RIGHT)):
            self._link.drop(client)
        return problem

    async def _advance(self, client: Client, buffer: PartitionBuffer) -> None:
        self._partitions[buffer.topic] = known = await self._link.partitions(client, buffer.topic)
        # Partitions were added, or the topic was not known when the records came in.
        if buffer.partition not in known:
            self._reload(buffer)
            return
        # A batch is made anew for each attempt: what could not be sent may have been given up meanwhile.
        batch, count = client.create_batch(), 0
        for record in buffer.records:
            if count == buffer.most:
                break
            # The time of arrival, not of the event: brokers delete by it, and a recorded day would be gone at once.
            if batch.append(timestamp=None, key=record.key, value=record.value, headers=record.headers) is None:
                break
            count += 1
        buffer.batch = count
        await (await client.send_batch(batch, buffer.topic, partition=buffer.partition))
        buffer.settle(count)
        buffer.most = None if buffer.most is None or count < buffer.most else 2 * buffer.most

    def _reload(self, buffer: PartitionBuffer) -> None:
        """Put records into the buffers that they belong to, now that the topic's partitions are known."""
        records = list(buffer.records)
        buffer.records.clear()
        for record in records:
            self._load(buffer.topic, record)

    def _give_up(self, buffer: PartitionBuffer, failure: Exception) -> None:
        why, refusal = self._explain(buffer, failure), _refusal(failure)
        # A batch without a right goes as a whole: each of its records is refused. A login that is refused at the first
        # connection is a mistake of the settings, and told at once; one that worked before may be refused only for
        # now. Everything else waits for its own deadline.
        if isinstance(failure, HOPELESS) or (isinstance(failure, BrokerRefused) and not self._link.was_connected):
            buffer.settle(buffer.batch or len(buffer.records), why, refusal)
        else:
            buffer.expire(asyncio.get_running_loop().time(), why, refusal)

    def _explain(self, buffer: PartitionBuffer, failure: Exception) -> str:
        at = f"the broker at {self._link.address}"
        if refused := refused_right(failure, self._security.principal):
            return str(refused)
        if isinstance(failure, ContactStreamError):
            return str(failure)
        if isinstance(failure, UnknownTopicOrPartitionError):
            return f"{at} has no topic {buffer.topic}; create it with `contact-stream topics`"
        if isinstance(failure, HOPELESS):
            return f"{at} refuses events on {buffer.topic}: {type(failure).__name__}"
        seconds = self._policy.delivery_timeout.total_seconds()
        return f"{at} did not take them within {seconds:g} s (delivery_timeout): {type(failure).__name__}"


def _refusal(failure: Exception) -> EventRefusalReason | None:
    match failure:
        case MessageSizeTooLargeError() | RecordListTooLargeError():
            return "too_large"
        case UnknownTopicOrPartitionError():
            return "no_topic"
        # Without a right on the cluster nothing at all can be written: that is no matter of certain events.
        case TopicAuthorizationFailedError():
            return "no_right"
        case _:
            return None


# Keys are few, one for each queue, and murmur2 runs in Python for each byte.
@lru_cache(maxsize=4096)
def _hash(key: bytes) -> int:
    """Return what Java's default partitioner computes, so that every producer agrees on the partition."""
    # Java has no unsigned numbers: its partitioner drops the sign, and so must whoever wants the same partition.
    return int(murmur2(key)) & 0x7FFFFFFF


@cache
def _decoder_of(kind: type[Event]) -> EventDecoder:
    return EventDecoder([kind])
