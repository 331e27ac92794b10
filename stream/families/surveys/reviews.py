"""The score of a review of quality, from the scores of its categories."""

from collections.abc import Sequence
from typing import Final

from stream.families.surveys.payloads import ReviewCategory

__all__ = ["FULL_MARKS", "review_points"]

FULL_MARKS: Final = 10_000
"""All of a review, in hundredths of a percent: whole numbers, so that sums are exact in any order."""


def review_points(categories: Sequence[ReviewCategory]) -> int | None:
    """
    Return the weighted mean of the categories, in hundredths of a percent; None where none applies or has weight.

    Less than half of a critical category makes the review worth nothing.
    """
    told = [(one, _points(one.score - one.min, one.max - one.min)) for one in categories if one.score is not None]
    weight = sum(one.weight for one, _ in told)
    if any(one.critical and points * 2 < FULL_MARKS for one, points in told):
        return 0
    return _rounded(sum(one.weight * points for one, points in told), weight) if weight else None


def _points(above: int, of: int) -> int:
    return _rounded(above * FULL_MARKS, of)


def _rounded(numerator: int, denominator: int) -> int:
    """Return the quotient of numbers that are not negative, rounded half up."""
    return (2 * numerator + denominator) // (2 * denominator)
