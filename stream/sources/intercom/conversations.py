"""
What Intercom's notifications of conversations become, each by itself.

Times have whole seconds; what tells things of the same second apart are Intercom's own ids of notifications and parts.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec

from stream.core.cloudevents import Channel, Event
from stream.families.cases.payloads import Status
from stream.sources.help_desk import DeskSettings
from stream.sources.intercom.notifications import (
    DeletedConversation,
    IntercomAuthor,
    IntercomConversation,
    IntercomNotification,
    IntercomPart,
    RatedConversation,
    intercom_name,
)
from stream.sources.requests.json_webhook import JsonDocument, TellJson
from stream.sources.requests.parts import UnusablePart

__all__ = ["INTERCOM_CHANNELS", "TOPICS_OF_NO_USE", "conversation_topics"]

TOPICS_OF_NO_USE: Final = frozenset(
    (
        *("ping", "conversation.read", "conversation.contact.attached", "conversation.contact.detached"),
        *("conversation.company.updated", "conversation_part.tag.created", "conversation_part.redacted"),
        "conversation.admin.replied.translated",  # it was told before it was translated
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

_TOPIC: Final = "conversation."
_SAID: Final = frozenset({"comment", "quick_reply"})
"""Parts that are messages, and not only what was done beside them."""
_BY_PERSONS: Final = frozenset({"customer_initiated", "admin_initiated", None})
"""How a conversation begins that no campaign, series or bot began."""

_Tell = Callable[[IntercomNotification], Iterable[Event]]


class _ConversationEvents:
    def __init__(self, desk: DeskSettings) -> None:
        self._desk = desk

    def began(self, told: IntercomNotification) -> Iterator[Event]:
        talk = told.data.item
        source, by = talk.source, talk.source.author.by
        yield self._desk.cases(f"{_name(talk.id)}/opened").opened(
            self._case(talk),
            self._desk.queue(talk.team),
            channel=self._desk.channel(source.type),
            priority=_priority(talk),
            opened_by="customer" if by == "contact" else "system" if by == "bot" else "agent",
            agent=source.author.agent,
            customer=self._customer(talk),
            at=talk.began_at,
        )
        message = intercom_name(source.id) or f"source-{talk.id}"
        automatic = by != "contact" and source.delivered_as not in _BY_PERSONS
        yield self._message(talk, source.author, message, talk.began_at, automatic=automatic)
        for part in talk.parts:
            if part.part_type in _SAID:
                yield self._said(talk, part)
        # What a teammate writes first is closed until the customer answers.
        if talk.state == "closed":
            yield from self.closed(told)

    def asked(self, told: IntercomNotification) -> Iterator[Event]:
        talk = told.data.item
        replies = _replies_in(talk, lambda part: part.author.by == "contact")
        for part in replies:
            yield self._said(talk, part)
        # Whoever writes opens what was closed; of what was open already that changes nothing.
        if talk.state == "open":
            yield from self._open(told, replies[-1].at)

    def answered(self, told: IntercomNotification) -> Iterator[Event]:
        talk = told.data.item
        for part in _replies_in(talk, lambda part: part.author.by != "contact"):
            yield self._said(talk, part)

    def noted(self, told: IntercomNotification) -> Iterator[Event]:
        talk = told.data.item
        notes = [part for part in talk.parts if part.is_note]
        if not notes:
            raise UnusablePart("invalid_field", "no note - at `$.data.item.conversation_parts`")
        for note in notes:
            number = _name(note.id)
            yield self._desk.cases(f"part/{number}").message_sent(
                self._case(talk), message=number, public=False, agent=note.author.agent, at=note.at
            )

    def assigned(self, told: IntercomNotification) -> Iterator[Event]:
        talk = told.data.item
        yield self._desk.cases(told.id).assigned(
            self._case(talk),
            self._desk.queue(talk.team),
            agent=talk.agent,
            customer=self._customer(talk),
            at=told.at,
        )

    def closed(self, told: IntercomNotification) -> Iterator[Event]:
        talk = told.data.item
        yield self._desk.cases(told.id).resolved(
            self._case(talk),
            queue=self._desk.queue(talk.team),
            channel=self._desk.channel(talk.source.type),
            agent=talk.agent,
            customer=self._customer(talk),
            at=told.at,
        )

    def opened_again(self, told: IntercomNotification) -> Iterator[Event]:
        yield from self._open(told, told.at)

    def snoozed(self, told: IntercomNotification) -> Iterator[Event]:
        yield self._status(told, "pending", told.at)

    def unsnoozed(self, told: IntercomNotification) -> Iterator[Event]:
        yield self._status(told, "open", told.at)

    def prioritised(self, told: IntercomNotification) -> Iterator[Event]:
        talk = told.data.item
        yield self._desk.cases(told.id).status_changed(
            self._case(talk), priority=_priority(talk), customer=self._customer(talk), at=told.at
        )

    def deleted(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, DeletedConversation)
        if told.number is None:
            raise UnusablePart("invalid_field", "which one is not told - at `$.data.item.conversation_id`")
        yield self._desk.cases(told.id).deleted(self._desk.case(told.number), at=told.at)

    def rated(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, RatedConversation)
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
            agent=rating.teammate.agent if rating.teammate else None,
            customer=self._desk.customer(intercom_name(rating.contact.id)) if rating.contact else self._customer(talk),
            at=told.at,
        )

    # -- parts ---------------------------------------------------------------------------------

    def _case(self, talk: IntercomConversation) -> str:
        return self._desk.case(_name(talk.id))

    def _customer(self, talk: IntercomConversation) -> str | None:
        return self._desk.customer(talk.customer)

    def _open(self, told: IntercomNotification, at: datetime) -> Iterator[Event]:
        talk = told.data.item
        yield self._desk.cases(f"{told.id}/reopened").reopened(self._case(talk), customer=self._customer(talk), at=at)
        yield self._status(told, "open", at)

    def _status(self, told: IntercomNotification, status: Status, at: datetime) -> Event:
        talk = told.data.item
        cases = self._desk.cases(f"{told.id}/status")
        return cases.status_changed(self._case(talk), status, customer=self._customer(talk), at=at)

    def _said(self, talk: IntercomConversation, part: IntercomPart) -> Event:
        return self._message(talk, part.author, _name(part.id), part.at)

    def _message(
        self, talk: IntercomConversation, author: IntercomAuthor, number: str, at: datetime, *, automatic: bool = False
    ) -> Event:
        case, cases = self._case(talk), self._desk.cases(f"part/{number}")
        by = author.by
        if by == "contact":
            return cases.message_received(case, message=number, customer=self._customer(talk), at=at)
        return cases.message_sent(case, message=number, author=by, automatic=automatic, agent=author.agent, at=at)


def conversation_topics(desk: DeskSettings) -> dict[str, TellJson]:
    """Return how each topic is told."""
    events = _ConversationEvents(desk)
    tells: dict[str, _Tell] = {
        "user.created": events.began,
        "admin.single.created": events.began,
        "user.replied": events.asked,
        "admin.replied": events.answered,
        "operator.replied": events.answered,
        "admin.noted": events.noted,
        "admin.assigned": events.assigned,
        "admin.open.assigned": events.assigned,
        "admin.closed": events.closed,
        "admin.opened": events.opened_again,
        "admin.snoozed": events.snoozed,
        "admin.unsnoozed": events.unsnoozed,
        "priority.updated": events.prioritised,
    }
    told = {_TOPIC + topic: _of_notification(tell) for topic, tell in tells.items()}
    return {**told, "conversation.deleted": events.deleted, "conversation.rating.added": events.rated}


def _of_notification(tell: _Tell) -> TellJson:
    return lambda document: tell(msgspec.convert(document.content, IntercomNotification))


def _replies_in(talk: IntercomConversation, wanted: Callable[[IntercomPart], bool]) -> list[IntercomPart]:
    """Return the newest part of those that are *wanted*, whatever it is, after what else was said."""
    parts = [part for part in talk.parts if not part.is_note and wanted(part)]
    if not parts:
        raise UnusablePart("invalid_field", "no such reply - at `$.data.item.conversation_parts`")
    return [*(part for part in parts[:-1] if part.part_type in _SAID), parts[-1]]


def _name(number: str | int) -> str:
    return intercom_name(number) or "0"


def _priority(talk: IntercomConversation) -> Literal["normal", "high"]:
    return "high" if talk.priority == "priority" else "normal"
