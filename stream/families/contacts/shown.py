"""How a board shows the figures of a queue, and judges them: against the promises and limits of its own policy."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from stream.core.columns import of_policy, of_snapshot
from stream.core.distribution import distribution_of
from stream.core.figure import Bars, Column, Parts, Row, Show, ShownNote
from stream.core.format import level, limit, printable
from stream.core.judgement import State, kept_above, kept_below
from stream.families.contacts.columns import CONTACTS, Queues, service_level_of
from stream.families.contacts.rules import Formula, Policy
from stream.families.contacts.service_level import SERVICE_LEVELS
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import WAIT_BOUNDS_SECONDS, Tally

__all__ = ["COLUMNS", "DETAILS", "DETAIL_SECTIONS", "FACTS", "NOW", "SHOWN", "SHOWN_FACTS", "queue_states", "urgency"]

# How it is judged: against the promises and limits of the queue's own policy.


def _judge_level(reading: Queues, levels: Sequence[Any]) -> Sequence[State]:
    return [kept_above(ratio, one.policy.target) for one, ratio in zip(reading.snapshots, levels, strict=True)]


def _judge_wait(reading: Queues, _: Sequence[Any]) -> Sequence[State]:
    return [_wait_state(one) for one in reading.snapshots]


def _wait_state(snapshot: QueueSnapshot) -> State:
    """Judge the longest wait by two limits of the policy: too long to be answered in time, too long to bear."""
    if snapshot.longest_wait is None:
        return State.NO_SAMPLE
    if snapshot.longest_wait > snapshot.policy.longest_wait_limit:
        return State.BREACHED
    return State.AT_RISK if snapshot.waiting_past_threshold else State.OK


def _judge_below(limit_of: Callable[[Policy], float], reading: Queues, ratios: Sequence[Any]) -> Sequence[State]:
    return [kept_below(ratio, limit_of(one.policy)) for one, ratio in zip(reading.snapshots, ratios, strict=True)]


def queue_states(reading: Queues, window: str) -> Sequence[State]:
    """Tell how each queue stands: by its service level, and whether somebody waits who can no longer be answered."""
    kept = _judge_level(reading, service_level_of(reading, window))
    return [
        State.AT_RISK if one.waiting_past_threshold and state is not State.BREACHED else state
        for one, state in zip(reading.snapshots, kept, strict=True)
    ]


# How it is shown.


def _promise(row: Row) -> str:
    return f"{level(row['target'])} in {limit(row['threshold_seconds'])} {printable(row['formula'])}"


SHOWN: Final[dict[str, Show[QueueSnapshot]]] = {
    "contact_service_level_ratio": Show(
        name="service_level",
        format="level",
        title="SL",
        judged_as="service_level",
        judge=_judge_level,
        signed=False,  # the state beside it has the sign
        tile="large",
        notes=(
            ShownNote(word="target", blanks={"target": "level", "threshold_seconds": "limit"}),
            ShownNote(word="short_target", blanks={"target": "level"}, where=("wall",)),
            ShownNote(word="decided", blanks={"decided": "count"}, where=("tile",)),
            ShownNote(word="out_of_hours", blanks={"opens_at": "moment"}, if_any=True),
        ),
    ),
    "contact_service_level_target_ratio": Show(
        name="target",
        format="level",
        title="target",
        word="aim",
        rank=6,
        also=("threshold_seconds", "limit"),
        text=_promise,
    ),
    "contact_open_cases": Show(
        name="open_cases",
        format="count",
        title="open",
        tile="large",
        summary="sum",
        needs_agents=True,
        notes=(ShownNote(word="to_call_back", blanks={"callbacks_waiting": "count"}, if_any=True),),
    ),
    "contact_longest_wait_seconds": Show(
        name="longest_wait_seconds",
        format="elapsed",
        title="longest",
        word="longest_wait",
        judged_as="longest_wait",
        judge=_judge_wait,
        signed=False,  # those past the threshold have the sign
        since="oldest_enqueued_at",
        tile="large",
        summary="max",
        notes=(
            ShownNote(
                word="past",
                blanks={"waiting_past_threshold": "count", "threshold_seconds": "limit"},
                if_any=True,
                signed=True,
            ),
        ),
    ),
    "contact_asa_seconds": Show(name="asa_seconds", format="duration", title="ASA", word="asa", rank=1, tile="small"),
    "contact_abandonment_ratio": Show(
        name="abandonment_ratio",
        format="share",
        title="aband.",
        word="abandonment",
        rank=2,
        tile="small",
        judged_as="abandonment",
    ),
    "contact_abandonment_excluding_short_ratio": Show(
        name="abandonment_excluding_short_ratio",
        format="share",
        title="aband. excl. short",
        word="abandonment_excluding_short",
        judged_as="abandonment",
        judge=partial(_judge_below, lambda policy: policy.abandonment_limit),
    ),
    "contact_blocking_ratio": Show(
        name="blocking_ratio",
        format="share",
        title="blocked",
        word="blocking",
        rank=4,
        tile="small",
        judged_as="blocking",
        judge=partial(_judge_below, lambda policy: policy.blocking_limit),
    ),
    "contact_aht_seconds": Show(name="aht_seconds", format="duration", title="AHT", word="aht", rank=5, tile="small"),
    "contact_mean_abandon_seconds": Show(
        name="mean_abandon_seconds", format="duration", title="wait of abandoned", word="abandon_wait"
    ),
    "contact_waiting_past_threshold": Show(
        name="waiting_past_threshold",
        format="count",
        title="",  # a terminal has no room for it
        rank=9,
        judged_as="longest_wait",
    ),
    "contact_talking": Show(name="talking", format="count", title="talking"),
    "contact_wrapping_up": Show(name="wrapping_up", format="count", title="wrapping up"),
    "contact_callbacks_waiting": Show(name="callbacks_waiting", format="count", title="callbacks"),
    "contact_window_offered": Show(name="offered", format="count", title="offered", rank=7),
    "contact_window_answered": Show(name="answered", format="count", title="answered", rank=8),
}
"""By metric."""

COLUMNS: Final = (
    *("service_level", "target", "open_cases", "longest_wait_seconds", "waiting_past_threshold"),
    *("asa_seconds", "abandonment_ratio", "blocking_ratio", "aht_seconds", "offered", "answered"),
)
"""What a list shows of a queue."""

NOW: Final = (
    *("service_level", "open_cases", "longest_wait_seconds", "waiting_past_threshold"),
    *("talking", "wrapping_up", "callbacks_waiting"),
)
"""What the detail of a queue shows large."""

DETAIL_SECTIONS: Final = {
    "waits": (
        *("asa_seconds", "waits", "aht_seconds", "mean_abandon_seconds"),
        *("abandonment_ratio", "abandonment_excluding_short_ratio", "blocking_ratio"),
    ),
    "volumes": ("offered", "handled", "closed", "expired"),
    "exits": (
        *("decided", "answered", "answered_in_target", "abandoned", "abandoned_short", "dequeued"),
        *("answered_wait_unknown", "abandoned_wait_unknown", "dequeued_by_reason", "blocked", "blocked_by_reason"),
    ),
    "formulas": ("service_levels",),
}
"""What the detail of a queue shows in every window."""

_COUNTS = (
    *("answered_in_target", "abandoned", "abandoned_in_target", "abandoned_short", "answered_wait_unknown"),
    *("abandoned_wait_unknown", "dequeued", "blocked", "handled", "expired", "closed", "decided"),
)


def _by_reason(prefix: str) -> Column[QueueSnapshot]:
    """Return a column of counts by reason: those that occurred."""
    fields = {name: name.removeprefix(prefix) for name in Tally.__struct_fields__ if name.startswith(prefix)}

    def column(reading: Queues, window: str) -> Sequence[dict[str, int]]:
        counts = [getattr(CONTACTS.counted(reading, window), name) for name in fields]
        return [
            {reason: number for reason, number in zip(fields.values(), numbers, strict=True) if number}
            for numbers in zip(*counts, strict=True)
        ]

    return column


def _opens_at(reading: Queues, _: str) -> Sequence[datetime | None]:
    """Tell when queues that are closed open again; None where one is open, or nobody knows."""
    calendars = [one.policy.calendar for one in reading.snapshots]
    return [None if one.is_open(reading.at) else one.opens_at(reading.at) for one in calendars]


FACTS: Final[dict[str, Column[QueueSnapshot]]] = {
    **{name: CONTACTS.of_counts(name) for name in _COUNTS},
    "oldest_enqueued_at": of_snapshot("oldest_enqueued_at"),
    "opens_at": _opens_at,
    "threshold_seconds": of_policy(lambda policy: policy.threshold.total_seconds()),
    "short_abandon_seconds": of_policy(lambda policy: policy.short_abandon.total_seconds()),
    "formula": lambda reading, _: [one.policy.formula.value for one in reading.snapshots],
    "dequeued_by_reason": _by_reason("dequeued_"),
    "blocked_by_reason": _by_reason("blocked_"),
}
"""What a row tells beside its figures."""


def _service_levels(reading: Queues, window: str) -> Sequence[dict[Formula, float | None]]:
    counts = CONTACTS.counted(reading, window)
    levels = (of.of_each(counts) for of in SERVICE_LEVELS.values())
    return [dict(zip(SERVICE_LEVELS, own, strict=True)) for own in zip(*levels, strict=True)]


DETAILS: Final[dict[str, Column[QueueSnapshot]]] = {
    "service_levels": lambda reading, window: [
        dict(zip(SERVICE_LEVELS, levels, strict=True))
        for levels in zip(
            *(of.of_each(CONTACTS.counted(reading, window)) for of in SERVICE_LEVELS.values()), strict=True
        )
    ],
    "waits": lambda reading, window: [
        distribution_of(counts, WAIT_BOUNDS_SECONDS)
        for counts in zip(*CONTACTS.counted(reading, window).waits, strict=True)
    ],
}
"""What only the detail of one queue tells."""

SHOWN_FACTS: Final[tuple[Show[QueueSnapshot], ...]] = (
    *(
        Show(
            name=name,
            format="count",
            title=name.replace("_", " "),
            word="decisions" if name == "decided" else "",  # "decided" is a sentence of the tiles
            if_any=name.endswith("_wait_unknown"),  # in no service level: worth a line where there are any
        )
        for name in _COUNTS
    ),
    Show(name="dequeued_by_reason", format="count", title="left by reason", word="exit", parts=Parts()),
    Show(name="blocked_by_reason", format="count", title="blocked by reason", word="blocked", parts=Parts()),
    Show(
        name="waits",
        format="duration",
        title="waits",
        word="answered_wait",
        parts=Parts(names=("p50", "p90", "p95")),
        most=WAIT_BOUNDS_SECONDS[-1],
        bars=Bars(bounds="bounds_seconds", within="threshold_seconds"),
    ),
    Show(name="service_levels", format="level", title="formulas", word="formula", parts=Parts(own="formula")),
)
"""How those facts are shown that the detail has."""


def urgency(row: Row) -> tuple[float, float]:
    """Order rows of one state by how far they are from the target, then by who has waited longest."""
    distance = 0.0 if row["service_level"] is None else row["service_level"] - row["target"]
    oldest = row["oldest_enqueued_at"]
    return distance, float("inf") if oldest is None else oldest.timestamp()
