"""What the worker knows of its own feed: plain counts and instants, written per batch, read at the scrape.

It reads no clock and knows neither Kafka nor Prometheus; the board and the collector read it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from stream.status.source_feed import SourceFeed

__all__ = ["MAX_SOURCES", "OVERFLOW_SOURCE", "CheckpointFigures", "Feed", "PartitionFeed", "RecoveryState"]

MAX_SOURCES = 100
"""CloudEvents sources that get a figure of their own: producers choose the names, so their number needs a bound."""

OVERFLOW_SOURCE = "other"
"""Stands for every source beyond `MAX_SOURCES`."""

RecoveryState = Literal["starting", "rebalancing", "recovering", "ready", "stopped"]


@dataclass(slots=True)
class PartitionFeed:
    """One owned partition of a source topic; it leaves the feed with the partition."""

    topic: str
    partition: int
    recovered_at: datetime | None = None
    """When this worker began to apply records of it; None while its rows are being recovered."""
    position: int = 0
    """Offset of the next record to apply."""
    committed: int = 0
    """Offset up to which rows and offsets are durable."""
    highwater: int = 0
    """Offset the next record written to the partition will get, as of the last fetch."""
    applied_at: datetime | None = None
    record_at: datetime | None = None
    """Time stamp of the newest applied record: when the producer sent it."""
    committed_at: datetime | None = None
    uncommitted_since: datetime | None = None
    """When the oldest record that is applied and not committed was applied; None while all is committed."""
    gaps: int = 0
    """Jumps in the offsets of applied records; on a plain topic each is a lost record."""
    silent_since: datetime | None = None
    """Since when the broker that has it does not answer, or there is none; None while it answers."""
    answered_at: datetime | None = None
    """When it answered again; None if it was never silent."""

    @property
    def lag(self) -> int:
        """Records written but not applied."""
        return max(0, self.highwater - self.position)

    def stalled(self, now: datetime, patience: timedelta) -> bool:
        """Whether there is something to apply, its broker answers, and nothing was applied for *patience*."""
        if self.recovered_at is None or self.lag == 0 or self.silent_since is not None:
            return False
        moved = (self.recovered_at, self.applied_at, self.answered_at)
        return now - max(at for at in moved if at is not None) > patience


@dataclass(slots=True)
class CheckpointFigures:
    """How checkpoints go; seconds are those of the whole checkpoint."""

    count: int = 0
    failures: int = 0
    seconds_last: float = 0.0
    seconds_sum: float = 0.0
    rows: int = 0
    """Rows written to changelogs, tombstones included."""
    finished_at: datetime | None = None
    failing_since: datetime | None = None
    """Start of the running series of failures; None while checkpoints succeed."""


@dataclass(slots=True)
class Feed:
    """The figures of one worker; counters never fall while the worker lives."""

    recovery: RecoveryState = "starting"
    failure: str | None = None
    """Why the worker has stopped by itself; None while all is well."""
    progress_at: datetime | None = None
    """When anything moved last: an assignment, recovered rows or applied records."""
    broker_silent_since: datetime | None = None
    """Since when no broker has answered; None while one does."""
    partitions: dict[tuple[str, int], PartitionFeed] = field(default_factory=dict)
    declared: int = 0
    """Partitions of all source topics together; 0 where that is not known."""
    events: Counter[str] = field(default_factory=Counter)
    """Applied events by type."""
    invalid: Counter[str] = field(default_factory=Counter)
    """Records set aside by reason."""
    late: int = 0
    duplicates: int = 0
    replayed: int = 0
    """Read again after a restart or rebalance, and not counted again."""
    overflowed: int = 0
    """Events of queues beyond the limit per tenant."""
    rekeyed: int = 0
    dead_letters: int = 0
    letters_on_their_way: int = 0
    """Dead letters and rekeyed records that are sent, and not acknowledged yet: their partitions wait for that."""
    gaps: int = 0
    rebalances: int = 0
    recovered_rows: int = 0
    foreign_writes: int = 0
    """Changelog records that another worker wrote into a partition of ours, and that were repaired."""
    checkpoints: CheckpointFigures = field(default_factory=CheckpointFigures)
    newest_event: datetime | None = None
    sources: dict[str, SourceFeed] = field(default_factory=dict)
    """By CloudEvents source."""

    @property
    def whole(self) -> bool:
        """Whether this worker owns every partition, so that its board is that of the whole centre."""
        return len(self.partitions) >= self.declared

    @property
    def ready(self) -> bool:
        """Whether partitions are assigned and recovered, so that the board is complete."""
        return self.recovery == "ready"

    def alive(self, now: datetime, patience: timedelta) -> bool:
        """
        Whether the worker makes progress.

        Nothing to do is progress. Records that wait, or rows to recover, and nothing that moved for
        *patience* is not: only a restart helps then. It brings no broker back, though.
        """
        if self.failure is not None:
            return False
        if self.broker_silent_since is not None:
            # Before the partitions: where no broker answers none of them moves either.
            return True  # a restart would only recover for nothing
        if any(partition.stalled(now, patience) for partition in self.partitions.values()):
            return False
        # Not while it starts: it has nothing to apply yet, and may be waiting for its broker.
        waiting = self.recovery in ("rebalancing", "recovering")
        return not (waiting and self.progress_at is not None and now - self.progress_at > patience)

    def set_clock(self, now: datetime) -> None:
        """
        Take nothing for later than *now*.

        Where a clock was set back, ages would be negative for as long, and a feed that stands still look fresh.
        """
        # Only instants of our own clock: those of events and records are somebody else's, and stay as they were
        # told.
        self.progress_at = _not_after(now, self.progress_at)
        self.broker_silent_since = _not_after(now, self.broker_silent_since)
        self.checkpoints.finished_at = _not_after(now, self.checkpoints.finished_at)
        self.checkpoints.failing_since = _not_after(now, self.checkpoints.failing_since)
        for one in self.partitions.values():
            one.recovered_at = _not_after(now, one.recovered_at)
            one.applied_at = _not_after(now, one.applied_at)
            one.committed_at = _not_after(now, one.committed_at)
            one.silent_since = _not_after(now, one.silent_since)
            one.answered_at = _not_after(now, one.answered_at)
        for source in self.sources.values():
            source.forget(now)

    def heard(self, times_by_source: Mapping[str, Sequence[datetime]], at: datetime) -> None:
        """Note that at the instant *at* the figures have a batch of events of these times, which are sorted."""
        for name, times in times_by_source.items():
            self._source(name).heard(times, at)
            if self.newest_event is None or times[-1] > self.newest_event:
                self.newest_event = times[-1]

    def refused(self, name: str, time: datetime, at: datetime) -> None:
        """Note that at the instant *at* an event of a source was refused: its *time* was too far ahead."""
        self._source(name).refused(time, at)

    def _source(self, name: str) -> SourceFeed:
        # Producers choose these names: a bound keeps labels, and so series, bounded.
        has_room = name in self.sources or len(self.sources) < MAX_SOURCES
        return self.sources.setdefault(name if has_room else OVERFLOW_SOURCE, SourceFeed())


def _not_after(now: datetime, at: datetime | None) -> datetime | None:
    return at if at is None or at <= now else now
