"""A topic of somebody else's Kafka as a source: every record once, from whatever position, whatever happens to it."""

import logging
import uuid

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, TopicAuthorizationFailedError
from hypothesis import given
from hypothesis import strategies as st

from stream.errors import BrokerRefused, SourceError
from stream.sources.intake import MISSED_WHILE_AWAY, Intake
from stream.sources.kafka.topic import FETCH_RECORDS, ForeignTopics, KafkaTopicPuller, TopicOffsets, first_offset
from stream.sources.lines import BadLine
from stream.sources.source import UnreadablePosition
from tests.brokers import Broker
from tests.sources.kafka_topic.topics import FOREIGN, FakeTopic, counting, puller_of, told_of


async def test_every_partition_is_read_from_its_begin_and_on_from_what_was_saved() -> None:
    topic = FakeTopic(partitions=2)
    topic.add(b"ann", b"bob")
    topic.add(b"eve", partition=1)
    names, batches = await told_of(puller_of(topic), None, 3)
    topic.add(b"dan")

    again, _ = await told_of(puller_of(topic), batches[-1].position, 1)

    assert sorted(names) == ["ann", "bob", "eve"]
    assert again == ["dan"]
    assert topic.connected == 0


async def test_records_of_no_use_are_counted_and_hold_up_nothing() -> None:
    topic, aside = FakeTopic(), list[BadLine]()
    intake = Intake(aside.append)
    topic.add(b"ann", None, b"", b"?", b"bob")

    names, _ = await told_of(puller_of(topic, intake), None, 2)

    assert names == ["ann", "bob"]
    assert (intake.read, intake.empty, intake.used.total(), intake.refused) == (5, 2, 2, {"bad_call": 1})
    assert str(aside[0]) == "calls/0:3: the call has no name"


async def test_a_partition_that_is_new_is_read_from_its_begin_and_the_others_go_on() -> None:
    topic = FakeTopic()
    topic.add(b"ann")
    names: list[str] = []
    async for batch in puller_of(topic).batches(None):
        names += [event.subject for event in batch.events]
        if names == ["ann"]:
            topic.add(b"eve", partition=1)
            topic.add(b"bob")
        if len(names) == 3:
            break

    assert (names[0], sorted(names[1:])) == ("ann", ["bob", "eve"])


async def test_a_lost_connection_is_made_again_and_nothing_is_told_twice() -> None:
    topic, intake = FakeTopic(), Intake()
    topic.add(b"ann")
    names: list[str] = []
    async for batch in puller_of(topic, intake).batches(None):
        assert intake.connected == {"calls": True}
        names += [event.subject for event in batch.events]
        if names == ["ann"]:
            topic.failures = [KafkaConnectionError(), KafkaTimeoutError(), KafkaConnectionError()]
            topic.add(b"bob")
        if len(names) == 2:
            break

    assert names == ["ann", "bob"]


async def test_brokers_that_do_not_answer_are_noticed_though_nothing_is_read() -> None:
    topic, intake, heard = FakeTopic(), Intake(), list[bool]()
    topic.add(b"ann")

    async def sleep(_: float) -> None:
        heard.append(intake.connected["calls"])

    async for batch in puller_of(topic, intake, sleep=sleep).batches(None):
        if len(heard) == 2:
            break
        assert batch.events
        topic.unreachable = 2
        topic.add(b"bob")

    assert heard == [False, False]
    assert intake.connected == {"calls": True}


async def test_what_was_deleted_before_it_was_read_is_said_to_be_missing(caplog: pytest.LogCaptureFixture) -> None:
    topic, aside = FakeTopic(), list[BadLine]()
    intake = Intake(aside.append)
    topic.add(b"ann", b"bob", b"eve", b"dan")
    topic.begins[0] = 3
    position = TopicOffsets({"calls": {0: 1}}).write()

    with caplog.at_level(logging.WARNING):
        names, _ = await told_of(puller_of(topic, intake), position, 1)

    assert names == ["dan"]
    assert "calls/0: offsets 1 to 2 were deleted before they were read: what they told is missing" in caplog.messages
    assert intake.refused == {MISSED_WHILE_AWAY: 1}
    assert intake.read == 2


async def test_what_is_deleted_while_it_is_read_is_said_to_be_missing() -> None:
    topic, intake = FakeTopic(), Intake()
    topic.add(b"ann")
    names: list[str] = []
    async for batch in puller_of(topic, intake).batches(None):
        names += [event.subject for event in batch.events]
        if names == ["ann"]:
            topic.add(b"bob", b"eve")
            topic.begins[0] = 2
        else:
            break

    assert names == ["ann", "eve"]
    assert intake.refused == {MISSED_WHILE_AWAY: 1}


