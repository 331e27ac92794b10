"""Genesys' voice topics: a story with figures computed by hand, each event alone, and a topic of a real broker."""

import json
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.core.cloudevents import Event, tag_of
from stream.errors import SettingsError
from stream.families.contacts.tally import Tally
from stream.sdk.producer import checked
from stream.sources.genesys_kafka.source import SOURCE, Options, VoiceMapper, VoiceTopics, topics_of
from stream.sources.intake import Intake
from stream.sources.kafka.topic import KafkaTopicPuller, TopicRecord
from stream.sources.lines import BadLine, Location
from tests.brokers import Broker
from tests.sources.genesys_kafka.voice import BEGIN, voice
from tests.sources.kafka_topic.topics import told_of
from tests.timeline import fold_of, shown

LATER = BEGIN + timedelta(minutes=5)
"""When Kafka got it: not when it happened."""


def at_mia(name: str, second: float, thread: str, **attributes: Any) -> bytes:
    return voice(name, second, thread, dn="1001", ThisQueue="9001", AgentID="mia", **attributes)


DAY = [
    # Ann waits 10.5 s, talks 60 s of which 20 on hold.
    voice("EventQueued", 0, "ann"),
    voice("EventRouteRequest", 0.1, "ann"),
    voice("EventDiverted", 6, "ann", ThisQueue="9001", ThirdPartyDN="1001"),
    at_mia("EventRinging", 6, "ann"),
    at_mia("EventEstablished", 10.5, "ann"),
    at_mia("EventHeld", 20.5, "ann"),
    at_mia("EventRetrieved", 40.5, "ann"),
    at_mia("EventReleased", 70.5, "ann", CallState="RemoteRelease"),
    voice("EventAgentNotReady", 70.6, dn="1001", AgentID="mia", AgentWorkMode="AgentAfterCallWork"),
    # Bob gives up after 30 s, while it rings: that is told at the queue and at the telephone.
    voice("EventQueued", 10, "bob"),
    at_mia("EventRinging", 35, "bob"),
    voice("EventAbandoned", 40, "bob", ThisQueue="9001"),
    at_mia("EventAbandoned", 40, "bob"),
    # Cid is passed on to another queue after 25 s; there it rings in vain once, then Eva answers after 20 s.
    voice("EventQueued", 50, "cid"),
    voice("EventDiverted", 75, "cid", ThisQueue="9001", ThirdPartyQueue="9002"),
    voice("EventQueued", 75, "cid", dn="9002"),
    voice("EventDiverted", 88, "cid", dn="1002", ThisQueue="9002", AgentID="tom"),
    voice("EventEstablished", 95, "cid", dn="1003", ThisQueue="9002", AgentID="eva"),
    # She hands him on after 45 s.
    voice("EventReleased", 140, "cid", dn="1003", ThisQueue="9002", AgentID="eva", CallState=1),
    # A consultation, and a call of ours.
    voice("EventQueued", 100, "dan", CallType="Consult"),
    voice("EventEstablished", 110, "fay", dn="1001", ThisQueue="9001", CallType=3),
]


def record(value: bytes, offset: int = 0) -> TopicRecord:
    place = Location("voice-callthread/0", offset, offset)
    return TopicRecord(place=place, topic="voice-callthread", value=value, key=b"t:c", at=LATER)


def told(values: list[bytes], intake: Intake | None = None) -> list[Event]:
    mapper = VoiceMapper(VoiceTopics(brokers=("kafka:9092",), queues={"9001": "Sales"}), intake or Intake())
    return [event for value in values for event in mapper.map_record(record(value))]


def counted(events: list[Event]) -> dict[str, Tally]:
    calls = [event for event in events if event.topic == "contacts"]
    return {queue.queue: queue.total for queue in shown(fold_of(calls), BEGIN + timedelta(hours=1))}


def expected(tally: Tally, **by_hand: int) -> None:
    assert {name: getattr(tally, name) for name in by_hand} == by_hand


