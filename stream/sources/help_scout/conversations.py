"""
What Help Scout tells of conversations and ratings, each request by itself.

A request has the whole conversation as it is by then, and the thread that it is about. It tells nobody's number of what
happened: an event is called by the conversation, by what it is by now, and since when.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from stream.core.cloudevents import Channel, Event, Instant
from stream.families.cases.payloads import Status
from stream.sources.help_desk import DeskSettings
from stream.sources.requests.json_webhook import JsonDocument, TellJson
from stream.sources.requests.parts import UnusablePart

__all__ = ["CONVERSATIONS_OF_NO_USE", "HELP_SCOUT_CHANNELS", "conversation_kinds"]

CONVERSATIONS_OF_NO_USE: Final = frozenset(
    (
        *("convo.tags", "convo.custom-fields", "customer.created", "customer.updated", "customer.deleted"),
        *("tag.created", "tag.updated", "tag.deleted", "organization.created", "organization.updated"),
        "organization.deleted",
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
_SENT: Final = frozenset({"published", "bounced"})
"""What drafts, hidden threads and those that are held back are not."""
_RATINGS: Final = {"great": 3, "okay": 2, "ok": 2, "bad": 1, "notokay": 1, "notgood": 1}

_Number = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Word = Annotated[str, Meta(max_length=64)]


class _Person(Struct):
    id: _Number | None = None
    type: _Word | None = None

    @property
    def name(self) -> str | None:
        """Its number, as a text; 0 is nobody's."""
        return str(self.id) if self.id else None


class _Origin(Struct):
    """How something came in, and from whom."""

    type: _Word | None = None
    via: _Word | None = None


class _Action(Struct, rename="camel"):
    type: _Word | None = None
    associated_entities: dict[str, Any] | None = None


class _Thread(Struct, rename="camel"):
    id: _Number
    type: _Word
    created_at: Instant
    state: _Word = "published"
    author: _Person | None = None
    created_by: _Person | None = None
    source: _Origin | None = None
    action: _Action | None = None

    @property
    def by(self) -> _Person:
        """Who wrote it."""
        return self.author or self.created_by or _Person()

    @property
    def is_from_customer(self) -> bool:
        """Whether it asks, and does not answer."""
        return self.type == "customer" or self.by.type == "customer"

    @property
    def is_message(self) -> bool:
        """Whether somebody wrote it who wanted it to be read."""
        return self.type not in {"lineitem", "forwardparent", "forwardchild"} and self.state in _SENT


class _Embedded(Struct):
    threads: list[_Thread] = []


class _Conversation(Struct, rename="camel"):
    id: _Number
    status: _Word
    mailbox_id: _Number
    created_at: Instant
    type: _Word | None = None
    modified_at: Instant | None = None
    user_updated_at: Instant | None = None
    closed_at: Instant | None = None
    source: _Origin | None = None
    created_by: _Person | None = None
    primary_customer: _Person | None = None
    assignee: _Person | None = None
    # The API has the number of threads here, and the threads themselves below.
    told_threads: list[_Thread] | int = field(default_factory=list, name="threads")
    embedded: _Embedded | None = field(default=None, name="_embedded")

    @property
    def threads(self) -> list[_Thread]:
        """The threads, the oldest first."""
        told = self.embedded.threads if isinstance(self.told_threads, int) and self.embedded else self.told_threads
        return sorted(told, key=lambda thread: (thread.created_at, thread.id)) if isinstance(told, list) else []

    @property
    def at(self) -> Instant:
        """When it became what it is."""
        known = (self.modified_at, self.user_updated_at, *(thread.created_at for thread in self.threads))
        return max((at for at in known if at is not None), default=self.created_at)

    @property
    def customer(self) -> str | None:
        """Whose it is."""
        return (self.primary_customer or _Person()).name


class _Deleted(Struct):
    id: _Number


class _Rating(Struct, rename="camel"):
    id: _Number
    rating: _Word
    created_at: Instant
    mailbox: _Deleted
    modified_at: Instant | None = None
    customer: _Person | None = None
    user: _Person | None = None


