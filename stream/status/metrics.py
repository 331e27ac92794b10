"""From the feed's own figures to metric families. Instants become timestamps: Prometheus computes ages itself."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import get_args

from stream.core.samples import Buckets, MetricFamily, Series, single
from stream.core.vectors import Vector
from stream.errors import INVALID_REASONS
from stream.status.feed import Feed, PartitionFeed, RecoveryState
from stream.status.feed_metrics import feed_metric
from stream.status.source_feed import SourceFeed

__all__ = ["feed_families"]


def feed_families(feed: Feed, event_types: Iterable[str] = ()) -> list[MetricFamily]:
    """
    Return the feed's families as of now; every one of *event_types* has a sample, events of it or not.

    A list, since the worker goes on changing the feed: call it where the worker runs.
    """
    return [
        *_counted(feed, event_types),
        *_freshness(feed),
        *_latency(feed.sources),
        *_recovery(feed),
        *_checkpoints(feed),
        *_partitions(feed),
    ]


def _one(name: str, sample: float | None) -> Iterator[MetricFamily]:
    return single(feed_metric(name), [((), sample)])


def _by(name: str, samples: Iterable[tuple[str, float | None]]) -> Iterator[MetricFamily]:
    return single(feed_metric(name), [((value,), sample) for value, sample in samples])


def _timestamp(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _counted(feed: Feed, event_types: Iterable[str]) -> Iterator[MetricFamily]:
    # Every type and reason has a sample from the start: `increase()` does not see the step from nothing to one.
    yield from _by(
        "contact_events_total", [(event, feed.events[event]) for event in dict.fromkeys([*event_types, *feed.events])]
    )
    yield from _by("contact_events_invalid_total", [(reason, feed.invalid[reason]) for reason in INVALID_REASONS])
    yield from _one("contact_events_late_total", feed.late)
    yield from _one("contact_events_duplicate_total", feed.duplicates)
    yield from _one("contact_events_replayed_total", feed.replayed)
    yield from _one("contact_events_overflowed_total", feed.overflowed)
    yield from _one("contact_events_rekeyed_total", feed.rekeyed)
    yield from _one("contact_dead_letters_total", feed.dead_letters)
    yield from _one("contact_source_offset_gaps_total", feed.gaps)
    yield from _one("contact_foreign_writes_total", feed.foreign_writes)


def _freshness(feed: Feed) -> Iterator[MetricFamily]:
    yield from _one("contact_newest_event_timestamp_seconds", _timestamp(feed.newest_event))
    heard = [(source, _timestamp(one.newest)) for source, one in feed.sources.items()]
    yield from _by("contact_source_last_event_timestamp_seconds", heard)


def _latency(sources: Mapping[str, SourceFeed]) -> Iterator[MetricFamily]:
    if sources:
        histogram = feed_metric("contact_source_latency_seconds")
        labels = Series.of(histogram.labels, [(source,) for source in sources])
        # Nothing is beyond the last bound: what is older is counted apart.
        beyond = Vector([0] * len(sources))
        counts = [*map(Vector, zip(*(one.by_latency for one in sources.values()), strict=True)), beyond]
        sums = [one.latency_seconds_sum for one in sources.values()]
        yield MetricFamily(histogram, (Buckets(labels, counts, sums, histogram.buckets),))
    old = [(source, one.old_events) for source, one in sources.items()]
    yield from _by("contact_source_old_events_total", old)
    least = [(source, one.least_latency) for source, one in sources.items()]
    seconds = [(source, None if latency is None else latency.total_seconds()) for source, latency in least]
    yield from _by("contact_source_least_latency_seconds", seconds)


def _recovery(feed: Feed) -> Iterator[MetricFamily]:
    yield from _one("contact_ready", int(feed.ready))
    yield from _one("contact_broker_silent_timestamp_seconds", _timestamp(feed.broker_silent_since))
    # One series for each state, as in a state set of OpenMetrics: a label that changed its value would be
    # another series each time.
    states = [(state, int(state == feed.recovery)) for state in get_args(RecoveryState)]
    yield from _by("contact_recovery_state", states)
    yield from _one("contact_recovered_rows_total", feed.recovered_rows)
    yield from _one("contact_rebalances_total", feed.rebalances)


def _checkpoints(feed: Feed) -> Iterator[MetricFamily]:
    checkpoints = feed.checkpoints
    yield from _one("contact_checkpoints_total", checkpoints.count)
    yield from _one("contact_checkpoint_failures_total", checkpoints.failures)
    yield from _one("contact_checkpoint_seconds_total", checkpoints.seconds_sum)
    yield from _one("contact_checkpoint_rows_total", checkpoints.rows)
    # Before the first checkpoint there is no duration; 0 would be one.
    duration = checkpoints.seconds_last if checkpoints.count else None
    yield from _one("contact_checkpoint_duration_seconds", duration)
    yield from _one("contact_checkpoint_timestamp_seconds", _timestamp(checkpoints.finished_at))
    yield from _one("contact_checkpoint_failing_timestamp_seconds", _timestamp(checkpoints.failing_since))


def _partitions(feed: Feed) -> Iterator[MetricFamily]:
    # Told by the owner alone: a partition that has left takes its series with it, and two owners of one can be seen.
    owned = list(feed.partitions.values())
    yield from _each("contact_partition_owned", owned, [1] * len(owned))
    yield from _each("contact_consumer_lag_records", owned, [one.lag for one in owned])
    yield from _each("contact_applied_offset", owned, [one.position for one in owned])
    yield from _each("contact_committed_offset", owned, [one.committed for one in owned])
    yield from _each("contact_end_offset", owned, [one.highwater for one in owned])
    yield from _each("contact_applied_timestamp_seconds", owned, [_timestamp(one.applied_at) for one in owned])
    yield from _each("contact_record_timestamp_seconds", owned, [_timestamp(one.record_at) for one in owned])
    yield from _each("contact_commit_timestamp_seconds", owned, [_timestamp(one.committed_at) for one in owned])
    since = [_timestamp(one.uncommitted_since) for one in owned]
    yield from _each("contact_uncommitted_timestamp_seconds", owned, since)
    yield from _each(
        "contact_partition_silent_timestamp_seconds", owned, [_timestamp(one.silent_since) for one in owned]
    )


def _each(name: str, owned: Iterable[PartitionFeed], samples: Iterable[float | None]) -> Iterator[MetricFamily]:
    labels = [(one.topic, str(one.partition)) for one in owned]
    return single(feed_metric(name), zip(labels, samples, strict=True))
