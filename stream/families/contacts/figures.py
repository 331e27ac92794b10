"""
The figures of contacts: metrics, and what a board shows of each queue.

To add a figure that a tally counts, add its field to `COUNTED` or `SUMMED`: a counter follows, and a gauge in the
windows that `_WRITTEN_IN` names or a deployment chooses.
"""

from collections.abc import Sequence
from typing import Final

from stream.core.columns import of_snapshot
from stream.core.figure import Column, Figure
from stream.core.metric import Kind, Metric, counter, gauge
from stream.core.windows import TODAY
from stream.families.contacts import service_level as formulas
from stream.families.contacts.columns import CONTACTS, longest_wait, service_level_of
from stream.families.contacts.promises import PROMISES
from stream.families.contacts.shown import SHOWN
from stream.families.contacts.snapshot import QUEUE, QueueSnapshot
from stream.families.contacts.tally import HANDLE_BOUNDS_SECONDS, WAIT_BOUNDS_SECONDS, Tally

__all__ = ["COUNTED", "FIGURES", "REASONED", "SUMMED"]

WINDOW: Final = (*QUEUE, "window")

QueueFigure = Figure[QueueSnapshot]

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

_ALWAYS = frozenset(
    ("offered", "answered", "answered_in_target", "abandoned", "abandoned_in_target", "abandoned_short", "handled")
)
"""What every queue counts. The rest has a sample only where the queue ever had one: most never do."""

_LOOKED_AT: Final = ("30m", TODAY)
"""The windows that people look at; the others are there for alerts."""

_WRITTEN_IN: Final[dict[str, Sequence[str]]] = {
    # Alerts look at the service level of long and short windows, and at how many it is made of.
    "contact_service_level_ratio": ("5m", "15m", "30m", "1h", TODAY),
    "contact_window_decided": ("15m", "30m", "1h", TODAY),
    "contact_abandonment_excluding_short_ratio": ("5m", *_LOOKED_AT),
    "contact_blocking_ratio": ("5m", *_LOOKED_AT),
    "contact_asa_seconds": _LOOKED_AT,
    "contact_abandonment_ratio": _LOOKED_AT,
    "contact_aht_seconds": _LOOKED_AT,
    "contact_window_offered": ("30m", "1h", TODAY),
    "contact_window_blocked": ("30m",),
    "contact_window_expired": ("1h",),
    **{
        f"contact_window_{name}": _LOOKED_AT
        for name in (
            *("answered", "answered_in_target", "answered_wait_unknown"),
            *("abandoned", "abandoned_in_target", "abandoned_short", "abandoned_wait_unknown"),
            *("callback_requested_in_target", "callback_requested_wait_unknown"),
        )
    },
}
"""
Which windows dashboards and alerts read, by metric.

What is not here none of them reads: it is written only in windows that somebody chose, and counters tell it.
"""

_COARSE_WAITS: Final = (10, 20, 30, 60, 120, 300)
"""The usual thresholds are among them."""

_COARSE_HANDLES: Final = (120, 300, 900)

_REASONS = {
    prefix: {
        field.removeprefix(f"{prefix}_"): field for field in Tally.__struct_fields__ if field.startswith(f"{prefix}_")
    }
    for prefix in REASONED
}
"""Fields of `Tally` by reason."""

_SELDOM: Final = (
    *(field for field in COUNTED if field not in _ALWAYS),
    *(field for by_reason in _REASONS.values() for field in by_reason.values()),
)
"""What most queues never count: corrections of each would be a quarter of all series that a queue can have."""


def _figure(section: str, metric: Metric, column: Column[QueueSnapshot]) -> QueueFigure:
    show, written_in = SHOWN.get(metric.name), _WRITTEN_IN.get(metric.name, ())
    return Figure(metric=metric, section=section, column=column, show=show, written_in=written_in)


def _now(name: str, unit: str, field: str, meaning: str) -> QueueFigure:
    return _figure("now", gauge(name, unit, QUEUE, meaning), of_snapshot(field))


_NOW: Final = (
    _now("contact_open_cases", "contacts", "waiting", "Contacts waiting for an answer now."),
    _figure(
        "now",
        gauge(
            "contact_longest_wait_seconds",
            "seconds",
            QUEUE,
            "How long the contact at the head of the queue has waited; no sample when nobody waits.",
            "time of scrape - time of entry",
        ),
        longest_wait,
    ),
    _now(
        "contact_waiting_past_threshold",
        "contacts",
        "waiting_past_threshold",
        "Contacts waiting now that can no longer be answered within the threshold.",
    ),
    _now("contact_talking", "contacts", "talking", "Contacts in conversation with an agent now."),
    _now("contact_wrapping_up", "contacts", "wrapping_up", "Contacts that an agent still works on after hang-up."),
    _now(
        "contact_callbacks_waiting",
        "callbacks",
        "callbacks_waiting",
        "Callbacks promised, and neither connected nor given up.",
    ),
)


def _ratio(name: str, unit: str, column: Column[QueueSnapshot], meaning: str, formula: str) -> QueueFigure:
    return _figure("windows", gauge(name, unit, WINDOW, meaning, formula), column)


