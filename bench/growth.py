"""How the cost of an event grows with the number of queues, and with the number of contacts that are open.

Decoding, folding and the cut of a checkpoint, in memory and in processor time. Both sizes get the same
events at the same times; only what they are spread over differs.
"""

import statistics
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from time import process_time
from typing import cast

from bench.judged import Judged
from bench.lives import EVENTS_OF_A_CONTACT, lives
from bench.material import Sent, by_home
from bench.processes import in_own_process
from bench.report import at_most
from stream.app.topics import source_topics
from stream.core.policies import Policies
from stream.families.contacts.fold import ContactsFold
from stream.runtime.checkpoint.policy import CheckpointPolicy
from stream.runtime.gc_tuning import GcTuning
from stream.runtime.routing.processor import SLICE
from stream.settings import Settings

__all__ = ["InMemory", "measure", "seconds_per_event"]

PARTITIONS = 16
LARGEST_GROWTH = 1.3
OPEN = 10_000
QUEUES = 200

STEPS_OF_A_CHECKPOINT = 17_000 * CheckpointPolicy(Settings().checkpoint_interval).catching_up
"""About 600,000 events: what a worker that catches up at 120,000 a second applies between two checkpoints."""

SETTLED_AFTER = 2
"""Checkpoints until finished contacts begin to be forgotten, ten minutes after they ended: from then on all is even."""

MEASURED = 1
"""Checkpoints that count."""


def measure(*, runs: int = 3) -> list[Judged]:
    """Measure small and large in turns, each in a process of its own."""
    return [
        _grown("queues", [(queues, OPEN) for queues in (10, 10_000)], (10, 10_000), runs),
        _grown("open contacts", [(QUEUES, contacts) for contacts in (1_000, 1_000_000)], (1_000, 1_000_000), runs),
    ]


def _grown(what: str, sizes: Sequence[tuple[int, int]], names: tuple[int, int], runs: int) -> Judged:
    costs = [[in_own_process(seconds_per_event, *size) for size in sizes] for _ in range(runs)]
    growth = statistics.median(large / small for small, large in costs)
    small, large = (statistics.median(column) * 1e6 for column in zip(*costs, strict=True))
    return at_most(
        f"growth of the cost of an event from {names[0]:,} to {names[1]:,} {what}",
        growth,
        LARGEST_GROWTH,
        "{:.2f}",
        note=f" ({small:.2f} → {large:.2f} µs)",
    )


def seconds_per_event(queues: int, still_open: int) -> float:
    """Return the processor time of an event, with so many *queues* and contacts *still_open*."""
    tuning = GcTuning()
    tuning.apply()
    steps = lives(queues, still_open)
    job = InMemory()
    for first in range(0, still_open + SETTLED_AFTER * STEPS_OF_A_CHECKPOINT, STEPS_OF_A_CHECKPOINT):
        job.fold(_next(steps, min(STEPS_OF_A_CHECKPOINT, still_open + SETTLED_AFTER * STEPS_OF_A_CHECKPOINT - first)))
    assert sum(len(queue.phases.waiting) for fold in job.folds for queue in fold.queues.values()) == still_open
    seconds = sum(job.fold(_next(steps, STEPS_OF_A_CHECKPOINT)) for _ in range(MEASURED))
    tuning.restore()
    return seconds / (MEASURED * STEPS_OF_A_CHECKPOINT * EVENTS_OF_A_CONTACT)


def _next(steps: Iterator[list[Sent]], count: int) -> list[list[Sent]]:
    return by_home((sent for step in islice(steps, count) for sent in step), PARTITIONS)


class InMemory:
    """The folds of all partitions, and their checkpoints, without a broker."""

    def __init__(self) -> None:
        self._source = source_topics(
            Policies(),
            partitions=1,
            max_queues_per_tenant=100_000,
            max_queues=100_000,
            max_customers=100_000,
            future_tolerance=timedelta(days=36_500),
            clock=lambda: datetime.now(UTC),
        )[0]
        self.folds: list[ContactsFold] = [cast("ContactsFold", self._source.new_fold()) for _ in range(PARTITIONS)]
        self._positions = [0] * PARTITIONS

    def fold(self, by_partition: Sequence[Sequence[Sent]]) -> float:
        """Decode and fold records, then take a checkpoint; returns the processor time of that."""
        began = process_time()
        for partition, records in enumerate(by_partition):
            for start in range(0, len(records), SLICE):
                self._apply(partition, records[start : start + SLICE])
        for partition, fold in enumerate(self.folds):
            self._cut(fold)
            fold.committed(self._positions[partition])
        return process_time() - began

    def _apply(self, partition: int, records: Sequence[Sent]) -> None:
        decode, position = self._source.decode, self._positions[partition]
        events = [decode(record.value, ()) for record in records]
        applied = self.folds[partition].apply(events, range(position, position + len(events)))
        assert (len(applied.failed), applied.duplicates, applied.late) == (0, 0, 0)
        self._positions[partition] += len(events)

    def _cut(self, fold: ContactsFold) -> int:
        size = 0
        fold.settle()
        for name, rows in fold.tables.items():
            codec = self._source.family.tables[name]
            for key, row in rows.drain_changed():
                size += len(codec.encode_key(key)) + (0 if row is None else len(codec.encode_row(row)))
        return size
