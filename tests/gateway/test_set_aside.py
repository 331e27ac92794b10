"""What the broker refuses for good becomes a dead letter and blocks nothing; what it refuses for now never does."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from click.testing import CliRunner

from scripts.apache_kafka.admin import admin_of
from scripts.apache_kafka.cluster import Cluster
from stream.cli import group
from stream.errors import BrokerError, EventRefusalReason, EventsRefused
from stream.gateway.forwarder import TOPIC_PATIENCE_SECONDS, Forwarder
from stream.gateway.letters import GatewayLetter
from stream.gateway.spool import Spool
from stream.runtime.kafka.topics import DEAD_LETTERS
from stream.runtime.routing.dead_letter_reader import read_letters
from stream.sdk.producer import EncodedEvent
from tests.gateway.posting import Posts, an_event, arrived, batch, figures, running_gateway

HUGE = b"x" * 1000


class Topics:
    """A broker that refuses some of what it is sent, and takes the rest."""

    def __init__(self) -> None:
        self.away = False
        self.closed: dict[str, EventRefusalReason] = {}
        self.most = {"contacts": 100, DEAD_LETTERS: 2000}
        self.got: list[EncodedEvent] = []

    async def send_encoded(self, events: Sequence[EncodedEvent]) -> int:
        if self.away:
            raise BrokerError("away")
        refused = {place: reason for place, event in enumerate(events) if (reason := self._refusal(event))}
        self.got += [event for place, event in enumerate(events) if place not in refused]
        if refused:
            raise EventsRefused("refused", refused)
        return len(events)

    def _refusal(self, event: EncodedEvent) -> EventRefusalReason | None:
        if event.topic in self.closed:
            return self.closed[event.topic]
        return "too_large" if len(event.value) > self.most.get(event.topic, 100) else None

    def values(self, topic: str) -> list[bytes]:
        return list(dict.fromkeys(event.value for event in self.got if event.topic == topic))


class Clock:
    """Told the time."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def on(topic: str, *values: bytes) -> list[EncodedEvent]:
    return [EncodedEvent(topic, b"key", value) for value in values]


async def drain(forwarder: Forwarder) -> None:
    """Do what `run` does, until the spool is empty or something goes wrong."""
    spool = forwarder.spool
    while spool is not None and spool.events:
        await forwarder._send_first(spool)


def said(letter: EncodedEvent) -> dict[str, bytes]:
    return {name.removeprefix("dead-letter."): value for name, value in letter.headers}


async def test_an_event_that_is_too_large_for_its_topic_is_a_dead_letter_and_those_behind_it_arrive(
    tmp_path: Path,
) -> None:
    topics = Topics()
    spool = Spool(tmp_path / "spool", 1_000_000)
    forwarder = Forwarder(topics, spool)
    topics.away = True
    await forwarder.accept(on("contacts", b"1", HUGE, b"2"))
    topics.away = False
    await drain(forwarder)
    await spool.close()

    assert topics.values("contacts") == [b"1", b"2"]
    assert topics.values(DEAD_LETTERS) == [HUGE]
    [letter] = [event for event in topics.got if event.topic == DEAD_LETTERS]
    assert letter.key == b"key"
    assert (said(letter)["reason"], said(letter)["topic"]) == (b"too_large", b"contacts")
    assert forwarder.set_aside_counts == {"too_large": 1}


async def test_without_a_spool_it_is_one_at_once() -> None:
    topics = Topics()
    forwarder = Forwarder(topics, None)
    await forwarder.accept(on("contacts", b"1", HUGE, b"2"))

    assert (topics.values("contacts"), topics.values(DEAD_LETTERS)) == ([b"1", b"2"], [HUGE])


async def test_a_broker_that_is_away_makes_no_dead_letter_however_long(tmp_path: Path) -> None:
    topics, clock = Topics(), Clock()
    topics.away = True
    spool = Spool(tmp_path / "spool", 1_000_000)
    forwarder = Forwarder(topics, spool, clock)
    await forwarder.accept(on("contacts", b"1"))
    for _ in range(10):
        clock.seconds += TOPIC_PATIENCE_SECONDS
        with pytest.raises(BrokerError):
            await drain(forwarder)
    topics.away = False
    await drain(forwarder)
    await spool.close()

    assert (topics.values("contacts"), forwarder.set_aside_counts) == ([b"1"], {})


@pytest.mark.parametrize("reason", ["no_topic", "no_right"])
async def test_a_topic_that_is_closed_is_waited_for_and_only_then_given_up(
    reason: EventRefusalReason, tmp_path: Path
) -> None:
    topics, clock = Topics(), Clock()
    topics.closed["cases"] = reason
    spool = Spool(tmp_path / "spool", 1_000_000)
    forwarder = Forwarder(topics, spool, clock)
    await forwarder.accept([*on("cases", b"case"), *on("contacts", b"call")])
    clock.seconds = TOPIC_PATIENCE_SECONDS - 1
    with pytest.raises(EventsRefused):
        await drain(forwarder)
    assert not topics.values(DEAD_LETTERS)
    clock.seconds += 1
    await drain(forwarder)
    await spool.close()

    assert (topics.values("contacts"), topics.values(DEAD_LETTERS)) == ([b"call"], [b"case"])
    assert forwarder.set_aside_counts == {reason: 1}