def test_the_figures_are_those_that_were_computed_by_hand() -> None:
    tallies = counted(told(DAY))

    assert tallies.keys() == {"Sales", "9002"}
    expected(tallies["Sales"], offered=3, answered=1, answer_wait_ms=10_500, abandoned=1, abandon_wait_ms=30_000)
    expected(tallies["Sales"], dequeued_moved=1, handled=1, talk_ms=40_000, hold_ms=20_000, expired=0)
    expected(tallies["9002"], offered=1, answered=1, answer_wait_ms=20_000, offers_missed=1, transferred_out=1)
    expected(tallies["9002"], handled=1, talk_ms=45_000, hold_ms=0, abandoned=0)


@given(st.permutations([*DAY, *DAY[::2]]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_repetition_matters(values: list[bytes]) -> None:
    assert counted(told(values)) == counted(told(DAY))


def test_what_is_read_again_has_the_same_ids_and_nothing_personal() -> None:
    events = told(DAY)

    assert told(DAY) == events
    assert len({(event.source, event.id) for event in events}) == len(events)
    assert b"386" not in b"".join(checked(event) for event in events)


AGENTS = [
    ("EventAgentLogin", {"ThisQueue": "9001"}, ["agent.logged_in", "agent.queue_joined"]),
    ("EventAgentLogin", {}, ["agent.logged_in"]),
    ("EventAgentLogout", {}, ["agent.logged_out"]),
    ("EventQueueLogout", {"ThisQueue": "9001"}, ["agent.queue_left"]),
    ("EventAgentReady", {}, ["agent.availability_changed", "agent.activity_changed"]),
    ("EventAgentNotReady", {}, ["agent.availability_changed", "agent.activity_changed"]),
    ("EventAgentNotReady", {"AgentWorkMode": "AfterCallWork"}, ["agent.activity_changed"]),
    ("EventAgentNotReady", {"AgentWorkMode": 3}, ["agent.activity_changed"]),
]


@pytest.mark.parametrize(("name", "attributes", "expected"), AGENTS, ids=str)
def test_what_agents_do(name: str, attributes: dict[str, Any], expected: list[str]) -> None:
    events = told([voice(name, 1, dn="1001", AgentID=7001, **attributes)])

    assert [tag_of(event) for event in events] == expected
    assert {event.subject for event in events} == {"7001"}


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ({"TimeinSecs": 1_795_698_000, "TimeinuSecs": 250_000}, BEGIN + timedelta(milliseconds=250)),
        ({"sec": 1_795_698_000}, BEGIN),
        (1_795_698_000, BEGIN),
        # What cannot be read so happened when Kafka got it, or a little before.
        ({"sec": 5, "usec": 5}, LATER),
        ({"sec": 1_795_698_000, "then": 1_795_698_001}, LATER),
        ("2026-11-26", LATER),
        (None, LATER),
        ({"sec": True, "usec": 10**30}, LATER),
    ],
    ids=str,
)
def test_the_time_is_a_structure_of_seconds_and_microseconds(time: object, at: datetime) -> None:
    assert [event.time for event in told([voice("EventQueued", 0, "ann", time=time)])] == [at]


def test_what_is_of_no_use_is_counted_with_its_reason() -> None:
    aside = list[BadLine]()
    intake = Intake(aside.append)
    values = [
        *(b"not json", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"id": "EventQueued", "ThisDN": [1]}'),
        voice("EventQueued", 1),
        voice("EventAgentReady", 1),
        voice("EventRouteUsed", 1, "ann"),
        voice("EventOfTomorrow", 1, "ann"),
        voice("EventQueued", 1, "dan", CallType="Consult"),
    ]

    assert told(values, intake) == []
    assert intake.refused == {"no_voice_event": 6, "missing_field": 2}
    assert intake.ignored == {"EventRouteUsed": 1, "EventQueued": 1}
    assert intake.unknown == {"EventOfTomorrow": 1}
    assert len(aside) == 9


VALUES = st.none() | st.integers() | st.text() | st.lists(st.integers()) | st.dictionaries(st.text(), st.integers())


