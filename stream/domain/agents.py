"""Agents by state: what each chose, what each was seen doing, and which queues each serves.

Of every kind of report the latest stands, by the time it happened; so order and repetition do not matter.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from stream.domain.applied import Applied
from stream.domain.events import (
    AGENT_EVENTS,
    AgentActivityChanged,
    AgentAvailabilityChanged,
    AgentEvent,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentQueueJoined,
    AgentQueueLeft,
    Event,
)
from stream.domain.rows import Rows
from stream.domain.snapshot import AgentsSnapshot

__all__ = ["STATES", "AgentKey", "AgentRow", "Staff"]

AgentKey = tuple[str, str]
"""Tenant and agent."""

STATES: Final = ("available", "reserved", "on_contact", "acw", "not_ready", "error", "offline")
"""The states of the board, each agent in exactly one."""

_BUSY: Final = {"error": "error", "on_contact": "on_contact", "acw": "acw", "reserved": "reserved"}
"""What an agent was seen doing wins over what the agent chose: who talks while not ready, talks."""


class Report(Struct, frozen=True, order=True, array_like=True, gc=False):
    """What was reported last of one kind; of two the greater, so the later, stands."""

    at: datetime
    value: str


class AgentRow(Struct, frozen=True, array_like=True, gc=False):
    """What is known of one agent."""

    fence: int = -1
    presence: Report | None = None
    """`available` from login on, `not_ready`, or `offline` from logout on."""
    activity: Report | None = None
    queues: tuple[tuple[str, Report], ...] = ()
    """By queue: `joined` or `left`."""
    pauses: tuple[tuple[str, Report], ...] = ()
    """By queue: `available` or `not_ready` for that queue only."""

    def state(self, queue: str | None = None) -> str:
        """Return the state of the board (one of `STATES`), in one queue or in general."""
        presence = self.presence.value if self.presence else "available"
        if presence == "offline":
            return "offline"
        if self.activity and self.activity.value in _BUSY:
            return _BUSY[self.activity.value]
        paused = dict(self.pauses).get(queue) if queue else None
        return "not_ready" if presence == "not_ready" or (paused and paused.value != "available") else "available"

    def joined(self) -> Iterator[str]:
        """Yield the queues that the agent serves."""
        return (queue for queue, report in self.queues if report.value == "joined")


_UNKNOWN = AgentRow()


def take(row: AgentRow, event: AgentEvent) -> AgentRow:
    """Return what is known of the agent with what *event* reports; the very same object if that is nothing new."""
    match event:
        case AgentActivityChanged(time=at, data=data):
            return _later(row, "activity", Report(at, data.activity))
        case AgentAvailabilityChanged(time=at, data=data):
            if data.queue is not None:
                return _later_in(row, "pauses", data.queue, Report(at, data.status))
            return _later(row, "presence", Report(at, data.status))
        case AgentLoggedIn(time=at):
            return _later(row, "presence", Report(at, "available"))
        case AgentLoggedOut(time=at):
            return _later(row, "presence", Report(at, "offline"))
        case AgentQueueJoined(time=at, data=data):
            return _later_in(row, "queues", data.queue, Report(at, "joined"))
        case AgentQueueLeft(time=at, data=data):
            return _later_in(row, "queues", data.queue, Report(at, "left"))
        case _:
            assert_never(event)


def _later(row: AgentRow, kind: str, report: Report) -> AgentRow:
    known: Report | None = getattr(row, kind)
    return row if known is not None and known >= report else replace(row, **{kind: report})


def _later_in(row: AgentRow, kind: str, queue: str, report: Report) -> AgentRow:
    known: dict[str, Report] = dict(getattr(row, kind))
    if queue in known and known[queue] >= report:
        return row
    known[queue] = report
    return replace(row, **{kind: tuple(sorted(known.items()))})


class Staff:
    """The fold of one partition of the agents topic; the same protocol as `stream.domain.floor.Floor`."""

    def __init__(self) -> None:
        self.agents: Rows[AgentKey, AgentRow] = Rows()

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        """The tables in the order in which a checkpoint must write them."""
        return {"agents": self.agents}

    def apply(self, events: Sequence[Event], offsets: Sequence[int]) -> Applied:
        """Fold events, given with their offsets in ascending order; an event at fault is returned, never raised."""
        applied = Applied(by_type=Counter(map(type, events)))
        for event, offset in zip(events, offsets, strict=True):
            try:
                self._take(event, offset, applied)
            except Exception as failure:  # noqa: BLE001  # whatever it is, it must not stop the stream
                applied.failed.append((offset, failure))
        return applied

    def committed(self, offset: int) -> None:
        """Take note of a commit; agents are few, and stay."""

    def recovered(self) -> None:
        """Take stock of the rows that were loaded from the changelog; each carries its own fence."""

    def snapshots(self) -> Iterator[AgentsSnapshot]:
        """Yield the agents by state for each tenant (queue None, each agent once) and each queue with members."""
        counts: dict[tuple[str, str | None], Counter[str]] = {}
        for (tenant, _), row in self.agents.items():
            counts.setdefault((tenant, None), Counter())[row.state()] += 1
            for queue in row.joined():
                counts.setdefault((tenant, queue), Counter())[row.state(queue)] += 1
        for (tenant, member_of), states in counts.items():
            yield AgentsSnapshot(tenant=tenant, queue=member_of, states={state: states[state] for state in STATES})

    def _take(self, event: Event, fence: int, applied: Applied) -> None:
        if not isinstance(event, AGENT_EVENTS):
            raise TypeError(f"no event of an agent: {type(event).__name__}")
        key = (event.tenantid, event.subject)
        row = self.agents.get(key, _UNKNOWN)
        if row.fence >= fence:
            applied.replayed += 1
            return
        known = take(row, event)
        if known is row:
            applied.duplicates += 1
            return
        applied.newest_by_source[event.source] = max(event.time, applied.newest_by_source.get(event.source, event.time))
        self.agents.put(key, replace(known, fence=fence))
