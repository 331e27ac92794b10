"""What the events of a case report: entries of its timeline."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from stream.core.cloudevents import Event
from stream.families.cases.events import (
    CaseAssigned,
    CaseClosed,
    CaseDeleted,
    CaseMerged,
    CaseOpened,
    CaseReopened,
    CaseResolved,
    CaseStatusChanged,
    MessageReceived,
    MessageSent,
)
from stream.families.cases.snapshot import PRIORITIES, STATUSES
from stream.families.cases.timeline import Step, entry_of, fingerprint

__all__ = ["REPORTS", "ReportsOf"]

ReportsOf = Callable[[Any, int], Sequence[int]]
"""Returns the entries of an event, of which the place is told of the queue that it names (0: it names none)."""


def _opened(event: CaseOpened, place: int) -> Sequence[int]:
    at, data = event.time, event.data
    by_customer = data.opened_by == "customer"
    entries = [entry_of(at, Step.OPENED_BY_CUSTOMER if by_customer else Step.OPENED_BY_US, place)]
    if data.priority != "normal":
        entries.append(entry_of(at, Step.PRIORITY, PRIORITIES.index(data.priority)))
    if data.split_from is not None:
        entries.append(entry_of(at, Step.SPLIT))
    return entries


def _changed(event: CaseStatusChanged, _: int) -> Sequence[int]:
    at, data = event.time, event.data
    entries = []
    if data.status is not None:
        entries.append(entry_of(at, Step.STATUS, STATUSES.index(data.status)))
    if data.priority is not None:
        entries.append(entry_of(at, Step.PRIORITY, PRIORITIES.index(data.priority)))
    return entries


def _received(event: MessageReceived, _: int) -> Sequence[int]:
    data = event.data
    return (entry_of(event.time, Step.AUTOMATIC if data.automatic else Step.ASKED, _message(data.message)),)


def _sent(event: MessageSent, _: int) -> Sequence[int]:
    data = event.data
    if not data.public:
        return ()  # a note within the house answers nobody
    by_machine = data.automatic or data.author == "bot"
    return (entry_of(event.time, Step.AUTOMATIC if by_machine else Step.ANSWERED, _message(data.message)),)


def _message(name: str | None) -> int:
    return 0 if name is None else fingerprint(name)


def _of(kind: Step) -> ReportsOf:
    return lambda event, _: (entry_of(event.time, kind),)


REPORTS: Final[dict[type[Event], ReportsOf]] = {
    MessageReceived: _received,
    MessageSent: _sent,
    CaseStatusChanged: _changed,
    CaseAssigned: lambda event, place: (entry_of(event.time, Step.ASSIGNED, place),),
    CaseOpened: _opened,
    CaseResolved: _of(Step.RESOLVED),
    CaseReopened: _of(Step.REOPENED),
    CaseClosed: _of(Step.CLOSED),
    CaseMerged: _of(Step.MERGED),
    CaseDeleted: lambda event, _: (entry_of(event.time, Step.SPAM if event.data.reason == "spam" else Step.DELETED),),
}
"""By class: `match` would try class after class for every event."""
