"""The producer SDK: hands events to the broker and knows which of them it has acknowledged.

Key, topic and CloudEvents envelope are made here; an event that is not valid is refused at once, with the
reason. `BlockingProducer` (in `stream.sdk.blocking`) is the same for synchronous programs, and `HttpProducer` (in
`stream.sdk.http_producer`) the same through a gateway.
"""

import asyncio
import logging
from functools import lru_cache

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import murmur2

from stream.errors import BrokerRefused, ContactStreamError, EventRefusalReason, SettingsError
from stream.sdk.buffer import PartitionBuffer
from stream.sdk.buffered import BufferedProducer, BufferFull, ProducerPolicy
from stream.sdk.connection import Client, Link
from stream.sdk.delivery import Failure, OnDelivery
from stream.sdk.encoding import EncodedEvent, checked
from stream.sdk.trace import TraceOf
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity
from stream.security.refusals import refused_right

__all__ = ["BufferFull", "EncodedEvent", "KafkaSecurity", "Producer", "ProducerPolicy", "checked"]

logger = logging.getLogger(__name__)

REQUESTS_OF_AN_ATTEMPT = 3
"""
So many requests may time out until a client is given up for a new one.

aiokafka tries an idempotent batch for ever, and after a broker has hung for a while does not always get on with it.
"""

BEYOND_MAX_BYTES = (MessageSizeTooLargeError, RecordListTooLargeError)
NO_RIGHT = (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)

HOPELESS = (*BEYOND_MAX_BYTES, *NO_RIGHT)
"""What will not be better at the next attempt."""

NONE: list[tuple[str, bytes]] = []


class Producer(BufferedProducer):
    """
    Sends events to the broker at *address* (`host:port`, or `kafka://host:port,host:port`).

    *security* says how it comes to brokers that want TLS or a login; a first connection that they refuse fails at
    once, with the reason. Everything else is as `BufferedProducer` says.
    """

    def __init__(
        self,
        address: str,
        *,
        policy: ProducerPolicy | None = None,
        security: KafkaSecurity = PLAINTEXT,
        trace: TraceOf | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        super().__init__(policy, trace, on_delivery)
        self._security = security
        self._link = Link(address, self._policy, security)
        self._partitions: dict[str, list[int]] = {}

    async def _disconnect(self) -> None:
        await self._link.close()

    def _partition_of(self, event: EncodedEvent) -> tuple[str, int | None]:
        known = self._partitions.get(event.topic)
        # Chosen here and not by aiokafka, so that each partition has a buffer, and order, of its own.
        return event.topic, known[_hash(event.key) % len(known)] if known else None

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
        # The broker does not say which record is at fault: it is sought by halves, so that no other is given up.
        if isinstance(problem, BEYOND_MAX_BYTES) and buffer.batch > 1:
            buffer.most = buffer.batch // 2
            return None
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
            _, key, value, headers = record.event
            # A list, as aiokafka wants it; of the many without any the same one.
            if batch.append(timestamp=None, key=key, value=value, headers=[*headers] if headers else NONE) is None:
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
            self._load(record)

    def _is_hopeless(self, failure: Exception) -> bool:
        # A login that is refused at the first connection is a mistake of the settings, and told at once; one that
        # worked before may be refused only for now.
        refused = isinstance(failure, BrokerRefused) and not self._link.was_connected
        return refused or isinstance(failure, HOPELESS)

    def _explain(self, buffer: PartitionBuffer, failure: Exception) -> Failure:
        return Failure(self._sentence(buffer.topic, failure), _refusal(failure))

    def _sentence(self, topic: str, failure: Exception) -> str:
        at = f"the broker at {self._link.address}"
        if refused := refused_right(failure, self._security.principal):
            return str(refused)
        if isinstance(failure, UnknownTopicOrPartitionError):
            return f"{at} has no topic {topic}; create it with `contact-stream topics`"
        if isinstance(failure, HOPELESS):
            return f"{at} refuses events on {topic}: {type(failure).__name__}"
        return self._timed_out(at, failure)


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
