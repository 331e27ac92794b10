"""Alerts about the feed: what makes figures old, wrong or missing, told to who runs it."""

from datetime import timedelta

from scripts.alerts.alert import Alert, Recording
from scripts.alerts.expressions import indented, series
from stream.status.source_feed import CLOCK_AHEAD

__all__ = ["FEED_ALERTS", "FEED_RECORDINGS", "JOB", "WATCHDOG"]

JOB = "contact-stream"
"""The workers, as `grafana/prometheus/prometheus.yml` calls them."""

OWNERS = "topic_partition:contact_owners:count"
LEAST_LATENCY = "source:contact_source_least_latency_seconds:min"
SOME_QUEUE_IS_OPEN = f"and on () (max({series('contact_queue_open')}) == 1)"

A_MOMENT = timedelta(seconds=15)
"""A worker that stood still (a paused machine) is behind in all it says, for one scrape: that is no alert."""
HALF_A_MINUTE = timedelta(seconds=30)
A_MINUTE = timedelta(minutes=1)
FIVE_MINUTES = timedelta(minutes=5)
TEN_MINUTES = timedelta(minutes=10)
"""Longer than a worker keeps least latencies: one event with a wrong time is forgotten before anybody is told."""


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():g}"


def _age(pick: str, name: str) -> str:
    """Return how long ago an instant was: of several the one that *pick* picks, such as `max by (source)`."""
    return f"time() - {pick} ({series(name)})"


BEHIND = (
    f"max by (topic, partition) ({series('contact_consumer_lag_records')}) > 0\n"
    f"unless on (topic, partition) "
    f"(max by (topic, partition) ({series('contact_record_timestamp_seconds')}) > time() - {_seconds(A_MINUTE)})"
)
"""Partitions where records wait, and the newest applied one is old, with how many wait."""

FEED_RECORDINGS = (
    Recording(name=OWNERS, expr=f"count by (topic, partition) ({series('contact_partition_owned')} == 1)"),
    # Of several workers the one that heard of a source first: what took longer says less of its clock.
    Recording(name=LEAST_LATENCY, expr=f"min by (source) ({series('contact_source_least_latency_seconds')})"),
)

_FRESHNESS = (
    Alert(
        name="ContactFeedStale",
        expr=f"{_age('max', 'contact_newest_event_timestamp_seconds')} > {_seconds(timedelta(minutes=10))}\n"
        f"{SOME_QUEUE_IS_OPEN}",
        severity="critical",
        concerns="feed",
        summary="No event for {value}: all figures are as old",
        description="A queue is open, and for more than ten minutes no worker has applied an event. "
        "If the call system works, start the source of its events again.",
        value="seconds",
        pending=A_MOMENT,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactSourceSilent",
        # After a day it was taken away, and its last worker will forget it.
        expr=f"({_age('max by (source)', 'contact_source_last_event_timestamp_seconds')}"
        f" > {_seconds(timedelta(minutes=15))}) < {_seconds(timedelta(days=1))}\n{SOME_QUEUE_IS_OPEN}\n"
        # Where it is heard, and what it tells is old, its clock is wrong, or it works off what it kept back.
        f"unless on (source) {LEAST_LATENCY}",
        severity="warning",
        concerns="feed",
        summary="Source {source} has been silent for {value}",
        description="A queue is open, and this call system has told of nothing for a quarter of an hour. "
        "If it works, start the source of its events again.",
        value="seconds",
        pending=A_MINUTE,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactBrokerSilent",
        # One worker that is cut off is another story: its partitions are silent, and others take them over.
        expr=f"{_age('max', 'contact_broker_silent_timestamp_seconds')} > {_seconds(HALF_A_MINUTE)}\n"
        f"and on () (count({series('contact_broker_silent_timestamp_seconds')})"
        f" == count({series('contact_ready')}))",
        severity="critical",
        concerns="feed",
        summary="No broker has answered for {value}",
        description="Workers get no answer from Kafka: all figures stand still. "
        "Mend the broker; leave the workers as they are.",
        value="seconds",
        pending=A_MOMENT,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactPartitionSilent",
        expr=f"{_age('min by (topic, partition)', 'contact_partition_silent_timestamp_seconds')}"
        f" > {_seconds(HALF_A_MINUTE)}",
        severity="critical",
        concerns="feed",
        summary="The broker of {topic}/{partition} has not answered for {value}",
        description="The figures of this partition's queues stand still; those of the others go on. "
        "Mend its broker, or what is between it and the worker.",
        value="seconds",
        pending=A_MOMENT,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactConsumerLag",
        expr=BEHIND,
        severity="critical",
        concerns="feed",
        summary="{topic}/{partition} is behind by {value} records",
        description="Records wait, and the newest applied one is more than a minute old: its queues show the past. "
        "If the lag grows, add workers.",
        pending=A_MINUTE,
        lingers=A_MINUTE,
    ),
)

