"""Topics of somebody else's Kafka, read as a source: what a record means a function says that is given.

There is no group: all partitions are read here, and how far is kept by whoever ships the events, in a file.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Annotated, Any, Final, Protocol, TypeAlias

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError, OffsetOutOfRangeError, UnknownTopicOrPartitionError
from aiokafka.structs import ConsumerRecord, TopicPartition
from msgspec import Meta, Struct

from stream.core.cloudevents import Event
from stream.errors import BrokerRefused, SourceError
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity
from stream.security.refusals import cannot
from stream.sources.intake import MISSED_WHILE_AWAY, Intake
from stream.sources.lines import BadLine, Location
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import PulledBatch, read_position

__all__ = [
    "ForeignTopics",
    "KafkaTopicPuller",
    "MapRecord",
    "TopicConsumer",
    "TopicOffsets",
    "TopicRecord",
    "consumer_of",
    "first_offset",
]

logger = logging.getLogger(__name__)

FETCH_RECORDS: Final = 1000
"""At most so many records are one batch: one acknowledgement and one saved position."""
FETCH_MS: Final = 1000
NEW_PARTITIONS: Final = timedelta(minutes=1)
"""So often somebody looks whether topics have got more partitions."""
RECORD_BYTES: Final = 2**23

Offset = Annotated[int, Meta(ge=0)]


class ForeignTopics(Struct, frozen=True, kw_only=True):
    """What is read, and from which brokers."""

    brokers: tuple[str, ...]
    topics: tuple[str, ...]
    security: KafkaSecurity = PLAINTEXT


class TopicRecord(Struct, frozen=True, kw_only=True):
    """One record with a value; `place` is topic and partition, with the offset as its line."""

    place: Location
    topic: str
    value: bytes
    key: bytes | None
    at: datetime
    """Kafka's own time of the record: when it was sent, or when it was written."""


MapRecord: TypeAlias = Callable[[TopicRecord], Iterable[Event]]
"""
Returns what a record tells, with the same ids whenever it is read again.

It counts the record in the intake, once: used, ignored, unknown or refused; `read` and records without a value are
counted here. It raises nothing.
"""


class TopicOffsets(Struct, frozen=True, forbid_unknown_fields=True):
    """How far topics were read: by topic and partition the offset of the next record."""

    next_offsets: dict[str, dict[Offset, Offset]]

    @classmethod
    def read(cls, saved: bytes | None) -> "TopicOffsets":
        """Return what was saved; raises UnreadablePosition."""
        if saved is None:
            return cls({})
        return read_position(saved, msgspec.json.Decoder(cls).decode, "no position in Kafka topics; move it away")

    def write(self) -> bytes:
        """Return what `read` reads."""
        return msgspec.json.encode(self)

    def after(self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]) -> "TopicOffsets":
        """Return the offsets behind records that were fetched."""
        return self.moved({partition: records[-1].offset + 1 for partition, records in fetched.items() if records})

    def moved(self, offsets: Mapping[TopicPartition, int]) -> "TopicOffsets":
        """Return the same with other offsets for some partitions."""
        moved = {topic: dict(partitions) for topic, partitions in self.next_offsets.items()}
        for partition, offset in offsets.items():
            moved.setdefault(partition.topic, {})[partition.partition] = offset
        return TopicOffsets(moved)

    def of(self, partition: TopicPartition) -> int | None:
        """Return where to go on; None where nothing was read yet."""
        return self.next_offsets.get(partition.topic, {}).get(partition.partition)


def first_offset(saved: int | None, begin: int, end: int) -> tuple[int, str | None]:
    """Return where to go on in a partition that holds *begin* to *end*, and a sentence if not all is there any more."""
    if saved is None:
        return begin, None
    if saved < begin:
        return begin, f"offsets {saved} to {begin - 1} were deleted before they were read: what they told is missing"
    if saved > end:
        return begin, f"it ends at offset {end} and had been read to {saved}: the topic was made anew, or lost records"
    return saved, None


class TopicConsumer(Protocol):
    """What is used of AIOKafkaConsumer."""

    _client: Any
    """Not public; constraints.txt pins aiokafka. Its own question for all topics does not tell their partitions."""

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Disconnect."""

    def assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Read these partitions from now on, and no others."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on there."""

    async def beginning_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the offset of the oldest record that is left."""
        ...

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Return the offset that the next record will have."""
        ...

    async def getmany(self, *, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[ConsumerRecord]]:
        """Return what there is; empty if nothing came in that time."""
        ...


def consumer_of(foreign: ForeignTopics) -> TopicConsumer:
    """Return a consumer that is not started yet; raises SettingsError where a secret cannot be read."""
    consumer: TopicConsumer = AIOKafkaConsumer(
        bootstrap_servers=list(foreign.brokers),
        client_id="contact-stream",
        enable_auto_commit=False,
        # What is not there any more is to be told, and not passed over.
        auto_offset_reset="none",
        # What a transaction of somebody else's has taken back did not happen.
        isolation_level="read_committed",
        max_partition_fetch_bytes=RECORD_BYTES,
        **foreign.security.client_options(),
    )
    return consumer


