"""The figures of surveys and reviews: metrics, and what a board shows of each queue, group and agent."""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from stream.core.columns import is_open, is_quiet
from stream.core.figure import Column, Figure
from stream.core.metric import Kind, Metric, counter, gauge
from stream.families.surveys.rated_columns import (
    bound_of,
    estimated,
    estimated_before,
    ever_counted,
    number_if_ever,
    number_of,
    of_survey_policy,
    taken_back,
)
from stream.families.surveys.rated_shown import RATED_SHOWN
from stream.families.surveys.snapshot import SurveySnapshot

__all__ = ["FIGURES"]

_SECTION: Final = "surveys"
_QUEUE: Final = ("tenant", "queue", "channel")
_WINDOW: Final = (*_QUEUE, "window")
_GROUP: Final = (*_QUEUE, "group")
_KINDS: Final = ("csat", "ces", "nps")

_LIVE: Final = ("today", "7d", "30d")
"""The windows that people look at of what alerts are about."""

_LOOKED_AT: Final = ("7d", "30d")
"""Of the rest: a day seldom has answers enough."""

_OF_GROUPS: Final = ("30d",)
"""Groups are many, and have few answers each."""

SurveyFigure = Figure[SurveySnapshot]


def _of_queue(one: SurveySnapshot) -> tuple[str, ...] | None:
    return None if one.group or one.agent else (one.tenant, one.queue, one.channel)


def _team_of(one: SurveySnapshot) -> tuple[str, ...] | None:
    labels = _of_queue(one)
    return labels and (*labels, one.policy.team)


def _of_group(one: SurveySnapshot) -> tuple[str, ...] | None:
    return (one.tenant, one.queue, one.channel, one.group) if one.group else None


def _of(
    metric: Metric,
    column: Column[SurveySnapshot],
    *,
    written_in: tuple[str, ...] = _LOOKED_AT,
    of: Literal["queue", "group"] = "queue",
) -> SurveyFigure:
    return Figure(
        metric=metric,
        section=_SECTION,
        column=column,
        labels_of=_of_queue if of == "queue" else _of_group,
        show=RATED_SHOWN.get(metric.name),
        written_in=written_in,
    )


def _by(metric: Metric, by: Mapping[str, Column[SurveySnapshot]], *, of_group: bool = False) -> SurveyFigure:
    return Figure(
        metric=metric,
        section=_SECTION,
        by=by,
        labels_of=_of_group if of_group else _of_queue,
        written_in=_OF_GROUPS if of_group else _LOOKED_AT,
    )


class _Told(NamedTuple):
    """What is told of a figure that has a margin of error and a period before."""

    unit: str
    meaning: str
    formula: str
    called: str
    margin: str = "mean ± 1.96 standard errors"


_TOLD: Final = {
    "csat": _Told(
        "ratio",
        "Share of the answers whose score is one of the positive set of the policy.",
        "satisfied ÷ answers",
        "share satisfied",
        "Wilson's interval",
    ),
    "ces": _Told(
        "score",
        "Customer effort score, on the scale of the policy: of all who were asked, or of those who answered.",
        "sum of the ratings ÷ customers asked",
        "customer effort score",
    ),
    "nps": _Told(
        "score",
        "Net promoter score, -100 to 100: promoters gave 9 or 10, detractors 0 to 6.",
        "100 × (promoters - detractors) ÷ answers",
        "net promoter score",
    ),
    "iqs": _Told(
        "ratio",
        "Internal quality score: the mean of the reviews, each the weighted mean of its categories; 0 to 1.",
        "sum of (category × weight) ÷ sum of weights; 0 where a critical category has less than half",
        "internal quality score",
    ),
}


def _with_margin(name: str) -> tuple[SurveyFigure, ...]:
    told = _TOLD[name]
    unit, called = told.unit, told.called
    return (
        _of(
            gauge(f"contact_{name}_{unit}", unit, _WINDOW, told.meaning, told.formula),
            estimated(name),
            written_in=_LIVE,
        ),
        _by(
            gauge(
                f"contact_{name}_bound_{unit}",
                unit,
                (*_WINDOW, "bound"),
                f"Margin of error: with 95 % confidence the {called} is between these, were everybody asked.",
                told.margin,
            ),
            {"lower": bound_of(name, 0), "upper": bound_of(name, 1)},
        ),
        _of(
            gauge(
                f"contact_{name}_before_{unit}", unit, _WINDOW, f"The {called} of the period of that length before it."
            ),
            estimated_before(name),
        ),
    )


_SCORES: Final = (
    *(figure for name in _TOLD for figure in _with_margin(name)),
    _of(
        gauge(
            "contact_csat_mean_score",
            "score",
            _WINDOW,
            "Mean score of satisfaction, told in the scale of the policy whatever scale it was given on.",
        ),
        estimated("csat_mean"),
    ),
    _of(
        gauge("contact_iqs_passed_ratio", "ratio", _WINDOW, "Share of the reviews that reached the pass mark."),
        estimated("iqs_passed"),
    ),
    _by(
        gauge(
            "contact_survey_response_ratio",
            "ratio",
            (*_WINDOW, "kind"),
            "Answers with a known invitation by the invitations of the window; above 1 where many are late.",
            "answers ÷ invitations",
        ),
        {kind: estimated(f"{kind}_response") for kind in _KINDS},
    ),
)

