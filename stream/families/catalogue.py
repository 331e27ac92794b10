"""Every metric, once: name, kind, unit, labels, formula, meaning.

`docs/metrics.md` is generated from this list, dashboards and rules are checked against it. To add a
figure that a tally counts, add its field to `COUNTED` or `SUMMED`: window gauge and counter follow.
"""

from typing import Final

from stream.core.metric import Kind, Metric
from stream.families.contacts.tally import HANDLE_BOUNDS_SECONDS, WAIT_BOUNDS_SECONDS

__all__ = [
    "AGENTS",
    "BY_NAME",
    "CATALOGUE",
    "COUNTED",
    "FEED",
    "NOW",
    "POLICY",
    "REASONED",
    "SCRAPE",
    "SUMMED",
    "TOTALS",
    "WINDOWS",
    "metric",
]

QUEUE: Final = ("tenant", "queue", "channel")
WINDOW: Final = (*QUEUE, "window")
PARTITION: Final = ("topic", "partition")

COUNTED: Final = {
    "offered": "Contacts that entered the queue, by time of entry",
    "answered": "Contacts that an agent answered, by time of answer",
    "answered_in_target": "Contacts answered after a wait of at most the threshold",
    "abandoned": "Contacts given up by the customer while waiting, by time of abandon",
    "abandoned_in_target": "Contacts abandoned after a wait of at most the threshold",
    "abandoned_short": "Contacts abandoned after a wait of at most the short-abandon limit",
    "answered_wait_unknown": "Contacts answered after a wait that nobody told, in no service level and no mean wait",
    "abandoned_wait_unknown": "Contacts abandoned after a wait that nobody told, in no figure that asks for it",
    "callback_requested_wait_unknown": "Contacts that left for a promised call back after a wait that nobody told",
    "handled": "Contacts whose handle time is known, by end of wrap-up, or hang-up where there is none",
    "expired": "Contacts whose end was never reported and that waited longer than any contact can",
    "closed": "Attempts outside opening hours, which are not blocking",
    "transferred_in": "Contacts that entered the queue by a transfer",
    "transferred_out": "Contacts handed on after an answer",
    "requeued": "Contacts that entered the queue again after an earlier visit",
    "offers_missed": "Offers to agents not taken, several may belong to one contact",
    "callback_requested_in_target": "Contacts that left for a promised call back within the threshold",
    "callbacks_requested": "Callbacks that customers asked for",
    "callback_attempts": "Attempts to call a customer back",
    "callbacks_connected": "Callbacks that reached the customer",
    "callbacks_failed": "Callbacks given up for good",
}
"""Fields of `Tally` that count, and their meanings."""

REASONED: Final = {
    "dequeued": "Contacts that left the queue, neither answered nor abandoned, by reason",
    "blocked": "Attempts that did not get into the queue while it was open, by reason",
}
"""Prefixes of the fields of `Tally` that count by reason."""

SUMMED: Final = {
    "answer_wait": "Sum of waits of the answered",
    "abandon_wait": "Sum of waits of the abandoned",
    "talk": "Sum of talk, hold excluded, of the handled",
    "hold": "Sum of hold of the handled",
    "wrapup": "Sum of wrap-up of the handled",
}
"""Fields of `Tally` (there in ms) that add up lengths, and their meanings."""


def _gauge(
    name: str, unit: str, labels: tuple[str, ...], meaning: str, formula: str = "", kind: Kind = Kind.GAUGE
) -> Metric:
    return Metric(name=name, kind=kind, unit=unit, labels=labels, meaning=meaning, formula=formula)


def _counter(name: str, unit: str, labels: tuple[str, ...], meaning: str, formula: str = "") -> Metric:
    return _gauge(name, unit, labels, meaning, formula, Kind.COUNTER)


NOW: Final = (
    _gauge("contact_open_cases", "contacts", QUEUE, "Contacts waiting for an answer now."),
    _gauge(
        "contact_longest_wait_seconds",
        "seconds",
        QUEUE,
        "How long the contact at the head of the queue has waited; no sample when nobody waits.",
        "time of scrape - time of entry",
    ),
    _gauge(
        "contact_waiting_past_threshold",
        "contacts",
        QUEUE,
        "Contacts waiting now that can no longer be answered within the threshold.",
    ),
    _gauge("contact_talking", "contacts", QUEUE, "Contacts in conversation with an agent now."),
    _gauge("contact_wrapping_up", "contacts", QUEUE, "Contacts that an agent still works on after hang-up."),
    _gauge("contact_callbacks_waiting", "callbacks", QUEUE, "Callbacks promised, and neither connected nor given up."),
)

AGENTS: Final = (
    _gauge(
        "contact_agents",
        "agents",
        ("tenant", "queue", "state"),
        "Agents by state in each queue they serve; an agent of two queues is in both, so never add queues up.",
    ),
    _gauge(
        "contact_tenant_agents",
        "agents",
        ("tenant", "state"),
        "Agents by state in the whole tenant, each counted once.",
    ),
)

