"""How long something took: how often, in each bucket, and percentiles. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import ceil

from msgspec import Struct

__all__ = ["Distribution", "distribution_of", "quantile", "whole_quantile"]


class Distribution(Struct, frozen=True, kw_only=True):
    """Lengths in one window, by bucket. Percentiles are seconds, estimated as `quantile` does."""

    bounds_seconds: tuple[int, ...]
    """Upper bounds of the buckets, inclusive."""
    counts: tuple[int, ...]
    """Not cumulative; one more than there are bounds: the last are those that took longer."""
    p50: float | None
    p90: float | None
    p95: float | None


def distribution_of(counts: Sequence[int], bounds: tuple[int, ...]) -> Distribution:
    """Return what a window knows of lengths: *counts* by bucket, the last those above all *bounds*, in seconds."""
    p50, p90, p95 = (quantile(share, counts, bounds) for share in (0.5, 0.9, 0.95))
    return Distribution(bounds_seconds=bounds, counts=tuple(counts), p50=p50, p90=p90, p95=p95)


def quantile(share: float, counts: Sequence[int], bounds: Sequence[float]) -> float | None:
    """
    Estimate what a *share* (above 0, at most 1) stayed below; None where nothing was counted.

    As `histogram_quantile` of Prometheus, so that the board and Grafana agree: on a straight line within a
    bucket, the first of which begins at 0. Above the highest bound nothing is known: the answer is that bound.
    """
    counts = [max(number, 0) for number in counts]  # another worker may tell anything
    reached = list(accumulate(counts))
    if not reached[-1]:
        return None
    rank = share * reached[-1]
    place = bisect_left(reached, rank)
    if place >= len(bounds):
        return float(bounds[-1])  # the last bucket has no end to interpolate to
    # A wait cannot be less than 0, so Prometheus lets the first bucket begin there, and so do we.
    begin = bounds[place - 1] if place else 0
    missing = rank - (reached[place] - counts[place])
    return begin + (bounds[place] - begin) * (missing / counts[place])


def whole_quantile(share: float, counts: Sequence[int], bounds: Sequence[float]) -> int | None:
    """
    Estimate the same of whole numbers, rounded up: exact where buckets are one wide, and have whole bounds.

    Of numbers such a percentile is one of them: within a bucket that has only ones nothing is on a straight line.
    """
    estimated = quantile(share, counts, bounds)
    return None if estimated is None else ceil(estimated)