_PARTS: Final = (
    _by(
        gauge(
            "contact_survey_window_answers",
            "answers",
            (*_WINDOW, "kind"),
            "Surveys answered, by time of the first answer; in the window.",
        ),
        {kind: number_if_ever(f"{kind}_answered", f"{kind}_answered") for kind in _KINDS},
    ),
    _by(
        gauge(
            "contact_survey_window_invitations",
            "invitations",
            (*_WINDOW, "kind"),
            "Surveys sent, by time of invitation; in the window.",
        ),
        {kind: number_if_ever(f"{kind}_invited", f"{kind}_invited") for kind in _KINDS},
    ),
    _of(
        gauge("contact_survey_window_comments", "comments", _WINDOW, "Answers with words; in the window."),
        number_of("comments"),
    ),
    _of(
        gauge("contact_survey_window_reviews", "reviews", _WINDOW, "Reviews of quality with a score; in the window."),
        number_if_ever("reviews", "reviews"),
    ),
)

_GROUPS: Final = (
    _of(
        gauge(
            "contact_survey_group_csat_ratio",
            "ratio",
            (*_GROUP, "window"),
            "Share satisfied, of one item or group of customers.",
            "satisfied ÷ answers",
        ),
        estimated("csat"),
        written_in=_OF_GROUPS,
        of="group",
    ),
    _of(
        gauge(
            "contact_survey_group_nps_score",
            "score",
            (*_GROUP, "window"),
            "Net promoter score of one item or group of customers.",
        ),
        estimated("nps"),
        written_in=_OF_GROUPS,
        of="group",
    ),
    _by(
        gauge(
            "contact_survey_group_window_answers",
            "answers",
            (*_GROUP, "window", "kind"),
            "Surveys answered of one item or group of customers; in the window.",
        ),
        {kind: number_if_ever(f"{kind}_answered", f"{kind}_answered") for kind in _KINDS},
        of_group=True,
    ),
)

_TOTALS: Final = (
    _by(
        counter("contact_survey_answers_total", "answers", (*_QUEUE, "kind"), "Surveys answered."),
        {kind: ever_counted(f"{kind}_answered") for kind in _KINDS},
    ),
    _by(
        counter("contact_survey_invitations_total", "invitations", (*_QUEUE, "kind"), "Surveys sent."),
        {kind: ever_counted(f"{kind}_invited") for kind in _KINDS},
    ),
    _of(
        counter("contact_survey_reviews_total", "reviews", _QUEUE, "Reviews of quality with a score."),
        ever_counted("reviews"),
    ),
    _by(
        counter(
            "contact_survey_corrections_total",
            "answers",
            (*_QUEUE, "figure"),
            "What a counter of surveys has counted and a later event took back, such as a changed answer.",
        ),
        {
            "answers": taken_back("answered"),
            "invitations": taken_back("invited"),
            "reviews": taken_back("reviews"),
        },
    ),
)

_POLICY: Final = (
    _of(
        gauge(
            "contact_csat_target_ratio", "ratio", _QUEUE, "The share of satisfied customers that the queue promises."
        ),
        of_survey_policy(lambda policy: policy.csat_target),
    ),
    _of(
        gauge(
            "contact_survey_minimum_answers",
            "answers",
            _QUEUE,
            "So many answers a window must have before a figure of them is judged, or somebody is alerted of it.",
        ),
        of_survey_policy(lambda policy: policy.survey_minimum),
    ),
    _of(
        gauge("contact_survey_queue_open", "bool", _QUEUE, "1 in the opening hours of the queue, 0 outside."),
        is_open,
    ),
    _of(
        gauge(
            "contact_survey_queue_quiet",
            "bool",
            _QUEUE,
            "1 in the quiet hours of the queue, when nobody is alerted of surveys, 0 outside; no sample without any.",
        ),
        is_quiet,
    ),
    Figure(
        metric=gauge("contact_survey_policy_info", "info", (*_QUEUE, "team"), "Who is alerted.", kind=Kind.INFO),
        section=_SECTION,
        column=lambda reading, _: [1] * len(reading.snapshots),
        labels_of=_team_of,
    ),
)

_ONLY_SHOWN: Final = (
    Figure(column=estimated("response"), show=RATED_SHOWN["response"]),
    Figure(column=number_of("answered"), show=RATED_SHOWN["answers"]),
    Figure(column=number_of("invited"), show=RATED_SHOWN["invitations"]),
)
"""Of all kinds together: metrics have them by kind."""

FIGURES: Final[tuple[SurveyFigure, ...]] = (*_SCORES, *_PARTS, *_GROUPS, *_TOTALS, *_POLICY, *_ONLY_SHOWN)
"""Every figure, in the order of the page of metrics."""