async def test_a_topic_that_is_not_there_is_named() -> None:
    nowhere = ForeignTopics(brokers=FOREIGN.brokers, topics=("voice",))

    with pytest.raises(SourceError, match="there is no topic voice, or a client without a login may not read it"):
        await told_of(puller_of(FakeTopic(), foreign=nowhere), None, 1)


async def test_a_topic_that_was_there_is_waited_for() -> None:
    topic = FakeTopic()
    topic.add(b"ann")
    names: list[str] = []
    async for batch in puller_of(topic).batches(None):
        names += [event.subject for event in batch.events]
        if len(names) == 2:
            break
        topic.away = 4
        topic.add(b"bob")

    assert names == ["ann", "bob"]


async def test_a_right_that_is_refused_ends_it_with_what_to_do() -> None:
    topic = FakeTopic()
    topic.failures = [TopicAuthorizationFailedError("calls")]

    with pytest.raises(BrokerRefused, match="do not let a client without a login use the topic calls"):
        await told_of(puller_of(topic), None, 1)
    assert topic.connected == 0


@pytest.mark.parametrize(
    "saved", [b"", b"page four", b"[]", b'{"next_offsets":{"calls":{"0":-1}}}', b'{"next_offsets":{},"x":1}']
)
def test_a_position_of_something_else_is_refused(saved: bytes) -> None:
    with pytest.raises(UnreadablePosition, match="no position in Kafka topics"):
        TopicOffsets.read(saved)


@given(st.dictionaries(st.text(), st.dictionaries(st.integers(0, 2**31), st.integers(0, 2**60))))
def test_a_position_that_was_written_is_read(offsets: dict[str, dict[int, int]]) -> None:
    assert TopicOffsets.read(TopicOffsets(offsets).write()) == TopicOffsets(offsets)


@given(st.none() | st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_reading_goes_on_inside_of_what_is_left_and_a_gap_is_told(saved: int | None, begin: int, length: int) -> None:
    end = begin + length

    first, gap = first_offset(saved, begin, end)

    assert begin <= first <= end
    assert (gap is None) == (saved is None or saved == first)


async def test_a_burst_in_several_partitions_is_told_in_batches_and_gone_on_with_behind_each() -> None:
    topic, calls = FakeTopic(partitions=3), [f"call{number}" for number in range(10_000)]
    for number, call in enumerate(calls):
        topic.add(call.encode(), partition=number % 3)

    names, batches = await told_of(puller_of(topic), None, len(calls))

    assert sorted(names) == sorted(calls)
    assert max(len(batch.events) for batch in batches) <= 3 * FETCH_RECORDS
    told = 0
    for batch in batches[:-1]:
        told += len(batch.events)
        rest, _ = await told_of(puller_of(topic), batch.position, len(calls) - told)
        assert rest == names[told:]


# -- a real broker -----------------------------------------------------------------------------


@pytest.fixture
async def topic(broker: Broker) -> ForeignTopics:
    name = f"calls-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    await admin.create_topics([NewTopic(name, 3, 1)])
    await admin.close()
    return ForeignTopics(brokers=(broker.address,), topics=(name,))


async def send(foreign: ForeignTopics, names: list[str]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=list(foreign.brokers)) as producer:
        for number, name in enumerate(names):
            await producer.send_and_wait(foreign.topics[0], name.encode(), partition=number % 3)


async def test_a_topic_of_a_real_broker_is_read_and_gone_on_with(topic: ForeignTopics) -> None:
    early = [f"early{number}" for number in range(50)]
    late = [f"late{number}" for number in range(50)]
    await send(topic, early)
    intake = Intake()
    puller = KafkaTopicPuller(lambda: (topic, counting(intake)), intake)
    first, batches = await told_of(puller, None, 50)
    await send(topic, late)

    second, _ = await told_of(puller, batches[-1].position, 50)

    assert sorted(first) == sorted(early)
    assert sorted(second) == sorted(late)


async def test_a_position_behind_the_end_of_a_topic_that_was_made_anew_is_told(topic: ForeignTopics) -> None:
    await send(topic, ["ann", "bob", "eve"])
    intake = Intake()
    puller = KafkaTopicPuller(lambda: (topic, counting(intake)), intake)
    position = TopicOffsets({topic.topics[0]: {0: 900, 1: 900, 2: 900}}).write()

    names, _ = await told_of(puller, position, 3)

    assert sorted(names) == ["ann", "bob", "eve"]
    assert intake.refused == {MISSED_WHILE_AWAY: 3}
