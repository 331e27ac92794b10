"""PromQL for cases: a queue of cases has parts on all workers, so ratios and means are made of sums over them.

A worker's ratio must not be averaged: one that has two cases would weigh as much as one that has a thousand. Nor must a
counter's `increase()` be asked for: when a partition changes hands its counts go along, which looks like a reset on
one worker and like a rush on the other. Their sum stays as it was, so here a sum is compared with that of before.
"""

from typing import Final

from scripts.dashboards.queries import QUEUE, Scope, standing

__all__ = ["RATIOS", "mean", "of_both", "over_target", "quantile", "ratio", "state", "target"]

_PART: Final = "contact_case_window_"

RATIOS: Final = {
    "contact_case_first_response_level_ratio": ("first_responses_in_target", "first_responses"),
    "contact_case_next_response_level_ratio": ("next_responses_in_target", "next_responses"),
    "contact_case_resolution_ratio": ("resolved", "opened"),
    "contact_case_assigned_resolution_ratio": ("assigned_resolved", "assigned"),
    "contact_case_one_touch_ratio": ("one_touch", "full_resolutions"),
    "contact_case_messages_per_resolution": ("messages", "full_resolutions"),
}
"""What each is the ratio of, as `stream.families.cases.columns` has it; a test compares the two."""

_COUNTS: Final = {
    "first_response": "first_responses",
    "next_response": "next_responses",
    "first_resolution": "first_resolutions",
    "full_resolution": "full_resolutions",
}
"""Of how many lengths a mean is made."""


def ratio(scope: Scope, name: str, by: tuple[str, ...] = (), **equals: str) -> str:
    """Return a ratio over all workers, by its name: the sums of its parts, divided."""
    part, whole = (scope.parts(f"{_PART}{field}", by, **equals) for field in RATIOS[name])
    return f"{part} / ({whole} > 0)"


def mean(scope: Scope, name: str, by: tuple[str, ...] = (), **equals: str) -> str:
    """Return a mean over all workers, each weighted by how many lengths it is made of."""
    what = name.removeprefix("contact_case_").removesuffix("_mean_seconds").removesuffix("_business")
    own, many = (scope.series(one, **equals) for one in (name, f"{_PART}{_COUNTS[what]}"))
    grouped = f"sum by ({', '.join(by)})" if by else "sum"
    # Queues that are always served have no mean in business time, and weigh nothing in it.
    return f"{grouped} ({own} * {many}) / ({grouped} ({many} and {own}) > 0)"


def quantile(scope: Scope, share: float, name: str, over: str) -> str:
    """Return the length that so large a share did not exceed, *over* the time until now (`1d`), of a histogram."""
    now, before = (one.parts(f"{name}_bucket", ("le",)) for one in (scope, scope.ago(over)))
    return f"histogram_quantile ({share}, {now} - ({before} or {now} * 0))"


def of_both(contacts: str, cases: str, by: tuple[str, ...] = ()) -> str:
    """Return the sum of what contacts and cases have; one of them may have nothing."""
    grouped = f"sum by ({', '.join(by)})" if by else "sum"
    # With a label of its own neither stands in the other's place.
    told = (f'label_replace ({one}, "family", "{name}", "", "")' for name, one in (("a", contacts), ("b", cases)))
    return f"{grouped} ({' or '.join(told)})"


def target(scope: Scope, by: tuple[str, ...] = QUEUE) -> str:
    """Return the share of answers that should be in time."""
    return scope.each("contact_case_target_ratio", by)


def over_target(scope: Scope, name: str, by: tuple[str, ...] = QUEUE, **equals: str) -> str:
    """Return a service level minus the target of its queue: below 0 the promise is broken."""
    return f"{ratio(scope, name, by, **equals)} - {target(scope, by)}"


def state(scope: Scope) -> str:
    """Return how each queue stands, as the live board says it, in the numbers of `STATE`: worse is more."""
    gap = over_target(scope, "contact_case_first_response_level_ratio")
    late, due = (scope.parts(f"contact_cases_{name}", QUEUE) for name in ("past_target", "due_within_hour"))
    return standing(gap, target(scope), f"{late} + {due}")
