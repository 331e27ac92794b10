"""Faults that are not crashes, with the real parts: each is seen where an operator looks, and changes no figure."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from msgspec.structs import replace as changed

from scripts.apache_kafka.admin import admin_of
from scripts.apache_kafka.cluster import Cluster
from stream.app.replay import replay
from stream.app.service import Service
from stream.board.shared_reading import EVERY_SECONDS
from stream.core.cloudevents import Event, encode, key_of
from stream.core.policies import Policies
from stream.errors import TopicMismatch
from stream.families.agents.events import AgentEvent
from stream.families.contacts.tables import SEGMENTS
from stream.runtime import app
from stream.runtime.checkpoint.tables import UnreadableRow
from stream.runtime.kafka.topics import DEAD_LETTERS, TopicDeclaration, ensure_topics, source_topic
from stream.runtime.routing.dead_letter_reader import read_letters
from stream.runtime.routing.processor import home_of
from stream.simulator import demo_centre, simulate
from stream.status.freshness import Limits, notices_of
from tests.brokers import Broker
from tests.running import running_service, send, send_raw, settings_of_a_test, until

PARTITIONS = 4
HOUR = timedelta(hours=1)
LIMITS = Limits(silent=timedelta(seconds=30))


class Clock:
    """A wall clock that can be set."""

    def __init__(self) -> None:
        self.wrong_by = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.wrong_by


def day(minutes: int = 40, *, seed: int = 3) -> list[Event]:
    """Return what happened until now."""
    now = datetime.now(UTC)
    return list(simulate(demo_centre(), start=now - timedelta(minutes=minutes), end=now, seed=seed))


def halves(events: list[Event]) -> tuple[list[Event], list[Event]]:
    return events[: len(events) // 2], events[len(events) // 2 :]


async def assert_exact(service: Service, events: Sequence[Event]) -> None:
    """As soon as all is applied the board is that of the replay, and all of it becomes durable."""
    await until(lambda: service.feed.events.total() >= len(events), seconds=60)
    shown = await service.board()
    assert shown == replay(events).board(shown.at)
    await until(lambda: all(one.committed == one.highwater for one in service.feed.partitions.values()))
    assert service.feed.gaps == 0
    assert service.worker.failure is None


def codes(service: Service) -> set[str]:
    return {notice.code for notice in notices_of(service.feed, service.worker.ownership.clock(), LIMITS)}


async def page(service: Service, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"{service.address}{path}") as answer:
        return answer.status, await answer.text()


async def next_board(service: Service) -> str:
    """A board that was read from now on: one that others have asked for is kept for a second."""
    await asyncio.sleep(EVERY_SECONDS)
    return (await page(service, "/board.json"))[1]


async def configure(address: str, topic: TopicDeclaration, config: Mapping[str, str]) -> None:
    """Change what a broker asks of a topic, until the next time."""
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, {**topic.config, **config})
    async with admin_of(address) as admin:
        await admin.alter_configs([resource])


def declared(service: Service, name: str) -> TopicDeclaration:
    [topic] = [topic for topic in service.worker.topics if topic.name.endswith(name)]
    return topic


async def test_of_thousands_of_events_in_one_batch_only_the_poison_is_set_aside(fresh_broker: Broker) -> None:
    """One record batch, as a busy call system sends it; the poison in the middle of it."""
    events = [event for event in day(240) if not isinstance(event, AgentEvent)]
    busiest = max({key_of(event) for event in events}, key=[key_of(event) for event in events].count)
    ours = [event for event in events if key_of(event) == busiest]
    async with running_service(fresh_broker, clock=Clock()) as service:
        producer = AIOKafkaProducer(
            bootstrap_servers=fresh_broker.address, max_batch_size=2**22, max_request_size=2**22
        )
        async with producer:
            batch = producer.create_batch()
            for number, event in enumerate(ours):
                if number == len(ours) // 2:
                    assert batch.append(key=busiest, value=b"poison", timestamp=None) is not None
                assert batch.append(key=busiest, value=encode(event), timestamp=None) is not None
            home = home_of(busiest, PARTITIONS)
            await (await producer.send_batch(batch, "contacts", partition=home))

        await assert_exact(service, ours)
        [letter] = [letter async for letter in read_letters([fresh_broker.address])]

    assert len(ours) > 2000
    assert (letter.place, letter.value) == (f"{'contacts'}/{home}/{len(ours) // 2}", b"poison")


@pytest.mark.slow
async def test_while_a_dead_letter_is_not_acknowledged_the_worker_waits_says_so_and_stays_in_the_group(
    kafka: Cluster, fresh_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The board stands still, visibly, until there is a topic for dead letters; nothing is lost or doubled then."""
    without = app._faust_settings
    monkeypatch.setattr(app, "_faust_settings", lambda *of: {**without(*of), "broker_max_poll_interval": 5.0})
    events = day()
    before, after = halves(events)
    async with running_service(fresh_broker, clock=Clock()) as service:
        feed, letters = service.feed, declared(service, DEAD_LETTERS)
        await send(fresh_broker.address, before)
        await assert_exact(service, before)
        rebalances = feed.rebalances
        async with admin_of(kafka.address) as admin:
            await admin.delete_topics([letters.name])  # from now on nothing is acknowledged
        poisoned = [(key_of(event), b"poison") for event in before if not isinstance(event, AgentEvent)][:1]
        await send_raw(fresh_broker.address, "contacts", poisoned)
        size = len(after) // 30 + 1
        for start in range(0, len(after), size):  # so many fetches that the worker's queue is full
            await send(fresh_broker.address, after[start : start + size])

        await until(lambda: "stalled" in codes(service), seconds=60)
        assert feed.events.total() < len(events)
        assert feed.dead_letters == 0
        assert (feed.ready, feed.rebalances) == (True, rebalances)
        notice = next(notice for notice in notices_of(feed, datetime.now(UTC), LIMITS) if notice.code == "stalled")
        assert "dead letter" in notice.text

        await ensure_topics([kafka.address], [letters])
        await assert_exact(service, events)
        found = [letter async for letter in read_letters([fresh_broker.address])]
        assert (len(found), feed.dead_letters, feed.rebalances) == (1, 1, rebalances)


