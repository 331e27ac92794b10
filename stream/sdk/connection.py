"""The connection to the broker: opened when it is first needed, and opened anew after it failed."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaConnectionError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from stream.errors import SettingsError
from stream.sdk.buffered import ProducerPolicy
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity
from stream.security.refusals import refusal_by
from stream.settings import are_addresses

__all__ = ["BatchBuilder", "Client", "Link"]

logger = logging.getLogger(__name__)


class BatchBuilder(Protocol):
    """What is used of aiokafka's BatchBuilder."""

    def append(
        self, *, timestamp: int | None, key: bytes, value: bytes, headers: list[tuple[str, bytes]]
    ) -> object | None:
        """Return None if the batch is full."""


class Cluster(Protocol):
    """What is used of aiokafka's ClusterMetadata."""

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        """Return None if there is no such topic."""
        ...


class MetadataAnswer(Protocol):
    """What is used of MetadataResponse."""

    topics: Sequence[tuple[int, object]]
    """Each begins with the code of an error."""


class Metadata(Protocol):
    """What is used of AIOKafkaClient."""

    async def fetch_all_metadata(self) -> Cluster:
        """Ask the broker for every topic; unlike a question for one topic, this creates none."""
        ...

    def get_random_node(self) -> int | None:
        """Return one of the brokers."""
        ...

    async def send(self, node: int | None, request: MetadataRequest) -> MetadataAnswer:
        """Ask a broker, and return its answer."""
        ...


class Client(Protocol):
    """What is used of AIOKafkaProducer."""

    client: Metadata

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Send what is left, and disconnect."""

    async def partitions_for(self, topic: str) -> set[int]:
        """Return the topic's partitions; waits until they are known."""
        ...

    def create_batch(self) -> BatchBuilder:
        """Return an empty batch."""
        ...

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[object]:
        """Return a future that is done when the batch is acknowledged."""
        ...


class Link:
    """One connected client at a time, for everybody who asks."""

    def __init__(self, address: str, policy: ProducerPolicy, security: KafkaSecurity = PLAINTEXT) -> None:
        embedded = address.startswith("embedded:")
        scheme, _, rest = address.removeprefix("embedded:").rpartition("://")
        self.address = rest
        self._policy = policy
        self._security = security
        self.was_connected = False
        # Without `kafka://` it may be the embedded broker, which does not answer InitProducerId: an idempotent
        # producer would wait for that before it sends anything.
        self._idempotent = scheme == "kafka" if policy.idempotent is None else policy.idempotent
        self._client: Client | None = None
        self._verified: set[str] = set()
        self._turn = asyncio.Lock()
        self._stopping: set[asyncio.Task[None]] = set()
        known = scheme in ({""} if embedded else {"", "kafka"})
        if not known or not are_addresses(rest):
            # Not quoted: it may have a password in it.
            raise SettingsError("the address of the broker: expected kafka://host:port[,…], or embedded:host:port")
        security.client_options()  # raises SettingsError for a missing file now, not at the first event

    async def client(self) -> Client:
        """Return the connected client; connects if need be, and raises what aiokafka raises if that fails."""
        # One at a time, or every buffer would open a connection of its own after a failure.
        async with self._turn:
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def partitions(self, client: Client, topic: str) -> list[int]:
        """
        Return the topic's partitions; raises UnknownTopicOrPartitionError if it does not exist.

        Many brokers create a topic that they are asked for, with partitions and retention of their own: topics
        are declared elsewhere, so each new client looks first.
        """
        if topic not in self._verified:
            if not (await client.client.fetch_all_metadata()).partitions_for_topic(topic):
                if self._security != PLAINTEXT:
                    await _may_describe(client, topic)
                raise UnknownTopicOrPartitionError
            self._verified.add(topic)
        return sorted(await client.partitions_for(topic))

    def drop(self, client: Client | None) -> None:
        """Give *client* up, if it is still in use: the next one to ask gets a new one."""
        if client is None or client is not self._client:
            return
        self._client = None
        # The next client asks again: somebody may have created the topic meanwhile, or deleted it.
        self._verified.clear()
        # In the background: a client whose broker is gone may take long to stop, and the next one must not wait for it.
        task = asyncio.create_task(client.stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)

    async def close(self) -> None:
        """Close every connection; nothing may be on its way any more."""
        self.drop(self._client)
        if self._stopping:
            # Not for ever: a client whose broker hangs would keep the program from ending.
            done, late = await asyncio.wait(self._stopping, timeout=self._policy.request_timeout.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*done, *late, return_exceptions=True)

    async def _connect(self) -> Client:
        # aiokafka does not read that a token is refused, and would try for ever.
        by_token = self._security.sasl_mechanism == "OAUTHBEARER"
        if by_token and (refused := await refusal_by(self.address.split(","), self._security)):
            raise refused
        client: Client = AIOKafkaProducer(
            bootstrap_servers=self.address,
            # By all replicas in sync: what a sender was told has arrived must survive the loss of a broker.
            acks="all",
            enable_idempotence=self._idempotent,
            request_timeout_ms=self._policy.request_timeout // timedelta(milliseconds=1),
            max_batch_size=self._policy.batch_bytes,
            **self._security.client_options(),
        )
        try:
            await client.start()
        except KafkaConnectionError as failure:
            await client.stop()
            raise await refusal_by(self.address.split(","), self._security) or failure from None
        # A client whose start failed, or was cancelled, has tasks and sockets all the same.
        except BaseException:
            await client.stop()
            raise
        self.was_connected = True
        return client


async def _may_describe(client: Client, topic: str) -> None:
    """Raise TopicAuthorizationFailedError if a topic is only hidden from us: a list of topics leaves such out."""
    # Asked for by name, since Kafka names in a list of all topics only those that the client may describe.
    question = MetadataRequest([topic], allow_auto_topic_creation=False)
    answer = await client.client.send(client.client.get_random_node(), question)
    if any(for_code(found[0]) is TopicAuthorizationFailedError for found in answer.topics):
        raise TopicAuthorizationFailedError(topic)
