"""
What Intercom's notifications of conversations become, each by itself.

A notification has the conversation as it is by then, and the parts that it is about. Times have whole seconds; what
tells things of the same second apart are Intercom's own ids of notifications and parts.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import Channel, Event
from stream.core.windows import EPOCH
from stream.families.cases.payloads import Status
from stream.sdk.cases import CaseEvents
from stream.sources.help_desk import DeskSettings
from stream.sources.requests.json_webhook import JsonDocument, TellJson
from stream.sources.requests.parts import UnusablePart

__all__ = ["INTERCOM_CHANNELS", "TOPICS_OF_NO_USE", "conversation_topics"]

TOPICS_OF_NO_USE: Final = frozenset(
    (
        *("ping", "conversation.read", "conversation.contact.attached", "conversation.contact.detached"),
        *("conversation.company.updated", "conversation_part.tag.created", "conversation_part.redacted"),
    )
)
"""Topics that are known, and tell nothing that a figure is made of."""

INTERCOM_CHANNELS: Final[Mapping[str, Channel]] = {
    "conversation": "chat",
    "push": "chat",
    "email": "email",
    "sms": "sms",
    "phone_call": "voice",
    "phone_switch": "voice",
    "whatsapp": "messaging",
    "facebook": "messaging",
    "instagram": "messaging",
    "twitter": "social",
}
"""By the type of a conversation's source: what Intercom takes of Facebook and Instagram are direct messages."""

_CONTACTS: Final = frozenset({"user", "lead", "contact", "visitor"})
_NOTES: Final = frozenset({"note", "note_and_reopen", "note_and_close", "note_and_snooze", "note_and_unsnooze"})
_TOPIC: Final = "conversation."

_EpochSeconds = Annotated[int, Meta(ge=1_262_304_000, le=4_102_444_800)]
"""From 2010 to 2100: milliseconds that were taken for seconds would be far behind."""
_Name = Annotated[str, Meta(min_length=1, max_length=64)]
_IntercomId = _Name | Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Word = Annotated[str, Meta(max_length=64)]


class _Author(Struct):
    type: _Word
    id: _IntercomId | None = None

    @property
    def name(self) -> str | None:
        return _name(self.id)

    @property
    def is_contact(self) -> bool:
        return self.type in _CONTACTS


class _Part(Struct):
    id: _IntercomId
    part_type: _Word
    created_at: _EpochSeconds
    author: _Author


class _Parts(Struct):
    conversation_parts: list[_Part] = []


class _Origin(Struct):
    """What the conversation began with."""

    type: _Word
    author: _Author
    id: _IntercomId | None = None
    delivered_as: _Word | None = None


class _Contact(Struct):
    id: _IntercomId


class _Contacts(Struct):
    contacts: list[_Contact] = []


class _ConversationRating(Struct):
    rating: Annotated[int, Meta(ge=1, le=5)]
    created_at: _EpochSeconds
    contact: _Contact | None = None
    teammate: _Author | None = None


class _Conversation(Struct):
    id: _IntercomId
    created_at: _EpochSeconds
    source: _Origin
    state: _Word | None = None
    priority: _Word | None = None
    admin_assignee_id: _IntercomId | None = None
    team_assignee_id: _IntercomId | None = None
    contacts: _Contacts | None = None
    conversation_parts: _Parts | None = None

    @property
    def customer(self) -> str | None:
        """Whose it is: of a group of contacts nobody in particular."""
        known = self.contacts.contacts if self.contacts else []
        return _name(known[0].id) if len(known) == 1 else None

    @property
    def team(self) -> str | None:
        """Who is to solve it; 0 is nobody."""
        return _name(self.team_assignee_id)

    @property
    def agent(self) -> str | None:
        """Who of the team is; 0 is nobody."""
        return _name(self.admin_assignee_id)

    @property
    def parts(self) -> list[_Part]:
        """The parts that are told, the oldest first."""
        told = self.conversation_parts.conversation_parts if self.conversation_parts else []
        return sorted(told, key=lambda part: part.created_at)


class _RatedConversation(_Conversation, kw_only=True):
    # Of one that is not rated it may be null, or have nothing but nulls.
    conversation_rating: _ConversationRating


class _Item(Struct):
    item: _Conversation


class _Notification(Struct):
    id: _Name
    created_at: _EpochSeconds
    data: _Item

    @property
    def at(self) -> datetime:
        """When it happened."""
        return _instant(self.created_at)


class _RatedItem(Struct):
    item: _RatedConversation


class _RatedNotification(Struct):
    id: _Name
    data: _RatedItem


class _DeletedItem(Struct):
    item: _Contact


class _Deletion(Struct):
    id: _Name
    created_at: _EpochSeconds
    data: _DeletedItem