_RECORDS = (
    Alert(
        name="ContactDeadLetters",
        expr=f"ceil(sum(increase({series('contact_dead_letters_total')}[10m]))) > 0",  # told as whole records
        severity="warning",
        concerns="feed",
        summary="About {value} records were set aside in ten minutes",
        description="They are no usable events: what they told is missing. "
        "Ask contact-stream dead-letters what is wrong with them, and mend their producer.",
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactOffsetGap",
        expr=f"ceil(sum(increase({series('contact_source_offset_gaps_total')}[15m]))) > 0",
        severity="critical",
        concerns="feed",
        summary="About {value} jumps in the offsets read in a quarter of an hour: records are lost",
        description="Records were gone from a topic before they were applied: figures of today are too low. "
        "Find out whether workers were down for long, or a topic was deleted.",
        lingers=A_MINUTE,
    ),
)

_WORKERS = (
    Alert(
        name="ContactPartitionOrphaned",
        expr=f"0 * count_over_time({OWNERS}[6h]) unless on (topic, partition) {OWNERS}",
        severity="critical",
        concerns="feed",
        summary="No worker owns {topic}/{partition}",
        description="A worker owned it in the last six hours, none has for a minute: its queues are on no board. "
        "Start a worker.",
        pending=A_MINUTE,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactPartitionShared",
        expr=f"{OWNERS} > 1",
        severity="critical",
        concerns="feed",
        summary="{value} workers own {topic}/{partition}",
        description="For a minute more than one worker has shown its queues: one of them hears of nothing any more. "
        "End the one that is out of date.",
        pending=A_MINUTE,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactWorkerDown",
        expr=f'up{{job="{JOB}"}} == 0',
        severity="warning",
        concerns="feed",
        summary="Worker {instance} does not answer",
        description="For half a minute Prometheus has not been able to read its page. "
        "Start it again; others take its partitions over, if there are others.",
        pending=HALF_A_MINUTE,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactNoWorker",
        expr=f'absent(up{{job="{JOB}"}} == 1)',
        severity="critical",
        concerns="feed",
        summary="No worker runs: there are no figures",
        description="For half a minute Prometheus has read no worker's page. "
        "Start them: events wait on the broker, and none is lost while it keeps them.",
        pending=HALF_A_MINUTE,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactWorkerNotReady",
        expr=f"min by (instance) ({series('contact_ready')}) == 0",
        severity="warning",
        concerns="feed",
        summary="Worker {instance} has not been ready for five minutes",
        description="It has no partitions, or is still reading its state back. Its page /readyz says which.",
        pending=FIVE_MINUTES,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactCheckpointFailing",
        expr=f"{_age('min by (instance)', 'contact_checkpoint_failing_timestamp_seconds')} > {_seconds(A_MINUTE)}",
        severity="critical",
        concerns="feed",
        summary="Checkpoints of {instance} have failed for {value}",
        description="Figures are right, but not saved. Its log names the error: mend that; leave the worker as it is.",
        value="seconds",
        pending=A_MOMENT,
        lingers=A_MINUTE,
    ),
    Alert(
        name="ContactUncommitted",
        expr=f"{_age('min by (topic, partition)', 'contact_uncommitted_timestamp_seconds')}"
        f" > {_seconds(timedelta(minutes=2))}",
        severity="warning",
        concerns="feed",
        summary="{topic}/{partition} has not been committed for {value}",
        description="So much would be read again after a crash; a checkpoint is due every second. "
        "See whether checkpoints fail or are slow.",
        value="seconds",
        pending=A_MOMENT,
        lingers=A_MINUTE,
    ),
)

_CLOCKS = (
    Alert(
        name="ContactSourceClockAhead",
        expr=f"-{LEAST_LATENCY} > {_seconds(CLOCK_AHEAD)}",
        severity="warning",
        concerns="feed",
        summary="The clock of source {source} is {value} ahead of the workers' clocks",
        description="For ten minutes it has told of what had not happened yet: waits look shorter by as much. "
        "Set the clock of that system, or its time zone.",
        value="seconds",
        pending=TEN_MINUTES,
        lingers=FIVE_MINUTES,
    ),
    Alert(
        name="ContactSourceClockBehind",
        # A backlog that is worked off, or history that is replayed, does not stay as old as it was.
        expr=f"{LEAST_LATENCY} > 60\n"
        f"and (max_over_time({LEAST_LATENCY}[10m]) - min_over_time({LEAST_LATENCY}[10m])) < 30\n"
        # Where it is we who are behind, that is told already.
        f"unless on () (\n{indented(BEHIND)}\n)",
        severity="warning",
        concerns="feed",
        summary="The clock of source {source} seems to be {value} behind the workers' clocks",
        description="For ten minutes even its newest events have been about as old: waits look longer by as much. "
        "Set the clock of that system, or its time zone, or find what keeps its events back.",
        value="seconds",
        pending=TEN_MINUTES,
        lingers=FIVE_MINUTES,
    ),
)

FEED_ALERTS = (*_FRESHNESS, *_CLOCKS, *_RECORDS, *_WORKERS)

WATCHDOG = Alert(
    name="ContactWatchdog",
    expr="vector(1)",
    severity="none",
    concerns="watchdog",
    summary="Alerts arrive",
    description="It always fires. Whoever waits for it raises the alarm when it stays away.",
)
