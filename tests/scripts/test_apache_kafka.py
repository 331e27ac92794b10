"""`scripts/kafka`: says what is missing, keeps what it holds, and leaves nothing behind."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError

from scripts.apache_kafka import distribution
from scripts.apache_kafka.admin import admin_of
from scripts.apache_kafka.cluster import Cluster
from scripts.apache_kafka.distribution import KafkaUnavailable, class_path, java
from stream.broker.child import speaks_kafka

pytestmark = pytest.mark.slow


def test_without_java_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(KafkaUnavailable, match="needs Java 17; on Debian: apt-get install default-jre-headless"):
        java()


@pytest.mark.parametrize("told", ['openjdk version "11.0.2" 2019', "no version at all"])
def test_too_old_a_java_is_refused(told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    old = tmp_path / "bin" / "java"
    old.write_text(f"#!/bin/sh\necho '{told}' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    with pytest.raises(KafkaUnavailable, match=r"needs Java 17 or newer, and .*/bin/java says"):
        java()


def test_without_maven_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(distribution, "CACHE", tmp_path / "nothing")

    with pytest.raises(KafkaUnavailable, match="apt-get install maven"):
        class_path()


def test_a_cluster_has_one_broker_or_three(tmp_path: Path) -> None:
    with pytest.raises(KafkaUnavailable, match="1 or 3 brokers, not 2"):
        Cluster(tmp_path, brokers=2)


async def test_a_stopped_cluster_comes_back_where_it_was_with_what_it_had(kafka: Cluster, tmp_path: Path) -> None:
    del kafka  # the request says that this needs Apache Kafka
    with Cluster(tmp_path / "own", short_lived=True) as own:
        await create(own.address, "kept")
        own.stop()
        assert [node.pid for node in own.nodes] == [None]

        again = Cluster(tmp_path / "own", short_lived=True).start()

        assert again.address == own.address
        assert "kept" in await topics(again.address)
        again.wipe()

    assert not speaks_kafka(own.nodes[0].ports.client)
    assert not (tmp_path / "own").exists()


async def test_of_three_brokers_two_go_on_when_one_is_lost(kafka_of_three: Cluster) -> None:
    await create(kafka_of_three.address, "copied", copies=3)
    kafka_of_three.nodes[0].wipe()
    left = ",".join(node.address for node in kafka_of_three.nodes[1:])

    async with asyncio.timeout(100):  # until the controllers have noticed, clients are still sent to the lost one
        while "copied" not in await topics(left):
            await asyncio.sleep(0.1)


async def create(address: str, topic: str, copies: int = 1) -> None:
    async with admin_of(address) as admin:
        await admin.create_topics([NewTopic(topic, 1, copies)])


async def topics(address: str) -> list[str]:
    try:
        # An attempt that is not answered is given up: a broker that is looking for a controller may never answer it.
        async with asyncio.timeout(5), admin_of(address) as admin:
            return list(await admin.list_topics())
    except (KafkaError, TimeoutError):
        return []
