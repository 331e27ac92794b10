"""
What Chatwoot tells of conversations, messages and ratings, each request by itself.

A conversation is in each request as it is by then. What changed is told by the old and the new value, where Chatwoot
tells that; an event is called by the conversation, by what it has become, and since when.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct

from stream.core.cloudevents import Channel, Event
from stream.families.cases.payloads import Priority, Status
from stream.sources.chatwoot.payloads import (
    AttributeChange,
    BegunConversation,
    ChatwootConversation,
    ChatwootMessage,
    RatedMessage,
)
from stream.sources.help_desk import DeskSettings
from stream.sources.instants import stamp_of
from stream.sources.requests.json_webhook import JsonDocument, TellJson
from stream.sources.requests.parts import UnusablePart

__all__ = ["CHATWOOT_CHANNELS", "CHATWOOT_OF_NO_USE", "QueueBy", "chatwoot_kinds"]

CHATWOOT_OF_NO_USE: Final = frozenset(
    (
        *("contact_created", "contact_updated", "webwidget_triggered", "inbox_created", "inbox_updated"),
        *("conversation_typing_on", "conversation_typing_off"),
    )
)
"""Kinds that are known, and tell nothing that a figure is made of."""

CHATWOOT_CHANNELS: Final[Mapping[str, Channel]] = {
    "Channel::WebWidget": "chat",
    "Channel::Email": "email",
    "Channel::Voice": "voice",
    "Channel::Sms": "sms",
    "Channel::TwilioSms": "sms",
    "Channel::Whatsapp": "messaging",
    "Channel::FacebookPage": "messaging",
    "Channel::Instagram": "messaging",
    "Channel::Telegram": "messaging",
    "Channel::Line": "messaging",
    "Channel::Tiktok": "messaging",
    "Channel::TwitterProfile": "social",
}
"""By the type of the inbox. Of a page of Facebook, Chatwoot takes what is written to it, and no posts."""

QueueBy = Literal["inbox", "team"]

_STATUSES: Final[Mapping[str, Status]] = {"open": "open", "pending": "new", "snoozed": "on_hold"}
"""Pending is what a bot has, or nobody yet."""

_PRIORITIES: Final[Mapping[str | None, Priority]] = {
    "low": "low",
    "medium": "normal",
    None: "normal",
    "high": "high",
    "urgent": "urgent",
}


class _ConversationEvents(Struct):
    desk: DeskSettings
    queue_by: QueueBy

    def created(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, BegunConversation)
        at = told.changed_at(document.at)
        yield self.desk.cases(f"{told.id}/opened").opened(
            self.desk.case(told.id),
            self._queue(told),
            channel=self.desk.channel(told.channel),
            opened_by=told.opened_by,
            customer=self._customer(told),
            at=told.began_at,
        )
        yield from self._standing(told, told.status, at)
        if told.priority is not None:
            yield self._prioritised(told, told.priority, at)

    def status_changed(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, ChatwootConversation)
        # The conversation may have gone on before this request was made. Mostly only `conversation_updated` tells since
        # when it is so; told twice, at two times, it would be two solutions of a customer's.
        if "updated_at" in told.changes:
            yield from self._changed(told, told.changed_at(document.at))

    def updated(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, ChatwootConversation)
        changes, at = told.changes, told.changed_at(document.at)
        if changes.keys() & {"assignee_id", "team_id"}:
            queue, agent = self._queue(told), told.agent
            yield self.desk.cases(f"{told.id}/assigned/{queue}/{agent}/{stamp_of(at)}").assigned(
                self.desk.case(told.id), queue, agent=agent, customer=self._customer(told), at=at
            )
        if "priority" in changes:
            yield self._prioritised(told, changes["priority"].current_value, at)
        if "status" in changes:
            yield from self._changed(told, at)

    def message_created(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, ChatwootMessage)
        talk = told.conversation
        case, number = self.desk.case(talk.id), str(told.id)
        cases = self.desk.cases(f"{talk.id}/message/{number}")
        if told.is_survey:
            yield self._invited(told)
        elif told.way == "received":
            yield cases.message_received(
                case,
                message=number,
                automatic=told.is_auto_reply,
                customer=self._customer(talk),
                at=told.created_at,
            )
        elif told.way == "sent":
            yield cases.message_sent(
                case,
                message=number,
                author="bot" if told.author == "bot" else "agent",
                public=not told.private,
                automatic=told.author == "rule",
                agent=told.agent,
                at=told.created_at,
            )
        elif told.way is None:
            raise UnusablePart("invalid_field", "no known type of a message - at `$.message_type`")

    def message_updated(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, ChatwootMessage)
        if not told.is_survey:
            return
        rating = msgspec.convert(document.content, RatedMessage).rating
        if rating is None:
            return
        talk = told.conversation
        # When the answer came is not told; answering changes the conversation.
        at = max(told.created_at, talk.changed_at(document.at))
        words = document.content["content_attributes"]["submitted_values"]["csat_survey_response"]
        yield self.desk.surveys(f"survey-{told.id}/{rating}/{stamp_of(at)}").answered(
            self.desk.case(f"survey-{told.id}"),
            "csat",
            rating,
            queue=self._queue(talk),
            channel=self.desk.channel(talk.channel),
            comment=bool(words.get("feedback_message")),  # they are counted, and not kept
            agent=talk.agent,
            customer=self._customer(talk),
            at=at,
        )

    # -- parts ---------------------------------------------------------------------------------

    def _customer(self, told: ChatwootConversation) -> str | None:
        return self.desk.customer(told.customer)

    def _queue(self, told: ChatwootConversation) -> str:
        if self.queue_by == "inbox":
            return self.desk.queue(str(told.inbox_id))
        return told.team or self.desk.default_queue

    def _invited(self, told: ChatwootMessage) -> Event:
        talk = told.conversation
        return self.desk.surveys(f"survey-{told.id}/invited").invited(
            self.desk.case(f"survey-{told.id}"),
            "csat",
            queue=self._queue(talk),
            channel=self.desk.channel(talk.channel),
            agent=talk.agent,
            customer=self._customer(talk),
            at=told.created_at,
        )

    def _prioritised(self, told: ChatwootConversation, priority: object, at: datetime) -> Event:
        if not isinstance(priority, str | None) or priority not in _PRIORITIES:
            raise UnusablePart("invalid_field", "no known priority - at `$.priority`")
        name = _PRIORITIES[priority]
        cases = self.desk.cases(f"{told.id}/priority/{name}/{stamp_of(at)}")
        return cases.status_changed(self.desk.case(told.id), priority=name, customer=self._customer(told), at=at)

    def _changed(self, told: ChatwootConversation, at: datetime) -> Iterator[Event]:
        change = told.changes.get("status", AttributeChange(told.status))
        if change.current_value != "resolved" and change.previous_value in (None, "resolved"):
            cases = self.desk.cases(f"{told.id}/reopened/{stamp_of(at)}")
            yield cases.reopened(self.desk.case(told.id), customer=self._customer(told), at=at)
        yield from self._standing(told, change.current_value, at)

    def _standing(self, told: ChatwootConversation, status: object, at: datetime) -> Iterator[Event]:
        case = self.desk.case(told.id)
        if status == "resolved":
            yield self.desk.cases(f"{told.id}/resolved/{stamp_of(at)}").resolved(
                case,
                queue=self._queue(told),
                channel=self.desk.channel(told.channel),
                agent=told.agent,
                customer=self._customer(told),
                at=at,
            )
        elif isinstance(status, str) and status in _STATUSES:
            cases = self.desk.cases(f"{told.id}/{status}/{stamp_of(at)}")
            yield cases.status_changed(case, _STATUSES[status], customer=self._customer(told), at=at)
        else:
            raise UnusablePart("invalid_field", "no known status - at `$.status`")


def chatwoot_kinds(desk: DeskSettings, queue_by: QueueBy) -> dict[str, TellJson]:
    """Return how each kind is told."""
    events = _ConversationEvents(desk, queue_by)
    return {
        "conversation_created": events.created,
        "conversation_status_changed": events.status_changed,
        "conversation_updated": events.updated,
        "message_created": events.message_created,
        "message_updated": events.message_updated,
    }
