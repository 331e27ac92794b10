"""Ratios and means of a tally. None where there is no sample: an idle queue has not failed anybody.

Sources of the formulas are named in `docs/metrics.md`; the edges are inclusive (`wait <= threshold`).
"""

from collections.abc import Mapping
from functools import partial
from typing import Final, assert_never

from stream.core.ratio import Ratio
from stream.families.contacts.rules import Formula
from stream.families.contacts.tally import Tally

__all__ = [
    "SERVICE_LEVELS",
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

    The numerator is always a subset of the denominator: both count what was decided in the window. Where a formula
    asks how long a contact waited and nobody knows, the contact is in neither; where it does not ask, it counts.
    """
    return SERVICE_LEVELS[formula](tally)


def _met_and_decided(formula: Formula, tally: Tally) -> tuple[int, int]:  # noqa: C901  # flat: one case per formula
    # Where a formula asks for the wait, contacts whose wait nobody knows are in neither number.
    in_target, answered = tally.answered_in_target, tally.answered_wait_known
    timed = answered + tally.abandoned_wait_known
    match formula:
        case Formula.ANSWERED_ONLY:
            return in_target, answered
        case Formula.ALL_ABANDONS_HURT:
            # Whoever gave up has missed the target after any wait, also an unknown one.
            return in_target, answered + tally.abandoned
        case Formula.SHORT_ABANDONS_EXCLUDED:
            return in_target, timed - tally.abandoned_short
        case Formula.ABANDONS_IN_TARGET_EXCLUDED:
            return in_target, timed - tally.abandoned_in_target
        case Formula.ABANDONS_IN_TARGET_MET:
            return in_target + tally.abandoned_in_target, timed
        case Formula.SHORT_ABANDONS_MET:
            return in_target + tally.abandoned_short, timed
        case Formula.FLOW_OUTS_HURT:
            # Flow-outs count as missed, whenever they left.
            return in_target, timed + tally.dequeued - tally.abandoned_short
        case Formula.REMOVED_FROM_QUEUE:
            met = in_target + tally.abandoned_in_target + tally.callback_requested_in_target
            return met, timed + tally.dequeued - tally.callback_requested_wait_unknown
        case _:
            assert_never(formula)


SERVICE_LEVELS: Final[Mapping[Formula, Ratio]] = {
    formula: Ratio(partial(_met_and_decided, formula)) for formula in Formula
}

asa_seconds: Final = Ratio(lambda tally: (tally.answer_wait_ms, tally.answered_wait_known), per=1000)
"""Average speed of answer: mean wait of the answered whose wait is known, in seconds."""

mean_abandon_seconds: Final = Ratio(lambda tally: (tally.abandon_wait_ms, tally.abandoned_wait_known), per=1000)
"""Mean wait of those who gave up and whose wait is known, in seconds."""

abandonment_ratio: Final = Ratio(lambda tally: (tally.abandoned, tally.decided))
"""Share of decided contacts that were abandoned, short ones included."""


def _long_abandoned(tally: Tally) -> tuple[int, int]:
    left_out = tally.abandoned_short + tally.abandoned_wait_unknown
    return tally.abandoned - left_out, tally.decided - left_out


abandonment_excluding_short_ratio: Final = Ratio(_long_abandoned)
"""Share of decided contacts that were abandoned; abandons that are short, or may be, are left out of both."""

blocking_ratio: Final = Ratio(lambda tally: (tally.blocked, tally.blocked + tally.offered))
"""Share of attempts that did not get into the queue while it was open."""

aht_seconds: Final = Ratio(lambda tally: (tally.handle_ms, tally.handled), per=1000)
"""Average handle time: mean talk + hold + wrap-up of the handled, in seconds."""
