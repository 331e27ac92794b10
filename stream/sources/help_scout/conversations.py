"""
What Help Scout tells of conversations and ratings, each request by itself.

A request has the whole conversation as it is by then, and the thread that it is about. It tells nobody's number of what
happened: an event is called by the conversation, by what it is by now, and since when.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from stream.core.cloudevents import Channel, Event
from stream.families.cases.payloads import Status
from stream.sources.help_desk import DeskSettings
from stream.sources.help_scout.payloads import (
    HelpScoutConversation,
    HelpScoutNumber,
    HelpScoutRating,
    HelpScoutThread,
)
from stream.sources.instants import stamp_of
from stream.sources.requests.json_webhook import JsonDocument, TellJson
from stream.sources.requests.parts import UnusablePart

__all__ = ["CONVERSATIONS_OF_NO_USE", "HELP_SCOUT_CHANNELS", "conversation_kinds"]

CONVERSATIONS_OF_NO_USE: Final = frozenset(
    (
        *("convo.tags", "convo.custom-fields", "customer.created", "customer.updated", "customer.deleted"),
        *("tag.created", "tag.updated", "tag.deleted", "organization.created", "organization.updated"),
        *("organization.deleted", "helpscout.test"),
    )
)
"""Kinds that are known, and tell nothing that a figure is made of."""

HELP_SCOUT_CHANNELS: Final[Mapping[str, Channel]] = {
    "email": "email",
    "emailfwd": "email",
    "chat": "chat",
    "beaconchat": "chat",
    "phone": "voice",
    "sms": "sms",
    "messenger": "messaging",
    "facebook-messenger": "messaging",
    "instagram": "messaging",
    "whatsapp": "messaging",
    "facebook": "social",
    "twitter": "social",
}
"""By the type of a conversation's source, else of the conversation."""

_STATUSES: Final[Mapping[str, Status]] = {"active": "open", "open": "open", "pending": "pending"}
_RATINGS: Final = {"great": 3, "okay": 2, "ok": 2, "bad": 1, "notokay": 1, "notgood": 1}


