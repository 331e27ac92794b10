"""Any topic of any Kafka, whose records a mapping file explains."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Event, Name
from stream.sources.intake import Intake
from stream.sources.kafka.connection_file import BrokerAddresses, SecurityTable, foreign_topics
from stream.sources.kafka.topic import ForeignTopics, KafkaTopicPuller, MapRecord, TopicRecord
from stream.sources.mapped.mapping_file import MappingFile, read_mapping
from stream.sources.mapped.payloads import RecordReader
from stream.sources.mapped.source import events_of
from stream.sources.source import ConnectionFile, Setup, Source, position_beside
from stream.sources.toml_file import toml_of
from stream.sources.toml_text import toml_table_of

__all__ = ["MAPPED_TOPIC", "MappedTopicFile", "MappedTopicOptions", "map_record_by", "read_topic_file"]


class MappedTopicFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    brokers: Annotated[BrokerAddresses, Meta(description="Brokers of that Kafka, host:port, with commas between.")]
    topics: Annotated[tuple[str, ...], Meta(min_length=1, description="Topics to read, with commas between.")]
    mapping: Annotated[Path, Meta(description="The mapping file.")]
    """The mapping file, beside this one if its path is relative."""
    tenant: Name = DEFAULT_TENANT
    source_name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """Names the system, else the mapping does."""
    security: SecurityTable = {}


class MappedTopicOptions(Struct, frozen=True, kw_only=True):
    """What a person says of the topics."""

    file: Annotated[
        Path, Meta(description="A TOML file: brokers, topics, mapping, and where needed [security], tenant.")
    ]


def read_topic_file(file: Path) -> tuple[MappingFile, ForeignTopics]:
    """Return the mapping that a file names, and what is to be read by it; raises SettingsError."""
    told = toml_of(file, MappedTopicFile)
    mapping = read_mapping(told.mapping).named(told.source_name, told.tenant)
    return mapping, foreign_topics(file, told.brokers, told.topics, told.security)


def map_record_by(told: MappingFile, intake: Intake) -> MapRecord:
    """Return what makes events of the records of a topic."""

    def map_record(record: TopicRecord) -> Iterable[Event]:
        # A reader for each: the place of a record is its own.
        records = RecordReader(told.format, intake).of_body(record.value, record.place)
        return events_of(told.mapping, records, intake)

    return map_record


def _puller(options: MappedTopicOptions, intake: Intake) -> KafkaTopicPuller:
    def read() -> tuple[ForeignTopics, MapRecord]:
        told, foreign = read_topic_file(options.file)
        return foreign, map_record_by(told, intake)

    return KafkaTopicPuller(read, intake)


MAPPED_TOPIC: Final = Source(
    name="mapped-topic",
    about="Any topic of any Kafka: a mapping file says what its records mean.",
    options=MappedTopicOptions,
    pull=_puller,
    position=lambda options: position_beside(options.file),
    setup=Setup(
        steps="A login goes into the table [security] of the file: docs/sources/mapping.md",
        file=ConnectionFile(asks=MappedTopicFile, text=lambda told, _: toml_table_of((), told)),
    ),
)
"""Its entry of the registry."""
