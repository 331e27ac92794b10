"""
What can happen to a case, a request that lives for days: the source of truth of the contract.

`schemas/` is generated from this file and `payloads.py`. The vocabulary is this project's own.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar, get_args

from stream.core.cloudevents import Event, KeyParts
from stream.families.cases.payloads import (
    AssignedData,
    CaseData,
    DeletedData,
    MergedData,
    OpenedData,
    ReceivedData,
    ResolvedData,
    SentData,
    StatusData,
)

__all__ = [
    "EVENTS",
    "CaseAssigned",
    "CaseClosed",
    "CaseDeleted",
    "CaseEvent",
    "CaseMerged",
    "CaseOpened",
    "CaseReopened",
    "CaseResolved",
    "CaseStatusChanged",
    "MessageReceived",
    "MessageSent",
]


class _OfCase(Event, frozen=True, kw_only=True):
    """Keyed by tenant and case: a case that moves to another queue stays on its partition."""

    topic: ClassVar[str] = "cases"
    key_parts: ClassVar[Callable[[Any], KeyParts]] = attrgetter("tenantid", "subject")


class CaseOpened(_OfCase, frozen=True, kw_only=True, tag="case.opened"):
    """A customer asked for something, or an agent wrote first."""

    data: OpenedData


class CaseAssigned(_OfCase, frozen=True, kw_only=True, tag="case.assigned"):
    """A queue, and perhaps an agent of it, is to solve the case from now on."""

    data: AssignedData


class CaseStatusChanged(_OfCase, frozen=True, kw_only=True, tag="case.status_changed"):
    """The case has another status, or another priority."""

    data: StatusData


class CaseResolved(_OfCase, frozen=True, kw_only=True, tag="case.resolved"):
    """The case is solved, as far as the agent knows."""

    data: ResolvedData = ResolvedData()


class CaseReopened(_OfCase, frozen=True, kw_only=True, tag="case.reopened"):
    """The case was not solved after all; or, of one that was deleted: it is a case, and stands as before that."""

    data: CaseData = CaseData()


class CaseClosed(_OfCase, frozen=True, kw_only=True, tag="case.closed"):
    """Nothing can happen to the case any more."""

    data: CaseData = CaseData()


class CaseMerged(_OfCase, frozen=True, kw_only=True, tag="case.merged"):
    """The case was another one told twice: it goes on in that."""

    data: MergedData


class CaseDeleted(_OfCase, frozen=True, kw_only=True, tag="case.deleted"):
    """The case never was one: spam, or deleted."""

    data: DeletedData = DeletedData()


class MessageReceived(_OfCase, frozen=True, kw_only=True, tag="message.received"):
    """The customer wrote."""

    data: ReceivedData = ReceivedData()


class MessageSent(_OfCase, frozen=True, kw_only=True, tag="message.sent"):
    """Somebody on our side wrote, to the customer or as a note."""

    data: SentData = SentData()


# Written out, most frequent first: the order in which `match` statements test them.
CaseEvent = (
    MessageReceived
    | MessageSent
    | CaseStatusChanged
    | CaseAssigned
    | CaseOpened
    | CaseResolved
    | CaseReopened
    | CaseClosed
    | CaseMerged
    | CaseDeleted
)

EVENTS: tuple[type[CaseEvent], ...] = get_args(CaseEvent)
"""Every event of cases, in the order of the contract."""
