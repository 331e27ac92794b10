"""
The figures of cases: metrics, and what a board shows of each queue.

The cases of one queue are on many partitions. So what workers tell are parts: counts add up, a ratio or mean of several
workers is that of the sums (`grafana/prometheus/rules`), as the board computes it.
"""

from typing import Final

from stream.core.columns import is_open, is_quiet, of_policy, of_snapshot
from stream.core.figure import Column, Figure
from stream.core.metric import Kind, Metric, counter, gauge
from stream.core.windows import TODAY
from stream.families.cases import columns as read
from stream.families.cases.shown import SHOWN
from stream.families.cases.snapshot import PRIORITIES, QUEUE, STATUSES, CasesSnapshot
from stream.families.cases.tally import RESOLUTION_BOUNDS_SECONDS, RESPONSE_BOUNDS_SECONDS

__all__ = ["COUNTED", "FIGURES", "LENGTHS_SHOWN"]

_WINDOW: Final = (*QUEUE, "window")

COUNTED: Final = {
    "opened": "Cases that came in, by time of opening",
    "split": "Cases that were part of another one before",
    "assigned": "Cases that came to the queue, by opening or from another queue",
    "assigned_resolved": "Cases that came to the queue then, and that it has solved by now",
    "reassigned": "Cases that left for another queue",
    "resolved": "Solutions of cases, by time of solution; a case that is reopened may have several",
    "reopened": "Cases that were not solved after all",
    "merged": "Cases that were another one told twice",
    "deleted": "Cases that were deleted: they count for nothing else",
    "spam": "Cases that were spam: they count for nothing else",
    "received": "Messages of customers",
    "sent": "Public messages of agents",
    "automatic": "Messages of machines, which neither ask nor answer",
    "first_responses": "First answers to customers, by time of answer",
    "first_responses_in_target": "First answers within the target of the queue",
    "next_responses": "Later answers to customers who waited for one, by time of answer",
    "next_responses_in_target": "Later answers within the target of the queue",
    "first_resolutions": "Cases that were solved for the first time",
    "full_resolutions": "Cases that are solved by now, by time of their last solution",
    "one_touch": "Cases that one answer has solved, by time of their last solution",
    "messages": "Messages on both sides of cases that are solved by now",
}
"""Fields of `CaseTally` that count, and their meanings."""

LENGTHS_SHOWN: Final = {
    "first_responses": ("first_response", "Time from the customer's first message to the first answer"),
    "next_responses": ("next_response", "Time from a later message of the customer to the next answer"),
    "first_resolutions": ("first_resolution", "Time from opening to the first solution"),
    "full_resolutions": ("full_resolution", "Time from opening to the last solution"),
}
"""What has a length: by field of `CaseTally` its name in metrics, and its meaning."""

_MESSAGES: Final = frozenset({"received", "sent", "automatic", "messages"})
"""Of `COUNTED`, what counts messages and no cases."""

_CORRECTED: Final = tuple(name for name in COUNTED if name != "messages" and not name.endswith("_in_target"))
"""What is counted by itself, and not as a part of something else."""

_ALWAYS: Final = frozenset(("opened", "assigned", "resolved", "received", "sent", "first_responses_in_target"))
"""What every queue counts. The rest has a counter only where there ever was one: most queues never have it."""

_MAIN: Final = (TODAY, "7d", "30d")
_PARTS_OF_MAIN: Final = (
    *("opened", "assigned", "assigned_resolved", "resolved", "first_responses", "first_responses_in_target"),
    *("next_responses", "next_responses_in_target", "first_resolutions", "full_resolutions", "one_touch", "messages"),
)
"""Of these ratios and means are made: so several workers can be added up in the same windows."""

CaseFigure = Figure[CasesSnapshot]


def _figure(
    section: str, metric: Metric, column: Column[CasesSnapshot], written_in: tuple[str, ...] = _MAIN
) -> CaseFigure:
    return Figure(metric=metric, section=section, column=column, show=SHOWN.get(metric.name), written_in=written_in)


def _now(name: str, unit: str, meaning: str, column: Column[CasesSnapshot], formula: str = "") -> CaseFigure:
    return _figure("cases", gauge(name, unit, QUEUE, meaning, formula), column)