POLICY: Final = (
    _gauge("contact_service_level_target_ratio", "ratio", QUEUE, "The service level that the queue promises."),
    _gauge(
        "contact_service_level_threshold_seconds", "seconds", QUEUE, "A wait of at most this meets the service level."
    ),
    _gauge(
        "contact_short_abandon_limit_seconds", "seconds", QUEUE, "An abandon after a wait of at most this is short."
    ),
    _gauge(
        "contact_minimum_volume",
        "contacts",
        QUEUE,
        "So many contacts a window must have before somebody is alerted of a ratio.",
    ),
    _gauge("contact_longest_wait_limit_seconds", "seconds", QUEUE, "Somebody is alerted when a contact waits longer."),
    _gauge("contact_abandonment_limit_ratio", "ratio", QUEUE, "Somebody is alerted when a larger share abandons."),
    _gauge("contact_blocking_limit_ratio", "ratio", QUEUE, "Somebody is alerted when a larger share does not get in."),
    _gauge("contact_queue_open", "bool", QUEUE, "1 in the opening hours of the queue, 0 outside; 1 where it has none."),
    _gauge(
        "contact_queue_quiet",
        "bool",
        QUEUE,
        "1 in the quiet hours of the queue, when only what is critical is alerted, 0 outside; no sample without any.",
    ),
    _gauge(
        "contact_queue_policy_info",
        "info",
        (*QUEUE, "formula", "team"),
        "How the queue is judged, and who is alerted: the letter of its service-level formula, and its team.",
        kind=Kind.INFO,
    ),
)

_RATIOS = (
    _gauge(
        "contact_service_level_ratio",
        "ratio",
        WINDOW,
        "Share of the decided contacts that met the threshold, by the formula of the queue.",
        "see the formulas A to H; contact_queue_policy_info names the letter",
    ),
    _gauge(
        "contact_asa_seconds",
        "seconds",
        WINDOW,
        "Average speed of answer: mean wait of the answered whose wait is known.",
        "answer wait ÷ (answered - wait unknown)",
    ),
    _gauge(
        "contact_abandonment_ratio",
        "ratio",
        WINDOW,
        "Share of the decided contacts that were abandoned, short ones included.",
        "abandoned ÷ decided",
    ),
    _gauge(
        "contact_abandonment_excluding_short_ratio",
        "ratio",
        WINDOW,
        "Share of the decided contacts that were abandoned; abandons that are short, or may be, are left out of both.",
        "(abandoned - short - wait unknown) ÷ (decided - short - wait unknown)",
    ),
    _gauge(
        "contact_mean_abandon_seconds",
        "seconds",
        WINDOW,
        "Mean wait of those who gave up and whose wait is known.",
        "abandon wait ÷ (abandoned - wait unknown)",
    ),
    _gauge(
        "contact_blocking_ratio",
        "ratio",
        WINDOW,
        "Share of the attempts that did not get into the queue while it was open.",
        "blocked ÷ (blocked + offered)",
    ),
    _gauge(
        "contact_aht_seconds",
        "seconds",
        WINDOW,
        "Average handle time: mean talk + hold + wrap-up of the handled.",
        "(talk + hold + wrap-up) ÷ handled",
    ),
)

WINDOWS: Final = (
    *_RATIOS,
    _gauge(
        "contact_window_decided",
        "contacts",
        WINDOW,
        "Contacts whose outcome fell into the window.",
        "answered + abandoned + dequeued",
    ),
    *(
        _gauge(f"contact_window_{name}", "contacts", WINDOW, f"{text}; in the window.")
        for name, text in COUNTED.items()
    ),
    *(
        _gauge(f"contact_window_{name}", "contacts", (*WINDOW, "reason"), f"{text}; in the window.")
        for name, text in REASONED.items()
    ),
    *(
        _gauge(f"contact_window_{name}_seconds", "seconds", WINDOW, f"{text}; in the window.")
        for name, text in SUMMED.items()
    ),
)

TOTALS: Final = (
    *(_counter(f"contact_{name}_total", "contacts", QUEUE, f"{text}.") for name, text in COUNTED.items()),
    *(_counter(f"contact_{name}_total", "contacts", (*QUEUE, "reason"), f"{text}.") for name, text in REASONED.items()),
    # The sum of answered waits is the `_sum` of the histogram.
    *(
        _counter(f"contact_{name}_seconds_total", "seconds", QUEUE, f"{text}.")
        for name, text in SUMMED.items()
        if name != "answer_wait"
    ),
    _counter(
        "contact_corrections_total",
        "contacts",
        (*QUEUE, "figure"),
        "What a counter has counted and a later event took back; counters never go down, so subtract this.",
    ),
    Metric(
        name="contact_wait_seconds",
        kind=Kind.HISTOGRAM,
        unit="seconds",
        labels=QUEUE,
        meaning="Waits of the answered, as far as they are known.",
        buckets=WAIT_BOUNDS_SECONDS,
    ),
    Metric(
        name="contact_handle_seconds",
        kind=Kind.HISTOGRAM,
        unit="seconds",
        labels=QUEUE,
        meaning="Handle times: talk + hold + wrap-up.",
        buckets=HANDLE_BOUNDS_SECONDS,
    ),
)

