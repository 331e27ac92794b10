"""Events of surveys and reviews of quality, for whoever asks customers or listens to conversations.

events = SurveyEvents(EventFactory(source="/surveys", tenant="acme"))
await producer.send(events.answered("survey-3", "csat", 4, queue="sales"))
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from stream.core.cloudevents import Channel
from stream.errors import InvalidEvent
from stream.families.surveys import events as e
from stream.families.surveys.payloads import InvitationData, ReviewCategory, ReviewData, SurveyAnswerData
from stream.families.surveys.scales import Scale, SurveyKind
from stream.sdk.factory import EventFactory, check_keywords

__all__ = ["AnswerFields", "RatedFields", "ReviewCategory", "SurveyEvents"]


class RatedFields(TypedDict, total=False):
    """What is rated. A survey counts in the queue that its invitation names, else in that of the first answer."""

    queue: str | None
    """That handled it; without one it is the tenant as a whole that is rated."""
    channel: Channel | None
    group: str | None
    """An item, or a group of customers, that has figures of its own; there may only be few of them."""
    agent: str | None


class AnswerFields(RatedFields, total=False):
    """What may be told of an answer beside its score."""

    scale: Scale | None
    """By default 1-5 for csat, 1-10 for ces, and 0-10 for nps, which knows no other."""
    higher_is_better: bool
    """False where the highest score is the worst, such as of questions how hard something was."""
    comment: bool | str
    """Whether there are words beside the score, or these words: they are counted, and never kept."""
    customer: str | None
    """An opaque id, never a name or address."""


def _answer(kind: SurveyKind, score: int, told: AnswerFields) -> SurveyAnswerData:
    check_keywords(told, AnswerFields)
    try:
        return SurveyAnswerData(kind=kind, score=score, **told)
    except (ValueError, TypeError, KeyError):
        # Without the value: what a customer answered is nobody's business in a log.
        raise InvalidEvent("invalid_field", "the score does not fit its kind and scale", field="data.score") from None


class SurveyEvents:
    """
    Makes events of surveys and reviews for the source and tenant of an `EventFactory`.

    Each method has the id of the survey or review first, and `at`: when it happened, if that was not now. A keyword
    that is none raises InvalidEvent at once, as a score outside its scale does.
    """

    def __init__(self, factory: EventFactory) -> None:
        self._envelope = factory.envelope

    def invited(
        self,
        survey: str,
        kind: SurveyKind,
        *,
        customer: str | None = None,
        at: datetime | None = None,
        **rated: Unpack[RatedFields],
    ) -> e.SurveyInvited:
        """A customer was asked; with `customer`, an opaque id, those who are asked too often are found."""
        check_keywords(rated, RatedFields)
        data = InvitationData(kind=kind, customer=customer, **rated)
        return e.SurveyInvited(**self._envelope(survey, at), data=data)

    def answered(
        self, survey: str, kind: SurveyKind, score: int, *, at: datetime | None = None, **told: Unpack[AnswerFields]
    ) -> e.SurveyAnswered:
        """The customer answered."""
        return e.SurveyAnswered(**self._envelope(survey, at), data=_answer(kind, score, told))

    def changed(
        self, survey: str, kind: SurveyKind, score: int, *, at: datetime | None = None, **told: Unpack[AnswerFields]
    ) -> e.SurveyChanged:
        """The customer changed the answer: this one replaces it, where and when the first one counted."""
        return e.SurveyChanged(**self._envelope(survey, at), data=_answer(kind, score, told))

    def reviewed(
        self,
        review: str,
        categories: Sequence[ReviewCategory],
        *,
        at: datetime | None = None,
        **rated: Unpack[RatedFields],
    ) -> e.QualityReviewed:
        """Somebody of the company reviewed a conversation; a later review with the same id replaces it."""
        check_keywords(rated, RatedFields)
        return e.QualityReviewed(**self._envelope(review, at), data=ReviewData(categories=tuple(categories), **rated))
