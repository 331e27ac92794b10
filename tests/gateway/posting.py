"""Posts to a gateway, and what has come out on the broker behind it."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic
from msgspec.structs import replace
from yarl import URL

from scripts.apache_kafka.admin import admin_of
from stream.app.gateway import GatewayService
from stream.core.cloudevents import Event, encode
from stream.families.registry import DECODER, FAMILIES
from stream.gateway.application import EVENTS_PATH
from stream.runtime.kafka.topics import DEAD_LETTERS
from stream.settings import Settings
from tests.running import Figures, parsed
from tests.timeline import event

__all__ = [
    "NOWHERE",
    "PARTITIONS",
    "Document",
    "Posts",
    "an_event",
    "arrived",
    "batch",
    "create_topics",
    "figures",
    "running_gateway",
]

NOWHERE = "127.0.0.1:1"
"""No broker is there."""

PARTITIONS = 4

TYPES = {
    "structured": "application/cloudevents+json",
    "batch": "application/cloudevents-batch+json",
    "binary": "application/json",
}

Document = dict[str, Any]


class Posts:
    """Posts to one gateway."""

    def __init__(self, address: str, session: aiohttp.ClientSession, key: str = "") -> None:
        self.address = address
        self._session = session
        self._key = key

    async def __call__(
        self, body: bytes | AsyncIterator[bytes], mode: str = "structured", **headers: str
    ) -> tuple[int, Document]:
        """Return status and document of the answer; *mode* may be a content type, `ce_id` is the header `ce-id`."""
        given = {"Content-Type": TYPES.get(mode, mode)} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        if self._key:
            given["Authorization"] = f"Bearer {self._key}"
        # aiohttp wants large bodies as files.
        data = BytesIO(body) if isinstance(body, bytes) else body
        async with self._session.post(self.address + EVENTS_PATH, data=data, headers=given) as answer:
            return answer.status, await answer.json() | {"retry_after": answer.headers.get("Retry-After")}

    async def raw(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes, Mapping[str, str]]:
        """Post to another path; return status, body and headers of the answer."""
        url = URL(self.address + path, encoded=True)
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.read(), answer.headers

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and text of a page."""
        async with self._session.get(self.address + path) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def running_gateway(
    brokers: str = NOWHERE, *, key: str = "", patience: float = 5, **settings: object
) -> AsyncIterator[Posts]:
    """Run a gateway on a free port, and post to it."""
    changed = Settings(gateway_port=0, **settings)  # type: ignore[arg-type]  # each test names fields
    service = GatewayService(changed, brokers=brokers, patience=timedelta(seconds=patience))
    # It stops before whoever posts to it does, as when it is stopped in earnest.
    async with aiohttp.ClientSession() as session, service:
        yield Posts(service.address, session, key)


async def create_topics(address: str) -> None:
    """Create the topics of all families, and that of dead letters."""
    async with admin_of(address) as admin:
        topics = [NewTopic(family.name, PARTITIONS, 1) for family in FAMILIES]
        await admin.create_topics([*topics, NewTopic(DEAD_LETTERS, 1, 1)])


def an_event(contact: str = "ann", *, tenant: str = "acme", **data: Any) -> Event:
    """Return an event of a contact, by default that it was queued."""
    return replace(event("enqueued", contact, **data), tenantid=tenant)


def batch(events: Iterable[Event | bytes]) -> bytes:
    """Return the body of a batch."""
    return b"[" + b",".join(one if isinstance(one, bytes) else encode(one) for one in events) + b"]"


async def arrived(address: str, tenant: str | None = None) -> list[Event]:
    """Return the events of a tenant, or of all, on the topic of contacts, in the order of each partition."""
    found: list[Event] = []
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        places = [TopicPartition("contacts", number) for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        # The end offset of the embedded broker lags behind within a batch: an empty fetch behind it is the end.
        more = True
        while more or any([await consumer.position(place) < ends[place] for place in places]):
            fetched = await consumer.getmany(timeout_ms=150)
            found += [DECODER.decode(record.value) for records in fetched.values() for record in records]
            more = bool(fetched)
    finally:
        await consumer.stop()
    return [one for one in found if tenant in {None, one.tenantid}]


async def figures(posts: Posts) -> Figures:
    """Return every sample of the gateway's `/metrics`."""
    status, text = await posts.get("/metrics")
    assert status == 200
    return parsed(text)
