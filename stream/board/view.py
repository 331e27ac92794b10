"""From a board to the rows that the page, the terminal and `replay --json` share. Pure: no clock, no I/O."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from msgspec import UNSET, Struct, UnsetType, convert
from msgspec.structs import asdict

from stream.board.waits import Waits
from stream.core.policies import Formula, Policy
from stream.core.windows import TODAY, WINDOWS
from stream.families.contacts.service_level import service_level
from stream.families.contacts.snapshot import Board, Figures, QueueSnapshot, figures_of
from stream.families.contacts.tally import Tally

__all__ = ["ALL", "DEFAULT_WINDOW", "SHOWN_WINDOWS", "QueueRow", "QueueRows", "State", "queue_rows", "worst_first"]

ALL: Final = "all"
"""The window over everything there ever was."""

SHOWN_WINDOWS: Final = (*WINDOWS, TODAY)
DEFAULT_WINDOW: Final = "30m"

_MARGIN = 0.05
"""So far above its target a service level is no longer at risk; less where the target leaves less room."""

_NEAR = 0.75
"""From this share of its limit on, a figure that should stay below it is at risk."""

_FROM_TALLY = (
    "offered",
    "answered",
    "answered_in_target",
    "abandoned",
    "abandoned_in_target",
    "abandoned_short",
    "answered_wait_unknown",
    "abandoned_wait_unknown",
    "dequeued",
    "blocked",
    "handled",
    "expired",
    "closed",
    "decided",
)

_FROM_SNAPSHOT = (
    "tenant",
    "queue",
    "channel",
    "oldest_enqueued_at",
    "waiting_past_threshold",
    "talking",
    "wrapping_up",
    "callbacks_waiting",
)


class State(StrEnum):
    """How a queue stands against its promise. The order is the order of the wall: worst first."""

    BREACHED = "breached"
    """The service level is below its target."""
    AT_RISK = "at_risk"
    """Just above it, or somebody waits who can no longer be answered in time."""
    OK = "ok"
    NO_SAMPLE = "no_sample"
    """Nothing was decided in the window, and nobody waits too long."""


class QueueRow(Struct, frozen=True, kw_only=True):
    """One queue and channel in one window. Lengths are seconds, ratios 0 to 1; None is no sample, never 0."""

    tenant: str
    queue: str
    channel: str
    window: str
    state: State
    judged: dict[str, State]
    """Service level, longest wait, abandonment, blocking against the limits of the policy; where there is a sample."""
    open_cases: int
    offered: int
    answered: int
    answered_in_target: int
    abandoned: int
    abandoned_in_target: int
    abandoned_short: int
    answered_wait_unknown: int
    abandoned_wait_unknown: int
    dequeued: int
    blocked: int
    handled: int
    expired: int
    closed: int
    decided: int
    service_level: float | None
    asa_seconds: float | None
    abandonment_ratio: float | None
    abandonment_excluding_short_ratio: float | None
    mean_abandon_seconds: float | None
    blocking_ratio: float | None
    aht_seconds: float | None
    longest_wait_seconds: float | UnsetType | None = UNSET
    """Left out where the reader lets it tick from `oldest_enqueued_at`."""
    oldest_enqueued_at: datetime | None
    waiting_past_threshold: int
    talking: int
    wrapping_up: int
    callbacks_waiting: int
    target: float
    threshold_seconds: float
    short_abandon_seconds: float
    formula: str
    dequeued_by_reason: dict[str, int]
    """Reasons that occurred."""
    blocked_by_reason: dict[str, int]
    agents: dict[str, int]
    """By state; empty where the feed tells nothing of agents."""
    service_levels: dict[str, float | None] | UnsetType = UNSET
    """By all formulas, A to H; only where asked for."""
    waits: Waits | UnsetType = UNSET
    """Only in the detail of one queue."""


class QueueRows(Struct, frozen=True, kw_only=True):
    """What `replay --json` prints."""

    queues: tuple[QueueRow, ...]


def queue_rows(board: Board, window: str, *, every_formula: bool = True, ticking: bool = False) -> QueueRows:
    """
    Return a row for each queue in the order of the board.

    *window* is one of `SHOWN_WINDOWS` or `ALL`. *ticking* rows tell when the longest wait began instead of
    how long it is, so that they only change when something happened.
    """
    # Queues and agents are shared out to workers by different keys: a part of the agents would look like all.
    shown = board.agents if board.whole else ()
    agents = {(one.tenant, one.queue): one.states for one in shown if one.queue is not None}
    return QueueRows(
        queues=tuple(
            _row(one, window, agents.get((one.tenant, one.queue), {}), every_formula=every_formula, ticking=ticking)
            for one in board.queues
        )
    )


def worst_first(rows: Iterable[QueueRow]) -> tuple[QueueRow, ...]:
    """Order for the wall: by state, then by how far from the target, then by who has waited longest."""
    return tuple(sorted(rows, key=_urgency))


def _urgency(row: QueueRow) -> tuple[int, float, float, str, str, str]:
    distance = 0.0 if row.service_level is None else row.service_level - row.target
    waiting_since = float("inf") if row.oldest_enqueued_at is None else row.oldest_enqueued_at.timestamp()
    return (list(State).index(row.state), distance, waiting_since, row.tenant, row.queue, row.channel)


def state_of(snapshot: QueueSnapshot, figures: Figures) -> State:
    """Tell how a queue stands against its promise in one window."""
    kept = _kept(figures.service_level, snapshot.policy.target)
    return State.AT_RISK if snapshot.waiting_past_threshold and kept is not State.BREACHED else kept


def _kept(ratio: float | None, target: float) -> State:
    """Judge what should be above its target."""
    if ratio is None:
        return State.NO_SAMPLE
    if ratio < target:
        return State.BREACHED
    return State.AT_RISK if ratio < target + min(_MARGIN, (1 - target) / 2) else State.OK


def _below(figure: float | None, limit: float) -> State:
    """Judge what should stay below its limit."""
    if figure is None:
        return State.NO_SAMPLE
    if figure > limit:
        return State.BREACHED
    return State.AT_RISK if figure > _NEAR * limit else State.OK


def _judged(snapshot: QueueSnapshot, figures: Figures) -> dict[str, State]:
    policy = snapshot.policy
    states = {
        "service_level": _kept(figures.service_level, policy.target),
        "longest_wait": _wait_judged(snapshot),
        "abandonment": _below(figures.abandonment_excluding_short_ratio, policy.abandonment_limit),
        "blocking": _below(figures.blocking_ratio, policy.blocking_limit),
    }
    return {name: state for name, state in states.items() if state is not State.NO_SAMPLE}


def _wait_judged(snapshot: QueueSnapshot) -> State:
    """Judge the longest wait by two limits of the policy: too long to be answered in time, too long to bear."""
    if snapshot.longest_wait is None:
        return State.NO_SAMPLE
    if snapshot.longest_wait > snapshot.policy.longest_wait_limit:
        return State.BREACHED
    return State.AT_RISK if snapshot.waiting_past_threshold else State.OK


def _row(
    snapshot: QueueSnapshot, window: str, states: Mapping[str, int], *, every_formula: bool, ticking: bool
) -> QueueRow:
    tally = snapshot.total if window == ALL else snapshot.windows[window]
    figures = figures_of(tally, snapshot.policy)
    fields: dict[str, object] = {
        "window": window,
        "state": state_of(snapshot, figures),
        "judged": _judged(snapshot, figures),
        "agents": dict(states),
        "dequeued_by_reason": _by_reason(tally, "dequeued_"),
        "blocked_by_reason": _by_reason(tally, "blocked_"),
        **{name: getattr(tally, name) for name in _FROM_TALLY},
        **asdict(figures),
        **_now(snapshot),
        **_promise(snapshot.policy),
    }
    if every_formula:
        fields["service_levels"] = {formula.value: service_level(tally, formula) for formula in Formula}
    if not ticking:
        fields["longest_wait_seconds"] = None if (wait := snapshot.longest_wait) is None else wait.total_seconds()
    return convert(fields, QueueRow)


def _now(snapshot: QueueSnapshot) -> dict[str, object]:
    return {
        "open_cases": snapshot.waiting,
        **{name: getattr(snapshot, name) for name in _FROM_SNAPSHOT},
    }


def _promise(policy: Policy) -> dict[str, object]:
    return {
        "target": policy.target,
        "threshold_seconds": policy.threshold.total_seconds(),
        "short_abandon_seconds": policy.short_abandon.total_seconds(),
        "formula": policy.formula.value,
    }


def _by_reason(tally: Tally, prefix: str) -> dict[str, int]:
    counts = {name: getattr(tally, name) for name in Tally.__struct_fields__ if name.startswith(prefix)}
    return {name.removeprefix(prefix): number for name, number in counts.items() if number}
