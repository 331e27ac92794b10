"""How a board shows the figures of cases, and judges them: by the promises and limits of the queue's own policy."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from stream.core.columns import of_policy, of_snapshot
from stream.core.distribution import distribution_of
from stream.core.figure import Bars, Column, Parts, Row, Show, ShownNote
from stream.core.format import level, limit
from stream.core.judgement import State, kept_above, kept_below
from stream.families.cases.columns import CASES_COUNTED, FIRST_RESPONSE_LEVEL, CaseReading
from stream.families.cases.snapshot import PRIORITIES, STATUSES, CasesSnapshot
from stream.families.cases.tally import RESOLUTION_BOUNDS_SECONDS, RESPONSE_BOUNDS_SECONDS

__all__ = ["COLUMNS", "DETAILS", "DETAIL_SECTIONS", "FACTS", "NOW", "SHOWN", "SHOWN_FACTS", "queue_states", "urgency"]

# How it is judged.


def _judge_level(reading: CaseReading, levels: Sequence[Any]) -> Sequence[State]:
    return [kept_above(ratio, one.policy.case_target) for one, ratio in zip(reading.snapshots, levels, strict=True)]


def _judge_wait(reading: CaseReading, _: Sequence[Any]) -> Sequence[State]:
    return [_wait_state(one) for one in reading.snapshots]


def _wait_state(snapshot: CasesSnapshot) -> State:
    if not snapshot.waiting:
        return State.NO_SAMPLE
    if snapshot.past_target:
        return State.BREACHED
    return State.AT_RISK if snapshot.at_risk else State.OK


def _judge_age(reading: CaseReading, ages: Sequence[Any]) -> Sequence[State]:
    limits = [one.policy.backlog_age_limit.total_seconds() for one in reading.snapshots]
    return [kept_below(age, most) for age, most in zip(ages, limits, strict=True)]


def queue_states(reading: CaseReading, window: str) -> Sequence[State]:
    """Tell how each queue stands: by its service level, and whether somebody waits who will be answered too late."""
    levels = _judge_level(reading, CASES_COUNTED.of_ratio(FIRST_RESPONSE_LEVEL)(reading, window))
    # Who has missed a target already is in the level of tomorrow: that today somebody can still do something about.
    waits = [State.AT_RISK if one.past_target or one.at_risk else State.OK for one in reading.snapshots]
    return [_worse(*states) for states in zip(levels, waits, strict=True)]


def _worse(one: State, wait: State) -> State:
    return wait if wait is State.AT_RISK and one in {State.OK, State.NO_SAMPLE} else one


# How it is shown.


def _promise(row: Row) -> str:
    return f"{level(row['case_target'])} in {limit(row['first_response_target_seconds'])}"


_MEAN_NAMES: Final = ("first_response", "next_response", "first_resolution", "full_resolution")

SHOWN: Final[dict[str, Show[CasesSnapshot]]] = {
    "contact_case_first_response_level_ratio": Show(
        name="first_response_level",
        format="level",
        title="1st response",
        judged_as="first_response_level",
        judge=_judge_level,
        tile="large",
        notes=(
            ShownNote(word="promise", blanks={"case_target": "level", "first_response_target_seconds": "limit"}),
            ShownNote(word="of_responses", blanks={"first_responses": "count"}),
            ShownNote(word="out_of_hours", blanks={"opens_at": "moment"}, if_any=True),
        ),
    ),
    "contact_case_target_ratio": Show(
        name="case_target",
        format="level",
        title="target",
        word="aim",
        rank=6,
        also=("first_response_target_seconds", "limit"),
        text=_promise,
    ),
    "contact_cases_waiting": Show(
        name="waiting",
        format="count",
        title="waiting",
        tile="large",
        summary="sum",
        notes=(ShownNote(word="due", blanks={"due_within_hour": "count"}, if_any=True),),
    ),
    "contact_case_longest_wait_seconds": Show(
        name="longest_wait_seconds",
        format="elapsed",
        title="longest",
        word="longest_wait",
        judged_as="case_wait",
        judge=_judge_wait,
        signed=False,  # those past the target have the sign
        since="waiting_since",
        tile="large",
        summary="max",
        notes=(ShownNote(word="late", blanks={"past_target": "count"}, if_any=True, signed=True),),
    ),
    "contact_cases_past_target": Show(name="past_target", format="count", title="late", rank=1, judged_as="case_wait"),
    "contact_cases_due_within_hour": Show(name="due_within_hour", format="count", title="due", rank=2),
    "contact_cases_open": Show(name="open", format="count", title="open", word="backlog", rank=1, tile="small"),
    "contact_case_oldest_seconds": Show(
        name="oldest_seconds",
        format="elapsed",
        title="oldest",
        rank=8,
        judged_as="age",
        judge=_judge_age,
        since="opened_since",
    ),
    "contact_case_first_response_mean_seconds": Show(
        name="first_response_seconds", format="duration", title="FRT", word="first_response", rank=3, tile="small"
    ),
    "contact_case_full_resolution_mean_seconds": Show(
        name="full_resolution_seconds",
        format="duration",
        title="resolution",
        word="full_resolution",
        rank=4,
        tile="small",
    ),
    "contact_case_resolution_ratio": Show(
        name="resolution_ratio", format="share", title="resolved/opened", word="resolution_rate", rank=5
    ),
    "contact_case_window_opened": Show(name="opened", format="count", title="opened", rank=7),
    "contact_case_window_resolved": Show(name="resolved", format="count", title="resolved", rank=9),
    "contact_case_next_response_level_ratio": Show(name="next_response_level", format="level", title="next level"),
    "contact_case_assigned_resolution_ratio": Show(
        name="assigned_resolution_ratio", format="share", title="assigned resolved"
    ),
    "contact_case_one_touch_ratio": Show(name="one_touch_ratio", format="share", title="one touch"),
    "contact_case_messages_per_resolution": Show(
        name="messages_per_resolution", format="score", title="messages per resolution"
    ),
    "contact_case_next_response_mean_seconds": Show(
        name="next_response_seconds", format="duration", title="next response", word="next_response"
    ),
    "contact_case_first_resolution_mean_seconds": Show(
        name="first_resolution_seconds", format="duration", title="first resolution", word="first_resolution"
    ),
    **{
        f"contact_case_{name}_business_mean_seconds": Show(
            name=f"{name}_business_seconds",
            format="duration",
            title=f"{name.replace('_', ' ')} (served)",
            word=f"{name}_business",
            if_any=True,
        )
        for name in _MEAN_NAMES
    },
}
"""By metric."""

COLUMNS: Final = (
    *("first_response_level", "case_target", "waiting", "longest_wait_seconds", "past_target", "due_within_hour"),
    *("open", "oldest_seconds", "first_response_seconds", "full_resolution_seconds", "resolution_ratio"),
    *("opened", "resolved"),
)
"""What a list shows of a queue."""

NOW: Final = (
    *("first_response_level", "waiting", "longest_wait_seconds", "past_target", "due_within_hour"),
    *("open", "oldest_seconds"),
)
"""What the detail of a queue shows large."""

_DISTRIBUTIONS: Final = {
    "first_response_times": ("first_responses", RESPONSE_BOUNDS_SECONDS),
    "next_response_times": ("next_responses", RESPONSE_BOUNDS_SECONDS),
    "first_resolution_times": ("first_resolutions", RESOLUTION_BOUNDS_SECONDS),
    "full_resolution_times": ("full_resolutions", RESOLUTION_BOUNDS_SECONDS),
}

DETAIL_SECTIONS: Final = {
    "backlog": ("by_status", "by_priority", "by_age"),
    "responses": (
        *("first_response_seconds", "first_response_business_seconds", "first_response_times"),
        *("first_response_times_business", "next_response_level", "next_response_seconds"),
        *("next_response_business_seconds", "next_response_times", "next_response_times_business"),
    ),
    "resolutions": (
        *("first_resolution_seconds", "first_resolution_business_seconds", "first_resolution_times"),
        *("first_resolution_times_business", "full_resolution_seconds", "full_resolution_business_seconds"),
        *("full_resolution_times", "full_resolution_times_business", "resolution_ratio"),
        *("assigned_resolution_ratio", "one_touch_ratio", "messages_per_resolution"),
    ),
    "volumes": (
        *("opened", "resolved", "reopened", "assigned", "reassigned", "merged", "split", "spam", "deleted"),
        *("received", "sent", "automatic", "first_responses", "next_responses"),
    ),
}
"""What the detail of a queue shows in every window."""

_COUNTS = (
    *("first_responses", "next_responses", "assigned", "reassigned", "reopened", "merged", "split", "spam"),
    *("deleted", "received", "sent", "automatic"),
)


def _opens_at(reading: CaseReading, _: str) -> Sequence[datetime | None]:
    """Tell when queues that are closed open again; None where one is open, or nobody knows."""
    calendars = [one.policy.calendar for one in reading.snapshots]
    return [None if one.is_open(reading.at) else one.opens_at(reading.at) for one in calendars]


def _named(names: tuple[str, ...], field: str) -> Column[CasesSnapshot]:
    return lambda reading, _: [dict(zip(names, getattr(one, field), strict=True)) for one in reading.snapshots]


def _ages(reading: CaseReading, _: str) -> Sequence[dict[str, int]]:
    return [dict(zip(_age_names(one), one.by_age, strict=True)) for one in reading.snapshots]


def _age_names(snapshot: CasesSnapshot) -> list[str]:
    bounds = [limit(age.total_seconds()) for age in snapshot.policy.backlog_ages]
    return [*(f"≤ {bound}" for bound in bounds), f"> {bounds[-1]}"]


def _times(what: str, bounds: tuple[int, ...], clock: str) -> Column[CasesSnapshot]:
    def column(reading: CaseReading, window: str) -> Sequence[Any]:
        columns = getattr(CASES_COUNTED.counted(reading, window), f"{what}{clock}_in")
        found = [distribution_of(counts, bounds) for counts in zip(*columns, strict=True)]
        if not clock:
            return found
        # Where a queue is always served, it is the same again.
        return [None if one.policy.calendar.always else of for one, of in zip(reading.snapshots, found, strict=True)]

    return column


FACTS: Final[dict[str, Column[CasesSnapshot]]] = {
    **{name: CASES_COUNTED.of_counts(name) for name in _COUNTS},
    "waiting_since": of_snapshot("waiting_since"),
    "opened_since": of_snapshot("opened_since"),
    "opens_at": _opens_at,
    "first_response_target_seconds": of_policy(lambda policy: policy.first_response_target.total_seconds()),
    "next_response_target_seconds": of_policy(lambda policy: policy.next_response_target.total_seconds()),
    "by_status": _named(STATUSES, "by_status"),
    "by_priority": _named(PRIORITIES, "by_priority"),
    "by_age": _ages,
}
"""What a row tells beside its figures."""

DETAILS: Final[dict[str, Column[CasesSnapshot]]] = {
    f"{name}{clock}": _times(what, bounds, clock)
    for name, (what, bounds) in _DISTRIBUTIONS.items()
    for clock in ("", "_business")
}
"""What only the detail of one queue tells."""

SHOWN_FACTS: Final[tuple[Show[CasesSnapshot], ...]] = (
    *(Show(name=name, format="count", title=name.replace("_", " ")) for name in _COUNTS),
    Show(name="by_status", format="count", title="status", word="status", parts=Parts(names=STATUSES)),
    Show(name="by_priority", format="count", title="priority", word="priority", parts=Parts(names=PRIORITIES)),
    Show(name="by_age", format="count", title="age", word="age", parts=Parts()),
    *(
        Show(
            name=f"{name}{clock}",
            format="duration",
            title=f"{name.replace('_', ' ')}{' (served)' if clock else ''}",
            parts=Parts(names=("p50", "p90", "p95")),
            most=bounds[-1],
            bars=Bars(
                bounds="bounds_seconds",
                within=f"{name.removesuffix('_times')}_target_seconds" if what.endswith("responses") else "",
            ),
            if_any=bool(clock),
        )
        for name, (what, bounds) in _DISTRIBUTIONS.items()
        for clock in ("", "_business")
    ),
)
"""How those facts are shown that the detail has."""


def urgency(row: Row) -> tuple[int, float]:
    """Order rows of one state by how many will miss their target, then by who has waited longest."""
    oldest = row["waiting_since"]
    return -(row["past_target"] + row["due_within_hour"]), float("inf") if oldest is None else oldest.timestamp()