class _ConversationEvents:
    def __init__(self, desk: DeskSettings) -> None:
        self._desk = desk

    def created(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Conversation)
        origin = told.source or _Origin()
        by_customer = (told.created_by or _Person()).type == "customer" or origin.via == "customer"
        agent = None if by_customer else (told.created_by or _Person()).name
        yield self._desk.cases(f"{told.id}/opened").opened(
            self._desk.case(told.id),
            self._queue(told),
            channel=self._desk.channel(origin.type, told.type),
            opened_by="customer" if by_customer else "agent",
            agent=agent,
            customer=self._desk.customer(told.customer),
            at=told.created_at,
        )
        for thread in told.threads:
            yield from self._message(told, thread)
        yield from self._standing(told)

    def replied(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Conversation)
        from_customer = document.kind == "convo.customer.reply.created"
        about = [each for each in told.threads if each.is_message and each.type != "note"]
        about = [each for each in about if each.is_from_customer == from_customer]
        if not about:
            raise UnusablePart("invalid_field", "no such reply - at `$.threads`")
        yield from self._message(told, about[-1])
        # A customer who writes opens what was closed.
        if from_customer and told.status in _STATUSES:
            yield self._reopened(told)
        yield from self._standing(told)

    def noted(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Conversation)
        notes = [each for each in told.threads if each.type == "note"]
        for note in notes[-1:]:
            yield from self._message(told, note)

    def status_changed(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Conversation)
        # Of one that was open already that changes nothing.
        if told.status in _STATUSES:
            yield self._reopened(told)
        yield from self._standing(told)

    def assigned(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Conversation)
        agent = (told.assignee or _Person()).name
        yield self._desk.cases(f"{told.id}/assigned/{told.mailbox_id}/{agent}/{_stamp(told.at)}").assigned(
            self._desk.case(told.id),
            self._queue(told),
            agent=agent,
            customer=self._desk.customer(told.customer),
            at=told.at,
        )

    def merged(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Conversation)
        found = False
        for thread in told.threads:
            action = thread.action or _Action()
            gone = (action.associated_entities or {}).get("originalConversation")
            if action.type == "merged" and isinstance(gone, int):
                found = True
                yield self._desk.cases(f"{gone}/merged/{told.id}").merged(
                    self._desk.case(gone), self._desk.case(told.id), at=thread.created_at
                )
        if not found:
            raise UnusablePart("invalid_field", "it does not tell what was merged - at `$.threads[...].action`")

    def deleted(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Deleted)
        # It tells no time.
        yield self._desk.cases(f"{told.id}/deleted").deleted(self._desk.case(told.id), at=document.at)

    def rated(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Rating)
        score = _RATINGS.get(told.rating.casefold().replace(" ", "").replace("_", ""))
        if score is None:
            raise UnusablePart("invalid_field", "no known rating - at `$.rating`")
        at = told.modified_at or told.created_at
        yield self._desk.surveys(f"rating-{told.id}/{_stamp(at)}").answered(
            self._desk.case(f"rating-{told.id}"),
            "csat",
            score,
            scale="smileys",
            queue=self._desk.queue(str(told.mailbox.id)),
            # Whether there are words is counted; they are not kept.
            comment=bool(document.content.get("comments")),
            agent=(told.user or _Person()).name,
            customer=self._desk.customer((told.customer or _Person()).name),
            at=at,
        )

    # -- parts ---------------------------------------------------------------------------------

    def _queue(self, told: _Conversation) -> str:
        return self._desk.queue(str(told.mailbox_id))

    def _message(self, told: _Conversation, thread: _Thread) -> Iterator[Event]:
        if not thread.is_message:
            return
        case, number = self._desk.case(told.id), str(thread.id)
        cases = self._desk.cases(f"{told.id}/thread/{number}")
        if thread.type == "note":
            yield cases.message_sent(case, message=number, public=False, agent=thread.by.name, at=thread.created_at)
        elif thread.is_from_customer:
            yield cases.message_received(
                case, message=number, customer=self._desk.customer(told.customer), at=thread.created_at
            )
        else:
            author: Literal["agent", "bot"] = "agent" if thread.by.type in {"user", None} else "bot"
            agent = thread.by.name if author == "agent" else None
            yield cases.message_sent(case, message=number, author=author, agent=agent, at=thread.created_at)

    def _reopened(self, told: _Conversation) -> Event:
        cases = self._desk.cases(f"{told.id}/reopened/{_stamp(told.at)}")
        return cases.reopened(self._desk.case(told.id), customer=self._desk.customer(told.customer), at=told.at)

    def _standing(self, told: _Conversation) -> Iterator[Event]:
        """Tell how a conversation stands: whoever has heard of it already learns nothing."""
        case, at = self._desk.case(told.id), told.at
        if told.status == "closed":
            at = told.closed_at or at
            yield self._desk.cases(f"{told.id}/closed/{_stamp(at)}").resolved(
                case,
                queue=self._queue(told),
                channel=self._desk.channel((told.source or _Origin()).type, told.type),
                agent=(told.assignee or _Person()).name,
                customer=self._desk.customer(told.customer),
                at=at,
            )
        elif told.status == "spam":
            yield self._desk.cases(f"{told.id}/spam").deleted(case, "spam", at=at)
        elif told.status in _STATUSES:
            name = f"{told.id}/{told.status}/{_stamp(at)}"
            yield self._desk.cases(name).status_changed(
                case, _STATUSES[told.status], customer=self._desk.customer(told.customer), at=at
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


def _stamp(at: Instant) -> str:
    return f"{at:%Y%m%dT%H%M%S.%f}"
