"""What a queue promises, and when somebody is alerted, as metrics: they stand beside its figures."""

from collections.abc import Callable
from typing import Final

from stream.core.columns import is_open, is_quiet, of_policy
from stream.core.figure import Column, Figure
from stream.core.metric import Kind, Metric, gauge
from stream.families.contacts.rules import Policy
from stream.families.contacts.shown import SHOWN
from stream.families.contacts.snapshot import QUEUE, QueueSnapshot

__all__ = ["PROMISES"]


def _promise(metric: Metric, column: Column[QueueSnapshot]) -> Figure[QueueSnapshot]:
    return Figure(metric=metric, section="policy", column=column, show=SHOWN.get(metric.name))


def _policy(name: str, unit: str, value: Callable[[Policy], float], meaning: str) -> Figure[QueueSnapshot]:
    return _promise(gauge(name, unit, QUEUE, meaning), of_policy(value))


PROMISES: Final[tuple[Figure[QueueSnapshot], ...]] = (
    _policy(
        "contact_service_level_target_ratio",
        "ratio",
        lambda policy: policy.target,
        "The service level that the queue promises.",
    ),
    _policy(
        "contact_service_level_threshold_seconds",
        "seconds",
        lambda policy: policy.threshold.total_seconds(),
        "A wait of at most this meets the service level.",
    ),
    _policy(
        "contact_short_abandon_limit_seconds",
        "seconds",
        lambda policy: policy.short_abandon.total_seconds(),
        "An abandon after a wait of at most this is short.",
    ),
    _policy(
        "contact_minimum_volume",
        "contacts",
        lambda policy: policy.minimum_volume,
        "So many contacts a window must have before somebody is alerted of a ratio.",
    ),
    _policy(
        "contact_longest_wait_limit_seconds",
        "seconds",
        lambda policy: policy.longest_wait_limit.total_seconds(),
        "Somebody is alerted when a contact waits longer.",
    ),
    _policy(
        "contact_abandonment_limit_ratio",
        "ratio",
        lambda policy: policy.abandonment_limit,
        "Somebody is alerted when a larger share abandons.",
    ),
    _policy(
        "contact_blocking_limit_ratio",
        "ratio",
        lambda policy: policy.blocking_limit,
        "Somebody is alerted when a larger share does not get in.",
    ),
    _promise(
        gauge(
            "contact_queue_open", "bool", QUEUE, "1 in the opening hours of the queue, 0 outside; 1 where it has none."
        ),
        is_open,
    ),
    _promise(
        gauge(
            "contact_queue_quiet",
            "bool",
            QUEUE,
            "1 in the quiet hours of the queue, when only what is critical is alerted, 0 outside; "
            "no sample without any.",
        ),
        is_quiet,
    ),
    Figure(
        metric=gauge(
            "contact_queue_policy_info",
            "info",
            (*QUEUE, "formula", "team"),
            "How the queue is judged, and who is alerted: the letter of its service-level formula, and its team.",
            kind=Kind.INFO,
        ),
        section="policy",
        column=lambda reading, _: [1] * len(reading.snapshots),
        labels_of=lambda one: (*one.key, one.policy.formula.value, one.policy.team),
    ),
)
