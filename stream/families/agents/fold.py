"""Agents by state: what each chose, what each was seen doing, and which queues each serves.

Of every kind of report the latest stands, by the time it happened; so order and repetition do not matter.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, assert_never

from msgspec import Struct
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.core.family import Applied, times_by_source
from stream.core.limits import AGENTS_KEPT, MAX_AGENTS_PER_TENANT, MAX_QUEUES_PER_AGENT, MAX_TENANTS
from stream.core.policies import Policies
from stream.core.rows import Rows
from stream.core.windows import EPOCH
from stream.families.agents.counts import SLICE, StateCounts, StatesUntil
from stream.families.agents.events import (
    EVENTS,
    AgentActivityChanged,
    AgentAvailabilityChanged,
    AgentEvent,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentQueueJoined,
    AgentQueueLeft,
)
from stream.families.agents.rules import RULES, AgentPolicy
from stream.families.agents.snapshot import AgentsSnapshot

__all__ = ["AgentKey", "AgentRow", "AgentsFold"]

AgentKey = tuple[str, str]
"""Tenant and agent."""

_BUSY: Final = frozenset({"error", "on_contact", "acw", "reserved"})
"""What an agent was seen doing wins over what the agent chose: who talks while not ready, talks."""


class Report(Struct, frozen=True, order=True, array_like=True, gc=False):
    """What was reported last of one kind; of two the greater, so the later, stands."""

    at: datetime
    value: str


class AgentRow(Struct, frozen=True, array_like=True, gc=False):
    """What is known of one agent."""

    applied_offset: int = -1
    presence: Report | None = None
    """`available` from login on, `not_ready`, or `offline` from logout on."""
    activity: Report | None = None
    queues: tuple[tuple[str, Report], ...] = ()
    """By queue: `joined` or `left`."""
    pauses: tuple[tuple[str, Report], ...] = ()
    """By queue: `available` or `not_ready` for that queue only."""

    def state(self, at: datetime, policy: AgentPolicy) -> str:
        """
        Return the state of the board (one of `STATES`) at the instant *at*, by what is believed so long.

        Whoever was busy for longer than anybody is, and has chosen nothing since, has left: nobody may take
        such an agent for available. A ring ends by itself, and says nothing of that.
        """
        presence, activity = self.presence, self.activity
        if (presence is not None and presence.value == "offline") or self.newest + policy.present_for <= at:
            return "offline"
        if activity and activity.value in _BUSY:
            if at < activity.at + policy.busy_for(activity.value):
                return activity.value
            if activity.value != "reserved" and not (presence and presence.at > activity.at):
                return "offline"
        return "not_ready" if presence and presence.value == "not_ready" else "available"

    def states_by_queue(self, at: datetime, policy: AgentPolicy) -> Iterator[tuple[str | None, str]]:
        """Yield the state at the instant *at*, in general (None) and in each queue that the agent serves."""
        state = self.state(at, policy)
        yield None, state
        paused = {queue for queue, report in self.pauses if report.value != "available"}
        for queue, report in self.queues:
            if report.value == "joined":
                # A pause in one queue takes back availability there, and nothing else: who talks, talks.
                yield queue, "not_ready" if state == "available" and queue in paused else state

    def changes_at(self, at: datetime, policy: AgentPolicy) -> datetime:
        """Return when, after the instant *at*, a state may expire; no later than when the agent is forgotten."""
        newest, activity = self.newest, self.activity
        ends = [newest + policy.present_for, newest + AGENTS_KEPT]
        if activity and activity.value in _BUSY:
            ends.append(activity.at + policy.busy_for(activity.value))
        return min((end for end in ends if end > at), default=newest + AGENTS_KEPT)

    @property
    def newest(self) -> datetime:
        """When the newest report happened."""
        newest = EPOCH if self.presence is None else self.presence.at
        if self.activity is not None:
            newest = max(newest, self.activity.at)
        for _, report in (*self.queues, *self.pauses):
            newest = max(newest, report.at)
        return newest


_UNKNOWN = AgentRow()

PER_QUEUE_OF_CONTACTS = 10
"""So many snapshots of agents cost as much to take as one of a queue of contacts."""

COST_OF_A_SLICE = SLICE // 4
"""So many queues of contacts cost as much as a slice of the agents that have changed."""


def fold_agent(row: AgentRow, event: AgentEvent) -> AgentRow:
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
            # A pause in a queue ends with the membership: who comes back begins anew.
            row = _later_in(row, "pauses", data.queue, Report(at, "available"))
            return _later_in(row, "queues", data.queue, Report(at, "left"))
        case _:
            assert_never(event)


def _later(row: AgentRow, kind: str, report: Report) -> AgentRow:
    # Of two reports of one instant the greater value stands: arbitrary, but the same in every order.
    known: Report | None = getattr(row, kind)
    return row if known is not None and known >= report else replace(row, **{kind: report})


def _later_in(row: AgentRow, kind: str, queue: str, report: Report) -> AgentRow:
    known: dict[str, Report] = dict(getattr(row, kind))
    if queue in known and known[queue] >= report:
        return row
    known[queue] = report
    if len(known) > MAX_QUEUES_PER_AGENT:
        del known[min(known, key=lambda name: (known[name], name))]  # the one heard of longest ago
    return replace(row, **{kind: tuple(sorted(known.items()))})


class AgentsFold:
    """The fold of one partition of the agents topic; a `Fold` as `ContactsFold` is."""

    def __init__(
        self, policies: Policies = Policies(), *, max_queues_per_tenant: int = 10_000, max_queues: int = 100_000
    ) -> None:
        self.policies = policies
        self.max_queues_per_tenant = max_queues_per_tenant
        self.max_queues = max_queues
        self.agents: Rows[AgentKey, AgentRow] = Rows()
        self._agents_of: Counter[str] = Counter()
        self._policy_of: dict[str, AgentPolicy] = {}
        self._counts: StateCounts[AgentKey] = StateCounts(self._states_until)
        self._watermark = EPOCH
        self._committed = 0

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        """The tables in the order in which a checkpoint must write them."""
        return {"agents": self.agents}

    def apply(self, events: Sequence[Event], offsets: Sequence[int]) -> Applied:
        """Fold events, given with their offsets in ascending order; an event at fault is returned, never raised."""
        applied = Applied(by_type=Counter(map(type, events)), times_by_source=times_by_source(events))
        for event, offset in zip(events, offsets, strict=True):
            try:
                self._fold(event, offset, applied)
            except Exception as failure:  # noqa: BLE001  # whatever it is, it must not stop the stream
                applied.failed.append((offset, failure))
        return applied

    def settle(self) -> None:
        """Do nothing: each event changes its row at once."""

    def committed(self, offset: int) -> None:
        """Take note of a commit."""
        self._committed = offset

    def recovered(self) -> None:
        """Take stock of the rows that were loaded from the changelog; each carries its own applied offset."""
        self._agents_of = Counter(tenant for tenant, _ in self.agents)
        self._watermark = max((row.newest for row in self.agents.values()), default=EPOCH)
        self._counts = StateCounts(self._states_until)
        # Every agent is looked at once more: what was counted before belongs to rows that may be gone.
        self._counts.changed.update(dict.fromkeys(self.agents))

    def snapshots(self, at: datetime) -> Iterator[tuple[int, AgentsSnapshot | None]]:
        """
        Yield the agents by state for each tenant (queue None, each agent once) and each queue with members.

        Before the first come those pauses that counting takes where many agents have changed.
        """
        for _ in self._counts.advance(at):
            yield COST_OF_A_SLICE, None
        for number, one in enumerate(self._counts.snapshots(self.max_queues_per_tenant, self.max_queues)):
            yield int(number % PER_QUEUE_OF_CONTACTS == 0), one

    def _fold(self, event: Event, applied_offset: int, applied: Applied) -> None:
        if not isinstance(event, EVENTS):
            raise TypeError(f"no event of an agent: {type(event).__name__}")
        key = (event.tenantid, event.subject)
        row = self.agents.get(key, _UNKNOWN)
        if row.applied_offset >= applied_offset:
            applied.replayed += 1
            return
        known = fold_agent(row, event)
        # The row need not learn the offset of a repeat, as a segment's must: applied once more it changes
        # nothing, either.
        if known is row:
            applied.duplicates += 1
        elif row is not _UNKNOWN or self._admits(key[0], event.time):
            if row is _UNKNOWN:
                self._agents_of[key[0]] += 1
            self.agents.put(key, replace(known, applied_offset=applied_offset))
            self._counts.changed[key] = None
            self._see(event.time)
        else:
            applied.overflowed += 1

    def _admits(self, tenant: str, at: datetime) -> bool:
        self._see(at)  # those beyond the limit as well move the time on by which others are forgotten
        known = len(self._agents_of) < MAX_TENANTS or tenant in self._agents_of
        return known and self._agents_of[tenant] < MAX_AGENTS_PER_TENANT

    def _see(self, at: datetime) -> None:
        """Move the watermark; once a day agents that were not heard of for long are forgotten."""
        # By the time of events, not a clock: a replay forgets the same agents.
        if at.date() > self._watermark.date():
            for key, row in list(self.agents.items()):
                if row.newest < at - AGENTS_KEPT and row.applied_offset < self._committed:
                    self.agents.remove(key)
                    self._counts.changed[key] = None
                    self._agents_of[key[0]] -= 1
            self._agents_of = +self._agents_of  # a tenant without agents is none: it must not keep out a real one
        self._watermark = max(self._watermark, at)

    def _states_until(self, key: AgentKey, at: datetime) -> StatesUntil | None:
        """Return where an agent is at an instant, and until when: nowhere, of whom nothing was heard for long."""
        row = self.agents.get(key)
        if row is None:
            return None
        if row.newest + AGENTS_KEPT <= at:
            return (), None
        policy = self._policy(key[0])
        states = tuple(((key[0], queue), state) for queue, state in row.states_by_queue(at, policy))
        return states, row.changes_at(at, policy)

    def _policy(self, tenant: str) -> AgentPolicy:
        # Rules are patterns, slow to match, and this is asked at every look at an agent.
        if tenant not in self._policy_of:
            self._policy_of[tenant] = self.policies.of(RULES, tenant, "", "")
        return self._policy_of[tenant]
