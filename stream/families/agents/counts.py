"""Agents by state in each queue, kept while agents change: a reading costs what has changed, not all agents.

States expire by reading (see docs/decisions/0010-*.md), so that each agent is looked at again when one does.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from datetime import datetime
from heapq import heappop, heappush
from itertools import islice
from typing import Final, Generic, TypeVar

from stream.core.limits import OVERFLOW_QUEUE
from stream.core.windows import EPOCH, minute_of
from stream.families.agents.snapshot import STATES, AgentsSnapshot

__all__ = ["SLICE", "StateCounts", "StatesUntil"]

K = TypeVar("K", bound=Hashable)

TenantOrQueue = tuple[str, str | None]
"""Tenant, and queue (None: the whole tenant)."""

StatesUntil = tuple[tuple[tuple[TenantOrQueue, str], ...], datetime | None]
"""The states of an agent, in its tenant and in each queue, and when they change by themselves (None: never)."""

SLICE: Final = 100
"""Agents that are looked at before others get their turn."""


class StateCounts(Generic[K]):
    """How many agents are in each state, as of the instant that was asked for last."""

    def __init__(self, states_until: Callable[[K, datetime], StatesUntil | None]) -> None:
        self._states_until = states_until
        """Tells where an agent is at an instant; None of one who was forgotten."""
        self.changed: dict[K, None] = {}
        """Agents of whom something was reported, or who were forgotten, since they were last looked at."""
        self._as_of = EPOCH
        self._states: dict[K, tuple[tuple[TenantOrQueue, str], ...]] = {}
        self._counts: dict[TenantOrQueue, Counter[str]] = {}
        self._due: dict[int, set[K]] = {}
        """Agents by the minute in which they have to be looked at again."""
        self._due_in: dict[K, int] = {}
        self._minutes: list[int] = []
        """A heap of the minutes in which an agent is due."""

    def advance(self, at: datetime) -> Iterator[int]:
        """Count the agents as they are at an instant; yields the size of each slice that was looked at."""
        if at < self._as_of:  # somebody asks for an earlier one, as when a clock was set back
            self.changed.update(dict.fromkeys(self._states))
        self._as_of = at
        # By minute, so that the heap stays small: who is looked at too early in it is due in it once more.
        while self._minutes and self._minutes[0] <= minute_of(at):
            self.changed.update(dict.fromkeys(self._due.pop(heappop(self._minutes))))
        # Who changes between two slices waits for the next reading, or this one might never end.
        left = len(self.changed)
        while some := list(islice(self.changed, min(SLICE, left))):
            for agent in some:
                del self.changed[agent]
                self._count(agent)
            left -= len(some)
            yield len(some)

    def snapshots(self, max_queues_per_tenant: int, max_queues: int) -> Iterator[AgentsSnapshot]:
        """Yield what was counted last; queues beyond a limit come as one, for each tenant."""
        shown, queues = 0, Counter[str]()
        beyond: dict[str, Counter[str]] = {}
        for (tenant, queue), states in list(self._counts.items()):
            if queue is not None:
                queues[tenant] += 1
                if queues[tenant] > max_queues_per_tenant or shown >= max_queues:
                    beyond.setdefault(tenant, Counter()).update(states)
                    continue
            shown += 1
            yield _snapshot(tenant, queue, states)
        for tenant, states in beyond.items():
            yield _snapshot(tenant, OVERFLOW_QUEUE, states)

    def _count(self, agent: K) -> None:
        found = self._states_until(agent, self._as_of)
        for of, state in self._states.pop(agent, ()):
            states = self._counts[of]
            states[state] -= 1
            # A queue that nobody serves any more has no series, rather than seven that stand at 0.
            if not states[state] and not any(states.values()):
                del self._counts[of]
        # The minute may have come already: then its set is gone, and the agent is looked at by now.
        if (due_in := self._due_in.pop(agent, None)) is not None and due_in in self._due:
            self._due[due_in].discard(agent)
        if found is None:
            return
        self._states[agent], due = found
        for of, state in found[0]:
            if of not in self._counts:
                self._counts[of] = Counter()
            self._counts[of][state] += 1
        if due is not None:
            self._plan(agent, minute_of(due))

    def _plan(self, agent: K, minute: int) -> None:
        self._due_in[agent] = minute
        if minute not in self._due:
            self._due[minute] = set()
            heappush(self._minutes, minute)
        self._due[minute].add(agent)


def _snapshot(tenant: str, queue: str | None, states: Counter[str]) -> AgentsSnapshot:
    return AgentsSnapshot(tenant=tenant, queue=queue, states={state: states[state] for state in STATES})