FEED: Final = (
    _counter("contact_events_total", "events", ("event",), "Events applied, by CloudEvents type."),
    _counter("contact_events_invalid_total", "records", ("reason",), "Records that are no usable event, by reason."),
    _counter("contact_events_late_total", "events", (), "Events too late for the window they belong to."),
    _counter("contact_events_duplicate_total", "events", (), "Events seen before, which changed nothing."),
    _counter(
        "contact_events_replayed_total", "events", (), "Events read again after a restart, and not counted again."
    ),
    _counter("contact_events_overflowed_total", "events", (), "Events of queues beyond the limit per tenant."),
    _counter("contact_events_rekeyed_total", "records", (), "Records with a wrong key, forwarded to their right one."),
    _counter("contact_dead_letters_total", "records", (), "Records set aside on the dead-letter topic."),
    _counter(
        "contact_source_offset_gaps_total", "gaps", (), "Jumps in the offsets read; on a plain topic, lost records."
    ),
    _counter("contact_foreign_writes_total", "records", (), "Changelog records another worker wrote to us, repaired."),
    _gauge("contact_newest_event_timestamp_seconds", "seconds", (), "Time of the newest event applied, since 1970."),
    _gauge(
        "contact_source_last_event_timestamp_seconds", "seconds", ("source",), "Newest event of a source, since 1970."
    ),
    _gauge("contact_ready", "bool", (), "1 when partitions are assigned and recovered: the figures are whole."),
    _gauge(
        "contact_broker_silent_timestamp_seconds",
        "seconds",
        (),
        "Since when no broker answers, since 1970; no sample while one does.",
    ),
    _gauge("contact_recovery_state", "bool", ("state",), "1 for the state the worker is in, 0 for all others."),
    _counter("contact_recovered_rows_total", "rows", (), "Rows read back from changelogs."),
    _counter("contact_rebalances_total", "rebalances", (), "Times that partitions were assigned anew."),
    _counter("contact_checkpoints_total", "checkpoints", (), "Checkpoints that were finished."),
    _counter("contact_checkpoint_failures_total", "checkpoints", (), "Checkpoints that failed and are tried again."),
    _counter("contact_checkpoint_seconds_total", "seconds", (), "Time spent in checkpoints."),
    _counter("contact_checkpoint_rows_total", "rows", (), "Rows written to changelogs, tombstones included."),
    _gauge("contact_checkpoint_duration_seconds", "seconds", (), "How long the last checkpoint took."),
    _gauge("contact_checkpoint_timestamp_seconds", "seconds", (), "When the last checkpoint was finished, since 1970."),
    _gauge(
        "contact_checkpoint_failing_timestamp_seconds",
        "seconds",
        (),
        "When checkpoints began to fail, since 1970; no sample while they succeed.",
    ),
    _gauge("contact_partition_owned", "bool", PARTITION, "1 for each partition this worker owns."),
    _gauge(
        "contact_consumer_lag_records",
        "records",
        PARTITION,
        "Records on the broker that are not applied yet.",
        "end offset - applied offset",
    ),
    _gauge("contact_applied_offset", "offset", PARTITION, "Offset of the next record to apply."),
    _gauge("contact_committed_offset", "offset", PARTITION, "Offset that a restart would begin from."),
    _gauge("contact_end_offset", "offset", PARTITION, "Offset of the next record to be written, as of the last fetch."),
    _gauge("contact_applied_timestamp_seconds", "seconds", PARTITION, "When a record was last applied, since 1970."),
    _gauge(
        "contact_record_timestamp_seconds", "seconds", PARTITION, "When the newest applied record was sent, since 1970."
    ),
    _gauge("contact_commit_timestamp_seconds", "seconds", PARTITION, "When offsets were last committed, since 1970."),
    _gauge(
        "contact_uncommitted_timestamp_seconds",
        "seconds",
        PARTITION,
        "When the oldest record that is applied and not committed was applied, since 1970; no sample while all is. "
        "Its age is what a crash would replay: alert on minutes.",
    ),
    _gauge(
        "contact_partition_silent_timestamp_seconds",
        "seconds",
        PARTITION,
        "Since when the broker of a partition does not answer, since 1970; no sample while it does.",
    ),
)

SCRAPE: Final = (
    _gauge("contact_section_success", "bool", ("section",), "1 if this section of the page could be computed, else 0."),
    _gauge("contact_section_duration_seconds", "seconds", ("section",), "How long this section of the page took."),
    _gauge(
        "contact_build_info",
        "info",
        ("version", "python"),
        "The version of contact-stream that serves this page, and of Python.",
        kind=Kind.INFO,
    ),
)

CATALOGUE: Final = (*NOW, *AGENTS, *POLICY, *WINDOWS, *TOTALS, *FEED, *SCRAPE)
"""Every metric, in the order of the page."""

BY_NAME: Final = {one.name: one for one in CATALOGUE}


def metric(name: str) -> Metric:
    """Return the metric of that name; KeyError when the catalogue has none."""
    return BY_NAME[name]
