"""What a customer sends from the page of a survey, and the events that it is. Pure: told the time."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from urllib.parse import parse_qs

from msgspec import Struct

from stream.core.cloudevents import Event
from stream.gateway.survey_file import Comments
from stream.sdk.factory import EventFactory
from stream.sdk.survey_links import LinkQuestion, LinkTerms
from stream.sdk.surveys import AnswerFields, SurveyEvents

__all__ = ["LONGEST_COMMENT", "MAX_FORM_BYTES", "UnusableForm", "WebAnswer", "answer_events", "answer_in", "scores_in"]

MAX_FORM_BYTES = 32_768
"""Of a form as it is sent; a comment of the longest fits, though each of its letters may take twelve bytes."""

LONGEST_COMMENT = 2000

_FIELDS = 12
"""More fields than a form of ours has."""


class WebAnswer(Struct, frozen=True):
    """What was chosen, by kind, and what was written."""

    scores: Mapping[str, int]
    comment: str = ""


class UnusableForm(Exception):
    """
    What was sent is no answer; `reason` is a stable code, `word` the key of a sentence for the customer.

    *answer* is what can be read of it: it stands in the form again, since nobody likes to write a thing twice.
    """

    def __init__(self, reason: str, word: str, answer: WebAnswer | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.word = word
        self.answer = answer


def scores_in(fields: Mapping[str, list[str]], terms: LinkTerms) -> dict[str, int]:
    """Return the scores that stand in the fields of a form or an address; what is none of their scales is left out."""
    found = {question.kind: _score(fields.get(question.kind, []), question) for question in terms.questions}
    return {kind: score for kind, score in found.items() if score is not None}


def _score(given: list[str], question: LinkQuestion) -> int | None:
    by_text = {str(score): score for score in question.scores}
    return by_text.get(given[0]) if len(given) == 1 else None


def answer_in(body: bytes, terms: LinkTerms) -> WebAnswer:
    """Return the answer in a form; raises UnusableForm where nothing was chosen, or what was sent is no such form."""
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:  # of UTF-8 as well
        raise UnusableForm("broken_form", "unusable") from None
    scores = scores_in(fields, terms)
    # A browser counts a line's end as one letter, and sends two.
    comment = " ".join(fields.get("comment", [])).replace("\r\n", "\n").strip()
    answer = WebAnswer(scores, comment)
    if any(question.kind in fields and question.kind not in scores for question in terms.questions):
        raise UnusableForm("score_outside_scale", "unusable", answer)
    if not scores:
        raise UnusableForm("no_score", "missing", answer)
    if len(comment) > LONGEST_COMMENT:
        raise UnusableForm("comment_too_long", "too_large", answer)
    return answer


def answer_events(  # all that makes an event
    answer: WebAnswer,
    terms: LinkTerms,
    *,
    form: bytes,
    comments: Comments,
    commented: bool,
    source: str,
    changed: bool,
    at: datetime,
) -> Iterator[Event]:
    """
    Yield an event for each question that was answered.

    *form* is all that the browser has sent, with the link: the same form sent again, by two clicks or by a proxy, has
    the same ids. *commented*: there were words with the answer that this one changes, and they stand.
    """
    digest = blake2b(form, digest_size=12).hexdigest()
    # The words belong to the whole answer; with each question they would be counted as several.
    first = next(question for question in terms.questions if question.kind in answer.scores)
    for question in terms.questions:
        if question.kind not in answer.scores:
            continue
        subject = terms.subject(question)
        events = SurveyEvents(EventFactory(source, tenant=terms.tenant, new_id=f"{subject}/{digest}".__str__))
        comment = question == first and _comment(answer.comment, comments, commented=commented)
        told: AnswerFields = {
            "queue": terms.queue,
            "channel": terms.channel,
            "agent": terms.agent,
            "group": terms.group,
            "scale": question.scale,
            "comment": comment,
            "customer": terms.customer_of(question),
        }
        say = events.changed if changed else events.answered
        yield say(subject, question.kind, answer.scores[question.kind], at=at, **told)


def _comment(words: str, comments: Comments, *, commented: bool) -> bool | str:
    if comments == "none":
        return False
    return words if words and comments == "told" else bool(words) or commented
