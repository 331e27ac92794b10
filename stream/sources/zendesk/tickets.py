"""What Zendesk's events of tickets become, each by itself: the others may come later, twice, or to another gateway."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

from stream.core.cloudevents import Event, Instant
from stream.families.cases.payloads import Priority
from stream.sources.help_desk import DeskSettings
from stream.sources.requests.json_webhook import JsonDocument, TellJson
from stream.sources.requests.parts import UnusablePart
from stream.sources.zendesk.vocabulary import (
    TICKET_PRIORITIES,
    TICKET_STATUSES,
    UNTOLD_STATUSES,
    ZendeskId,
    somebody,
)

__all__ = ["TICKETS_OF_NO_USE", "ticket_kinds"]

TICKETS_OF_NO_USE: Final = frozenset(
    "ticket." + name
    for name in (
        *("attachment_linked_to_comment", "attachment_redacted_from_comment", "brand_changed", "comment_redacted"),
        *("comment_made_private", "custom_field_changed", "custom_status_changed", "description_changed"),
        *("external_id_changed", "email_ccs_changed", "followers_changed", "form_changed", "organization_changed"),
        *("problem_link_changed", "requester_changed", "subject_changed", "submitter_changed", "tags_changed"),
        *("task_due_at_changed", "type_changed", "sla_policy_changed", "ola_policy_changed", "schedule_changed"),
        *("next_sla_breach_changed", "csat_requested"),
    )
)
"""Kinds that are known, and tell nothing that a figure is made of."""

_CLOSED: Final = "CLOSED"
_NOT_OPEN: Final = frozenset({"SOLVED", _CLOSED, "DELETED"})
_UNRATED: Final = frozenset({"OFFERED", "UNOFFERED"})

_BEFORE: Final = timedelta(milliseconds=10)

_Number = Annotated[str, Meta(min_length=1, max_length=40)] | Annotated[int, Meta(ge=1, le=2**63 - 1)]
"""Of what is there, as a text or not."""
_Word = Annotated[str, Meta(max_length=64)]


class _Via(Struct):
    channel: _Word | None = None


class _Ticket(Struct):
    """As it is after what happened."""

    id: _Number
    status: _Word
    via: _Via
    requester_id: ZendeskId | None = None
    submitter_id: ZendeskId | None = None
    group_id: ZendeskId | None = None
    assignee_id: ZendeskId | None = None
    priority: _Word | None = None

    @property
    def requester(self) -> str | None:
        return somebody(self.requester_id)

    @property
    def assignee(self) -> str | None:
        return somebody(self.assignee_id)

    @property
    def group(self) -> str | None:
        return somebody(self.group_id)


class _Told(Struct, frozen=True):
    id: Annotated[str, Meta(min_length=1, max_length=64)]
    time: Instant
    detail: _Ticket

    @property
    def at(self) -> datetime:
        """When it happened, in whole seconds: what one action did, such as answer and solve, is told in no order."""
        return self.time.replace(microsecond=0)

    @property
    def just_before(self) -> datetime:
        """Some milliseconds before all else of the second; of several the later remains the later."""
        return self.at - _BEFORE + (self.time - self.at) / 100


class _Change(Struct):
    current: _Word | None
    previous: _Word | None = None


class _Changed(_Told, frozen=True):
    event: _Change


class _Assignment(Struct):
    current: ZendeskId | None = None


class _Assigned(_Told, frozen=True):
    event: _Assignment


class _Author(Struct):
    id: ZendeskId
    by_agent: bool = field(name="is_staff")


class _Comment(Struct):
    id: _Number
    is_public: bool
    author: _Author


class _CommentEvent(Struct):
    comment: _Comment


class _Commented(_Told, frozen=True):
    event: _CommentEvent


class _MergeEvent(Struct):
    target_ticket_id: _Number


class _Merged(_Told, frozen=True):
    event: _MergeEvent


class _SatisfactionScore(Struct):
    score: _Word


class _RatingEvent(Struct):
    satisfaction_score: _SatisfactionScore


class _Rated(_Told, frozen=True):
    event: _RatingEvent


class _Actor(Struct):
    type: _Word
    id: _Word | None = None


class _Message(Struct):
    id: _Number


class _MessageEvent(Struct):
    actor: _Actor
    message: _Message


class _MessagedTicket(Struct):
    id: _Number


class _Messaged(Struct):
    id: Annotated[str, Meta(min_length=1, max_length=64)]
    time: Instant
    detail: _MessagedTicket
    event: _MessageEvent


class _TicketEvents:
    def __init__(self, desk: DeskSettings) -> None:
        self._desk = desk

    def _whose(self, ticket: _Ticket) -> tuple[str, str | None]:
        """Return what the case and the customer of a ticket are called."""
        return self._desk.case(ticket.id), self._desk.customer(ticket.requester)

    def created(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Told)
        ticket, (case, customer) = told.detail, self._whose(told.detail)
        submitter = somebody(ticket.submitter_id)
        by_customer = submitter in {ticket.requester, None}
        yield self._desk.cases(told.id).opened(
            case,
            self._desk.queue(ticket.group),
            channel=self._desk.channel(ticket.via.channel),
            priority=_priority(ticket.priority),
            opened_by="customer" if by_customer else "agent",
            agent=None if by_customer else submitter,
            customer=customer,
            at=told.at,
        )
        # One that was entered after it was solved, such as a call, is told only so.
        if ticket.status != "NEW":
            yield from self._status(told, ticket.status, f"{told.id}/status")

    def assigned(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Assigned)
        if document.kind == "ticket.group_assignment_changed":
            group, agent = somebody(told.event.current), told.detail.assignee
        else:
            group, agent = told.detail.group, somebody(told.event.current)
        case, customer = self._whose(told.detail)
        # What the same action answered or solved counts for the queue that it chose.
        yield self._desk.cases(told.id).assigned(
            case, self._desk.queue(group), agent=agent, customer=customer, at=told.just_before
        )

    def status_changed(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Changed)
        current, previous = told.event.current or "", told.event.previous
        if current in TICKET_STATUSES and previous in _NOT_OPEN:
            case, customer = self._whose(told.detail)
            yield self._desk.cases(f"{told.id}/reopened").reopened(case, customer=customer, at=told.at)
        yield from self._status(told, current, told.id)

    def _status(self, told: _Told, status: str, name: str) -> Iterator[Event]:
        ticket, cases, at = told.detail, self._desk.cases(name), told.at
        case, customer = self._whose(ticket)
        match status:
            case "SOLVED":
                queue, channel = self._desk.queue(ticket.group), self._desk.channel(ticket.via.channel)
                yield cases.resolved(
                    case, queue=queue, channel=channel, agent=ticket.assignee, customer=customer, at=at
                )
            case "CLOSED":
                yield cases.closed(case, customer=customer, at=at)
            case "DELETED":
                yield cases.deleted(case, customer=customer, at=at)
            case _ if status in TICKET_STATUSES:
                yield cases.status_changed(case, TICKET_STATUSES[status], customer=customer, at=at)
            case _ if status not in UNTOLD_STATUSES:
                raise UnusablePart("invalid_field", "no known status - at `$.event.current` or `$.detail.status`")

    def priority_changed(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Changed)
        case, customer = self._whose(told.detail)
        yield self._desk.cases(told.id).status_changed(
            case, priority=_priority(told.event.current), customer=customer, at=told.at
        )

    def comment_added(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Commented)
        comment, ticket = told.event.comment, told.detail
        cases, author = self._desk.cases(told.id), somebody(comment.author.id)
        case, customer = self._whose(ticket)
        # Of one of our own who asks, such as for a new laptop, a comment is a question as anybody's.
        if author is None or (comment.author.by_agent and author != ticket.requester):
            # No agent answers a ticket that is closed: a merge has closed it, and says so in a comment.
            by_merge = ticket.status == _CLOSED
            yield cases.message_sent(
                case,
                message=str(comment.id),
                public=comment.is_public,
                automatic=by_merge or author is None,
                agent=author,
                customer=customer,
                at=told.at,
            )
        elif comment.is_public:
            yield cases.message_received(case, message=str(comment.id), customer=customer, at=told.at)

    def merged(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Merged)
        into = self._desk.case(told.event.target_ticket_id)
        case, customer = self._whose(told.detail)
        yield self._desk.cases(told.id).merged(case, into, customer=customer, at=told.at)

    def deleted(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Told)
        reason: Literal["spam", "deleted"] = "spam" if document.kind == "ticket.marked_as_spam" else "deleted"
        case, customer = self._whose(told.detail)
        yield self._desk.cases(told.id).deleted(case, reason, customer=customer, at=told.at)

    def undeleted(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Told)
        case, customer = self._whose(told.detail)
        yield self._desk.cases(told.id).reopened(case, customer=customer, at=told.at)

    def rated(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Rated)
        ticket, score = told.detail, told.event.satisfaction_score.score.upper()
        if score in _UNRATED:
            return
        if score not in {"GOOD", "BAD"}:
            raise UnusablePart("invalid_field", "neither good nor bad - at `$.event.satisfaction_score.score`")
        case, customer = self._whose(ticket)
        # Of several the latest stands.
        yield self._desk.surveys(told.id).answered(
            case,
            "csat",
            int(score == "GOOD"),
            scale="thumbs",
            queue=self._desk.queue(ticket.group),
            channel=self._desk.channel(ticket.via.channel),
            agent=ticket.assignee,
            customer=customer,
            at=told.time,
        )

    def message_added(self, document: JsonDocument) -> Iterator[Event]:
        told = msgspec.convert(document.content, _Messaged)
        actor, message = told.event.actor, str(told.event.message.id)
        case, cases = self._desk.case(told.detail.id), self._desk.cases(told.id)
        match actor.type:
            case "end_user":
                yield cases.message_received(case, message=message, at=told.time)
            case "agent":
                yield cases.message_sent(case, message=message, agent=actor.id or None, at=told.time)
            case "system" | "trigger":
                yield cases.message_sent(case, message=message, author="bot", at=told.time)
            case _:
                raise UnusablePart("invalid_field", "no known actor - at `$.event.actor.type`")


def ticket_kinds(desk: DeskSettings) -> dict[str, TellJson]:
    """Return how each kind is told."""
    events = _TicketEvents(desk)
    return {
        "ticket.created": events.created,
        "ticket.agent_assignment_changed": events.assigned,
        "ticket.group_assignment_changed": events.assigned,
        "ticket.status_changed": events.status_changed,
        "ticket.priority_changed": events.priority_changed,
        "ticket.comment_added": events.comment_added,
        "ticket.merged": events.merged,
        "ticket.marked_as_spam": events.deleted,
        "ticket.soft_deleted": events.deleted,
        "ticket.permanently_deleted": events.deleted,
        "ticket.undeleted": events.undeleted,
        "ticket.csat_received": events.rated,
        "messaging_ticket.message_added": events.message_added,
    }


def _priority(word: str | None) -> Priority:
    # One that is not told is neither high nor low.
    priority = TICKET_PRIORITIES.get(word or "NORMAL")
    if priority is None:
        raise UnusablePart("invalid_field", "no known priority - at `$.event.current` or `$.detail.priority`")
    return priority
