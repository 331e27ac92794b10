"""Folds a recorded day without Kafka: the board that a worker would show. The oracle of half the tests."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from msgspec import Struct, field

from stream.core.applied import Applied
from stream.core.cloudevents import Event
from stream.core.policies import DEFAULT_POLICIES, Policies
from stream.core.windows import EPOCH
from stream.families.agents.events import AgentEvent
from stream.families.agents.fold import AgentsFold
from stream.families.boards import board_of
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.snapshot import Board

__all__ = ["Replay", "replay"]

_BATCH = 10_000


class Replay(Struct):
    """A fold of everything it is fed, in one place, and what became of it."""

    floor: ContactsFold = field(default_factory=ContactsFold)
    staff: AgentsFold = field(default_factory=AgentsFold)
    newest: datetime = EPOCH
    """Time of the newest event."""
    events: int = 0
    duplicates: int = 0
    late: int = 0

    def feed(self, events: list[Event]) -> None:
        """Fold events, in the order given. Raises the first failure: a defect, since every event is valid."""
        of_agents = [event for event in events if isinstance(event, AgentEvent)]
        of_contacts = [event for event in events if not isinstance(event, AgentEvent)]
        for fold, share in ((self.floor, of_contacts), (self.staff, of_agents)):
            self._note(fold.apply(share, range(self.events, self.events + len(share))))
            fold.committed(self.events)
            self.events += len(share)
        self.newest = max(self.newest, *(event.time for event in events))

    def _note(self, applied: Applied) -> None:
        if applied.failed:
            raise applied.failed[0][1]
        self.duplicates += applied.duplicates
        self.late += applied.late

    def board(self, at: datetime | None = None) -> Board:
        """Return the board at the instant *at*, or at the newest event."""
        return board_of([self.floor], [self.staff], at or self.newest)


def replay(events: Iterable[Event], *, at: datetime | None = None, policies: Policies = DEFAULT_POLICIES) -> Replay:
    """Fold all events that happened up to *at* (None: all there are)."""
    # A recorded day may hold any number of queues: nobody runs away with the memory of a replay.
    result = Replay(floor=ContactsFold(policies, max_queues_per_tenant=1_000_000, max_queues=1_000_000))
    told: Iterator[Event] = iter(events) if at is None else (event for event in events if event.time <= at)
    while batch := list(islice(told, _BATCH)):
        result.feed(batch)
    return result
