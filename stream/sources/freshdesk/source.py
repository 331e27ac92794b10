"""
Freshdesk as a source: a webhook of its automation rules, which post a template that somebody has pasted.

The templates are in `examples/freshdesk/`; each says what the rule is about, and how the ticket stands.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Event, Name
from stream.families.cases.payloads import Priority
from stream.sources.address_ids import AddressIds
from stream.sources.help_desk import DeskSettings
from stream.sources.instants import named_zone
from stream.sources.intake import Intake
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, json_documents
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.templates import check_resolved, local_instant
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.source import Setup, Source
from stream.sources.ticket_standing import TicketStanding, TicketState, events_of_standing, state_named

__all__ = ["SOURCE", "Options"]

_CHANNELS: Final[Mapping[str, Channel]] = {
    **dict.fromkeys(("email", "1", "outbound email", "10"), "email"),
    **dict.fromkeys(("phone", "3"), "voice"),
    **dict.fromkeys(("chat", "7"), "chat"),
    "sms": "sms",
    **dict.fromkeys(("whatsapp", "13", "line", "instagram"), "messaging"),
    **dict.fromkeys(("twitter", "x", "5", "facebook", "6"), "social"),
}
"""By source, as its name or number is put in; of the portal, widgets, forums and bots none is a channel of its own."""

_BY_AGENT: Final = frozenset({"outbound email", "10"})

_STATES: Final[Mapping[str, TicketState]] = {
    **dict.fromkeys(("open", "2"), "open"),
    **dict.fromkeys(("pending", "3", "waiting on customer", "6"), "pending"),
    **dict.fromkeys(("waiting on third party", "7"), "on_hold"),
    **dict.fromkeys(("resolved", "4"), "resolved"),
    **dict.fromkeys(("closed", "5"), "closed"),
}

_PRIORITIES: Final[Mapping[str, Priority]] = {
    **dict.fromkeys(("low", "1"), "low"),
    **dict.fromkeys(("medium", "2"), "normal"),
    **dict.fromkeys(("high", "3"), "high"),
    **dict.fromkeys(("urgent", "4"), "urgent"),
}

_GONE: Final[Mapping[str, TicketState]] = {"deleted": "deleted", "spam": "spam"}


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a Freshdesk."""

    key_file: Annotated[Path, Meta(description="A key in each line: what a request shows in the header.")]
    header: Annotated[str, Meta(description="The header with the key.", pattern=r"^[A-Za-z0-9-]{1,64}$")] = "X-API-Key"
    tenant: Annotated[Name, Meta(description="Whose tickets they are.")] = DEFAULT_TENANT
    source_name: Annotated[
        str, Meta(description="Names the Freshdesk in events. Two need two names.", min_length=1, max_length=200)
    ] = "/freshdesk"
    time_zone: Annotated[str, Meta(description="That of the account: of times without an offset.")] = "UTC"
    states: Annotated[
        Mapping[str, TicketState], Meta(description="What statuses mean that are not Freshdesk's own, by their name.")
    ] = field(default_factory=dict)
    priorities: Annotated[
        Mapping[str, Priority], Meta(description="Likewise of priorities; others than Freshdesk's own are normal.")
    ] = field(default_factory=dict)
    address_key_file: Annotated[
        Path | None,
        Meta(description="A key that makes ids of customers and agents from addresses; without it none are told."),
    ] = None
    default_queue: Annotated[Name, Meta(description="Of a ticket without a group.")] = "unassigned"
    other_channel: Annotated[Channel, Meta(description="The channel of the portal, widgets, forums and bots.")] = (
        "email"
    )


_Text = Annotated[str, Meta(max_length=320)]


class _Ticket(Struct):
    what: Literal["created", "customer_replied", "agent_replied", "changed", "deleted", "spam"]
    ticket_id: Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")] | Annotated[int, Meta(ge=0, le=10**18)]
    ticket_status: _Text
    ticket_priority: _Text
    ticket_source: _Text
    ticket_created_on: _Text
    ticket_modified_on: _Text
    ticket_group_name: Annotated[str, Meta(max_length=128)] = ""
    ticket_agent_email: _Text = ""
    ticket_requester_email: _Text = ""

    @property
    def came_by(self) -> str:
        return self.ticket_source.strip().casefold()


