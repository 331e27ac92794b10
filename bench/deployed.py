"""A worker as it is deployed, beside Apache Kafka, and its page of figures as a scraper has it."""

import asyncio
import os
import re
import sys
import urllib.request
from asyncio.subprocess import DEVNULL, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from scripts.apache_kafka.admin import admin_of
from scripts.apache_kafka.cluster import Cluster
from stream.runtime.kafka.topics import changelog_topic

__all__ = ["Page", "compact_within", "kafka", "producer_of", "worker"]

PATIENCE_SECONDS = 120.0

FEED = re.compile(rb"^contact_(\w+)(\{[^}]*\})? (\S+)$", re.MULTILINE)


class Page:
    """One answer of `/metrics`."""

    def __init__(self, body: bytes) -> None:
        self._samples = [(name.decode(), labels.decode(), float(value)) for name, labels, value in FEED.findall(body)]

    @classmethod
    def of(cls, address: str) -> "Page":
        """Ask a worker; blocks."""
        with urllib.request.urlopen(f"{address}/metrics", timeout=60) as answer:
            return cls(answer.read())

    def sum(self, name: str) -> float:
        """Return the sum of a metric's samples."""
        return sum(value for known, _, value in self._samples if known == name)

    def by(self, label: str, name: str) -> dict[str, float]:
        """Return the samples of a metric by the value of a label, in the topic of contacts if there are topics."""
        found = re.compile(rf'\b{label}="([^"]*)"')
        ours = [
            (found.search(labels), value)
            for known, labels, value in self._samples
            if known == name and ("topic=" not in labels or 'topic="contacts"' in labels)
        ]
        return {match[1]: value for match, value in ours if match}


@asynccontextmanager
async def kafka(home: Path) -> AsyncIterator[Cluster]:
    """Run a broker that looks for something to compact every two seconds."""
    with Cluster(home, settings={"log.cleaner.backoff.ms": "2000"}) as cluster:
        yield cluster


@asynccontextmanager
async def worker(cluster: Cluster, log: Path, *, group: str, partitions: int) -> AsyncIterator[tuple[Process, str]]:
    """Run the product as it is deployed; yields its process and where its pages are."""
    settings = {"GROUP": group, "PARTITIONS": partitions, "MAX_QUEUES_PER_TENANT": 10_000}
    environment = os.environ | {f"CONTACT_STREAM_{name}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-m", "stream", "worker", "--broker", f"kafka://{cluster.address}", "--port", "0"]
    with log.open("wb") as out:
        process = await create_subprocess_exec(*command, stdin=DEVNULL, stdout=out, stderr=out, env=environment)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (said := re.search(r"live board and metrics: (\S+)", log.read_text())):
                await asyncio.sleep(0.1)
            while (await asyncio.to_thread(Page.of, said[1])).sum("ready") == 0:
                await asyncio.sleep(0.1)
        yield process, said[1]
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
    except BaseException:
        print(log.read_text()[-3000:], file=sys.stderr)
        raise
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@asynccontextmanager
async def producer_of(cluster: Cluster) -> AsyncIterator[AIOKafkaProducer]:
    """Run a producer as a busy call system has it."""
    async with AIOKafkaProducer(
        bootstrap_servers=cluster.address, acks="all", enable_idempotence=True, max_batch_size=2**20
    ) as producer:
        yield producer


async def compact_within(address: str, length: timedelta, *, group: str, partitions: int) -> None:
    """Have the broker do in *length* what it does to changelogs in ten minutes, or in an hour."""
    sooner = str(length // timedelta(milliseconds=1))
    hasty = dict.fromkeys(
        ["segment.ms", "max.compaction.lag.ms", "delete.retention.ms", "min.compaction.lag.ms"], sooner
    )
    declared = [
        changelog_topic(f"{group}-{table}-changelog", partitions) for table in ("tallies", "segments", "agents")
    ]
    topics = [ConfigResource(ConfigResourceType.TOPIC, topic.name, {**topic.config, **hasty}) for topic in declared]
    async with admin_of(address) as admin:
        await admin.alter_configs(topics)
