"""A customer who is to be forgotten, on Apache Kafka: down to the compacted changelogs nothing of whom is left."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiokafka
import msgspec
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import ConsumerRecord
from msgspec.structs import replace

from scripts.apache_kafka.admin import admin_of
from scripts.apache_kafka.cluster import Cluster
from stream.app.policy_file import policies_of
from stream.app.service import Service
from stream.core.cloudevents import Event
from stream.core.family import Board
from stream.core.identity import NO_SECRET
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.tables import CUSTOMER_ROWS
from stream.families.registry import EVENT_TYPES
from stream.runtime.kafka.topics import DEAD_LETTERS
from tests.brokers import Broker
from tests.families.customers.told import customer_event
from tests.running import running_service, send, settings_of_a_test, until
from tests.runtime.test_compaction import HASTY

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAME = "Marija-Novak-4711"
KEY = CUSTOMER_ROWS.encode_key(NO_SECRET.digest("acme", NAME))
POLICIES = policies_of('[defaults]\nsolved_dispositions = ["solved"]\n', "policies")


def told(event_type: str, minutes: int, **data: object) -> Event:
    """An event of a call of that customer, so many minutes before noon."""
    envelope = {
        "specversion": "1.0",
        "type": event_type,
        "id": f"{event_type}-{minutes}",
        "source": "/pbx",
        "time": NOON - timedelta(minutes=minutes),
        "subject": "call-1",
        "tenantid": "acme",
        "data": {"queue": "support", "customer": NAME, **data},
    }
    return msgspec.convert(envelope, EVENT_TYPES[event_type])


def life() -> list[Event]:
    """Return what is told of the customer, by four families."""
    at = NOON - timedelta(hours=1)
    return [
        customer_event("joined", NAME, at, plan="basic", monthly=10),
        customer_event("active", NAME, at + timedelta(minutes=1)),
        customer_event("cart.created", "cart-1", at + timedelta(minutes=2), value=20, customer=NAME),
        customer_event("cart.ordered", "cart-1", at + timedelta(minutes=3), order="o1", value=20, customer=NAME),
        told("contact.enqueued", 30),
        told("contact.answered", 29),
        told("contact.ended", 25, disposition="solved"),
        told("survey.invited", 20, kind="csat"),
    ]


DERIVED = 5
"""A contact that came, that was served, and solved; a purchase; an invitation."""


async def hasten(address: str, group: str) -> None:
    """Have the changelogs of a group compacted as soon as Kafka can."""
    async with admin_of(address) as admin:
        changelogs = [
            name for name in await admin.list_topics() if name.startswith(group) and name.endswith("-changelog")
        ]
        broker = ConfigResource(ConfigResourceType.BROKER, "1", configs={"log.cleaner.backoff.ms": "50"})
        topics = [ConfigResource(ConfigResourceType.TOPIC, name, configs=HASTY) for name in changelogs]
        assert topics
        await admin.alter_configs([broker, *topics])


async def records(address: str, name_ends: str) -> AsyncIterator[ConsumerRecord]:
    """Yield what is in topics of such names, from their beginnings to their ends."""
    async with admin_of(address) as admin:
        names = [name for name in await admin.list_topics() if name.endswith(name_ends)]
    async with aiokafka.AIOKafkaConsumer(*names, bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        for place, end in (await consumer.end_offsets(consumer.assignment())).items():
            await consumer.seek_to_beginning(place)
            while await consumer.position(place) < end:
                for record in (await consumer.getmany(place, timeout_ms=100)).get(place, []):
                    yield record


async def of_the_customer(address: str) -> list[bytes | None]:
    """Return the rows of the customer that the changelog still has; None: a tombstone."""
    return [record.value async for record in records(address, "-customers-changelog") if record.key == KEY]


async def go_on(service: Service, address: str, numbers: "itertools.count[int]") -> None:
    """Have something happen to somebody else in every partition, until that is written."""
    before = service.feed.events.total()
    others = [customer_event("active", f"c-{next(numbers)}", NOON) for _ in range(40)]
    await send(address, others)
    await until(lambda: service.feed.events.total() >= before + len(others))


def revenue_of(board: Board) -> int:
    [everybody] = [one for one in board.snapshots["customers"] if one.key == ("acme", "", "", "", "")]
    revenue: int = everybody.counted.window("today", CustomerCounts).revenue
    return revenue


@pytest.mark.timeout(180)
async def test_of_a_customer_who_is_forgotten_the_compacted_changelogs_have_nothing_but_tombstones(
    kafka: Cluster, fresh_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="stream")
    address, numbers = kafka.address, itertools.count()
    settings = replace(settings_of_a_test(checkpoint_interval=timedelta(milliseconds=50)), partitions=2)
    async with running_service(fresh_broker, at=NOON, policies=POLICIES, settings=settings) as service:
        await hasten(address, settings.group)
        await send(address, life())
        await until(lambda: service.feed.events.total() >= len(life()) + DERIVED)
        await go_on(service, address, numbers)
        async with asyncio.timeout(100):
            while not any(await of_the_customer(address)):
                await asyncio.sleep(0.1)

        await send(address, [customer_event("forgotten", NAME, NOON)])
        async with asyncio.timeout(120):
            while (left := await of_the_customer(address)) and any(row is not None for row in left):
                await go_on(service, address, numbers)

        board = await service.board()
        letters = service.feed.dead_letters
    assert revenue_of(board) == 2000
    changelogs = [record async for record in records(address, "-changelog")]
    assert any(b"support" in (record.key or b"") for record in changelogs), "what is kept would be found"
    assert not any(NAME.encode() in part for one in changelogs for part in (one.key or b"", one.value or b""))
    assert letters == 0
    assert [record async for record in records(address, DEAD_LETTERS)] == []
    assert NAME not in caplog.text
