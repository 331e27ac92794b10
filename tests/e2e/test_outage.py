"""An hour without a broker, on Apache Kafka: gateways are killed, senders repeat, and what was accepted counts once."""

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace

from scripts.apache_kafka.cluster import Cluster
from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.app.service import Service
from stream.broker.child import free_port
from stream.core.cloudevents import Event
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.registry import FAMILIES
from stream.runtime.app import declared_topics
from stream.runtime.kafka.topics import ensure_topics
from stream.simulator import demo_centre, simulate
from stream.sources.amazon_connect.source import AmazonConnectWebhook, Options
from stream.sources.intake import Intake
from stream.sources.source import Received
from tests.brokers import Broker
from tests.gateway.posting import Posts, arrived, batch, figures
from tests.house.tree import ROOT
from tests.running import running_service, settings_of_a_test, until
from tests.sources.amazon_connect.aws import KEY, Call, contact_events

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
BACK = TEN + timedelta(hours=1)
"""When the broker is back, in the time of the events."""

END = BACK + timedelta(minutes=10)
CENTRES = 6
CALLS = 150
EVENTS_OF_A_POST = 20
SENDERS = 8

POLICIES = policies_of("[defaults]\nduplicate_window_seconds = 7200", "policies")
"""One spool is sent an hour, in the time of its events, after the other: contacts must be known for as long."""

WEBHOOKS = '[webhooks.connect]\nsource = "amazon-connect"\ntenant = "aws"\nkey_file = "key"\n'

Key = tuple[str, str]
"""Source and id: by them an event is one."""


def key_of(event: Event) -> Key:
    return event.source, event.id


class Post:
    """Something that is posted, and what it tells."""

    def __init__(self, path: str, body: bytes, headers: dict[str, str], events: Sequence[Event]) -> None:
        self.path = path
        self.body = body
        self.headers = headers
        self.keys = frozenset(map(key_of, events))
        self.at = events[0].time


def posts_of_centres() -> Iterator[Post]:
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    for number in range(CENTRES):
        day = simulate(demo_centre(), start=TEN, end=END, seed=number)
        told = [replace(one, tenantid=f"{one.tenantid}-{number}") for one in day if one.topic == "contacts"]
        for begin in range(0, len(told), EVENTS_OF_A_POST):
            events = told[begin : begin + EVENTS_OF_A_POST]
            yield Post("/v1/events", batch(events), headers, events)


def posts_of_calls(folder: Path) -> Iterator[Post]:
    webhook = AmazonConnectWebhook(Options(tenant="aws", key_file=folder / "key"), Intake())
    headers = {"X-API-Key": KEY}
    for number in range(CALLS):
        queued, answered, ended = (f"{number * 68 // CALLS}:{second:02}" for second in (0, 10, 50))
        call = Call(contact=f"call-{number}", begun=queued, queued=queued, answered=answered, ended=ended)
        for body in map(str.encode, map(json.dumps, contact_events(call))):
            if events := list(webhook.events(Received(body, {}, "", TEN))):
                yield Post("/v1/webhooks/connect", body, headers, events)


