"""What questions of a survey mean, as a person says it, and the events that a customer's answers to them are."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Unpack

from msgspec import Meta, Struct

from stream.core.cloudevents import Event
from stream.errors import InvalidEvent
from stream.families.surveys.scales import Scale, SurveyKind
from stream.sdk.factory import EventFactory
from stream.sdk.surveys import AnswerFields, SurveyEvents
from stream.sources.requests.parts import UnusablePart

__all__ = ["Question", "QuestionScore", "SurveyResponse", "events_of_response"]


class Question(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one question asks."""

    kind: Annotated[SurveyKind, Meta(description="What it asks about.")]
    scale: Annotated[Scale | None, Meta(description="By default 1-5 for csat, 1-10 for ces, and 0-10 for nps.")] = None
    higher_is_better: bool = True
    """False where the highest score is the worst, such as of questions how hard something was."""
    above: Annotated[int, Meta(ge=-10, le=10)] = 0
    """What is added to a score: 1 where a system counts from 0 what the scale counts from 1."""


class QuestionScore(Struct, frozen=True):
    """How one question was answered; *question* is what the system calls it, and never changes."""

    question: str
    asks: Question
    score: int


class SurveyResponse(Struct, frozen=True, kw_only=True):
    """What one customer answered at once."""

    id: str
    scores: Sequence[QuestionScore]
    at: datetime
    revision: str = ""
    """Tells answers apart that replace each other; empty for the first, and where answers cannot change."""


def events_of_response(
    response: SurveyResponse, source: str, tenant: str, **told: Unpack[AnswerFields]
) -> Iterator[Event]:
    """
    Yield an event for each score, with the same id whenever it is told again.

    Each question is a survey of its own: `subject` is the response with its question, since one has one answer.
    Raises UnusablePart for a score outside the scale.
    """
    for each in response.scores:
        survey = f"{response.id}/{each.question}"
        name = f"{survey}/{response.revision}" if response.revision else survey
        surveys = SurveyEvents(EventFactory(source, tenant=tenant, new_id=partial(str, name)))
        say = surveys.changed if response.revision else surveys.answered
        fields: AnswerFields = {**told, "scale": each.asks.scale, "higher_is_better": each.asks.higher_is_better}
        try:
            yield say(survey, each.asks.kind, each.score + each.asks.above, at=response.at, **fields)
        except InvalidEvent:
            detail = "the score is outside the scale of its question: see what `questions` says of it"
            raise UnusablePart("score_outside_scale", detail) from None
