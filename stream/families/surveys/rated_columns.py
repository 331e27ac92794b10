"""How figures of surveys are read from snapshots: columns, one value for each of what is rated."""

from collections.abc import Callable, Sequence
from typing import Any

from stream.core.counted import corrected, counted_ever, counted_in
from stream.core.figure import Column
from stream.core.windows import WINDOWS, earlier
from stream.families.surveys.counts import SurveyCounts
from stream.families.surveys.rules import SurveyPolicy
from stream.families.surveys.scores import Estimate, RatedReading, estimates
from stream.families.surveys.snapshot import SurveySnapshot

__all__ = [
    "EstimatedColumn",
    "bound_of",
    "bounds_of",
    "estimated",
    "estimated_before",
    "ever_counted",
    "number_if_ever",
    "number_of",
    "of_survey_policy",
    "taken_back",
]

RatedColumn = Column[SurveySnapshot]


class EstimatedColumn(list[float | None]):
    """A column of values that knows what each was made of: they are judged by that."""

    def __init__(self, made_of: Sequence[Estimate]) -> None:
        super().__init__(one.value for one in made_of)
        self.made_of = made_of


def estimated(name: str) -> RatedColumn:
    """Return a column of a figure."""
    return lambda reading, window: EstimatedColumn(estimates(reading, name, window))


def estimated_before(name: str) -> RatedColumn:
    """Return a column of the same figure in the period before the window; no sample of what has none before it."""

    def column(reading: RatedReading, window: str) -> Sequence[float | None]:
        if window not in WINDOWS:
            return [None] * len(reading.snapshots)
        return [one.value for one in estimates(reading, name, earlier(window))]

    return column


def bound_of(name: str, side: int) -> RatedColumn:
    """Return a column of the lower (0) or upper (1) bound of a figure."""
    return lambda reading, window: [
        None if one.bounds is None else one.bounds[side] for one in estimates(reading, name, window)
    ]


def bounds_of(name: str, field: str) -> RatedColumn:
    """Return a column of both bounds by name; empty where nothing of *field* was ever counted."""

    def column(reading: RatedReading, window: str) -> Sequence[dict[str, float | None]]:
        once = getattr(counted_ever(reading, SurveyCounts), field)
        found = estimates(reading, name, window)
        return [
            dict(zip(("lower", "upper"), one.bounds or (None, None), strict=True)) if seen else {}
            for one, seen in zip(found, once, strict=True)
        ]

    return column


def number_of(field: str) -> RatedColumn:
    """Return a column of counts."""
    return lambda reading, window: getattr(counted_in(reading, SurveyCounts, window), field)


def number_if_ever(field: str, of: str) -> RatedColumn:
    """Return the same, without a sample where nothing was ever counted in the field *of*."""

    def column(reading: RatedReading, window: str) -> Sequence[int | None]:
        # Asked of all that was ever counted: by the window alone the series would end whenever that is empty.
        once = getattr(counted_ever(reading, SurveyCounts), of)
        counts = getattr(counted_in(reading, SurveyCounts, window), field)
        return [number if seen else None for number, seen in zip(counts, once, strict=True)]

    return column


def ever_counted(field: str) -> RatedColumn:
    """Return a column of all that was ever counted; no sample where there never was one."""
    return lambda reading, _: [number or None for number in getattr(counted_ever(reading, SurveyCounts), field)]


def taken_back(field: str) -> RatedColumn:
    """Return a column of what was counted and taken back; no sample where nothing was."""

    def column(reading: RatedReading, _: str) -> Sequence[int | None]:
        counts = corrected(reading, SurveyCounts)
        if counts is None:
            return [None] * len(reading.snapshots)
        return [number or None for number in getattr(counts, field)]

    return column


def of_survey_policy(value: Callable[[SurveyPolicy], Any]) -> RatedColumn:
    """Return a column of something in the policies."""
    return lambda reading, _: [value(one.policy) for one in reading.snapshots]