async def test_a_changelog_that_refuses_rows_is_seen_and_written_when_it_takes_them_again(
    kafka: Cluster, fresh_broker: Broker
) -> None:
    events = day()
    before, after = halves(events)
    async with running_service(fresh_broker, clock=Clock()) as service:
        figures, tallies = service.feed.checkpoints, declared(service, "tallies-changelog")
        await send(fresh_broker.address, before)
        await assert_exact(service, before)
        await configure(kafka.address, tallies, {"max.message.bytes": "100"})
        await send(fresh_broker.address, after)
        await until(lambda: figures.failures > 1 and service.feed.events.total() == len(events))
        committed = sum(one.committed for one in service.feed.partitions.values())

        assert "unsaved" in codes(service)
        assert committed < len(events)
        shown = await service.board()
        assert shown == replay(events).board(shown.at)  # figures are right, but not saved

        await configure(kafka.address, tallies, {})
        await assert_exact(service, events)
        assert "unsaved" not in codes(service)
        settings = service.settings
    async with running_service(fresh_broker, clock=Clock(), settings=settings) as service:
        shown = await service.board()
        assert shown == replay(events).board(shown.at)


async def test_the_board_is_called_stale_after_as_long_a_silence_as_the_deployment_says(fresh_broker: Broker) -> None:
    events = day(minutes=5)
    clock = Clock()
    settings = settings_of_a_test(stale_after=timedelta(seconds=7))
    async with running_service(fresh_broker, clock=clock, settings=settings) as service:
        await send(fresh_broker.address, events)
        await assert_exact(service, events)
        last = max(one.applied_at for one in service.feed.partitions.values() if one.applied_at is not None)
        told = []
        for silence in (5, 8):
            clock.wrong_by = last + timedelta(seconds=silence) - datetime.now(UTC)
            told.append('"code":"silent","severity":"stale"' in await next_board(service))

        assert told == [False, True]


