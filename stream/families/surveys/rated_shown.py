"""How a board shows satisfaction and quality, and judges them: by targets, margins of error and how many answered."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Literal

from stream.core.figure import Column, Format, NotePlace, Parts, Row, Show, ShownNote
from stream.core.judgement import State
from stream.families.surveys.rated_columns import (
    EstimatedColumn,
    bound_of,
    bounds_of,
    estimated_before,
    number_of,
    of_survey_policy,
)
from stream.families.surveys.rules import SurveyPolicy
from stream.families.surveys.scores import Estimate, RatedReading, estimates
from stream.families.surveys.snapshot import SurveySnapshot

__all__ = [
    "RATED_COLUMNS",
    "RATED_FACTS",
    "RATED_NOW",
    "RATED_SECTIONS",
    "RATED_SHOWN",
    "RATED_SHOWN_FACTS",
    "least_satisfied",
]

_FORMATS: Final[dict[str, Format]] = {"csat": "level", "ces": "score", "nps": "score", "iqs": "level"}
"""What has a margin of error and a period before, and how it is written."""

_MADE_OF: Final = {"csat": "csat_answered", "ces": "ces_answered", "nps": "nps_answered", "iqs": "reviews"}
"""The counts that tell of how many answers or reviews."""

_NUMBERS: Final = {"csat": "csat_answers", "ces": "ces_answers", "nps": "nps_answers", "iqs": "reviews"}
"""What these are called in a row."""


_IN_DETAIL: Final[tuple[NotePlace, ...]] = ("detail",)
_IN_TILES: Final[tuple[NotePlace, ...]] = ("tile", "detail")


def _judge(
    target_of: Callable[[SurveyPolicy], float | None], reading: RatedReading, column: Sequence[Any]
) -> Sequence[State]:
    assert isinstance(column, EstimatedColumn)
    return [
        _verdict(one, target_of(snapshot.policy), snapshot.policy.survey_minimum)
        for one, snapshot in zip(column.made_of, reading.snapshots, strict=True)
    ]


def _verdict(one: Estimate, target: float | None, minimum: int) -> State:
    """
    Judge a figure by its target, as far as its margin of error allows.

    Missed for sure is a target that even the upper bound does not reach; of few answers nothing can be told.
    """
    if one.value is None or target is None or one.number < minimum:
        return State.NO_SAMPLE
    if one.value >= target:
        return State.OK
    return State.AT_RISK if one.bounds is not None and one.bounds[1] >= target else State.BREACHED


def _note(name: str) -> tuple[ShownNote, ...]:
    form = _FORMATS[name]
    blanks: dict[str, Format] = {f"{name}_lower": form, f"{name}_upper": form, _NUMBERS[name]: "count"}
    where = _IN_TILES if name == "csat" else _IN_DETAIL  # beside the first figure of a tile there is no room for more
    return (
        ShownNote(word=f"{name}_margin", blanks=blanks, where=where, if_any=True),
        ShownNote(word=f"{name}_was", blanks={f"{name}_before": form}, where=_IN_DETAIL, if_any=True),
        ShownNote(word=f"{name}_too_few", blanks={f"{name}_missing": "count"}, where=where, if_any=True),
    )


def _score(
    name: str,
    target_of: Callable[[SurveyPolicy], float | None],
    rank: int = 0,
    tile: Literal["large", "small"] = "large",
) -> Show[SurveySnapshot]:
    return Show(
        name=name,
        format=_FORMATS[name],
        title=name.upper(),
        rank=rank,
        tile=tile,
        judged_as=name,
        judge=partial(_judge, target_of),
        notes=_note(name),
    )


RATED_SHOWN: Final[dict[str, Show[SurveySnapshot]]] = {
    "contact_csat_ratio": _score("csat", lambda policy: policy.csat_target),
    "contact_nps_score": _score("nps", lambda policy: policy.nps_target, 1),
    "contact_ces_score": _score("ces", lambda policy: policy.ces_target, 2),
    "contact_iqs_ratio": _score("iqs", lambda policy: policy.iqs_target, 3, "small"),
    "contact_csat_mean_score": Show(name="csat_mean", format="score", title="mean", if_any=True),
    "contact_iqs_passed_ratio": Show(name="iqs_passed", format="share", title="passed"),
    "contact_survey_window_comments": Show(name="survey_comments", format="count", title="comments"),
    "contact_survey_window_reviews": Show(name="reviews", format="count", title="reviews", rank=7),
    "response": Show(name="response", format="share", title="response", word="response_rate", rank=5, tile="small"),
    "answers": Show(name="survey_answers", format="count", title="answers", rank=4, tile="small"),
    "invitations": Show(name="survey_invitations", format="count", title="invitations", rank=6),
}
"""By metric; figures without one by their own names."""

RATED_COLUMNS: Final = (
    *("csat", "nps", "ces", "iqs"),
    *("response", "survey_answers", "survey_invitations", "reviews"),
)
"""What a list shows."""

RATED_NOW: Final = ("csat", "nps", "ces", "iqs")
"""What a detail shows large."""

RATED_SECTIONS: Final = {
    "satisfaction": ("csat", "csat_bounds", "csat_before", "csat_mean", "csat_answers"),
    "recommendation": ("nps", "nps_bounds", "nps_before", "nps_answers"),
    "effort": ("ces", "ces_bounds", "ces_before", "ces_answers"),
    "quality": ("iqs", "iqs_bounds", "iqs_before", "iqs_passed", "reviews"),
    "asking": ("survey_invitations", "survey_answers", "response", "survey_comments"),
}
"""What a detail shows in every window."""


def _missing(name: str) -> Column[SurveySnapshot]:
    """Return a column of how many more answers it takes to be judged; None where there are enough, or none at all."""

    def column(reading: RatedReading, window: str) -> Sequence[int | None]:
        return [
            snapshot.policy.survey_minimum - one.number if 0 < one.number < snapshot.policy.survey_minimum else None
            for one, snapshot in zip(estimates(reading, name, window), reading.snapshots, strict=True)
        ]

    return column


RATED_FACTS: Final[dict[str, Column[SurveySnapshot]]] = {
    **{f"{name}_lower": bound_of(name, 0) for name in _FORMATS},
    **{f"{name}_upper": bound_of(name, 1) for name in _FORMATS},
    **{f"{name}_bounds": bounds_of(name, counted) for name, counted in _MADE_OF.items()},
    **{f"{name}_before": estimated_before(name) for name in _FORMATS},
    **{f"{name}_missing": _missing(name) for name in _FORMATS},
    **{_NUMBERS[name]: number_of(counted) for name, counted in _MADE_OF.items() if name != "iqs"},
    "csat_target": of_survey_policy(lambda policy: policy.csat_target),
    "survey_minimum": of_survey_policy(lambda policy: policy.survey_minimum),
}
"""What a row tells beside its figures."""

RATED_SHOWN_FACTS: Final[tuple[Show[SurveySnapshot], ...]] = (
    *(
        Show(name=f"{name}_bounds", format=form, title=f"{name.upper()} bounds", parts=Parts())
        for name, form in _FORMATS.items()
    ),
    *(
        Show(name=f"{name}_before", format=form, title=f"{name.upper()} before", if_any=True)
        for name, form in _FORMATS.items()
    ),
    *(
        Show(name=_NUMBERS[name], format="count", title=f"{name.upper()} answers", if_any=True)
        for name in _FORMATS
        if name != "iqs"
    ),
)
"""How those facts are shown that the detail has."""


def least_satisfied(row: Row) -> tuple[float]:
    """Order rows of one state by how far satisfaction is from its target."""
    return (0.0 if row["csat"] is None else row["csat"] - row["csat_target"],)
