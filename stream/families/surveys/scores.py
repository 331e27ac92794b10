"""The figures of satisfaction and quality, from counts: each with its margin of error and the number it is made of.

None where nothing was answered: who was not asked is not dissatisfied.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from stream.core.counted import counted_in
from stream.core.figure import Reading
from stream.families.surveys.counts import SurveyCounts
from stream.families.surveys.margins import Bounds, mean_bounds, share_bounds
from stream.families.surveys.reviews import FULL_MARKS
from stream.families.surveys.rules import SurveyPolicy
from stream.families.surveys.scales import SCALES, STEPS, SurveyKind
from stream.families.surveys.snapshot import SurveySnapshot

__all__ = ["ESTIMATES", "Estimate", "RatedReading", "estimates", "survey_counts"]

RatedReading = Reading[SurveySnapshot]


class Estimate(NamedTuple):
    """A figure, its bounds, and how many answers or reviews it is made of."""

    value: float | None
    bounds: Bounds | None
    number: int


_NOTHING = Estimate(None, None, 0)


def _share(part: int, whole: int) -> Estimate:
    return Estimate(part / whole, share_bounds(part, whole), whole) if whole > 0 else _NOTHING


def _mean(number: int, total: float, squares: float, low: float, high: float) -> Estimate:
    """Return a mean of values from *low* to *high*."""
    if number <= 0:
        return _NOTHING
    found = mean_bounds(number, total, squares)
    # A normal distribution has no ends, a scale has.
    bounds = None if found is None else (max(low, found[0]), min(high, found[1]))
    return Estimate(total / number, bounds, number)


def _csat(counts: SurveyCounts, _: SurveyPolicy) -> Estimate:
    return _share(counts.csat_satisfied, counts.csat_answered)


def _on_scale(scale: str, answered: int, steps: int, squares: int) -> tuple[float, float]:
    """Return the sum of scores on a scale, and that of their squares, from those of steps."""
    low, high = SCALES[scale]
    step = (high - low) / STEPS
    return low * answered + step * steps, low * low * answered + 2 * low * step * steps + step * step * squares


def _csat_mean(counts: SurveyCounts, policy: SurveyPolicy) -> Estimate:
    scale, answered = policy.csat_scale, counts.csat_answered
    return _mean(answered, *_on_scale(scale, answered, counts.csat_steps, counts.csat_squares), *SCALES[scale])


def _ces(counts: SurveyCounts, policy: SurveyPolicy) -> Estimate:
    scale, answered = policy.ces_scale, counts.ces_answered
    sums = _on_scale(scale, answered, counts.ces_steps, counts.ces_squares)
    low, high = SCALES[scale]
    if policy.ces_per == "answered":
        return _mean(answered, *sums, low, high)
    # Whoever was asked and did not answer counts for 0.
    asked = counts.ces_asked
    found = _mean(asked, *sums, 0, high)
    # A window may have answers whose invitations are of an earlier one: then its mean has no such margin.
    bounds = found.bounds if answered <= asked else None
    return Estimate(found.value if answered else None, bounds if answered else None, answered)


def _nps(counts: SurveyCounts, _: SurveyPolicy) -> Estimate:
    promoters, detractors = counts.nps_promoters, counts.nps_detractors
    # The mean of 100 for each promoter, -100 for each detractor, and 0 for everybody else.
    total, squares = 100 * (promoters - detractors), 10_000 * (promoters + detractors)
    return _mean(counts.nps_answered, total, squares, -100, 100)


def _iqs(counts: SurveyCounts, _: SurveyPolicy) -> Estimate:
    total, squares = counts.review_points / FULL_MARKS, counts.review_squares / FULL_MARKS**2
    return _mean(counts.reviews, total, squares, 0, 1)


def _iqs_passed(counts: SurveyCounts, _: SurveyPolicy) -> Estimate:
    return _share(counts.reviews_passed, counts.reviews)


def _response(kind: SurveyKind | None) -> Callable[[SurveyCounts, SurveyPolicy], Estimate]:
    prefix = "" if kind is None else f"{kind}_"
    responded, invited = f"{prefix}responded", f"{prefix}invited"
    return lambda counts, _: _share(getattr(counts, responded), getattr(counts, invited))


ESTIMATES: Final[Mapping[str, Callable[[SurveyCounts, SurveyPolicy], Estimate]]] = {
    "csat": _csat,
    "csat_mean": _csat_mean,
    "ces": _ces,
    "nps": _nps,
    "iqs": _iqs,
    "iqs_passed": _iqs_passed,
    "response": _response(None),
    "csat_response": _response("csat"),
    "ces_response": _response("ces"),
    "nps_response": _response("nps"),
}
"""By the name of the figure."""


def survey_counts(reading: RatedReading, window: str) -> Sequence[SurveyCounts]:
    """Return what each has counted in a window."""

    def compute() -> Sequence[SurveyCounts]:
        vectors = counted_in(reading, SurveyCounts, window)
        columns = [getattr(vectors, name) for name in SurveyCounts.__struct_fields__]
        return [SurveyCounts(*numbers) for numbers in zip(*columns, strict=True)]

    return reading.once(("survey counts", window), compute)


def estimates(reading: RatedReading, name: str, window: str) -> Sequence[Estimate]:
    """Return a figure of each in a window."""

    def compute() -> Sequence[Estimate]:
        of, counted = ESTIMATES[name], survey_counts(reading, window)
        return [of(counts, one.policy) for counts, one in zip(counted, reading.snapshots, strict=True)]

    return reading.once((name, window), compute)
