"""The broker that is measured beside: Apache Kafka where Java and Maven are, else the embedded one."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from scripts.apache_kafka.admin import admin_of
from scripts.apache_kafka.cluster import Cluster
from scripts.apache_kafka.distribution import KafkaUnavailable
from stream.broker.embedded import EmbeddedBroker

__all__ = ["Broker", "broker", "delete_topics"]

# Kafka's own default: a group waits so long for more members before it shares out partitions.
JOIN_WAIT_MS = 3000


class Broker(Struct, frozen=True):
    """A running broker."""

    name: str
    address: str
    pid: int
    idempotent: bool
    """Whether it knows idempotent producers, as every real one does."""


@contextmanager
def broker(kind: str = "apache") -> Iterator[Broker]:
    """Run a broker of the *kind* `apache` or `embedded`; raises KafkaUnavailable."""
    if kind == "embedded":
        with EmbeddedBroker() as small:
            yield Broker("embedded broker", small.address, small.pid or 0, idempotent=False)
        return
    with tempfile.TemporaryDirectory(prefix="bench-kafka-") as home:
        settings = {"group.initial.rebalance.delay.ms": str(JOIN_WAIT_MS)}
        with Cluster(Path(home) / "cluster", settings=settings) as cluster:
            pid = cluster.nodes[0].pid
            if pid is None:
                raise KafkaUnavailable("the broker has ended by itself")
            yield Broker("Apache Kafka", cluster.address, pid, idempotent=True)


async def delete_topics(address: str, prefix: str) -> None:
    """Delete the topics of one run, so that the broker does not compact them during the next."""
    async with admin_of(address) as admin:
        await admin.delete_topics([name for name in await admin.list_topics() if name.startswith(prefix)])
