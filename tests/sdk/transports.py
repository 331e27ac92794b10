"""The ways that a producer's events go, and what has arrived at the end of each: for the suite that holds for all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple, Protocol

import msgspec

from stream.core.cloudevents import Event
from stream.sdk.buffered import BufferedProducer, ProducerPolicy
from stream.sdk.fake import FakeProducer
from stream.sdk.http_producer import HttpProducer
from stream.sdk.producer import Producer
from stream.sdk.trace import TraceContext
from tests.brokers import Broker
from tests.gateway.posting import NOWHERE, running_gateway
from tests.sdk.records import records_of

__all__ = ["IMPATIENT", "TRANSPORTS", "Arrived", "Transport"]

IMPATIENT = ProducerPolicy(delivery_timeout=timedelta(seconds=0.3), request_timeout=timedelta(seconds=0.3))


class Arrived(NamedTuple):
    """An event at the end of its way."""

    key: bytes
    event: Event
    trace: TraceContext | None
    """By its extension attributes."""


class Transport(Protocol):
    """One way for events."""

    def producer(self, **options: Any) -> BufferedProducer:
        """Return a producer that reaches its end."""
        ...

    def lonely(self, **options: Any) -> BufferedProducer:
        """Return an impatient producer that finds nobody there."""
        ...

    async def full(self, event: Event) -> BufferedProducer:
        """Return a producer without room, which may hold an event that will be given up."""
        ...

    def make_room(self, producer: BufferedProducer) -> None:
        """Let a full producer have room, if it would not have by itself."""

    async def arrived(self, tenant: str) -> list[Arrived]:
        """Return the tenant's events on the topic of contacts, in the order of each queue."""
        ...


def _arrived(key: bytes, event: Event, value: bytes) -> Arrived:
    said = msgspec.json.decode(value)
    carrier = {name: said[name] for name in ("traceparent", "tracestate") if name in said}
    return Arrived(key, event, TraceContext.of(carrier))


class OverKafka:
    """From the producer to the broker."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    def producer(self, **options: Any) -> BufferedProducer:
        return Producer(self.broker.setting, **options)

    def lonely(self, **options: Any) -> BufferedProducer:
        return Producer(NOWHERE, **{"policy": IMPATIENT} | options)

    async def full(self, event: Event) -> BufferedProducer:
        producer = self.lonely(policy=msgspec.structs.replace(IMPATIENT, buffer_bytes=1))
        await producer.post(event)
        return producer

    def make_room(self, producer: BufferedProducer) -> None:
        """There is room once the event that it holds is given up."""

    async def arrived(self, tenant: str) -> list[Arrived]:
        return [_arrived(one.key, one.event, one.value) for one in await records_of(self.broker.address, tenant)]


class OverHttp(OverKafka):
    """From the producer through a gateway to the broker."""

    def __init__(self, broker: Broker, gateway: str) -> None:
        super().__init__(broker)
        self.gateway = gateway

    def producer(self, **options: Any) -> BufferedProducer:
        return HttpProducer(self.gateway, **options)

    def lonely(self, **options: Any) -> BufferedProducer:
        return HttpProducer(f"http://{NOWHERE}", **{"policy": IMPATIENT} | options)


class Faked:
    """Into the memory of the fake."""

    def __init__(self) -> None:
        self._fakes: list[FakeProducer] = []

    def producer(self, **options: Any) -> BufferedProducer:
        self._fakes.append(FakeProducer(**options))
        return self._fakes[-1]

    def lonely(self, **options: Any) -> BufferedProducer:
        return FakeProducer(away=True, **options)

    async def full(self, event: Event) -> BufferedProducer:
        del event
        return FakeProducer(away=True, full=True)

    def make_room(self, producer: BufferedProducer) -> None:
        assert isinstance(producer, FakeProducer)
        producer.full = False

    async def arrived(self, tenant: str) -> list[Arrived]:
        found = [
            _arrived(one.key, event, one.value)
            for fake in self._fakes
            for one, event in zip(fake.received, fake.events, strict=True)
        ]
        return [one for one in found if one.event.tenantid == tenant and one.event.topic == "contacts"]


@asynccontextmanager
async def _over_kafka(broker: Broker) -> AsyncIterator[Transport]:
    yield OverKafka(broker)


@asynccontextmanager
async def _over_http(broker: Broker) -> AsyncIterator[Transport]:
    async with running_gateway(broker.setting) as posts:
        yield OverHttp(broker, posts.address)


@asynccontextmanager
async def _faked(broker: Broker) -> AsyncIterator[Transport]:
    del broker
    yield Faked()


TRANSPORTS = {"kafka": _over_kafka, "http": _over_http, "fake": _faked}
"""Each by its name, with the broker at the end."""
