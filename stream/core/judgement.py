"""How a figure stands against what was promised. Pure."""

from enum import StrEnum

__all__ = ["State", "kept_above", "kept_below"]

MARGIN = 0.05
"""So far above its target a ratio is no longer at risk; less where the target leaves less room."""

NEAR = 0.75
"""From this share of its limit on, a figure that should stay below it is at risk."""


class State(StrEnum):
    """How something stands against its promise. The order is the order of the wall: worst first."""

    BREACHED = "breached"
    """Its target is missed, or its limit passed."""
    AT_RISK = "at_risk"
    """Just within it."""
    OK = "ok"
    NO_SAMPLE = "no_sample"
    """Nothing was measured."""


def kept_above(ratio: float | None, target: float) -> State:
    """Judge what should be above its target (0 to 1)."""
    if ratio is None:
        return State.NO_SAMPLE
    if ratio < target:
        return State.BREACHED
    return State.AT_RISK if ratio < target + min(MARGIN, (1 - target) / 2) else State.OK


def kept_below(figure: float | None, limit: float) -> State:
    """Judge what should stay below its limit."""
    if figure is None:
        return State.NO_SAMPLE
    if figure > limit:
        return State.BREACHED
    return State.AT_RISK if figure > NEAR * limit else State.OK