async def test_a_topic_that_was_mended_in_time_is_waited_for_anew(tmp_path: Path) -> None:
    topics, clock = Topics(), Clock()
    spool = Spool(tmp_path / "spool", 1_000_000)
    forwarder = Forwarder(topics, spool, clock)
    for value in (b"1", b"2"):
        topics.closed["cases"] = "no_right"
        await forwarder.accept(on("cases", value))
        clock.seconds += TOPIC_PATIENCE_SECONDS - 1
        with pytest.raises(EventsRefused):
            await drain(forwarder)
        topics.closed.clear()
        await drain(forwarder)
    await spool.close()

    assert (topics.values("cases"), forwarder.set_aside_counts) == ([b"1", b"2"], {})


async def test_what_even_the_dead_letters_refuse_is_kept_aside_shown_and_sent_again_when_asked(tmp_path: Path) -> None:
    topics = Topics()
    topics.most[DEAD_LETTERS] = 10
    path = tmp_path / "spool"
    spool = Spool(path, 1_000_000)
    await Forwarder(topics, spool).accept(on("contacts", b"1", HUGE, b"2"))
    aside, size = spool.aside, spool.bytes
    await spool.close()
    listed = CliRunner().invoke(group, ["gateway-aside", str(path)])
    shown = CliRunner().invoke(group, ["gateway-aside", "--show", "1", str(path)])
    again = CliRunner().invoke(group, ["gateway-aside", "--retry", str(path)])
    topics.most["contacts"] = 2000
    spool = Spool(path, 1_000_000)
    assert (spool.aside, spool.events, spool.bytes) == (0, 1, size)
    await drain(Forwarder(topics, spool))
    await spool.close()

    assert aside == 1
    assert ("contacts  too_large" in listed.output, "1 events" in listed.output) == (True, True)
    assert (shown.stdout_bytes, again.exit_code) == (HUGE, 0)
    assert topics.values("contacts") == [b"1", b"2", HUGE]


async def test_without_a_spool_what_nobody_takes_is_refused() -> None:
    topics = Topics()
    topics.most[DEAD_LETTERS] = 10

    with pytest.raises(BrokerError):
        await Forwarder(topics, None).accept(on("contacts", HUGE))


async def test_a_letter_of_a_webhook_waits_in_the_spool_with_its_headers(tmp_path: Path) -> None:
    topics = Topics()
    topics.away = True
    letter = GatewayLetter(origin="/v1/webhooks/front", offset="3", reason="no_queue", error="no queue", field="Queue")
    spool = Spool(tmp_path / "spool", 1_000_000)
    forwarder = Forwarder(topics, spool)
    await forwarder.accept([letter.encoded()])
    size = spool.bytes
    await spool.close()
    spool = Spool(tmp_path / "spool", 1_000_000)
    assert spool.bytes == size
    topics.away = False
    await drain(Forwarder(topics, spool))
    await spool.close()

    assert topics.got == [letter.encoded()]
    assert said(topics.got[0]) == {
        "reason": b"no_queue", "field": b"Queue", "error": b"no queue",
        "topic": b"/v1/webhooks/front", "partition": b"gateway", "offset": b"3",
    }  # fmt: skip


async def test_a_spool_of_the_version_before_is_gone_on_with(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "spool")
    db.execute("CREATE TABLE events(id INTEGER PRIMARY KEY, at REAL, topic TEXT, key BLOB, value BLOB)")
    db.execute("INSERT INTO events(at, topic, key, value) VALUES(1.0, 'contacts', x'6b', x'31')")
    db.execute("PRAGMA user_version=1")
    db.commit()
    db.close()
    topics = Topics()
    spool = Spool(tmp_path / "spool", 1_000_000)
    await drain(Forwarder(topics, spool))
    await spool.close()

    assert topics.got == [EncodedEvent("contacts", b"k", b"1")]


async def test_on_apache_kafka_the_event_at_fault_alone_is_set_aside(kafka_of_one: Cluster, tmp_path: Path) -> None:
    address = kafka_of_one.address
    limited = {"max.message.bytes": "20000"}
    async with admin_of(address) as admin:
        await admin.create_topics([NewTopic("contacts", 4, 1, topic_configs=limited), NewTopic(DEAD_LETTERS, 1, 1)])
    large = an_event("large", tenant="refused")
    events = [an_event(f"caller-{number}", tenant="refused") for number in range(60)]
    fat = [b'{"padding":"' + b"x" * 30_000 + b'",' + batch([large])[2:-1]]
    async with running_gateway(f"kafka://{address}", patience=10, gateway_spool=tmp_path / "spool") as posts:
        status, _ = await posts(batch([*events[:30], *fat, *events[30:]]), "batch")
        told = await _until_empty(posts)
    letters = [letter async for letter in read_letters([address])]

    assert status == 202
    assert told["contact_gateway_set_aside_total", (("reason", "too_large"),)] == 1
    assert {event.id for event in await arrived(address, "refused")} == {event.id for event in events}
    [letter] = letters
    assert (letter.place.rpartition("/")[0], letter.reason) == ("contacts/gateway", "too_large")
    assert letter.value == fat[0]


async def _until_empty(posts: Posts) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    while (told := dict(await figures(posts)))["contact_gateway_spool_events", ()]:
        pass
    return told
