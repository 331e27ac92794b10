"""
Zammad as a source: a webhook of its triggers, which post the ticket as it is by then, and the article that is new.

What has changed is not told, so each request states how the ticket stands (`stream.sources.ticket_standing`).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Event, Instant, Name
from stream.families.cases.payloads import Priority
from stream.sources.help_desk import DeskSettings
from stream.sources.intake import Intake
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, json_documents
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.source import Setup, Source
from stream.sources.ticket_standing import TicketStanding, TicketState, events_of_standing, state_named

__all__ = ["SOURCE", "Options"]

_SIGNED: Final = VerifyTable(method="hmac-sha1", header="X-Hub-Signature", prefix="sha1=")

_CHANNELS: Final[Mapping[str, Channel]] = {
    "email": "email",
    "phone": "voice",
    "chat": "chat",
    "sms": "sms",
    "whatsapp message": "messaging",
    "telegram personal-message": "messaging",
    "facebook direct-message": "messaging",
    "facebook feed post": "social",
    "facebook feed comment": "social",
    "twitter direct-message": "messaging",
    "twitter status": "social",
}
"""By the type of the first article; a form, the portal, a fax and a note are of no channel of their own."""

_STATES: Final[Mapping[str, TicketState]] = {
    "new": "new",
    "open": "open",
    "pending reminder": "pending",
    "pending close": "pending",
    "closed": "resolved",
    "merged": "merged",
    "removed": "deleted",
}

_PRIORITIES: Final[Mapping[str, Priority]] = {"1 low": "low", "2 normal": "normal", "3 high": "high"}

_SENDERS: Final[Mapping[str, Literal["customer", "agent", "system"]]] = {
    "Customer": "customer",
    "Agent": "agent",
    "System": "system",
}

_NOBODY: Final = 1
"""The user who owns tickets without an owner, and does what nobody does."""


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a Zammad."""

    secret_file: Annotated[Path, Meta(description="The webhook's signature token, or password; one in each line.")]
    signed: Annotated[
        bool, Meta(description="False of a webhook with a password (HTTP Basic) and without a signature token.")
    ] = True
    tenant: Annotated[Name, Meta(description="Whose tickets they are.")] = DEFAULT_TENANT
    source_name: Annotated[
        str, Meta(description="Names the Zammad in events. Two need two names.", min_length=1, max_length=200)
    ] = "/zammad"
    states: Annotated[
        Mapping[str, TicketState], Meta(description="What states mean that are not Zammad's own, by their name.")
    ] = field(default_factory=dict)
    priorities: Annotated[
        Mapping[str, Priority], Meta(description="Likewise of priorities; others than Zammad's own are normal.")
    ] = field(default_factory=dict)
    default_queue: Annotated[Name, Meta(description="Of a ticket without a group.")] = "unassigned"
    other_channel: Annotated[Channel, Meta(description="The channel of forms, the portal, fax and notes.")] = "email"


_Number = Annotated[int, Meta(ge=0, le=2**62)]


class _Group(Struct):
    name: Name | None = None


class _PriorityName(Struct):
    name: str | None = None


class _Ticket(Struct):
    id: _Number
    state: str
    created_at: Instant
    updated_at: Instant
    article_count: int | None = None
    create_article_type: str | None = None
    create_article_sender: str | None = None
    group: _Group | None = None
    priority: _PriorityName | None = None
    owner_id: _Number | None = None
    customer_id: _Number | None = None


class _Preferences(Struct):
    automatic: bool | None = field(name="is-auto-response", default=None)
    """Zammad has looked at the headers: out of office, a bounce, a list."""


class _Article(Struct):
    id: _Number
    created_at: Instant
    sender: Literal["Customer", "Agent", "System"]
    type: str
    internal: bool = False
    created_by_id: _Number | None = None
    preferences: _Preferences | None = None

    @property
    def is_automatic(self) -> bool:
        """Whether a customer's machine wrote it."""
        return self.preferences is not None and bool(self.preferences.automatic)


class _Teller(Struct):
    desk: DeskSettings
    options: Options

    def ticket(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content["ticket"], _Ticket)
        # Of a change that brought no article there is none, or an empty one.
        article = msgspec.convert(document.content.get("article") or None, _Article | None)
        yield from events_of_standing(self.desk, self._standing(told, article))
        if article is not None:
            yield self._message(told, article)

    def _standing(self, told: _Ticket, article: _Article | None) -> TicketStanding:
        state = state_named(told.state, self.options.states, _STATES)
        if state is None:
            raise UnusablePart("invalid_field", "no known state, see the option states - at `$.ticket.state`")
        priority = None if told.priority is None else told.priority.name
        known = {**_PRIORITIES, **self.options.priorities}
        began = _SENDERS.get(told.create_article_sender or "", "system")
        # Whoever began it waits since then only if nothing else has happened yet, and never if it was a machine.
        waits = told.article_count == 1 and (article is None or not article.is_automatic)
        return TicketStanding(
            number=str(told.id),
            queue=(told.group or _Group()).name or self.desk.default_queue,
            channel=self.desk.channel(told.create_article_type),
            opened_by=began if waits or began == "agent" else "system",
            created_at=told.created_at,
            at=told.updated_at,
            state=state,
            priority=None if priority is None else known.get(priority, "normal"),
            agent=None if told.owner_id in (None, _NOBODY) else str(told.owner_id),
            customer=self.desk.customer(told.customer_id),
        )

    def _message(self, told: _Ticket, article: _Article) -> Event:
        case, number = self.desk.case(told.id), str(article.id)
        cases = self.desk.cases(f"{told.id}/article/{number}")
        if article.sender == "Customer" and not article.internal:
            return cases.message_received(
                case,
                message=number,
                automatic=article.is_automatic,
                customer=self.desk.customer(told.customer_id),
                at=article.created_at,
            )
        agent = article.created_by_id if article.sender == "Agent" else None
        return cases.message_sent(
            case,
            message=number,
            # A note is sent to nobody, whoever may see it; so is that of a merge.
            public=not article.internal and article.type != "note",
            automatic=article.sender != "Agent" or agent == _NOBODY,
            agent=None if agent in (None, _NOBODY) else str(agent),
            at=article.created_at,
        )


def _kind_of(content: dict[str, Any]) -> str:
    if not isinstance(content.get("ticket"), dict):
        raise UnusablePart("unknown_document", "no request of Zammad's own - at `$.ticket`")
    return "ticket"


def _table(options: Options) -> VerifyTable:
    return _SIGNED if options.signed else VerifyTable(method="password")


def _webhook(options: Options, intake: Intake) -> JsonWebhook:
    desk = DeskSettings.of(options, _CHANNELS, str)
    return JsonWebhook(
        intake,
        verify=verifier_of(_table(options), SecretLines(options.secret_file)),
        documents=lambda request: json_documents(request, _kind_of),
        tell={"ticket": _Teller(desk, options).ticket},
    )


SOURCE: Final = Source(
    name="zammad",
    about="Zammad's tickets and articles, as its triggers post them.",
    options=Options,
    webhook=_webhook,
    setup=Setup(
        steps="""\
1. In Zammad: Manage, Webhook, New Webhook.
   Endpoint: {url}
   HMAC SHA1 Signature Token: the line of {secret_file}
   Custom Payload: off
2. Manage, Trigger, New Trigger, twice: with the activator Action, Always; the condition that Action is created, or
   that it is not created; and the action Webhook.
More: docs/sources/zammad.md""",
        empty_request=empty_request_by(_table),
    ),
)
"""Its entry of the registry."""