class KafkaTopicPuller:
    """
    Reads all partitions of some topics; a `Puller`.

    A connection that is lost is made again. Partitions that are new are read from their begin. A login or right that
    the brokers refuse ends it with BrokerRefused, a topic that is not there at the start with SourceError.
    """

    def __init__(
        self,
        read: Callable[[], tuple[ForeignTopics, MapRecord]],
        intake: Intake,
        *,
        pauses: BackOff | None = None,
        connect: Callable[[ForeignTopics], TopicConsumer] = consumer_of,
        look_after: timedelta = NEW_PARTITIONS,
    ) -> None:
        """*read* is called when the first batch is asked for: it may read files, and raise SettingsError."""
        self._read = read
        self._intake = intake
        self._pauses = pauses or BackOff()
        self._connect = connect
        self._look_after = look_after

    async def batches(self, saved: bytes | None) -> AsyncGenerator[PulledBatch, None]:
        """Yield what the records behind *saved* tell, for ever."""
        offsets = TopicOffsets.read(saved)
        foreign, map_record = self._read()
        while True:
            consumer = self._connect(foreign)
            try:
                await consumer.start()
                self._heard(foreign, yes=True)
                async with aclosing(self._fetches(consumer, foreign, offsets)) as fetches:
                    async for fetched, begun in fetches:
                        self._pauses.reset()
                        offsets = begun.after(fetched)
                        yield PulledBatch(list(self._told(fetched, map_record)), offsets.write())
            except OffsetOutOfRangeError:
                logger.warning("records of %s were deleted while they were read", ", ".join(foreign.topics))
            except (KafkaError, OSError) as failure:
                what = f"{', '.join(foreign.topics)} on {','.join(foreign.brokers)} cannot be read"
                error = await cannot(what, foreign.brokers, foreign.security, failure)
                if isinstance(error, BrokerRefused):
                    raise error from failure
                logger.warning("%s; trying again", error)
            finally:
                self._heard(foreign, yes=False)
                await consumer.stop()
            await self._pauses.wait()

    async def _fetches(
        self, consumer: TopicConsumer, foreign: ForeignTopics, offsets: TopicOffsets
    ) -> AsyncGenerator[tuple[dict[TopicPartition, list[ConsumerRecord]], TopicOffsets], None]:
        """Yield records by partition, and the offsets that were gone on from."""
        assigned: set[TopicPartition] = set()
        looked = float("-inf")
        while True:
            if monotonic() - looked >= self._look_after.total_seconds():
                looked = monotonic()
                found = await _partitions(consumer, foreign, known=offsets.next_offsets.keys())
                if found - assigned:
                    assigned |= found
                    offsets = await self._begin(consumer, assigned, offsets)
            fetched = await consumer.getmany(timeout_ms=FETCH_MS, max_records=FETCH_RECORDS)
            if fetched:
                yield fetched, offsets
                offsets = offsets.after(fetched)

    async def _begin(
        self, consumer: TopicConsumer, partitions: set[TopicPartition], offsets: TopicOffsets
    ) -> TopicOffsets:
        """Have *consumer* go on where *offsets* say, or where the records begin that are left."""
        consumer.assign(sorted(partitions))
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        first: dict[TopicPartition, int] = {}
        for partition in sorted(partitions):
            first[partition], gap = first_offset(offsets.of(partition), begins[partition], ends[partition])
            consumer.seek(partition, first[partition])
            if gap:
                self._missing(partition, first[partition], gap)
        return offsets.moved(first)

    def _heard(self, foreign: ForeignTopics, *, yes: bool) -> None:
        self._intake.connected.update(dict.fromkeys(foreign.topics, yes))

    def _missing(self, partition: TopicPartition, offset: int, gap: str) -> None:
        logger.warning("%s/%d: %s", partition.topic, partition.partition, gap)
        self._intake.read += 1
        self._intake.refuse(BadLine(_place(partition, offset), MISSED_WHILE_AWAY, gap))

    def _told(
        self, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]], map_record: MapRecord
    ) -> Iterator[Event]:
        for partition, records in fetched.items():
            for record in records:
                self._intake.read += 1
                if record.value:
                    yield from map_record(_record(partition, record))
                else:  # a tombstone tells nothing that happened
                    self._intake.empty += 1


async def _partitions(consumer: TopicConsumer, foreign: ForeignTopics, known: Collection[str]) -> set[TopicPartition]:
    # All topics are asked for: some brokers create a topic when it is asked for by name.
    cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001
    found: set[TopicPartition] = set()
    for topic in foreign.topics:
        numbers: set[int] | None = cluster.partitions_for_topic(topic)
        if not numbers:
            missing = f"there is no topic {topic}, or {foreign.security.principal} may not read it"
            # One that was there may be so again, when its brokers have elected a leader.
            raise UnknownTopicOrPartitionError(missing) if topic in known else SourceError(missing)
        found |= {TopicPartition(topic, number) for number in numbers}
    return found


def _record(partition: TopicPartition, record: ConsumerRecord) -> TopicRecord:
    return TopicRecord(
        place=_place(partition, record.offset),
        topic=partition.topic,
        value=record.value,
        key=record.key,
        at=datetime.fromtimestamp(max(record.timestamp, 0) / 1000, UTC),
    )


def _place(partition: TopicPartition, offset: int) -> Location:
    return Location(f"{partition.topic}/{partition.partition}", offset, offset)
