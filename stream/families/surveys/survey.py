"""What is known of one survey, or of one review, whatever order its events came in.

Of invitations the earliest stands, of answers the latest: it counts when and where the first one was given. A review is
kept as an answer, too, for which nobody was asked.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, cast

from msgspec import Struct

from stream.families.surveys.contributions import Asked, Contribution, Rated, Reviewed
from stream.families.surveys.events import QualityReviewed, SurveyAnswered, SurveyChanged, SurveyEvent, SurveyInvited
from stream.families.surveys.payloads import RatedData, SurveyAnswerData
from stream.families.surveys.reviews import FULL_MARKS, review_points
from stream.families.surveys.rules import SurveyPolicy
from stream.families.surveys.scales import SCALES, SurveyKind, steps_above

__all__ = [
    "NEW_SURVEY",
    "CountedAs",
    "QueueName",
    "RatedPlace",
    "SurveyRow",
    "counted_as",
    "fold_survey",
    "is_review",
    "rated_queue",
]

RatedPlace = tuple[str, str, str]
"""Channel, group and agent of which something has figures; empty: of none."""

QueueName = tuple[str, str]
"""Tenant and name of a queue that has figures."""

CountedAs = tuple[tuple[RatedPlace, Contribution], ...]
"""What a survey counts for, and in which figures."""

_REVIEW = "review"
"""The scale, and the kind, of a review."""


class Invitation(Struct, frozen=True, order=True, array_like=True, gc=False):
    """How a customer was asked; of several invitations to one survey the least, so the earliest, stands."""

    at: datetime
    kind: SurveyKind
    channel: str = ""
    group: str = ""
    agent: str = ""
    queue: str = ""


class AnsweredIn(Struct, frozen=True, order=True, array_like=True, gc=False):
    """The queue that an answer, or a review, names; of several the least, so the earliest, stands."""

    at: datetime
    queue: str


class Answer(Struct, frozen=True, order=True, array_like=True, gc=False):
    """
    An answer, or a review; of several the greatest, so the latest, stands.

    Of two of one instant the one that changed another, then that with the higher score: arbitrary, but the same in
    every order.
    """

    at: datetime
    changed: bool
    score: int
    """Higher is better. Of a review, hundredths of a percent; -1: nothing in it applied."""
    scale: str
    kind: SurveyKind | Literal["review"]
    comment: bool = False
    channel: str = ""
    group: str = ""
    agent: str = ""


class SurveyRow(Struct, frozen=True, array_like=True, gc=False):
    """What is known of one survey or review."""

    applied_offset: int = -1
    heard_on: int = 0
    """The day of the queue's newest event when something was last heard of it; by that it is forgotten."""
    invitation: Invitation | None = None
    answered_at: datetime | None = None
    """When it was first answered."""
    answer: Answer | None = None
    counted: CountedAs = ()
    """What it was counted for: a policy that has changed since then must not change what is taken back."""
    answered_in: AnsweredIn | None = None
    counted_in: QueueName | None = None
    """Where it was counted: names beyond a limit share one. None: in that of its key, by a version before."""


NEW_SURVEY = SurveyRow()

Facts = tuple[Invitation | None, datetime | None, Answer | None, AnsweredIn | None]


def is_review(event: SurveyEvent) -> bool:
    """Tell whether an event is about a review: its subject is none of a survey."""
    return type(event) is QualityReviewed


def fold_survey(row: SurveyRow, event: SurveyEvent) -> Facts | None:
    """Return what is known with an event; None if it tells nothing new."""
    # `type` and not `match`, which takes a microsecond for each event.
    if type(event) is SurveyInvited:
        data, known = event.data, row.invitation
        told = Invitation(
            event.time, data.kind, data.channel or "", data.group or "", data.agent or "", data.queue or ""
        )
        if known is not None and known <= told:
            return None
        return told, row.answered_at, row.answer, row.answered_in
    if type(event) is QualityReviewed:
        return _with_answer(row, _review(event), event.data.queue)
    return _with_answer(row, _answer(cast("SurveyAnswered | SurveyChanged", event)), event.data.queue)


def _review(event: QualityReviewed) -> Answer:
    points = review_points(event.data.categories)
    score = -1 if points is None else points
    return Answer(event.time, False, score, _REVIEW, "review", False, *_place_told(event.data))  # noqa: FBT003  # in the order of a row


def _place_told(data: RatedData) -> tuple[str, str, str]:
    return data.channel or "", data.group or "", data.agent or ""


def _answer(event: SurveyAnswered | SurveyChanged) -> Answer:
    data: SurveyAnswerData = event.data
    scale, score = data.rated_on, data.score
    if not data.higher_is_better:
        low, high = SCALES[scale]
        score = low + high - score
    changed = type(event) is SurveyChanged
    comment = data.comment if isinstance(data.comment, bool) else bool(data.comment.strip())
    return Answer(event.time, changed, score, scale, data.kind, comment, *_place_told(data))


def _with_answer(row: SurveyRow, answer: Answer, queue: str | None) -> Facts | None:
    first, latest, answered_in = row.answered_at, row.answer, row.answered_in
    if queue is not None:
        told = AnsweredIn(answer.at, queue)
        answered_in = told if answered_in is None else min(answered_in, told)
    if latest is None or first is None:
        return row.invitation, answer.at, answer, answered_in
    if answer <= latest and first <= answer.at and answered_in == row.answered_in:
        return None
    return row.invitation, min(first, answer.at), max(latest, answer), answered_in


def rated_queue(facts: Facts) -> str:
    """Return the queue that a survey of these facts counts in; empty: it is the tenant as a whole that is rated."""
    invitation, _, _, answered_in = facts
    if invitation is not None and invitation.queue:
        return invitation.queue
    return "" if answered_in is None else answered_in.queue


def counted_as(
    facts: Facts, policy_of: Callable[[str], SurveyPolicy], place_of: Callable[[str, str, str], RatedPlace]
) -> CountedAs:
    """
    Return what a survey of these facts counts for.

    *policy_of* is that of a channel; *place_of* tells which groups and agents have figures of their own.
    """
    invitation, answered_at, answer, _ = facts
    counted: CountedAs = ()
    if invitation is not None:
        place = place_of(invitation.channel, invitation.group, invitation.agent)
        counted = ((place, Asked(invitation.at, invitation.kind)),)
    if answer is None or answered_at is None:
        return counted
    asked = invitation or answer
    # An answer that does not say whom it rates, rates whom the invitation has named.
    place = place_of(answer.channel or asked.channel, answer.group or asked.group, answer.agent or asked.agent)
    contribution = _contribution(answer, answered_at, policy_of(place[0]), invited=invitation is not None)
    return counted if contribution is None else (*counted, (place, contribution))


def _contribution(answer: Answer, at: datetime, policy: SurveyPolicy, *, invited: bool) -> Contribution | None:
    if answer.kind == "review":
        passed = answer.score >= policy.quality_pass_mark * FULL_MARKS
        return None if answer.score < 0 else Reviewed(at, answer.score, passed)
    satisfied = answer.kind == "csat" and answer.score in policy.csat_positive[answer.scale]
    return Rated(at, answer.kind, steps_above(answer.score, answer.scale), satisfied, invited, answer.comment)
