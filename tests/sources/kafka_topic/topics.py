"""A Kafka of somebody else, in memory: partitions that grow and lose records, and a consumer of them that can fail."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from aiokafka.structs import ConsumerRecord, TopicPartition

from stream.core.cloudevents import Event
from stream.sdk.factory import EventFactory
from stream.sources.intake import Intake
from stream.sources.kafka.topic import ForeignTopics, KafkaTopicPuller, MapRecord, TopicConsumer, TopicRecord
from stream.sources.lines import BadLine
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import PulledBatch

FOREIGN = ForeignTopics(brokers=("kafka.example:9092",), topics=("calls",))


class FakeTopic:
    """One topic; `begins` moves where records are deleted."""

    def __init__(self, partitions: int = 1) -> None:
        self.records: list[list[bytes | None]] = [[] for _ in range(partitions)]
        self.begins = [0] * partitions
        self.connected = 0
        self.failures: list[KafkaError] = []
        """What the next fetches raise."""
        self.away = 0
        """So many times from now on the brokers do not know the topic."""
        self.unreachable = 0
        """So many times from now on no broker answers a question for topics."""

    def add(self, *values: bytes | None, partition: int = 0) -> None:
        while len(self.records) <= partition:
            self.records.append([])
            self.begins.append(0)
        self.records[partition] += values

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(len(self.records))) if topic == "calls" and self.away == 0 else None

    async def fetch_all_metadata(self) -> "FakeTopic":
        if self.unreachable:
            self.unreachable -= 1
            raise KafkaError
        self.away = max(self.away - 1, 0)
        return self


class FakeConsumer(TopicConsumer):
    def __init__(self, topic: FakeTopic) -> None:
        self._client: Any = topic
        self._topic = topic
        self._next: dict[int, int] = {}

    async def start(self) -> None:
        self._topic.connected += 1

    async def stop(self) -> None:
        self._topic.connected -= 1

    def assign(self, partitions: Sequence[TopicPartition]) -> None:  # noqa: ARG002  # all there are
        self._next = {}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._next[partition.partition] = offset

    async def beginning_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {each: self._topic.begins[each.partition] for each in partitions}

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        return {each: len(self._topic.records[each.partition]) for each in partitions}

    async def getmany(
        self,
        *,
        timeout_ms: int,  # noqa: ARG002  # nothing is waited for here
        max_records: int,
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        await asyncio.sleep(0)
        if self._topic.failures:
            raise self._topic.failures.pop()
        return {
            TopicPartition("calls", number): records
            for number in self._next
            if (records := self._records_of(number, max_records))
        }

    def _records_of(self, number: int, most: int) -> list[ConsumerRecord]:
        first = self._next[number]
        if first < self._topic.begins[number]:
            raise OffsetOutOfRangeError({TopicPartition("calls", number): first})
        values = self._topic.records[number][first : first + most]
        self._next[number] += len(values)
        return [_record(number, first + place, value) for place, value in enumerate(values)]


def _record(partition: int, offset: int, value: bytes | None) -> ConsumerRecord:
    return ConsumerRecord("calls", partition, offset, 1_795_700_000_000, 0, b"key", value, None, 3, 5, ())


def counting(intake: Intake) -> MapRecord:
    """A mapper of records that are each the name of a call."""

    def told(record: TopicRecord) -> Iterable[Event]:
        if not record.value.isalnum():
            intake.refuse(BadLine(record.place, "bad_call", "the call has no name"))
            return
        intake.used["call"] += 1
        event = EventFactory("/calls").enqueued(record.value.decode(), "sales", at=record.at)
        yield msgspec.structs.replace(event, id=str(record.place))

    return told


async def no_pause(_: float) -> None:
    await asyncio.sleep(0)


def puller_of(
    topic: FakeTopic,
    intake: Intake | None = None,
    foreign: ForeignTopics = FOREIGN,
    sleep: Callable[[float], Awaitable[None]] = no_pause,
) -> KafkaTopicPuller:
    counts = intake or Intake()
    return KafkaTopicPuller(
        lambda: (foreign, counting(counts)),
        counts,
        pauses=BackOff(sleep=sleep),
        connect=lambda _: FakeConsumer(topic),
        look_after=timedelta(0),
    )


async def told_of(puller: KafkaTopicPuller, saved: bytes | None, calls: int) -> tuple[list[str], list[PulledBatch]]:
    """Return the next *calls* calls, and the batches that they came in."""
    batches: list[PulledBatch] = []
    names: list[str] = []
    async with asyncio.timeout(60):
        stream = puller.batches(saved)
        try:
            async for batch in stream:
                batches.append(batch)
                names += [event.subject for event in batch.events]
                if len(names) >= calls:
                    break
        finally:
            await stream.aclose()
    return names, batches