_RATIOS: Final = (
    _ratio(
        "contact_service_level_ratio",
        "ratio",
        service_level_of,
        "Share of the decided contacts that met the threshold, by the formula of the queue.",
        "see the formulas A to H; contact_queue_policy_info names the letter",
    ),
    _ratio(
        "contact_asa_seconds",
        "seconds",
        CONTACTS.of_ratio(formulas.asa_seconds),
        "Average speed of answer: mean wait of the answered whose wait is known.",
        "answer wait ÷ (answered - wait unknown)",
    ),
    _ratio(
        "contact_abandonment_ratio",
        "ratio",
        CONTACTS.of_ratio(formulas.abandonment_ratio),
        "Share of the decided contacts that were abandoned, short ones included.",
        "abandoned ÷ decided",
    ),
    _ratio(
        "contact_abandonment_excluding_short_ratio",
        "ratio",
        CONTACTS.of_ratio(formulas.abandonment_excluding_short_ratio),
        "Share of the decided contacts that were abandoned; abandons that are short, or may be, are left out of both.",
        "(abandoned - short - wait unknown) ÷ (decided - short - wait unknown)",
    ),
    _ratio(
        "contact_mean_abandon_seconds",
        "seconds",
        CONTACTS.of_ratio(formulas.mean_abandon_seconds),
        "Mean wait of those who gave up and whose wait is known.",
        "abandon wait ÷ (abandoned - wait unknown)",
    ),
    _ratio(
        "contact_blocking_ratio",
        "ratio",
        CONTACTS.of_ratio(formulas.blocking_ratio),
        "Share of the attempts that did not get into the queue while it was open.",
        "blocked ÷ (blocked + offered)",
    ),
    _ratio(
        "contact_aht_seconds",
        "seconds",
        CONTACTS.of_ratio(formulas.aht_seconds),
        "Average handle time: mean talk + hold + wrap-up of the handled.",
        "(talk + hold + wrap-up) ÷ handled",
    ),
)

_PARTS: Final = (
    _figure(
        "windows",
        gauge(
            "contact_window_decided",
            "contacts",
            WINDOW,
            "Contacts whose outcome fell into the window.",
            "answered + abandoned + dequeued",
        ),
        CONTACTS.of_counts("decided"),
    ),
    *(
        _figure(
            "windows",
            gauge(f"contact_window_{name}", "contacts", WINDOW, f"{text}; in the window."),
            CONTACTS.of_counts(name) if name in _ALWAYS else CONTACTS.count_if_ever(name),
        )
        for name, text in COUNTED.items()
    ),
    *(
        Figure(
            metric=gauge(f"contact_window_{name}", "contacts", (*WINDOW, "reason"), f"{text}; in the window."),
            section="windows",
            written_in=_WRITTEN_IN.get(f"contact_window_{name}", ()),
            by={reason: CONTACTS.count_if_ever(field) for reason, field in _REASONS[name].items()},
        )
        for name, text in REASONED.items()
    ),
    *(
        _figure(
            "windows",
            gauge(f"contact_window_{name}_seconds", "seconds", WINDOW, f"{text}; in the window."),
            CONTACTS.seconds(f"{name}_ms"),
        )
        for name, text in SUMMED.items()
    ),
)


def _histogram(  # as many as a distribution has parts
    name: str, meaning: str, bounds: tuple[int, ...], coarse: Sequence[int], counts: str, sum_ms: str
) -> QueueFigure:
    metric = Metric(name=name, kind=Kind.HISTOGRAM, unit="seconds", labels=QUEUE, meaning=meaning, buckets=bounds)
    return Figure(
        metric=metric,
        section="totals",
        coarse=coarse,
        buckets=lambda reading: (
            getattr(CONTACTS.ever(reading), counts),
            CONTACTS.total_seconds(sum_ms)(reading, ""),
        ),
    )


_TOTALS: Final = (
    *(
        _figure(
            "totals",
            counter(f"contact_{name}_total", "contacts", QUEUE, f"{text}."),
            CONTACTS.total(name) if name in _ALWAYS else CONTACTS.total_if_any(name),
        )
        for name, text in COUNTED.items()
        if name != "handled"
    ),
    *(
        Figure(
            metric=counter(f"contact_{name}_total", "contacts", (*QUEUE, "reason"), f"{text}."),
            section="totals",
            by={reason: CONTACTS.total_if_any(field) for reason, field in _REASONS[name].items()},
        )
        for name, text in REASONED.items()
    ),
    # The sum of answered waits is the `_sum` of a histogram, how many are handled the `_count` of the other.
    *(
        _figure(
            "totals",
            counter(f"contact_{name}_seconds_total", "seconds", QUEUE, f"{text}."),
            CONTACTS.total_seconds(f"{name}_ms"),
        )
        for name, text in SUMMED.items()
        if name != "answer_wait"
    ),
    Figure(
        metric=counter(
            "contact_corrections_total",
            "contacts",
            (*QUEUE, "figure"),
            "What a counter has counted and a later event took back, to be subtracted; `other`: of all that is seldom.",
        ),
        section="totals",
        by={
            **{field: CONTACTS.correction(field) for field in COUNTED if field in _ALWAYS},
            "other": CONTACTS.correction(*_SELDOM),
        },
    ),
    _histogram(
        "contact_wait_seconds",
        "Waits of the answered, as far as they are known.",
        WAIT_BOUNDS_SECONDS,
        _COARSE_WAITS,
        "waits",
        "answer_wait_ms",
    ),
    _histogram(
        "contact_handle_seconds",
        "Handle times: talk + hold + wrap-up.",
        HANDLE_BOUNDS_SECONDS,
        _COARSE_HANDLES,
        "handles",
        "handle_ms",
    ),
)

FIGURES: Final[tuple[QueueFigure, ...]] = (*_NOW, *PROMISES, *_RATIOS, *_PARTS, *_TOTALS)
"""Every figure, in the order of the page of metrics."""
