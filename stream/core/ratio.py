"""A ratio or mean as a value: computed of one tally, or of many at once."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from stream.core.vectors import Vectors

__all__ = ["Ratio"]


class Ratio(Struct, frozen=True):
    """
    What is divided by what. None where nothing was counted: an idle queue has not failed anybody.

    Numerator and denominator may only be made by adding and subtracting counts, as `Vectors` do.
    """

    parts: Callable[[Any], tuple[Any, Any]]
    """Returns numerator and denominator of counts."""
    per: int = 1
    """By which the quotient is divided once more, such as 1000 where a sum of milliseconds gives a mean in seconds."""

    def __call__(self, counts: Any) -> float | None:  # noqa: ANN401  # a tally of any family
        """Return the ratio of one tally."""
        numerator, denominator = self.parts(counts)
        return numerator / denominator / self.per if denominator > 0 else None

    def of_each(self, counts: Vectors[Any]) -> Sequence[float | None]:
        """Return the ratio of each of many tallies."""
        numerators, denominators = self.parts(counts)
        # Written out and not by way of the call above, which costs as much as ten divisions.
        return [n / d / self.per if d > 0 else None for n, d in zip(numerators, denominators, strict=True)]
