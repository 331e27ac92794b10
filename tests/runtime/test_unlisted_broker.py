"""A broker that has just come back answers, but the cluster does not list it yet: whoever connects then waits.

How long that takes is up to the broker's machine, so here answers of a real broker are emptied of brokers.
"""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from stream.errors import BrokerAway
from stream.runtime.kafka import consumer_thread
from stream.runtime.kafka.topics import ensure_topics
from stream.runtime.worker import RETRY_SECONDS
from stream.security.kafka_security import PLAINTEXT
from stream.security.refusals import refusal_by
from tests.runtime.cluster import Cluster, until

Unlist = Callable[[range], None]
EVERY = range(1_000_000)


@pytest.fixture
def unlist(monkeypatch: pytest.MonkeyPatch) -> Unlist:
    """Have these of the answers that come from now on list no broker, counted over all clients."""
    send, numbers, empty = AIOKafkaConnection.send, itertools.count(), range(0)

    async def listing(connection: AIOKafkaConnection, request: Any, **options: Any) -> Any:
        answer = await send(connection, request, **options)
        if isinstance(request, MetadataRequest) and next(numbers) in empty:
            answer.brokers = []
        return answer

    monkeypatch.setattr(AIOKafkaConnection, "send", listing)

    def unlist(answers: range) -> None:
        nonlocal numbers, empty
        numbers, empty = itertools.count(), answers

    return unlist


@pytest.mark.parametrize("number", range(8))
async def test_a_worker_starts_as_soon_as_a_broker_is_listed(
    cluster: Cluster, unlist: Unlist, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of its clients is told of none: topics are asked for first, then come producer and consumer."""
    # Longer than it takes until the worker looks whether its group refuses it.
    monkeypatch.setattr(consumer_thread, "LOOK_AGAIN_SECONDS", 1.5 * RETRY_SECONDS)
    await cluster.send("a", 1)
    unlist(range(number, number + 1))
    await cluster.start_worker()
    await until(lambda: cluster.counts() == {"a": 1})


async def test_a_broker_that_is_never_listed_is_away(cluster: Cluster, unlist: Unlist) -> None:
    unlist(EVERY)
    with pytest.raises(BrokerAway):
        await ensure_topics([cluster.brokers], [])


async def test_a_consumer_does_not_wait_for_ever(
    cluster: Cluster, unlist: Unlist, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_thread, "UNLISTED_SECONDS", 0.3)
    consumer = AIOKafkaConsumer(bootstrap_servers=cluster.brokers)
    consumer_thread.start_with_a_broker(consumer._client)
    unlist(EVERY)
    with pytest.raises(KafkaConnectionError, match="list no broker"):
        await consumer.start()
    await consumer.stop()


async def test_a_consumer_waits_for_a_broker_that_is_gone_for_a_moment(cluster: Cluster) -> None:
    await cluster.declare()
    consumer = AIOKafkaConsumer(cluster.topic, bootstrap_servers=cluster.brokers)
    bootstrap, failures = consumer._client.bootstrap, iter(range(3))

    async def bootstrap_later() -> None:
        if next(failures, None) is not None:
            raise KafkaConnectionError
        await bootstrap()

    consumer._client.bootstrap = bootstrap_later
    consumer_thread.start_with_a_broker(consumer._client)
    try:
        await consumer.start()
        assert consumer._client.cluster.brokers()
    finally:
        await consumer.stop()


async def test_a_broker_that_is_not_listed_yet_does_not_refuse(cluster: Cluster, unlist: Unlist) -> None:
    unlist(EVERY)
    assert await refusal_by([cluster.brokers], PLAINTEXT) is None