class Gateway:
    """A gateway as an operator runs it, with a spool of its own, which may be killed."""

    def __init__(self, kafka: Cluster, folder: Path, name: str, session: aiohttp.ClientSession) -> None:
        port = free_port()
        self.posts = Posts(f"http://127.0.0.1:{port}", session)
        self._command = (
            *("gateway", "--broker", f"kafka://{kafka.address}", "--port", str(port)),
            *("--spool", str(folder / f"{name}.db"), "--webhooks", str(folder / "webhooks.toml")),
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(sys.executable, "-m", "stream", *self._command, cwd=ROOT)
        async with asyncio.timeout(30):
            while not await self._answers():
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await process.wait()

    async def spooled(self) -> float:
        return (await figures(self.posts))["contact_gateway_spool_events", ()]

    async def spools(self, expected: Callable[[float], bool]) -> None:
        """Return when it has as many events in its spool as are expected."""
        async with asyncio.timeout(60):
            while not expected(await self.spooled()):
                await asyncio.sleep(0.01)

    async def _answers(self) -> bool:
        try:
            return (await self.posts.get("/healthz"))[0] == 200
        except aiohttp.ClientError:
            return False


class Senders:
    """Send to a gateway by chance, and to another where nobody listens; what gets no answer they do not repeat."""

    def __init__(self, gateways: Sequence[Gateway]) -> None:
        self._gateways = gateways
        self._chance = random.Random(1)
        self.accepted: set[Key] = set()
        self.answers = 0
        self.unanswered = 0

    async def send(self, posts: Sequence[Post]) -> None:
        left = iter(posts)
        await asyncio.gather(*(self._send_some(left) for _ in range(SENDERS)))

    async def _send_some(self, posts: Iterator[Post]) -> None:
        for post in posts:
            try:
                while not await self._is_accepted(post):
                    await asyncio.sleep(0.01)
            except aiohttp.ClientError:
                self.unanswered += 1

    async def _is_accepted(self, post: Post) -> bool:
        gateway = self._chance.choice(self._gateways).posts
        try:
            status, _, _ = await gateway.raw(post.path, post.body, post.headers)
        except aiohttp.ClientConnectorError:
            return False
        assert status in {202, 204}
        self.answers += 1
        self.accepted |= post.keys
        return True


@asynccontextmanager
async def two_gateways(kafka: Cluster, folder: Path) -> AsyncIterator[list[Gateway]]:
    async with aiohttp.ClientSession() as session:
        gateways = [Gateway(kafka, folder, name, session) for name in ("first", "second")]
        try:
            await asyncio.gather(*(gateway.start() for gateway in gateways))
            yield gateways
        finally:
            await asyncio.gather(*(gateway.kill() for gateway in gateways))


async def killed_while_it_accepts(gateway: Gateway, is_time: Callable[[], bool]) -> None:
    await until(is_time)
    await gateway.kill()
    await gateway.start()


async def killed_while_it_sends(gateway: Gateway) -> None:
    before = await gateway.spooled()
    await gateway.spools(lambda events: events < before)
    await gateway.kill()


def has_committed(service: Service) -> bool:
    partitions = service.feed.partitions.values()
    return all(one.committed == one.position == one.highwater for one in partitions)


def of_each_queue(board: Sequence[QueueSnapshot]) -> dict[tuple[str, str], QueueSnapshot]:
    """Return all but what was counted and taken back: that depends on the order of events."""
    return {(one.tenant, one.queue): replace(one, counted=replace(one.counted, taken_back=b"")) for one in board}


async def test_what_two_gateways_accepted_without_a_broker_arrives_and_counts_once_though_both_are_killed(
    kafka_of_one: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "webhooks.toml").write_text(WEBHOOKS)
    told = sorted([*posts_of_centres(), *posts_of_calls(tmp_path)], key=attrgetter("at"))
    without, later = [one for one in told if one.at < BACK], [one for one in told if one.at >= BACK]
    # As whoever is not sure does: some had no answer, most had.
    again = without[::9]
    declared = declared_topics(settings_of_a_test(), FAMILIES)
    await ensure_topics([kafka_of_one.address], declared, replication=1, create=True)
    kafka_of_one.stop()
    async with two_gateways(kafka_of_one, tmp_path) as gateways:
        first, second = gateways
        senders = Senders(gateways)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(killed_while_it_accepts(first, lambda: senders.answers > len(without) // 3))
            await senders.send(without)
        without_a_broker = len(senders.accepted)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(killed_while_it_sends(second))
            await asyncio.to_thread(kafka_of_one.start)
        async with running_service(Broker(kafka_of_one.address, real=True), at=END, policies=POLICIES) as service:
            await senders.send([*again, *later])
            await first.spools(lambda events: not events)
            # What the second still has comes after all that: what the worker may forget by then it does.
            await until(lambda: has_committed(service))
            await second.start()
            left_by_the_second = await second.spooled()
            await second.spools(lambda events: not events)
            found = await arrived(kafka_of_one.address)
            await until(lambda: service.feed.events.total() >= len(found))
            shown = of_each_queue((await service.board()).snapshots["contacts"])

    once = {key_of(event): event for event in found}
    in_order = sorted(once.values(), key=attrgetter("time"))
    expected = of_each_queue(replay(in_order, policies=POLICIES).board(END).snapshots["contacts"])
    assert without_a_broker >= 20_000
    assert left_by_the_second > 1_000
    assert senders.unanswered > 0
    assert senders.accepted <= once.keys()
    assert len(found) > len(once)
    assert [queue for queue in shown | expected if shown.get(queue) != expected.get(queue)] == []
