"""Ratios and means of a tally. None where there is no sample: an idle queue has not failed anybody.

Sources of the formulas are named in `docs/metrics.md`; the edges are inclusive (`wait <= threshold`).
"""

from typing import assert_never

from stream.families.contacts.rules import Formula
from stream.families.contacts.tally import Tally

__all__ = [
    "abandonment_excluding_short_ratio",
    "abandonment_ratio",
    "aht_seconds",
    "asa_seconds",
    "blocking_ratio",
    "mean_abandon_seconds",
    "service_level",
]


def service_level(tally: Tally, formula: Formula) -> float | None:
    """
    Return the share of decided contacts that met the threshold (0 to 1), or None when none was decided.

    The numerator is always a subset of the denominator: both count what was decided in the window.
    """
    met, decided = _met_and_decided(tally, formula)
    return met / decided if decided > 0 else None


def _met_and_decided(tally: Tally, formula: Formula) -> tuple[int, int]:  # noqa: C901  # flat: one case per formula
    in_target = tally.answered_in_target
    answered_or_abandoned = tally.answered + tally.abandoned
    match formula:
        case Formula.ANSWERED_ONLY:
            return in_target, tally.answered
        case Formula.ALL_ABANDONS_HURT:
            return in_target, answered_or_abandoned
        case Formula.SHORT_ABANDONS_EXCLUDED:
            return in_target, answered_or_abandoned - tally.abandoned_short
        case Formula.ABANDONS_IN_TARGET_EXCLUDED:
            return in_target, answered_or_abandoned - tally.abandoned_in_target
        case Formula.ABANDONS_IN_TARGET_MET:
            return in_target + tally.abandoned_in_target, answered_or_abandoned
        case Formula.SHORT_ABANDONS_MET:
            return in_target + tally.abandoned_short, answered_or_abandoned
        case Formula.FLOW_OUTS_HURT:
            return in_target, tally.decided - tally.abandoned_short
        case Formula.REMOVED_FROM_QUEUE:
            return in_target + tally.abandoned_in_target + tally.callback_requested_in_target, tally.decided
        case _:
            assert_never(formula)


def asa_seconds(tally: Tally) -> float | None:
    """Average speed of answer: mean wait of the answered, in seconds."""
    return tally.answer_wait_ms / tally.answered / 1000 if tally.answered else None


def mean_abandon_seconds(tally: Tally) -> float | None:
    """Mean wait of those who gave up, in seconds."""
    return tally.abandon_wait_ms / tally.abandoned / 1000 if tally.abandoned else None


def abandonment_ratio(tally: Tally) -> float | None:
    """Share of decided contacts that were abandoned, short ones included."""
    decided = tally.decided
    return tally.abandoned / decided if decided else None


def abandonment_excluding_short_ratio(tally: Tally) -> float | None:
    """Share of decided contacts that were abandoned, short abandons left out of both."""
    decided = tally.decided - tally.abandoned_short
    return (tally.abandoned - tally.abandoned_short) / decided if decided else None


def blocking_ratio(tally: Tally) -> float | None:
    """Share of attempts that did not get into the queue while it was open."""
    attempts = tally.blocked + tally.offered
    return tally.blocked / attempts if attempts else None


def aht_seconds(tally: Tally) -> float | None:
    """Average handle time: mean talk + hold + wrap-up of the handled, in seconds."""
    return tally.handle_ms / tally.handled / 1000 if tally.handled else None