class _Request(Struct):
    freshdesk_webhook: _Ticket


class _Teller:
    def __init__(self, desk: DeskSettings, options: Options) -> None:
        self._desk = desk
        self._own_states = options.states
        self._priorities = {**_PRIORITIES, **{name.casefold(): each for name, each in options.priorities.items()}}
        self._zone = named_zone(options.time_zone, "time_zone")
        self._ids = AddressIds(options.address_key_file)

    def ticket(self, document: JsonDocument) -> Iterator[Event]:
        check_resolved(document.content)
        told = msgspec.convert(document.content, _Request).freshdesk_webhook
        standing = self._standing(told)
        yield from events_of_standing(self._desk, standing)
        case, at = self._desk.case(told.ticket_id), standing.at
        cases = self._desk.cases(f"{told.ticket_id}/{told.what}/{at:%Y%m%dT%H%M%S}")
        match told.what:
            case "created" if standing.opened_by == "customer":
                first = self._desk.cases(f"{told.ticket_id}/asked")
                yield first.message_received(case, message="0", customer=standing.customer, at=standing.created_at)
            case "customer_replied":
                yield cases.message_received(case, customer=standing.customer, at=at)
            case "agent_replied":
                yield cases.message_sent(case, at=at)
            case _:
                pass

    def _standing(self, told: _Ticket) -> TicketStanding:
        state = _GONE.get(told.what) or state_named(told.ticket_status, self._own_states, _STATES)
        if state is None:
            raise UnusablePart("invalid_field", f"no known status, see the option states - at `{_PATH}.ticket_status`")
        began: Literal["customer", "agent", "system"] = "customer" if told.what == "created" else "system"
        return TicketStanding(
            number=str(told.ticket_id),
            queue=told.ticket_group_name.strip() or self._desk.default_queue,
            channel=self._desk.channel(told.came_by),
            opened_by="agent" if told.came_by in _BY_AGENT else began,
            created_at=self._instant(told.ticket_created_on, "ticket_created_on"),
            at=self._instant(told.ticket_modified_on, "ticket_modified_on"),
            state=state,
            has_last_word=told.what == "changed",
            priority=self._priorities.get(told.ticket_priority.strip().casefold(), "normal"),
            agent=self._ids.of(told.ticket_agent_email),
            customer=self._ids.of(told.ticket_requester_email),
        )

    def _instant(self, text: str, name: str) -> datetime:
        return local_instant(text, self._zone, f"{_PATH}.{name}")


_PATH: Final = "$.freshdesk_webhook"


def _kind_of(content: dict[str, Any]) -> str:
    if not isinstance(content.get("freshdesk_webhook"), dict):
        raise UnusablePart("unknown_document", f"no template of this source - at `{_PATH}`")
    return "ticket"


def _table(options: Options) -> VerifyTable:
    return VerifyTable(method="key", header=options.header)


def _webhook(options: Options, intake: Intake) -> JsonWebhook:
    desk = DeskSettings.of(options, _CHANNELS, str)
    return JsonWebhook(
        intake,
        verify=verifier_of(_table(options), SecretLines(options.key_file)),
        documents=lambda request: json_documents(request, _kind_of),
        tell={"ticket": _Teller(desk, options).ticket},
    )


SOURCE: Final = Source(
    name="freshdesk",
    about="Freshdesk's tickets, as its automation rules post them.",
    options=Options,
    webhook=_webhook,
    setup=Setup(
        steps="""\
1. In Freshdesk: Admin, Workflows, Automations. Make the six rules of the page, each with the action Trigger webhook.
   Request type: POST
   URL: {url}
   Custom headers: X-API-Key (or as --header says): the line of {secret_file}
   Encoding: JSON, Advanced; the content is that of its file in examples/freshdesk
2. Say the account's time zone by --time-zone.
More: docs/sources/freshdesk.md""",
        empty_request=empty_request_by(_table),
    ),
)
"""Its entry of the registry."""
