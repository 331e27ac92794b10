"""
What Chatwoot tells of conversations, messages and ratings, each request by itself.

A conversation is in each request as it is by then. What changed is told by the old and the new value, where Chatwoot
tells that; an event is called by the conversation, by what it has become, and since when.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import Channel, Event, Instant, Name
from stream.core.windows import EPOCH
from stream.families.cases.payloads import Priority, Status
from stream.sources.help_desk import DeskSettings
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

_Number = Annotated[int, Meta(ge=0, le=2**62)]
_Seconds = Annotated[float, Meta(ge=0, lt=4_133_980_800)]
"""Since 1970."""

_STATUSES: Final[Mapping[str, Status]] = {"open": "open", "pending": "new", "snoozed": "on_hold"}
"""Pending is what a bot has, or nobody yet."""

_PRIORITIES: Final[Mapping[str | None, Priority]] = {
    "low": "low",
    "medium": "normal",
    None: "normal",
    "high": "high",
    "urgent": "urgent",
}

_OUTGOING: Final = ("outgoing", 1)
_INCOMING: Final = ("incoming", 0)


class _Entity(Struct):
    """A contact, user or bot."""

    id: _Number | None = None
    type: str | None = None

    @property
    def agent(self) -> str | None:
        return str(self.id) if self.type == "user" and self.id is not None else None


class _Team(Struct):
    name: Name


class _Meta(Struct, frozen=True):
    sender: _Entity | None = None
    assignee: _Entity | None = None
    team: _Team | None = None


class _Change(Struct):
    current_value: Any = None
    previous_value: Any = None


class _Written(Struct):
    """The newest message, in a conversation."""

    message_type: int | str | None = None
    sender: _Entity | None = None


class _Conversation(Struct):
    id: _Number
    inbox_id: _Number
    status: str
    created_at: _Seconds
    updated_at: _Seconds
    channel: str | None = None
    priority: str | None = None
    meta: _Meta = _Meta()
    messages: list[_Written] = []
    additional_attributes: dict[str, Any] | None = None
    changed_attributes: list[dict[str, _Change]] | None = None

    @property
    def customer(self) -> str | None:
        sender = self.meta.sender or _Entity()
        return None if sender.id is None else str(sender.id)

    @property
    def agent(self) -> str | None:
        return (self.meta.assignee or _Entity()).agent

    @property
    def changes(self) -> dict[str, _Change]:
        return {name: change for changed in self.changed_attributes or [] for name, change in changed.items()}

    @property
    def changed_at(self) -> datetime:
        told = self.changes.get("updated_at")
        if told is None or not isinstance(told.current_value, str):
            return EPOCH + timedelta(seconds=self.updated_at)
        return msgspec.convert(told.current_value, Instant)

    @property
    def opened_by(self) -> Literal["customer", "agent", "system"]:
        newest = self.messages[-1] if self.messages else _Written()
        if newest.message_type in _OUTGOING and (newest.sender or _Entity()).type == "user":
            return "agent"
        # Of widgets and mail it is told when the customer began. Else the first message says who waits.
        began = "initiated_at" in (self.additional_attributes or {})
        return "customer" if began or newest.message_type in _INCOMING else "system"


class _OfMail(Struct):
    auto_reply: bool | None = None


class _Attributes(Struct):
    """Of a message: what made it, where that was no person at a desk."""

    automation_rule_id: Any = None
    external_echo: Any = None
    email: _OfMail | str | None = None


class _Campaign(Struct):
    campaign_id: Any = None


class _Message(Struct):
    id: _Number
    created_at: Instant
    message_type: int | str
    conversation: _Conversation
    content_type: str | None = None
    private: bool = False
    sender: _Entity | None = None
    content_attributes: _Attributes | None = None
    additional_attributes: _Campaign | None = None

    @property
    def author(self) -> Literal["agent", "bot", "rule"]:
        how = self.content_attributes or _Attributes()
        if how.automation_rule_id is not None or (self.additional_attributes or _Campaign()).campaign_id is not None:
            return "rule"
        by = None if self.sender is None else self.sender.type
        # What was written on the phone itself, beside Chatwoot, is known to be no machine's.
        if by == "user" or how.external_echo:
            return "agent"
        return "rule" if by is None else "bot"


class _Rating(Struct):
    rating: Annotated[int, Meta(ge=1, le=5)]


class _Submitted(Struct):
    csat_survey_response: _Rating | None = None


class _SurveyAttributes(Struct):
    submitted_values: _Submitted | None = None


class _Survey(Struct):
    content_attributes: _SurveyAttributes | None = None


class _ConversationEvents(Struct):
    desk: DeskSettings
    queue_by: QueueBy

    def created(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Conversation)
        at = EPOCH + timedelta(seconds=told.created_at)
        yield self.desk.cases(f"{told.id}/opened").opened(
            self.desk.case(told.id),
            self._queue(told),
            channel=self.desk.channel(told.channel),
            opened_by=told.opened_by,
            customer=self.desk.customer(told.customer),
            at=at,
        )
        yield from self._standing(told, told.status)
        if told.priority is not None:
            yield self._prioritised(told, told.priority)

    def status_changed(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Conversation)
        # A request is made after the change, and may have seen the next one.
        change = told.changes.get("status", _Change(told.status))
        status = change.current_value
        if status != "resolved" and change.previous_value in (None, "resolved"):
            case, at = self.desk.case(told.id), told.changed_at
            yield self.desk.cases(f"{told.id}/reopened/{_stamp(at)}").reopened(
                case, customer=self.desk.customer(told.customer), at=at
            )
        yield from self._standing(told, status)

    def updated(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Conversation)
        if told.changes.keys() & {"assignee_id", "team_id"}:
            queue, agent = self._queue(told), told.agent
            name = f"{told.id}/assigned/{queue}/{agent}/{_stamp(told.changed_at)}"
            yield self.desk.cases(name).assigned(
                self.desk.case(told.id),
                queue,
                agent=agent,
                customer=self.desk.customer(told.customer),
                at=told.changed_at,
            )
        if "priority" in told.changes:
            yield self._prioritised(told, told.changes["priority"].current_value)

    def message_created(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Message)
        talk = told.conversation
        case, number = self.desk.case(talk.id), str(told.id)
        cases = self.desk.cases(f"{talk.id}/message/{number}")
        if told.content_type == "input_csat":
            yield self._invited(told)
        elif told.message_type in _INCOMING:
            mail = (told.content_attributes or _Attributes()).email
            by_machine = isinstance(mail, _OfMail) and bool(mail.auto_reply)
            yield cases.message_received(
                case,
                message=number,
                automatic=by_machine,
                customer=self.desk.customer(talk.customer),
                at=told.created_at,
            )
        elif told.message_type in (*_OUTGOING, "template", 3):
            by = told.author
            yield cases.message_sent(
                case,
                message=number,
                author="bot" if by == "bot" else "agent",
                public=not told.private,
                automatic=by == "rule",
                agent=told.sender.agent if told.sender and by == "agent" else None,
                at=told.created_at,
            )
        elif told.message_type not in ("activity", 2):
            raise UnusablePart("invalid_field", "no known type of a message - at `$.message_type`")

    def message_updated(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Message)
        if told.content_type != "input_csat":
            return
        attributes = msgspec.convert(document.content, _Survey).content_attributes or _SurveyAttributes()
        answer = (attributes.submitted_values or _Submitted()).csat_survey_response
        if answer is None:
            return
        talk = told.conversation
        # When the answer came is not told; answering changes the conversation.
        at = max(told.created_at, talk.changed_at)
        words = document.content["content_attributes"]["submitted_values"]["csat_survey_response"]
        yield self.desk.surveys(f"survey-{told.id}/{answer.rating}/{_stamp(at)}").answered(
            self.desk.case(f"survey-{told.id}"),
            "csat",
            answer.rating,
            queue=self._queue(talk),
            channel=self.desk.channel(talk.channel),
            comment=bool(words.get("feedback_message")),  # they are counted, and not kept
            agent=talk.agent,
            customer=self.desk.customer(talk.customer),
            at=at,
        )

    # -- parts ---------------------------------------------------------------------------------

    def _queue(self, told: _Conversation) -> str:
        if self.queue_by == "inbox":
            return self.desk.queue(str(told.inbox_id))
        return self.desk.default_queue if told.meta.team is None else told.meta.team.name

    def _invited(self, told: _Message) -> Event:
        talk = told.conversation
        return self.desk.surveys(f"survey-{told.id}/invited").invited(
            self.desk.case(f"survey-{told.id}"),
            "csat",
            queue=self._queue(talk),
            channel=self.desk.channel(talk.channel),
            agent=talk.agent,
            customer=self.desk.customer(talk.customer),
            at=told.created_at,
        )

    def _prioritised(self, told: _Conversation, priority: object) -> Event:
        if not isinstance(priority, str | None) or priority not in _PRIORITIES:
            raise UnusablePart("invalid_field", "no known priority - at `$.priority`")
        at, name = told.changed_at, _PRIORITIES[priority]
        cases = self.desk.cases(f"{told.id}/priority/{name}/{_stamp(at)}")
        return cases.status_changed(
            self.desk.case(told.id), priority=name, customer=self.desk.customer(told.customer), at=at
        )

    def _standing(self, told: _Conversation, status: object) -> Iterator[Event]:
        case, at = self.desk.case(told.id), told.changed_at
        if status == "resolved":
            yield self.desk.cases(f"{told.id}/resolved/{_stamp(at)}").resolved(
                case,
                queue=self._queue(told),
                channel=self.desk.channel(told.channel),
                agent=told.agent,
                customer=self.desk.customer(told.customer),
                at=at,
            )
        elif isinstance(status, str) and status in _STATUSES:
            cases = self.desk.cases(f"{told.id}/{status}/{_stamp(at)}")
            yield cases.status_changed(case, _STATUSES[status], customer=self.desk.customer(told.customer), at=at)
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


def _stamp(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S.%f}"
