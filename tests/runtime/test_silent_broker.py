"""A broker that is there and does not answer: checkpoints fail in time, nothing is written later, workers end."""

import asyncio
import signal
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scripts.apache_kafka.cluster import Cluster as Kafka
from tests.brokers import Broker
from tests.runtime.cluster import Cluster, until
from tests.runtime.test_worker import expected, pings

# aiokafka leaves a connection that it was still making, when it was cancelled, to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:.*AIOKafkaConnection", "ignore:unclosed transport")

STOP_SECONDS = 20
"""Less than the 30 s after which the program would end itself; about 8 are needed."""


@contextmanager
def silent(kafka: Kafka) -> Iterator[None]:
    """Stop the broker's process, as a long collection of garbage does."""
    (node,) = kafka.nodes
    node.send(signal.SIGSTOP)
    try:
        yield
    finally:
        node.send(signal.SIGCONT)


async def test_a_checkpoint_gives_up_on_a_silent_broker_and_is_made_good(kafka: Kafka) -> None:
    """Its batches must not wait in the client: they would be written whenever the broker is back."""
    async with Cluster(Broker(kafka.address, real=True), uuid.uuid4().hex[:8]) as cluster:
        reached, go_on = asyncio.Event(), asyncio.Event()

        async def wait(step: str) -> None:
            if step == "cut" and not go_on.is_set():
                reached.set()
                await go_on.wait()

        worker = await cluster.start_worker(fault=wait)
        sent = pings(400)
        await cluster.send_many(sent)
        await until(lambda: cluster.counts() == expected(sent))
        await reached.wait()
        with silent(kafka):
            go_on.set()
            await until(lambda: worker.feed.checkpoints.failures > 0)
        await until(lambda: all(part.committed == part.highwater for part in worker.feed.partitions.values()))
        await cluster.stop_worker(worker)
        await cluster.start_worker()

        assert cluster.counts() == expected(sent)


async def test_a_worker_ends_while_the_broker_is_silent(kafka: Kafka) -> None:
    async with Cluster(Broker(kafka.address, real=True), uuid.uuid4().hex[:8]) as cluster:
        worker = await cluster.start_worker()
        sent = pings(400)
        await cluster.send_many(sent)
        await until(lambda: cluster.counts() == expected(sent))
        with silent(kafka):
            began = time.monotonic()
            await cluster.stop_worker(worker)
            assert time.monotonic() - began < STOP_SECONDS
        await cluster.start_worker()
        await until(lambda: cluster.counts() == expected(sent))
