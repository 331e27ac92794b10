"""Surveys and reviews: how satisfied customers are, what effort it took them, and how good the work was found."""

from typing import Final

from stream.core.family import Family, FoldOptions
from stream.families.surveys.counts import SurveyCounts
from stream.families.surveys.events import EVENTS
from stream.families.surveys.figures import FIGURES
from stream.families.surveys.fold import SurveysFold
from stream.families.surveys.rated import SURVEY_WINDOWS
from stream.families.surveys.rated_shown import (
    RATED_COLUMNS,
    RATED_FACTS,
    RATED_NOW,
    RATED_SECTIONS,
    RATED_SHOWN_FACTS,
    least_satisfied,
)
from stream.families.surveys.rules import RULES
from stream.families.surveys.snapshot import RATED, SurveySnapshot
from stream.families.surveys.tables import SURVEY_COUNTS, SURVEYS

__all__ = ["FAMILY"]


def _new_fold(options: FoldOptions) -> SurveysFold:
    return SurveysFold(
        options.policies,
        max_queues_per_tenant=options.max_queues_per_tenant,
        max_queues=options.max_queues,
        keep_silent=options.keep_silent,
    )


FAMILY: Final[Family[SurveySnapshot]] = Family(
    name="surveys",
    summary="What customers were asked and answered, and what reviews of quality found.",
    rows="surveys",
    keyed_by="`tenant` in UTF-8, such as `acme`: one partition holds the whole truth of a survey, and of each queue.",
    events=EVENTS,
    tables={"survey_counts": SURVEY_COUNTS, "surveys": SURVEYS},
    new_fold=_new_fold,
    snapshot=SurveySnapshot,
    counts=SurveyCounts,
    windows=SURVEY_WINDOWS,
    compared=True,
    labels=RATED,
    figures=FIGURES,
    columns=RATED_COLUMNS,
    now=RATED_NOW,
    sections=RATED_SECTIONS,
    facts=RATED_FACTS,
    shows=RATED_SHOWN_FACTS,
    urgency=least_satisfied,
    rules=RULES,
)