async def test_a_clock_set_back_by_an_hour_is_seen_and_costs_no_event(fresh_broker: Broker) -> None:
    events = day()
    before, after = halves(events)
    clock = Clock()
    after = [changed(event, time=event.time + timedelta(minutes=6)) for event in after]  # newer than any seen
    events = before + after
    settings = settings_of_a_test(future_tolerance=timedelta(minutes=10))
    async with running_service(fresh_broker, clock=clock, settings=settings) as service:
        feed, partitions = service.feed, service.feed.partitions.values()
        await send(fresh_broker.address, before)
        await assert_exact(service, before)
        checkpoints = feed.checkpoints.count
        clock.wrong_by = -HOUR
        await send(fresh_broker.address, after)
        await assert_exact(service, events)  # of an hour ago

        assert feed.invalid.total() == 0
        assert feed.checkpoints.count > checkpoints
        assert (await page(service, "/healthz"))[0] == (await page(service, "/readyz"))[0] == 200
        assert '"code":"clock","severity":"stale"' in await next_board(service)
        clock.wrong_by -= HOUR  # and again, while nothing comes any more: ages stay true
        await until(lambda: all(one.applied_at is None or one.applied_at <= clock() for one in partitions))

        clock.wrong_by = timedelta(0)
        await assert_exact(service, events)
        assert '"code":"clock"' not in await next_board(service)


async def test_a_call_system_whose_clock_steps_back_an_hour_counts_as_its_replay(fresh_broker: Broker) -> None:
    before, after = halves(day(90))
    events = before + [changed(event, time=event.time - HOUR) for event in after]
    async with running_service(fresh_broker, clock=Clock()) as service:
        await send(fresh_broker.address, events)

        await assert_exact(service, events)
        assert service.feed.dead_letters == 0


@pytest.mark.parametrize("found", [2, 8])
async def test_a_topic_with_another_number_of_partitions_is_refused_and_nothing_is_shown(
    fresh_broker: Broker, found: int
) -> None:
    topic = source_topic("contacts", found, retention=settings_of_a_test().retention)
    await ensure_topics([fresh_broker.address], [topic])

    with pytest.raises(TopicMismatch, match=rf"contacts has {found} partitions, but 4 are configured. Set the number"):
        async with running_service(fresh_broker, clock=Clock()):
            pytest.fail("it started")


async def test_a_topic_that_is_enlarged_stops_the_worker_before_its_figures_can_be_wrong_for_long(
    kafka: Cluster, fresh_broker: Broker
) -> None:
    events = day()
    settings = settings_of_a_test()
    service = Service(settings, brokers=fresh_broker.address, policies=Policies(), clock=Clock())
    running = asyncio.create_task(service.run())
    await until(lambda: service.feed.ready)
    await send(fresh_broker.address, events)
    await assert_exact(service, events)
    async with admin_of(kafka.address) as admin:
        await admin.create_partitions({"contacts": NewPartitions(PARTITIONS * 2)})

    with pytest.raises(TopicMismatch, match=r"contacts has 8 partitions by now, it had 4.*make new topics"):
        await asyncio.wait_for(running, 30)

    assert (await service.board()).snapshots["contacts"] == ()
    with pytest.raises(TopicMismatch, match="contacts has 8 partitions, but 4 are configured"):
        await Service(settings, brokers=fresh_broker.address, policies=Policies()).run()


async def rows_of(address: str, topic: str) -> list[Any]:
    """Return the records of a changelog."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        records: list[Any] = []
        while fetched := await consumer.getmany(timeout_ms=1000):
            records += [record for found in fetched.values() for record in found]
    return records


async def write_as_another_version(address: str, topic: str, records: Sequence[Any]) -> None:
    """Write each row once more as a later version with another row format would have."""
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        for record in records:
            other = bytes([SEGMENTS.version + 1]) + record.value[1:]
            await producer.send_and_wait(topic, other, key=record.key, partition=record.partition)


async def test_a_changelog_of_another_row_format_is_refused_and_the_advice_given_brings_the_figures_back(
    fresh_broker: Broker,
) -> None:
    events = day(20)
    settings = settings_of_a_test()
    async with running_service(fresh_broker, clock=Clock(), settings=settings) as service:
        await send(fresh_broker.address, events)
        await assert_exact(service, events)
    changelog = f"{settings.group}-segments-changelog"
    rows = [record for record in await rows_of(fresh_broker.address, changelog) if record.value is not None]
    await write_as_another_version(fresh_broker.address, changelog, rows[-3:])

    with pytest.raises(UnreadableRow) as refused:
        async with running_service(fresh_broker, clock=Clock(), settings=settings):
            pytest.fail("it started")

    said = str(refused.value)
    assert changelog in said
    assert f"row format {SEGMENTS.version + 1:02x}, this version reads 02" in said
    assert "choose another CONTACT_STREAM_GROUP" in said
    async with running_service(fresh_broker, clock=Clock(), settings=settings_of_a_test()) as service:
        await assert_exact(service, events)