_NOW: Final = (
    _now("contact_cases_open", "cases", "Backlog: cases that are not solved now.", of_snapshot("open")),
    _now(
        "contact_cases_waiting",
        "cases",
        "Open cases whose customer waits for an answer now.",
        of_snapshot("waiting"),
    ),
    _now(
        "contact_case_longest_wait_seconds",
        "seconds",
        "How long the first of these has waited; no sample when nobody waits.",
        read.elapsed_since("waiting_since"),
        "time of scrape - time of the message",
    ),
    _now(
        "contact_cases_past_target",
        "cases",
        "Open cases whose answer has missed its target already.",
        of_snapshot("past_target"),
    ),
    _now(
        "contact_cases_due_within_hour",
        "cases",
        "Open cases whose answer will miss its target within the hour.",
        of_snapshot("due_within_hour"),
    ),
    _now(
        "contact_case_oldest_seconds",
        "seconds",
        "Age of the oldest open case; no sample where none is open.",
        read.elapsed_since("opened_since"),
        "time of scrape - time of opening",
    ),
    Figure(
        metric=gauge("contact_cases_by_status", "cases", (*QUEUE, "status"), "Open cases by status."),
        section="cases",
        by={name: read.at_place("by_status", number) for number, name in enumerate(STATUSES)},
    ),
    Figure(
        metric=gauge("contact_cases_by_priority", "cases", (*QUEUE, "priority"), "Open cases by priority."),
        section="cases",
        by={name: read.at_place("by_priority", number) for number, name in enumerate(PRIORITIES)},
    ),
    Figure(
        metric=gauge(
            "contact_cases_by_age",
            "cases",
            (*QUEUE, "age"),
            "Open cases by class of age, the youngest first; the bounds are in the policy.",
        ),
        section="cases",
        by={name: read.older(number) for number, name in enumerate(read.AGES)},
    ),
)

_PROMISES: Final = (
    *(
        _figure("case_policy", gauge(name, unit, QUEUE, meaning), column)
        for name, unit, meaning, column in (
            (
                "contact_case_target_ratio",
                "ratio",
                "The share of answers that should meet their target.",
                of_policy(lambda policy: policy.case_target),
            ),
            (
                "contact_case_first_response_target_seconds",
                "seconds",
                "A first answer after at most this meets its target.",
                of_policy(lambda policy: policy.first_response_target.total_seconds()),
            ),
            (
                "contact_case_next_response_target_seconds",
                "seconds",
                "A later answer after at most this meets its target.",
                of_policy(lambda policy: policy.next_response_target.total_seconds()),
            ),
            (
                "contact_case_minimum_volume",
                "cases",
                "So many cases a window must have before somebody is alerted of a ratio.",
                of_policy(lambda policy: policy.minimum_volume),
            ),
            (
                "contact_case_age_limit_seconds",
                "seconds",
                "Somebody is alerted when a case is open for longer.",
                of_policy(lambda policy: policy.backlog_age_limit.total_seconds()),
            ),
            (
                "contact_case_queue_open",
                "bool",
                "1 in the opening hours of the queue, 0 outside; 1 where it has none.",
                is_open,
            ),
            (
                "contact_case_queue_quiet",
                "bool",
                "1 in the quiet hours of the queue, when nobody is alerted of cases, 0 outside; no sample without any.",
                is_quiet,
            ),
        )
    ),
    Figure(
        metric=gauge(
            "contact_case_age_bound_seconds",
            "seconds",
            (*QUEUE, "age"),
            "Up to which age a class of open cases goes; no sample for the last.",
        ),
        section="case_policy",
        by={name: read.age_bound(number) for number, name in enumerate(read.AGES[:-1])},
    ),
    Figure(
        metric=gauge(
            "contact_case_policy_info",
            "info",
            (*QUEUE, "clock", "team"),
            "Which time the targets are in, and who is alerted.",
            kind=Kind.INFO,
        ),
        section="case_policy",
        column=lambda reading, _: [1] * len(reading.snapshots),
        labels_of=lambda one: (*one.key, one.policy.response_clock, one.policy.team),
    ),
)


def _windowed(name: str, unit: str, meaning: str, formula: str, column: Column[CasesSnapshot]) -> CaseFigure:
    return _figure("case_windows", gauge(name, unit, _WINDOW, meaning, formula), column)


