"""The Kafka topics of Genesys' Voice Microservices (Multicloud, Engage) as a source: calls and agents' states."""

from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, MsgspecError, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Event, Name
from stream.sdk.factory import EventFactory
from stream.sources.genesys_kafka.agent_state_events import AGENT_STATE_EVENTS, AGENT_STATE_EVENTS_OF_NO_USE
from stream.sources.genesys_kafka.call_events import CALL_EVENTS, CALL_EVENTS_OF_NO_USE, is_of_ours
from stream.sources.genesys_kafka.voice_event import VoiceEvent, voice_event
from stream.sources.intake import Intake
from stream.sources.kafka.connection_file import BrokerAddresses, SecurityTable, foreign_topics
from stream.sources.kafka.topic import ForeignTopics, KafkaTopicPuller, MapRecord, TopicRecord
from stream.sources.lines import BadLine
from stream.sources.source import ConnectionFile, Setup, Source, position_beside
from stream.sources.toml_file import toml_of
from stream.sources.toml_text import toml_table_of
from stream.sources.unquoted import unquoted

__all__ = ["SOURCE", "Options", "VoiceMapper", "VoiceTopics", "topics_of"]


class VoiceTopics(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    brokers: Annotated[BrokerAddresses, Meta(description="Brokers of that Kafka, host:port, with commas between.")]
    topics: Annotated[tuple[str, ...], Meta(min_length=1)] = ("voice-callthread", "voice-agentstate")
    tenant: Name = DEFAULT_TENANT
    tenants: dict[str, Name] = {}
    """
    Our tenants by Genesys' own, which keys of records begin with: records of others are left out.

    Without it all records are of *tenant*.
    """
    source_name: Annotated[str, Meta(min_length=1, max_length=200)] = "/genesys"
    """What events have as their source."""
    queues: dict[str, Name] = {}
    """Names by number; a queue without a name is called by its number."""
    security: SecurityTable = {}


class Options(Struct, frozen=True, kw_only=True):
    """What a person says of the topics."""

    file: Annotated[
        Path, Meta(description="A TOML file: brokers, and where needed [security], [queues], topics, tenant.")
    ]


def topics_of(file: Path) -> tuple[VoiceTopics, ForeignTopics]:
    """Return what a file says, and what is to be read by it; raises SettingsError."""
    told = toml_of(file, VoiceTopics)
    return told, foreign_topics(file, told.brokers, told.topics, told.security)


class VoiceMapper:
    """Turns records into events; each record is told by itself."""

    def __init__(self, told: VoiceTopics, intake: Intake) -> None:
        self._told = told
        self._intake = intake

    def map_record(self, record: TopicRecord) -> list[Event]:
        """Return what a record tells; a `MapRecord`."""
        try:
            told = voice_event(record.value, record.at)
        # What msgspec says names an attribute.
        except (MsgspecError, ValueError, RecursionError) as failure:
            self._intake.refuse(
                BadLine(record.place, "no_voice_event", f"no event of Voice Microservices: {unquoted(failure)}")
            )
            return []
        if told.name in CALL_EVENTS or told.name in AGENT_STATE_EVENTS:
            return self._of(told, record)
        if told.name in CALL_EVENTS_OF_NO_USE or told.name in AGENT_STATE_EVENTS_OF_NO_USE:
            self._intake.ignore(told.name)
        else:
            self._intake.wonder(told.name, BadLine(record.place, "unknown_event", "an event that is not known"))
        return []

    def _of(self, told: VoiceEvent, record: TopicRecord) -> list[Event]:
        is_call = told.name in CALL_EVENTS
        needed = {"CallThreadID": told.thread, "ThisDN": told.dn} if is_call else {"AgentID": told.agent}
        if missing := [name for name, text in needed.items() if not text]:
            self._intake.refuse(BadLine(record.place, "missing_field", f"{', '.join(missing)} is missing"))
            return []
        tenant = self._tenant_of(record)
        if tenant is None:
            self._intake.ignore("another tenant")
            return []
        queue = told.own_queue
        tell = CALL_EVENTS[told.name] if is_call else AGENT_STATE_EVENTS[told.name]
        events: list[Event] = []
        if not (is_call and is_of_ours(told)):
            events = tell(told, self._told.queues.get(queue, queue), self._factory(told, tenant))
        if events:
            self._intake.used[told.name] += 1
        else:
            self._intake.ignore(told.name)
        return events

    def _tenant_of(self, record: TopicRecord) -> str | None:
        if not self._told.tenants:
            return self._told.tenant
        genesys_tenant = (record.key or b"").partition(b":")[0]
        return self._told.tenants.get(genesys_tenant.decode(errors="replace"))

    def _factory(self, told: VoiceEvent, tenant: str) -> EventFactory:
        numbers = iter(range(10))
        return EventFactory(
            self._told.source_name,
            tenant=tenant,
            new_id=lambda: f"{told.id}/{next(numbers)}",
        )


def _puller(options: Options, intake: Intake) -> KafkaTopicPuller:
    def read() -> tuple[ForeignTopics, MapRecord]:
        told, foreign = topics_of(options.file)
        return foreign, VoiceMapper(told, intake).map_record

    return KafkaTopicPuller(read, intake)


SOURCE: Final = Source(
    name="genesys-kafka",
    about="Genesys' voice topics in Kafka (Multicloud, Engage): calls and agents' states, live.",
    options=Options,
    pull=_puller,
    position=lambda options: position_beside(options.file),
    setup=Setup(
        steps="A login goes into the table [security] of the file: docs/sources/genesys-cloud.md#genesys-kafka",
        file=ConnectionFile(asks=VoiceTopics, text=lambda told, _: toml_table_of((), told)),
    ),
)
"""Its entry of the registry."""