class _ConversationEvents:
    def __init__(self, desk: DeskSettings) -> None:
        self._desk = desk

    def created(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Notification)
        talk = told.data.item
        author, at = talk.source.author, _instant(talk.created_at)
        yield self._cases(f"{_name(talk.id)}/opened").opened(
            self._case(talk),
            self._desk.queue(talk.team),
            channel=self._desk.channel(talk.source.type),
            priority=_priority(talk),
            opened_by="customer" if author.is_contact else "agent" if author.type == "admin" else "system",
            agent=author.name if author.type == "admin" else None,
            customer=self._customer(talk),
            at=at,
        )
        message = _name(talk.source.id) or f"source-{talk.id}"
        automatic = talk.source.delivered_as not in {"customer_initiated", "admin_initiated", None}
        yield self._message(talk, author, message, at, automatic=automatic and not author.is_contact)
        for part in talk.parts:
            if part.part_type in {"comment", "quick_reply"}:
                yield self._message(talk, part.author, _name(part.id) or "", _instant(part.created_at))

    def replied(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Notification)
        talk = told.data.item
        wrote = _WRITERS[document.kind]
        parts = [part for part in talk.parts if part.part_type not in _NOTES and wrote(part.author)]
        if not parts:
            raise UnusablePart("invalid_field", "no such reply - at `$.data.item.conversation_parts`")
        part = parts[-1]
        at = _instant(part.created_at)
        yield self._message(talk, part.author, _name(part.id) or "", at)
        # Whoever writes opens what was closed; of what was open already that changes nothing.
        if part.author.is_contact and talk.state != "closed":
            yield self._cases(f"{told.id}/reopened").reopened(self._case(talk), customer=self._customer(talk), at=at)
            yield self._cases(f"{told.id}/status").status_changed(
                self._case(talk), "open", customer=self._customer(talk), at=at
            )

    def noted(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Notification)
        talk = told.data.item
        for part in [part for part in talk.parts if part.part_type in _NOTES][-1:]:
            number = _name(part.id) or ""
            yield self._cases(f"part/{number}").message_sent(
                self._case(talk),
                message=number,
                public=False,
                agent=part.author.name,
                at=_instant(part.created_at),
            )

    def assigned(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Notification)
        talk = told.data.item
        yield self._cases(told.id).assigned(
            self._case(talk),
            self._desk.queue(talk.team),
            agent=talk.agent,
            customer=self._customer(talk),
            at=told.at,
        )

    def closed(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Notification)
        talk = told.data.item
        yield self._cases(told.id).resolved(
            self._case(talk),
            queue=self._desk.queue(talk.team),
            channel=self._desk.channel(talk.source.type),
            agent=talk.agent,
            customer=self._customer(talk),
            at=told.at,
        )

    def opened_again(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Notification)
        talk = told.data.item
        yield self._cases(f"{told.id}/reopened").reopened(self._case(talk), customer=self._customer(talk), at=told.at)
        yield self._status(told, "open")

    def snoozed(self, document: JsonDocument) -> Iterator[Event]:
        yield self._status(msgspec.convert(document.content, _Notification), "pending")

    def unsnoozed(self, document: JsonDocument) -> Iterator[Event]:
        yield self._status(msgspec.convert(document.content, _Notification), "open")

    def prioritised(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Notification)
        talk = told.data.item
        yield self._cases(told.id).status_changed(
            self._case(talk), priority=_priority(talk), customer=self._customer(talk), at=told.at
        )

    def deleted(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Deletion)
        case = self._desk.case(_name(told.data.item.id) or "0")
        yield self._cases(told.id).deleted(case, at=_instant(told.created_at))

    def rated(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _RatedNotification)
        talk = told.data.item
        rating = talk.conversation_rating
        yield self._desk.surveys(told.id).answered(
            self._case(talk),
            "csat",
            rating.rating,
            queue=self._desk.queue(talk.team),
            channel=self._desk.channel(talk.source.type),
            # Whether there are words is counted; they are not kept.
            comment=bool(document.content["data"]["item"]["conversation_rating"].get("remark")),
            agent=rating.teammate.name if rating.teammate else None,
            customer=self._desk.customer(_name(rating.contact.id)) if rating.contact else self._customer(talk),
            at=_instant(rating.created_at),
        )

    # -- parts ---------------------------------------------------------------------------------

    def _cases(self, name: str) -> CaseEvents:
        return self._desk.cases(name)

    def _case(self, talk: _Conversation) -> str:
        return self._desk.case(_name(talk.id) or "0")

    def _customer(self, talk: _Conversation) -> str | None:
        return self._desk.customer(talk.customer)

    def _status(self, told: _Notification, status: Status) -> Event:
        talk = told.data.item
        return self._cases(told.id).status_changed(self._case(talk), status, customer=self._customer(talk), at=told.at)

    def _message(
        self, talk: _Conversation, author: _Author, number: str, at: datetime, *, automatic: bool = False
    ) -> Event:
        cases = self._cases(f"part/{number}")
        if author.is_contact:
            return cases.message_received(self._case(talk), message=number, customer=self._customer(talk), at=at)
        by: Literal["agent", "bot"] = "agent" if author.type == "admin" else "bot"
        agent = author.name if by == "agent" else None
        return cases.message_sent(self._case(talk), message=number, author=by, automatic=automatic, agent=agent, at=at)


_WRITERS: Final[dict[str, Callable[[_Author], bool]]] = {
    "conversation.user.replied": lambda author: author.is_contact,
    "conversation.admin.replied": lambda author: not author.is_contact,
    "conversation.operator.replied": lambda author: not author.is_contact,
}
"""Whose part a reply is."""


def conversation_topics(desk: DeskSettings) -> dict[str, TellJson]:
    """Return how each topic is told."""
    events = _ConversationEvents(desk)
    tells: dict[str, TellJson] = {
        "user.created": events.created,
        "admin.single.created": events.created,
        "user.replied": events.replied,
        "admin.replied": events.replied,
        "operator.replied": events.replied,
        "admin.noted": events.noted,
        "admin.assigned": events.assigned,
        "admin.open.assigned": events.assigned,
        "admin.closed": events.closed,
        "admin.opened": events.opened_again,
        "admin.snoozed": events.snoozed,
        "admin.unsnoozed": events.unsnoozed,
        "priority.updated": events.prioritised,
        "deleted": events.deleted,
        "rating.added": events.rated,
    }
    return {_TOPIC + topic: tell for topic, tell in tells.items()}


def _name(number: str | int | None) -> str | None:
    """Return an id as a text; 0 is nobody's."""
    return str(number) if number not in {None, 0, "0"} else None


def _instant(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def _priority(talk: _Conversation) -> Literal["normal", "high"]:
    return "high" if talk.priority == "priority" else "normal"
