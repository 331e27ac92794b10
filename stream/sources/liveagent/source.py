"""
LiveAgent as a source: a webhook of its rules, which send a request that somebody has pasted.

The templates are in `examples/liveagent/`; each says what the rule is about, and how the ticket stands.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Event, Name
from stream.sources.help_desk import DeskSettings
from stream.sources.instants import named_zone
from stream.sources.intake import Intake
from stream.sources.liveagent.tickets import (
    LIVEAGENT_CHANNELS,
    LiveAgentTicket,
    liveagent_standing,
    names_of_departments,
)
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, TellJson, json_documents, kind_at
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.templates import check_resolved
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.source import Setup, Source
from stream.sources.ticket_standing import events_of_standing

__all__ = ["SOURCE", "Options"]


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a LiveAgent."""

    key_file: Annotated[Path, Meta(description="A key in each line: what a request shows in the header.")]
    header: Annotated[str, Meta(description="The header with the key.", pattern=r"^[A-Za-z0-9-]{1,64}$")] = "X-API-Key"
    tenant: Annotated[Name, Meta(description="Whose tickets they are.")] = DEFAULT_TENANT
    source_name: Annotated[
        str, Meta(description="Names the LiveAgent in events. Two need two names.", min_length=1, max_length=200)
    ] = "/liveagent"
    time_zone: Annotated[str, Meta(description="Of times without an offset.")] = "UTC"
    queues_file: Annotated[
        Path | None,
        Meta(description="What `GET /api/v3/departments` answered: names of departments. Others are called by id."),
    ] = None
    default_queue: Annotated[Name, Meta(description="Of a ticket without a department.")] = "unassigned"
    other_channel: Annotated[Channel, Meta(description="The channel of forums and suggestions.")] = "email"


class _RuleRequest(LiveAgentTicket, frozen=True, kw_only=True):
    event_type: str


class _RuleEvents:
    def __init__(self, desk: DeskSettings, time_zone: str) -> None:
        self._desk = desk
        self._zone = named_zone(time_zone, "time_zone")

    def created(self, document: JsonDocument) -> Iterator[Event]:
        told = self._read(document)
        # What is answered from its beginning on, an agent has begun.
        began: Literal["customer", "agent"] = "agent" if told.status == "A" else "customer"
        yield from events_of_standing(self._desk, liveagent_standing(told, self._desk, self._zone, opened_by=began))

    def changed(self, document: JsonDocument) -> Iterator[Event]:
        standing = liveagent_standing(self._read(document), self._desk, self._zone, has_last_word=True)
        yield from events_of_standing(self._desk, standing)

    def customer_message(self, document: JsonDocument) -> Iterator[Event]:
        told = self._read(document)
        standing = liveagent_standing(told, self._desk, self._zone)
        yield from events_of_standing(self._desk, standing)
        case, at = self._desk.case(told.ticket_id), standing.at
        cases = self._desk.cases(f"{told.ticket_id}/asked/{at:%Y%m%dT%H%M%S}")
        yield cases.message_received(case, customer=standing.customer, at=at)

    def agent_message(self, document: JsonDocument) -> Iterator[Event]:
        told = self._read(document)
        standing = liveagent_standing(told, self._desk, self._zone)
        yield from events_of_standing(self._desk, standing)
        cases = self._desk.cases(f"{told.ticket_id}/answered/{standing.at:%Y%m%dT%H%M%S}")
        yield cases.message_sent(self._desk.case(told.ticket_id), agent=standing.agent, at=standing.at)

    def _read(self, document: JsonDocument) -> _RuleRequest:
        return msgspec.convert(document.content, _RuleRequest)

    def kinds(self) -> dict[str, TellJson]:
        return {
            "ticket_created": self.created,
            "customer_message": self.customer_message,
            "agent_message": self.agent_message,
            "ticket_changed": self.changed,
        }


def _kind_of(content: dict[str, Any]) -> str:
    check_resolved(content)
    return kind_at("event_type")(content)


def _table(options: Options) -> VerifyTable:
    return VerifyTable(method="key", header=options.header)


def _webhook(options: Options, intake: Intake) -> JsonWebhook:
    desk = DeskSettings.of(options, LIVEAGENT_CHANNELS, names_of_departments(options.queues_file).of)
    return JsonWebhook(
        intake,
        verify=verifier_of(_table(options), SecretLines(options.key_file)),
        documents=lambda request: json_documents(request, _kind_of),
        tell=_RuleEvents(desk, options.time_zone).kinds(),
    )


SOURCE: Final = Source(
    name="liveagent",
    about="LiveAgent's tickets and messages, as its rules post them.",
    options=Options,
    webhook=_webhook,
    setup=Setup(
        steps="""\
1. In LiveAgent: Configuration, Automation, Rules. Make the five rules of the page, each with the action HTTP request.
   Method: POST
   URL: {url}
   Headers: X-API-Key (or as --header says): the line of {secret_file}; Content-Type: application/json
   Body: that of its file in examples/liveagent, with variables that your LiveAgent has
2. Have names of departments: save what `GET /api/v3/departments` answers, and name it by --queues-file.
More: docs/sources/liveagent.md""",
        empty_request=empty_request_by(_table),
    ),
)
"""Its entry of the registry."""
