"""Folds a recorded day without Kafka: the board that a worker would show. The oracle of half the tests."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from stream.core.cloudevents import Event
from stream.core.derivation import Derivation
from stream.core.family import Applied, Board, Family, Fold, FoldOptions, merged
from stream.core.identity import NO_SECRET, CustomerKeys
from stream.core.policies import Policies
from stream.core.windows import EPOCH
from stream.families.registry import FAMILIES

__all__ = ["Replay", "replay"]

# Events are folded and counted by batches, as a worker's are; a day is read as it comes, and never there as a whole.
_BATCH = 10_000


class Replay:
    """A fold of everything it is fed, each family in one place, and what became of it."""

    def __init__(self, options: FoldOptions | None = None, families: Sequence[Family[Any]] = FAMILIES) -> None:
        options = options or FoldOptions()
        self.folds: dict[str, Fold[Any]] = {family.name: family.new_fold(options) for family in families}
        """By family."""
        derivation = Derivation(families, options.policies)
        self._derivation = derivation if any(map(derivation.follows, families)) else None
        self.newest: datetime = EPOCH
        """Time of the newest event."""
        self.events = 0
        self.duplicates = 0
        self.late = 0

    def feed(self, events: list[Event]) -> None:
        """Fold events, in the order given. Raises the first failure: a defect, since every event is valid."""
        told = self._with_derived(events)
        for topic, fold in self.folds.items():
            # As Kafka would part them: each family reads its own topic, in order.
            share = [event for event in told if event.topic == topic]
            # Offsets of a topic that nobody has: all that a fold wants of them is that they rise.
            self._note(fold.apply(share, range(self.events, self.events + len(share))))
            fold.committed(self.events)  # nothing is ever read again: what is finished may be forgotten
            self.events += len(share)
        self.newest = max(self.newest, *(event.time for event in events))

    def _with_derived(self, events: list[Event]) -> list[Event]:
        """Return the events, each with what follows from it right behind it: at the end of months it would be late."""
        if self._derivation is None:
            return events
        told: list[Event] = []
        for event in events:
            following = [event]
            for one in following:  # it grows meanwhile: also from what follows may something follow
                following += [follows for follows, _ in self._derivation.of(one)]
            told += following
        return told

    def _note(self, applied: Applied) -> None:
        if applied.failed:
            raise applied.failed[0][1]
        self.duplicates += applied.duplicates
        self.late += applied.late

    def board(self, at: datetime | None = None) -> Board:
        """Return the board at the instant *at*, or at the newest event."""
        instant = at or self.newest
        return Board(
            at=instant,
            snapshots={
                name: merged(one for _, one in fold.snapshots(instant) if one is not None)
                for name, fold in self.folds.items()
            },
        )


def replay(
    events: Iterable[Event],
    *,
    at: datetime | None = None,
    policies: Policies | None = None,
    customer_keys: CustomerKeys = NO_SECRET,
    families: Sequence[Family[Any]] = FAMILIES,
    whole: bool = False,
) -> Replay:
    """
    Fold all events that happened up to *at* (None: all there are).

    The board has what a worker would show then; if it is to be of the *whole* record, also what is silent.
    """
    # A recorded day may hold any number of queues: nobody runs away with the memory of a replay.
    options = FoldOptions(
        policies=policies or Policies(),
        customer_keys=customer_keys,
        max_queues_per_tenant=1_000_000,
        max_queues=1_000_000,
        keep_silent=whole,
    )
    result = Replay(options, families)
    told: Iterator[Event] = iter(events) if at is None else (event for event in events if event.time <= at)
    while batch := list(islice(told, _BATCH)):
        result.feed(batch)
    return result
