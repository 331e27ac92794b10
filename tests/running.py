"""A whole worker on a broker, with a clock that stands at the end of the day it is told."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from stream.app.service import Service
from stream.core.cloudevents import Event
from stream.core.policies import Policies
from stream.http.shown import Shown
from stream.sdk.producer import Producer
from stream.settings import Settings
from tests.brokers import Broker

__all__ = [
    "Figures",
    "parsed",
    "records_on",
    "running_service",
    "scrape",
    "send",
    "send_raw",
    "settings_of_a_test",
    "until",
]

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Samples by name and labels."""

JOIN = timedelta(seconds=2)
"""The embedded broker lets a group wait for half of this."""


def settings_of_a_test(**changes: object) -> Settings:
    """Return settings of a group of its own, on a free port."""
    return Settings(
        group=f"test-{uuid.uuid4().hex[:8]}",
        partitions=4,
        session_timeout=JOIN,
        http_port=0,
        **changes,  # type: ignore[arg-type]  # each test names fields
    )


@asynccontextmanager
async def running_service(
    broker: Broker,
    *,
    at: datetime | None = None,
    clock: Callable[[], datetime] | None = None,
    policies: Policies = Policies(),
    settings: Settings | None = None,
    shown: Shown | None = None,
) -> AsyncIterator[Service]:
    """Run a worker whose clock stands at the instant *at*, or is *clock*."""
    service = Service(
        settings or settings_of_a_test(),
        brokers=broker.address,
        idempotent=broker.real,
        policies=policies,
        shown=shown,
        clock=clock or (lambda: at or datetime.now(UTC)),
    )
    async with service:
        yield service
    # Whatever a test is about: no record may be lost on the way.
    assert service.feed.gaps == 0


async def send(address: str, events: Sequence[Event]) -> None:
    """Send events as a call system would: through the SDK."""
    async with Producer(address) as producer:
        await producer.send_many(events)


async def send_raw(address: str, topic: str, records: Sequence[tuple[bytes | None, bytes | None]]) -> None:
    """Send whatever bytes, as a call system should not."""
    producer = AIOKafkaProducer(bootstrap_servers=address, max_request_size=2**23)
    await producer.start()
    try:
        for key, value in records:
            await producer.send_and_wait(topic, value, key=key)
    finally:
        await producer.stop()


async def until(condition: Callable[[], bool], *, seconds: float = 100) -> None:
    """Wait for a condition, looking every few milliseconds."""
    async with asyncio.timeout(seconds):
        while not condition():  # a worker's figures tell nobody when they change
            await asyncio.sleep(0.01)


async def scrape(service: Service) -> Figures:
    """Return every sample of `/metrics`, parsed as Prometheus parses it."""
    async with aiohttp.ClientSession() as session, session.get(f"{service.address}/metrics") as answer:
        assert answer.status == 200
        return parsed(await answer.text())


def parsed(text: str) -> Figures:
    """Return the samples of an exposition."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def records_on(address: str, *left_out: str) -> bytes:
    """Return all records on a broker, but for some topics: topic, key, value and headers."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        topics = [topic for topic in await consumer.topics() if not topic.startswith("__") and topic not in left_out]
        consumer.subscribe(topics)
        found = b""
        while more := await consumer.getmany(timeout_ms=2000):
            for each in (record for some in more.values() for record in some):
                found += b"%s %r %r %r\n" % (each.topic.encode(), each.key, each.value, each.headers)
    finally:
        await consumer.stop()
    return found
