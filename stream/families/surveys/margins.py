"""Margins of error: between which bounds a share or mean of all customers is, by those who answered: 95 % sure."""

from math import sqrt
from typing import Final

__all__ = ["Bounds", "mean_bounds", "share_bounds"]

_Z: Final = 1.959963984540054
"""So many standard deviations to both sides have 95 % of a normal distribution between them."""

Bounds = tuple[float, float]


def share_bounds(part: int, whole: int) -> Bounds | None:
    """
    Return the Wilson interval of a share, within 0 and 1; None where there is no share.

    Unlike the usual "± so much" it also holds for few answers, and for shares near 0 and 1.
    """
    if whole <= 0 or not 0 <= part <= whole:
        return None
    share, z2 = part / whole, _Z * _Z / whole
    middle = (share + z2 / 2) / (1 + z2)
    half = _Z / (1 + z2) * sqrt(share * (1 - share) / whole + z2 / (4 * whole))
    # The share itself is never outside, whatever was rounded.
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def mean_bounds(number: int, total: float, squares: float) -> Bounds | None:
    """
    Return the normal interval of a mean, from the sum of values and that of their squares; None below two values.

    Where all values are the same it has no width: of very few answers it says less than it seems.
    """
    if number < 2:
        return None
    mean = total / number
    variance = max(0.0, squares - total * mean) / (number - 1)
    half = _Z * sqrt(variance / number)
    return mean - half, mean + half