_RATIOS: Final = (
    _windowed(
        "contact_case_first_response_level_ratio",
        "ratio",
        "Service level: share of the first answers that met the target of the queue.",
        "first answers in target ÷ first answers",
        read.CASES_COUNTED.of_ratio(read.FIRST_RESPONSE_LEVEL),
    ),
    _windowed(
        "contact_case_next_response_level_ratio",
        "ratio",
        "Service level of later answers.",
        "later answers in target ÷ later answers",
        read.CASES_COUNTED.of_ratio(read.NEXT_RESPONSE_LEVEL),
    ),
    _windowed(
        "contact_case_resolution_ratio",
        "ratio",
        "Resolution rate by period: above 1 while the backlog shrinks.",
        "resolved ÷ opened",
        read.CASES_COUNTED.of_ratio(read.RESOLUTION),
    ),
    _windowed(
        "contact_case_assigned_resolution_ratio",
        "ratio",
        "Resolution rate by cohort: of the cases that came to the queue in the window, the share it has solved by now.",
        "assigned and resolved ÷ assigned",
        read.CASES_COUNTED.of_ratio(read.RESOLUTION_OF_ASSIGNED),
    ),
    _windowed(
        "contact_case_one_touch_ratio",
        "ratio",
        "Share of the solved cases that took one answer.",
        "one touch ÷ full resolutions",
        read.CASES_COUNTED.of_ratio(read.ONE_TOUCH),
    ),
    _windowed(
        "contact_case_messages_per_resolution",
        "messages",
        "Messages on both sides that a solved case took, in the mean.",
        "messages ÷ full resolutions",
        read.CASES_COUNTED.of_ratio(read.MESSAGES_PER_RESOLUTION),
    ),
    *(
        figure
        for what, (name, meaning) in LENGTHS_SHOWN.items()
        for figure in (
            _windowed(
                f"contact_case_{name}_mean_seconds",
                "seconds",
                f"{meaning}, in the mean.",
                f"sum of times ÷ {what.replace('_', ' ')}",
                read.mean_of(what),
            ),
            _windowed(
                f"contact_case_{name}_business_mean_seconds",
                "seconds",
                f"{meaning}, in the mean, while the queue is served; no sample where it always is.",
                f"sum of business times ÷ {what.replace('_', ' ')}",
                read.mean_of(what, business=True),
            ),
        )
    ),
)

_PARTS: Final = tuple(
    _figure(
        "case_windows",
        gauge(
            f"contact_case_window_{name}",
            "messages" if name in _MESSAGES else "cases",
            _WINDOW,
            f"{text}; in the window.",
        ),
        read.CASES_COUNTED.of_counts(name),
        _MAIN if name in _PARTS_OF_MAIN else (TODAY,),
    )
    for name, text in COUNTED.items()
)


def _histogram(name: str, what: str, meaning: str, clock: str) -> CaseFigure:
    bounds = RESPONSE_BOUNDS_SECONDS if what.endswith("responses") else RESOLUTION_BOUNDS_SECONDS
    metric = Metric(name=name, kind=Kind.HISTOGRAM, unit="seconds", labels=QUEUE, meaning=meaning, buckets=bounds)
    return Figure(
        metric=metric,
        section="case_totals",
        coarse=bounds[1::2],
        buckets=lambda reading: (
            getattr(read.CASES_COUNTED.ever(reading), f"{what}{clock}_in"),
            read.CASES_COUNTED.total_seconds(f"{what}{clock}_ms")(reading, ""),
        ),
    )


_TOTALS: Final = (
    *(
        _figure(
            "case_totals",
            counter(f"contact_case_{name}_total", "messages" if name in _MESSAGES else "cases", QUEUE, f"{text}."),
            read.CASES_COUNTED.total(name) if name in _ALWAYS else read.CASES_COUNTED.total_if_any(name),
        )
        for name, text in COUNTED.items()
        if name not in {"first_responses", "full_resolutions"}  # they are the `_count` of a histogram
    ),
    _figure(
        "case_totals",
        counter(
            "contact_case_corrections_total", "facts", QUEUE, "What counters have counted and a later event took back."
        ),
        read.CASES_COUNTED.correction(*_CORRECTED),
    ),
    *(
        _histogram(f"contact_case_{name}{suffix}_seconds", what, f"{meaning}{text}.", clock)
        for what, (name, meaning) in LENGTHS_SHOWN.items()
        if what in {"first_responses", "full_resolutions"}
        for suffix, clock, text in (("", "", ""), ("_business", "_business", ", while the queue is served"))
    ),
)

FIGURES: Final[tuple[CaseFigure, ...]] = (*_NOW, *_PROMISES, *_RATIOS, *_PARTS, *_TOTALS)
"""Every figure, in the order of the page of metrics."""