class _ConversationEvents:
    def __init__(self, desk: DeskSettings) -> None:
        self._desk = desk

    def created(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, HelpScoutConversation)
        yield self._desk.cases(f"{told.id}/opened").opened(
            self._desk.case(told.id),
            self._queue(told),
            channel=self._desk.channel(*told.words),
            opened_by=told.opened_by,
            agent=told.opener,
            customer=self._customer(told),
            at=told.created_at,
        )
        for thread in told.threads:
            yield from self._message(told, thread)
        yield from self._standing(told)

    def replied(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, HelpScoutConversation)
        from_customer = document.kind == "convo.customer.reply.created"
        about = told.latest(from_customer=from_customer)
        if not about:
            raise UnusablePart("invalid_field", "no such reply - at `$.threads`")
        # Of two soon after each other both requests may have both: then neither has the first alone.
        for thread in about:
            yield from self._message(told, thread)
        # A customer who writes opens what was closed.
        if from_customer and told.status in _STATUSES:
            yield self._reopened(told)
        yield from self._standing(told)

    def noted(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, HelpScoutConversation)
        notes = [each for each in told.threads if each.type == "note"]
        for note in notes[-1:]:
            yield from self._message(told, note)

    def status_changed(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, HelpScoutConversation)
        # Of one that was open already that changes nothing.
        if told.status in _STATUSES:
            yield self._reopened(told)
        yield from self._standing(told)

    def assigned(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, HelpScoutConversation)
        agent = told.agent
        yield self._desk.cases(f"{told.id}/assigned/{told.mailbox_id}/{agent}/{stamp_of(told.at)}").assigned(
            self._desk.case(told.id), self._queue(told), agent=agent, customer=self._customer(told), at=told.at
        )

    def merged(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, HelpScoutConversation)
        gone = [(thread.merged, thread.created_at) for thread in told.threads if thread.merged is not None]
        if not gone:
            raise UnusablePart("invalid_field", "it does not tell what was merged - at `$.threads[...].action`")
        for number, at in gone:
            cases = self._desk.cases(f"{number}/merged/{told.id}")
            yield cases.merged(self._desk.case(number), self._desk.case(told.id), at=at)

    def deleted(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, HelpScoutNumber)
        # It tells no time.
        yield self._desk.cases(f"{told.id}/deleted").deleted(self._desk.case(told.id), at=document.at)

    def rated(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, HelpScoutRating)
        score = _RATINGS.get(told.rating.casefold().replace(" ", "").replace("_", ""))
        if score is None:
            raise UnusablePart("invalid_field", "no known rating - at `$.rating`")
        if told.inbox is None:
            raise UnusablePart("invalid_field", "no inbox - at `$.mailbox`")
        yield self._desk.surveys(f"rating-{told.id}/{stamp_of(told.at)}").answered(
            self._desk.case(f"rating-{told.id}"),
            "csat",
            score,
            scale="smileys",
            queue=self._desk.queue(str(told.inbox)),
            # Whether there are words is counted; they are not kept.
            comment=bool(document.content.get("comments")),
            agent=told.agent,
            customer=self._desk.customer(told.rated_by),
            at=told.at,
        )

    # -- parts ---------------------------------------------------------------------------------

    def _customer(self, told: HelpScoutConversation) -> str | None:
        return self._desk.customer(told.customer)

    def _queue(self, told: HelpScoutConversation) -> str:
        return self._desk.queue(str(told.mailbox_id))

    def _message(self, told: HelpScoutConversation, thread: HelpScoutThread) -> Iterator[Event]:
        if not thread.is_message:
            return
        case, number = self._desk.case(told.id), str(thread.id)
        cases = self._desk.cases(f"{told.id}/thread/{number}")
        if thread.type == "note":
            yield cases.message_sent(case, message=number, public=False, agent=thread.by.agent, at=thread.created_at)
        elif thread.is_from_customer:
            yield cases.message_received(case, message=number, customer=self._customer(told), at=thread.created_at)
        else:
            author: Literal["agent", "bot"] = "agent" if thread.by.is_user else "bot"
            yield cases.message_sent(
                case,
                message=number,
                author=author,
                automatic=thread.is_automatic,
                agent=None if thread.is_automatic else thread.by.agent,
                at=thread.created_at,
            )

    def _reopened(self, told: HelpScoutConversation) -> Event:
        cases = self._desk.cases(f"{told.id}/reopened/{stamp_of(told.at)}")
        return cases.reopened(self._desk.case(told.id), customer=self._customer(told), at=told.at)

    def _standing(self, told: HelpScoutConversation) -> Iterator[Event]:
        """Tell how a conversation stands: whoever has heard of it already learns nothing."""
        case, at = self._desk.case(told.id), told.at
        if told.status == "closed":
            at = told.closed_at or at
            yield self._desk.cases(f"{told.id}/closed/{stamp_of(at)}").resolved(
                case,
                queue=self._queue(told),
                channel=self._desk.channel(*told.words),
                agent=told.agent,
                customer=self._customer(told),
                at=at,
            )
        elif told.status == "spam":
            yield self._desk.cases(f"{told.id}/spam").deleted(case, "spam", at=at)
        elif told.status in _STATUSES:
            name = f"{told.id}/{told.status}/{stamp_of(at)}"
            yield self._desk.cases(name).status_changed(
                case, _STATUSES[told.status], customer=self._customer(told), at=at
            )
        else:
            raise UnusablePart("invalid_field", "no known status - at `$.status`")


def conversation_kinds(desk: DeskSettings) -> dict[str, TellJson]:
    """Return how each kind is told."""
    events = _ConversationEvents(desk)
    return {
        "convo.created": events.created,
        "convo.customer.reply.created": events.replied,
        "convo.agent.reply.created": events.replied,
        "convo.note.created": events.noted,
        "convo.status": events.status_changed,
        "convo.assigned": events.assigned,
        "convo.moved": events.assigned,
        "convo.merged": events.merged,
        "convo.deleted": events.deleted,
        "satisfaction.ratings": events.rated,
    }
