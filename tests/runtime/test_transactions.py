"""Producers that use transactions: what they abort did not happen, and what they have not ended is not told yet."""

import uuid
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer

from scripts.apache_kafka.cluster import Cluster as ApacheKafka
from stream.runtime.routing.processor import home_of
from tests.brokers import Broker
from tests.runtime.cluster import PARTITIONS, Cluster, until
from tests.runtime.toy import encode

HOME = home_of(b"a", PARTITIONS)


@pytest.fixture
async def own(kafka: ApacheKafka) -> AsyncIterator[Cluster]:
    # The embedded broker knows no transactions.
    async with Cluster(Broker(kafka.address, real=True), uuid.uuid4().hex[:8]) as own:
        await own.declare()
        yield own


@pytest.fixture
async def transactional(own: Cluster) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=own.brokers, transactional_id=f"calls-{own.topic}") as producer:
        yield producer


async def tell(own: Cluster, producer: AIOKafkaProducer, *numbers: int) -> None:
    for number in numbers:
        await producer.send_and_wait(own.topic, encode("a", number), key=b"a", partition=HOME)


async def test_what_a_transaction_aborts_is_not_counted_and_no_gap(
    own: Cluster, transactional: AIOKafkaProducer
) -> None:
    worker = await own.start_worker()
    for numbers, commits in (((1, 2), True), ((3, 4, 5), False), ((6,), True), ((7,), False)):
        await transactional.begin_transaction()
        await tell(own, transactional, *numbers)
        await own.send("a", 100 + numbers[0])  # somebody else's, in between
        await (transactional.commit_transaction() if commits else transactional.abort_transaction())

    await until(lambda: own.counts() == {"a": 7})
    feed = worker.feed.partitions[own.topic, HOME]
    await until(lambda: feed.position == feed.highwater == feed.committed == 15)
    assert worker.feed.invalid == {}
    assert worker.feed.gaps == 0


async def test_a_worker_that_starts_on_aborted_transactions_reads_past_them(
    own: Cluster, transactional: AIOKafkaProducer
) -> None:
    for commits in (False, True, False):
        await transactional.begin_transaction()
        await tell(own, transactional, *range(3))
        await (transactional.commit_transaction() if commits else transactional.abort_transaction())

    worker = await own.start_worker()
    feed = worker.feed.partitions[own.topic, HOME]

    await until(lambda: feed.position == feed.highwater == 12)
    assert own.counts() == {"a": 3}
    assert worker.feed.gaps == 0


async def test_an_open_transaction_holds_up_what_comes_after_it_and_is_no_lag(
    own: Cluster, transactional: AIOKafkaProducer
) -> None:
    worker = await own.start_worker()
    await own.send("a", 1)
    await transactional.begin_transaction()
    await tell(own, transactional, 2)
    await own.send("a", 3)
    await until(lambda: own.counts() == {"a": 1})
    feed = worker.feed.partitions[own.topic, HOME]
    await until(lambda: feed.committed == 1)

    assert feed.position == feed.highwater  # nothing to apply: no reason to restart it
    await transactional.commit_transaction()
    await until(lambda: own.counts() == {"a": 3})
