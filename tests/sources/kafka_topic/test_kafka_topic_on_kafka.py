"""What only a real Kafka does: it deletes records, aborts transactions, adds partitions and is started again."""

import asyncio
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewPartitions, NewTopic, RecordsToDelete
from aiokafka.structs import TopicPartition

from scripts.apache_kafka.admin import admin_of
from scripts.apache_kafka.cluster import Cluster
from stream.sources.intake import MISSED_WHILE_AWAY, Intake
from stream.sources.kafka.topic import ForeignTopics, KafkaTopicPuller, TopicOffsets
from tests.sources.kafka_topic.topics import counting, told_of


@pytest.fixture
async def topic(kafka_of_one: Cluster) -> ForeignTopics:
    async with admin_of(kafka_of_one.address) as admin:
        await admin.create_topics([NewTopic("calls", 1, 1)])
    return ForeignTopics(brokers=(kafka_of_one.address,), topics=("calls",))


def puller_of(topic: ForeignTopics, intake: Intake) -> KafkaTopicPuller:
    return KafkaTopicPuller(lambda: (topic, counting(intake)), intake, look_after=timedelta(seconds=1))


async def send(topic: ForeignTopics, *names: str, partition: int = 0) -> None:
    async with AIOKafkaProducer(bootstrap_servers=list(topic.brokers)) as producer:
        for name in names:
            await producer.send_and_wait("calls", name.encode(), partition=partition)


@pytest.mark.slow
async def test_records_that_were_deleted_are_missed_and_the_others_told(topic: ForeignTopics) -> None:
    await send(topic, "ann", "bob", "eve", "dan")
    place = TopicPartition("calls", 0)
    async with admin_of(topic.brokers[0]) as admin:
        await admin.delete_records({place: RecordsToDelete(before_offset=3)})
    intake = Intake()

    names, batches = await told_of(puller_of(topic, intake), TopicOffsets({"calls": {0: 1}}).write(), 1)

    assert names == ["dan"]
    assert intake.refused == {MISSED_WHILE_AWAY: 1}
    assert TopicOffsets.read(batches[-1].position).of(place) == 4


@pytest.mark.slow
async def test_what_a_transaction_took_back_is_not_told(topic: ForeignTopics) -> None:
    async with AIOKafkaProducer(bootstrap_servers=list(topic.brokers), transactional_id="pbx") as producer:
        async with producer.transaction():
            await producer.send("calls", b"ann")
        await producer.begin_transaction()
        await producer.send("calls", b"bob")
        await producer.flush()
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send("calls", b"eve")
    intake = Intake()

    names, _ = await told_of(puller_of(topic, intake), None, 2)

    assert names == ["ann", "eve"]
    assert not intake.refused


@pytest.mark.slow
async def test_it_goes_on_with_new_partitions_and_after_a_restart_of_the_broker(
    topic: ForeignTopics, kafka_of_one: Cluster
) -> None:
    await send(topic, "ann")
    names: list[str] = []
    stream = puller_of(topic, Intake()).batches(None)
    async with asyncio.timeout(180):
        async for batch in stream:
            names += [event.subject for event in batch.events]
            match len(names):
                case 1:
                    async with admin_of(kafka_of_one.address) as admin:
                        await admin.create_partitions({"calls": NewPartitions(total_count=2)})
                    await send(topic, "bob", partition=1)
                case 2:
                    await asyncio.to_thread(kafka_of_one.stop)
                    await asyncio.to_thread(kafka_of_one.start)
                    await send(topic, "eve", partition=0)
                case _:
                    break
    await stream.aclose()

    assert names == ["ann", "bob", "eve"]
