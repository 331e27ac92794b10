"""What audits of Zendesk's incremental export become: each is one change of a ticket, with all that it changed."""

import re
from collections.abc import Container, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from stream.core.cloudevents import Event
from stream.core.windows import EPOCH
from stream.sdk.cases import CaseEvents
from stream.sources.help_desk import DeskSettings
from stream.sources.requests.parts import UnusablePart
from stream.sources.zendesk.vocabulary import (
    TICKET_PRIORITIES,
    TICKET_STATUSES,
    UNTOLD_STATUSES,
    ZendeskId,
    somebody,
)

__all__ = ["events_of_audit"]

_NO_WORD: Final = re.compile(r"[^a-z0-9]+")
_NOT_OPEN: Final = frozenset({"SOLVED", "CLOSED", "DELETED"})
_COMMENTS: Final = frozenset({"Comment", "VoiceComment", "FacebookComment"})

_Id = Annotated[int, Meta(ge=-1, le=2**63 - 1)]
_Told = ZendeskId | UnsetType | None
"""A value of a field."""


class _Child(Struct):
    """One thing that an audit did; of a field that it has not touched nothing is told."""

    id: _Id
    event_type: Annotated[str, Meta(max_length=64)]
    status: str | UnsetType = UNSET
    priority: str | UnsetType | None = UNSET
    group_id: _Told = UNSET
    requester_id: _Told = UNSET
    previous_value: Any = None
    author_id: _Id | None = None
    public: bool | None = None
    comment_public: bool | None = None


class _Audit(Struct):
    id: _Id
    ticket_id: _Id
    timestamp: Annotated[int, Meta(ge=1_100_000_000, le=4_102_444_800)]
    updater_id: _Id | None = None
    via: Annotated[str, Meta(max_length=100)] | None = None
    child_events: list[_Child] = []

    @property
    def at(self) -> datetime:
        """When it happened, in whole seconds."""
        return EPOCH + timedelta(seconds=self.timestamp)

    @property
    def way(self) -> str:
        """How it happened: `Phone call (incoming)` is `phone_call_incoming`."""
        return _NO_WORD.sub("_", (self.via or "").lower()).strip("_")

    @property
    def merges(self) -> bool:
        """Whether two tickets became one."""
        return self.way in {"merge", "ticket_merge"}

    @property
    def begun(self) -> dict[str, Any] | None:
        """The fields with which the ticket was created; None: it was there before."""
        created = [child for child in self.child_events if child.event_type == "Create"]
        names = ("status", "priority", "group_id", "requester_id")
        told = {name: getattr(child, name) for child in created for name in names if getattr(child, name) is not UNSET}
        return told if created else None


def events_of_audit(content: dict[str, Any], desk: DeskSettings, agents: Container[str]) -> Iterator[Event]:
    """
    Yield what an audit tells; *agents* are the ids of those who answer.

    Raises UnusablePart, or msgspec's errors.
    """
    audit = msgspec.convert(content, _Audit)
    begun = audit.begun
    requester = None if begun is None else somebody(begun.get("requester_id"))
    if begun is not None:
        yield from _opened(audit, begun, requester, desk)
    for child in audit.child_events:
        cases = desk.cases(f"audit/{audit.id}/{child.id}")
        case = desk.case(audit.ticket_id)
        if child.event_type in _COMMENTS:
            yield _comment(audit, child, requester, agents, cases, case)
        elif child.event_type == "Change":
            yield from _changed(audit, child, desk, cases, case)


def _opened(audit: _Audit, begun: dict[str, Any], requester: str | None, desk: DeskSettings) -> Iterator[Event]:
    updater, case = somebody(audit.updater_id), desk.case(audit.ticket_id)
    by_customer = requester is None or updater in {requester, None}
    yield desk.cases(f"audit/{audit.id}").opened(
        case,
        desk.queue(somebody(begun.get("group_id"))),
        channel=desk.channel(audit.way),
        priority=TICKET_PRIORITIES[_word(begun.get("priority") or "normal", TICKET_PRIORITIES, "priority")],
        opened_by="customer" if by_customer else "agent",
        agent=None if by_customer else updater,
        customer=desk.customer(requester),
        at=audit.at,
    )
    status = _status_word(begun.get("status") or "new")
    if status != "NEW":
        yield from _status(status, desk, desk.cases(f"audit/{audit.id}/status"), audit)


def _comment(
    audit: _Audit, child: _Child, requester: str | None, agents: Container[str], cases: CaseEvents, case: str
) -> Event:
    author, message = somebody(child.author_id or audit.updater_id), str(child.id)
    public = child.comment_public if child.public is None else child.public
    if author in agents and author != requester:
        return cases.message_sent(
            case, message=message, public=public is not False, automatic=audit.merges, agent=author, at=audit.at
        )
    if public is False:
        # Said to agents alone, by whoever it was.
        return cases.message_sent(case, message=message, public=False, at=audit.at)
    return cases.message_received(case, message=message, automatic=author is None, at=audit.at)


def _changed(audit: _Audit, child: _Child, desk: DeskSettings, cases: CaseEvents, case: str) -> Iterator[Event]:
    if child.group_id is not UNSET:
        yield cases.assigned(case, desk.queue(somebody(child.group_id)), at=audit.at)
    if child.priority is not UNSET:
        word = _word(child.priority or "normal", TICKET_PRIORITIES, "priority")
        yield cases.status_changed(case, priority=TICKET_PRIORITIES[word], at=audit.at)
    if child.status is not UNSET:
        status = _status_word(child.status)
        if status in TICKET_STATUSES and str(child.previous_value).upper() in _NOT_OPEN:
            yield desk.cases(f"audit/{audit.id}/{child.id}/reopened").reopened(case, at=audit.at)
        yield from _status(status, desk, cases, audit)


def _status(status: str, desk: DeskSettings, cases: CaseEvents, audit: _Audit) -> Iterator[Event]:
    case = desk.case(audit.ticket_id)
    match status:
        case "SOLVED":
            yield cases.resolved(case, at=audit.at)
        case "CLOSED" if audit.merges:
            # Where it goes on is not told.
            yield cases.merged(case, desk.case("unknown"), at=audit.at)
        case "CLOSED":
            yield cases.closed(case, at=audit.at)
        case "DELETED":
            yield cases.deleted(case, at=audit.at)
        case _ if status in TICKET_STATUSES:
            yield cases.status_changed(case, TICKET_STATUSES[status], at=audit.at)


def _status_word(told: str) -> str:
    return _word(told, {*TICKET_STATUSES, *_NOT_OPEN, *UNTOLD_STATUSES}, "status")


def _word(told: str, known: Container[str], name: str) -> str:
    word = told.upper()
    if word not in known:
        raise UnusablePart("invalid_field", f"no known {name} - at `$.child_events[...].{name}`")
    return word