@given(st.data())
def test_an_event_with_any_attribute_changed_is_refused_or_makes_valid_events(data: st.DataObject) -> None:
    changed = json.loads(data.draw(st.sampled_from(DAY)))
    for name in data.draw(st.lists(st.sampled_from(sorted(changed)), max_size=3)):
        changed[name] = data.draw(VALUES)

    for event in told([json.dumps(changed).encode()]):
        checked(event)


# -- the file ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "missing required field `brokers`"),
        ("brokers = [", "Unclosed array|Invalid value"),
        ('brokers = ["kafka"]', "brokers: each must be host:port"),
        ('brokers = ["kafka:9092"]\nqueue = 1', "unknown field `queue`"),
        (
            'brokers = ["kafka:9092"]\n[security]\nprotocol = "SSL"',
            "security has no protocol; it has: security_protocol",
        ),
        ('brokers = ["kafka:9092"]\n[security]\nsecurity_protocol = "TLS"', "security: Invalid enum value"),
        (
            'brokers = ["kafka:9092"]\n[security]\nsecurity_protocol = "SASL_SSL"',
            "security.sasl_mechanism is missing: set it to PLAIN",
        ),
        (
            'brokers = ["kafka:9092"]\n[security]\nsecurity_protocol = "SSL"\nssl_ca_file = "ca.pem"',
            r"security.ssl_ca_file: .*/ca.pem: No such file",
        ),
    ],
    ids=range(8),
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, content: str, what: str) -> None:
    file = tmp_path / "genesys.toml"
    file.write_text(content)

    with pytest.raises(SettingsError, match=what) as raised:
        topics_of(file)
    assert str(raised.value).startswith(str(file))


def test_a_login_is_read_from_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hush")
    (tmp_path / "genesys.toml").write_text(
        'brokers = ["kafka:9092"]\n[security]\nsecurity_protocol = "SASL_PLAINTEXT"\n'
        'sasl_mechanism = "SCRAM-SHA-512"\nsasl_username = "us"\nsasl_password_file = "password"\n'
    )

    _, foreign = topics_of(tmp_path / "genesys.toml")

    assert foreign.security.client_options()["sasl_plain_password"] == "hush"
    assert "hush" not in repr(foreign)


# -- a real broker -----------------------------------------------------------------------------


async def test_the_topics_of_a_broker_are_read(broker: Broker, tmp_path: Path) -> None:
    suffix = uuid.uuid4().hex[:8]
    topics = [f"voice-callthread-{suffix}", f"voice-agentstate-{suffix}"]
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 2, 1) for topic in topics])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=broker.address) as producer:
        for number, value in enumerate(DAY):
            await producer.send_and_wait(topics["AgentState" in str(value)], value, partition=number % 2)
    file = tmp_path / "genesys.toml"
    file.write_text(f'brokers = ["{broker.address}"]\ntopics = {json.dumps(topics)}\n[queues]\n9001 = "Sales"\n')
    assert SOURCE.pull is not None

    puller = SOURCE.pull(Options(file=file), Intake())
    assert isinstance(puller, KafkaTopicPuller)
    _, batches = await told_of(puller, None, len(told(DAY)))

    assert counted([event for batch in batches for event in batch.events]) == counted(told(DAY))


def test_tenants_that_share_a_topic_are_told_apart_by_the_key(tmp_path: Path) -> None:
    file = tmp_path / "genesys.toml"
    file.write_text('brokers = ["kafka:9092"]\n[tenants]\n"t-1" = "acme"\n"t-2" = "northwind"\n')
    intake = Intake()
    mapper = VoiceMapper(topics_of(file)[0], intake)

    def tenants_of(key: bytes | None) -> list[str]:
        record = TopicRecord(
            place=Location("voice-callthread/0", 1, 1),
            topic="voice-callthread",
            value=voice("EventQueued", 0, "ann"),
            key=key,
            at=LATER,
        )
        return [event.tenantid for event in mapper.map_record(record)]

    assert tenants_of(b"t-1:ann") == ["acme"]
    assert tenants_of(b"t-2:ann") == ["northwind"]
    assert [*tenants_of(b"t-3:ann"), *tenants_of(b"\xff"), *tenants_of(None)] == []
    assert intake.ignored == {"another tenant": 3}
