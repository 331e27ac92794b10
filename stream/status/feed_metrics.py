"""The metrics in which a worker speaks of its own feed, each once: name, kind, unit, labels, meaning."""

from typing import Final

from stream.core.metric import Kind, Metric, counter, gauge
from stream.status.source_feed import KEPT_MINUTES, LATENCY_SECONDS

__all__ = ["FEED", "feed_metric"]

PARTITION: Final = ("topic", "partition")
SOURCE: Final = ("source",)

# Times are told as instants since 1970, not as ages: an age would stand still with a worker that hangs, while
# `time() - x` goes on.
FEED: Final = (
    counter("contact_events_total", "events", ("event",), "Events applied, by CloudEvents type."),
    counter("contact_events_invalid_total", "records", ("reason",), "Records that are no usable event, by reason."),
    counter("contact_events_late_total", "events", (), "Events too late for the window they belong to."),
    counter("contact_events_duplicate_total", "events", (), "Events seen before, which changed nothing."),
    counter("contact_events_replayed_total", "events", (), "Events read again after a restart, and not counted again."),
    counter("contact_events_overflowed_total", "events", (), "Events of queues beyond the limit per tenant."),
    counter("contact_events_rekeyed_total", "records", (), "Records with a wrong key, forwarded to their right one."),
    counter("contact_dead_letters_total", "records", (), "Records set aside on the dead-letter topic."),
    counter(
        "contact_source_offset_gaps_total", "gaps", (), "Jumps in the offsets read; on a plain topic, lost records."
    ),
    counter("contact_foreign_writes_total", "records", (), "Changelog records another worker wrote to us, repaired."),
    gauge("contact_newest_event_timestamp_seconds", "seconds", (), "Time of the newest event applied, since 1970."),
    gauge("contact_source_last_event_timestamp_seconds", "seconds", SOURCE, "Newest event of a source, since 1970."),
    Metric(
        name="contact_source_latency_seconds",
        kind=Kind.HISTOGRAM,
        unit="seconds",
        labels=SOURCE,
        meaning="From the time of an event, by the clock of its source, until the figures have it: every page that is "
        "asked for after that shows it. Events that are older than the last bucket are not in it, see "
        "`contact_source_old_events_total`; what is ahead of our clock counts as 0.",
        buckets=LATENCY_SECONDS,
    ),
    counter(
        "contact_source_old_events_total",
        "events",
        SOURCE,
        f"Events that were more than {LATENCY_SECONDS[-1] // 60} minutes old when the figures had them: history that "
        "is replayed, or what was kept back. They are in no latency.",
    ),
    gauge(
        "contact_source_least_latency_seconds",
        "seconds",
        SOURCE,
        f"The least latency of the last {KEPT_MINUTES} minutes, old events and refused ones included; no sample where "
        "none came. Below 0 the clock of the source is ahead by at least as much; above 0 it is behind by no more.",
        "min(time of this worker - event time)",
    ),
    gauge("contact_ready", "bool", (), "1 when partitions are assigned and recovered: the figures are whole."),
    gauge(
        "contact_broker_silent_timestamp_seconds",
        "seconds",
        (),
        "Since when no broker answers, since 1970; no sample while one does.",
    ),
    gauge("contact_recovery_state", "bool", ("state",), "1 for the state the worker is in, 0 for all others."),
    counter("contact_recovered_rows_total", "rows", (), "Rows read back from changelogs."),
    counter("contact_rebalances_total", "rebalances", (), "Times that partitions were assigned anew."),
    counter("contact_checkpoints_total", "checkpoints", (), "Checkpoints that were finished."),
    counter("contact_checkpoint_failures_total", "checkpoints", (), "Checkpoints that failed and are tried again."),
    counter("contact_checkpoint_seconds_total", "seconds", (), "Time spent in checkpoints."),
    counter("contact_checkpoint_rows_total", "rows", (), "Rows written to changelogs, tombstones included."),
    gauge("contact_checkpoint_duration_seconds", "seconds", (), "How long the last checkpoint took."),
    gauge("contact_checkpoint_timestamp_seconds", "seconds", (), "When the last checkpoint was finished, since 1970."),
    gauge(
        "contact_checkpoint_failing_timestamp_seconds",
        "seconds",
        (),
        "When checkpoints began to fail, since 1970; no sample while they succeed.",
    ),
    gauge("contact_partition_owned", "bool", PARTITION, "1 for each partition this worker owns."),
    gauge(
        "contact_consumer_lag_records",
        "records",
        PARTITION,
        "Records on the broker that are not applied yet.",
        "end offset - applied offset",
    ),
    gauge("contact_applied_offset", "offset", PARTITION, "Offset of the next record to apply."),
    gauge("contact_committed_offset", "offset", PARTITION, "Offset that a restart would begin from."),
    gauge("contact_end_offset", "offset", PARTITION, "Offset of the next record to be written, as of the last fetch."),
    gauge("contact_applied_timestamp_seconds", "seconds", PARTITION, "When a record was last applied, since 1970."),
    gauge(
        "contact_record_timestamp_seconds", "seconds", PARTITION, "When the newest applied record was sent, since 1970."
    ),
    gauge("contact_commit_timestamp_seconds", "seconds", PARTITION, "When offsets were last committed, since 1970."),
    gauge(
        "contact_uncommitted_timestamp_seconds",
        "seconds",
        PARTITION,
        "When the oldest record that is applied and not committed was applied, since 1970; no sample while all is. "
        "Its age is what a crash would replay: alert on minutes.",
    ),
    gauge(
        "contact_partition_silent_timestamp_seconds",
        "seconds",
        PARTITION,
        "Since when the broker of a partition does not answer, since 1970; no sample while it does.",
    ),
)

_BY_NAME: Final = {one.name: one for one in FEED}


def feed_metric(name: str) -> Metric:
    """Return the metric of that name; KeyError when there is none."""
    return _BY_NAME[name]
