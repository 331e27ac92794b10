"""PromQL for customers: the formulas of `scripts.customer_formulas` over what a reader has chosen."""

from collections.abc import Mapping, Sequence
from typing import Final

from scripts.customer_formulas import JOURNEYS, MEMBER_RATIOS, PERCENTILES, QUEUE_RATIOS, Formula, Sums
from scripts.dashboards.queries import EVERY, QUEUE, Scope, quantity

__all__ = ["BY_GROUP", "BY_PLAN", "MEMBERS", "formula_of", "of_members", "of_queues", "sums"]

MEMBERS: Final = ("tenant", "plan", "group")

BY_PLAN: Final[Mapping[str, str]] = {"plan": EVERY, "group": ""}
BY_GROUP: Final[Mapping[str, str]] = {"plan": "", "group": EVERY}
"""In place of what a reader chooses: every plan, or every group, each by itself."""


def sums(scope: Scope, by: tuple[str, ...], **equals: str) -> Sums:
    """Return how sums over workers are asked for by these labels; with *window*, in that one where none is told."""

    def of(name: str, more: Sequence[str], told: Mapping[str, str]) -> str:
        known = {label: value for label, value in equals.items() if label in quantity(name).labels} | dict(told)
        return scope.parts(name, (*by, *more), **known)

    def policy(name: str) -> str:
        return scope.each(name, by, **{label: value for label, value in equals.items() if label != "window"})

    return Sums(of=of, policy=policy, by=by)


def formula_of(name: str) -> Formula:
    """Return the formula of a figure that is no sum; KeyError where it is one."""
    return {**QUEUE_RATIOS, **PERCENTILES, **MEMBER_RATIOS, **JOURNEYS}[name]


def of_queues(scope: Scope, name: str, by: tuple[str, ...] = QUEUE, **equals: str) -> str:
    """Return a figure of queues over all workers."""
    return formula_of(name)(sums(scope, by, **equals))


def of_members(scope: Scope, name: str, by: tuple[str, ...] = (), **equals: str) -> str:
    """Return a figure of the customers whom a reader has chosen, over all workers."""
    return formula_of(name)(sums(scope, by, **equals))
