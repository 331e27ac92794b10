"""
What can happen to a survey, and to a review of quality: the source of truth of the contract.

`schemas/` is generated from this file and `payloads.py`. The vocabulary is this project's own.
"""

from collections.abc import Callable
from typing import Any, ClassVar, get_args

from stream.core.cloudevents import Event, KeyParts
from stream.families.surveys.payloads import InvitationData, ReviewData, SurveyAnswerData

__all__ = ["EVENTS", "QualityReviewed", "SurveyAnswered", "SurveyChanged", "SurveyEvent", "SurveyInvited"]


def _key_parts(event: Any) -> KeyParts:  # noqa: ANN401  # an event of this family
    return (event.tenantid,)


class _OfRated(Event, frozen=True, kw_only=True):
    """Keyed by the tenant: a survey stays on its partition, whichever queue has its case when the answer is changed."""

    topic: ClassVar[str] = "surveys"
    key_parts: ClassVar[Callable[[Any], KeyParts]] = _key_parts


class SurveyInvited(_OfRated, frozen=True, kw_only=True, tag="survey.invited"):
    """A customer was asked; the subject is the survey: one invitation, and its answer."""

    data: InvitationData


class SurveyAnswered(_OfRated, frozen=True, kw_only=True, tag="survey.answered"):
    """The customer answered."""

    data: SurveyAnswerData


class SurveyChanged(_OfRated, frozen=True, kw_only=True, tag="survey.changed"):
    """The customer changed the answer: this one replaces it, where and when the first one counted."""

    data: SurveyAnswerData


class QualityReviewed(_OfRated, frozen=True, kw_only=True, tag="quality.reviewed"):
    """Somebody of the company reviewed a conversation; the subject is the review. A later one replaces it."""

    data: ReviewData


# Written out, most frequent first.
SurveyEvent = SurveyInvited | SurveyAnswered | SurveyChanged | QualityReviewed

EVENTS: tuple[type[SurveyEvent], ...] = get_args(SurveyEvent)
"""Every event of surveys, in the order of the contract."""
