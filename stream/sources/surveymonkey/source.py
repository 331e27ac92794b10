"""SurveyMonkey as a source: complete responses to one survey, as they are given and changed."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import Instant
from stream.core.identity import opaque_id
from stream.sdk.factory import utc_now
from stream.sdk.surveys import AnswerFields
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.pulling.web_api import ApiPuller, WebApi, header_login
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.source import ConnectionFile, Setup, Source, position_beside
from stream.sources.survey_lists import (
    ListCursor,
    ListPace,
    ResponseList,
    ResponsePage,
    SurveyAccount,
    ToldResponse,
    response_puller,
)
from stream.sources.survey_questions import Question, QuestionScore, SurveyResponse
from stream.sources.toml_file import toml_of
from stream.sources.toml_text import toml_table_of

__all__ = ["SOURCE", "ChoiceQuestion", "Options", "SurveyMonkeyAccount", "surveymonkey_puller"]

_PAGE: Final = 100
"""The most that SurveyMonkey answers with."""

_REMEMBERED: Final = timedelta(days=30)

_NUMBER_AT_THE_END: Final = re.compile(r"(?:^|\D)(\d{1,2})$", re.ASCII)
"""Of the text of a choice, such as `Not at all likely - 0`, or of a slider."""

_COUNTED: Final = frozenset({"default", "data_entry", "edit"})
"""Ways of collecting; `preview` and `survey_preview` are whoever made the survey."""

_PREVIEWS: Final = frozenset({"preview", "survey_preview"})


class ChoiceQuestion(Question, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one question asks, and what its choices are worth."""

    choices: Mapping[str, int] = {}
    """Scores by the text of a choice, or its id: for choices that neither are numbers nor have a weight."""
    no_answer: tuple[str, ...] = ("N/A",)
    """Choices that are no answer, likewise."""


class SurveyMonkeyAccount(SurveyAccount, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file, about one survey."""

    survey: Annotated[str, Meta(description="The id of the survey, a number.", pattern=r"^\d{1,20}$")]
    questions: Annotated[
        Mapping[str, ChoiceQuestion],
        Meta(description="What questions mean, by their id; of a matrix `question/row`.", min_length=1),
    ]
    address: Annotated[
        str, Meta(description="The API; in Europe https://api.eu.surveymonkey.com/v3, in Canada …surveymonkey.ca/v3.")
    ] = "https://api.surveymonkey.com/v3"
    poll_seconds: Annotated[int, Meta(ge=10, le=86_400)] = 300
    source_name: Annotated[str, Meta(min_length=1, max_length=200)] = "/surveymonkey"
    queue_variable: str = "queue"
    """The custom variable with the queue that is rated."""
    agent_variable: str = "agent"
    """The custom variable with the agent's id."""
    customer_variable: str = "customer_id"
    """The custom variable with an opaque id of the customer."""


class Options(Struct, frozen=True, kw_only=True):
    """What a person says on the command line."""

    file: Annotated[
        Path, Meta(description="A TOML file about one survey: token_file, since, survey, [questions], and the like.")
    ]


class _Weight(Struct):
    weight: str | int | None = None


class _Answer(Struct):
    choice_id: str = ""
    other_id: str = ""
    row_id: str = ""
    choice_metadata: _Weight | None = None
    # Decoded of questions that are to be scores, where it is the text of a choice; else it is a customer's.
    simple_text: msgspec.Raw = msgspec.Raw(b'""')
    text: msgspec.Raw = msgspec.Raw(b'""')


class _Asked(Struct):
    id: Annotated[str, Meta(min_length=1, max_length=60)]
    answers: list[_Answer] = []


class _Page(Struct):
    questions: list[_Asked] = []


class _Response(Struct):
    id: Annotated[str, Meta(min_length=1, max_length=100)]
    date_modified: Instant
    pages: list[_Page] = []
    custom_variables: dict[str, str] = {}
    collection_mode: str = "default"
    response_status: str = "completed"


class _Links(Struct):
    next: str | None = None


class _ResponsePage(Struct):
    data: list[msgspec.Raw]
    links: _Links


class _Responses:
    def __init__(self, account: SurveyMonkeyAccount) -> None:
        self._account = account

    async def fetch(self, api: WebApi, after: datetime, page: int) -> ResponsePage:
        parameters = {
            "start_modified_at": after.astimezone(UTC).isoformat(timespec="seconds"),
            "sort_by": "date_modified",
            "sort_order": "ASC",
            "status": "completed",
            "simple": "true",  # the texts of choices
            "page": str(page),
            "per_page": str(_PAGE),
        }
        content = await api.get(f"surveys/{self._account.survey}/responses/bulk", parameters)
        told = msgspec.json.decode(content, type=_ResponsePage)
        # Only whether there is a next page is of use: nobody else's link is followed with our token.
        return ResponsePage([bytes(raw) for raw in told.data], bool(told.links.next))

    def read(self, raw: bytes) -> ToldResponse:
        told = msgspec.json.decode(raw, type=_Response)
        asked = [question for page in told.pages for question in page.questions]
        is_counted = told.collection_mode in _COUNTED and told.response_status == "completed"
        mode = told.collection_mode
        return ToldResponse(
            response=SurveyResponse(
                id=told.id,
                scores=[*self._scores(asked)] if is_counted else [],
                at=told.date_modified.astimezone(UTC),
            ),
            told=self._fields(told.custom_variables, comment=any(self._has_words(question) for question in asked)),
            modified=told.date_modified,
            unknown=mode if mode not in _COUNTED | _PREVIEWS else None,
        )

    def _fields(self, variables: Mapping[str, str], *, comment: bool) -> AnswerFields:
        account = self._account
        return {
            "queue": variables.get(account.queue_variable) or account.queue,
            "channel": account.channel,
            "agent": opaque_id(variables.get(account.agent_variable)),
            "customer": opaque_id(variables.get(account.customer_variable)),
            "comment": comment,
        }

    def _scores(self, asked: list[_Asked]) -> Iterator[QuestionScore]:
        for question in asked:
            # Words in the box beside the choices are an answer of their own.
            chosen = [answer for answer in question.answers if not answer.other_id]
            for answer in chosen:
                name, asks = self._asks(question, answer)
                if asks is None:
                    continue
                if name == question.id and len(chosen) > 1:
                    detail = "a question that is to be a score has several answers: name it with its row"
                    raise UnusablePart("several_answers", detail)
                if (score := _score(asks, answer)) is not None:
                    yield QuestionScore(name, asks, score)

    def _asks(self, question: _Asked, answer: _Answer) -> tuple[str, ChoiceQuestion | None]:
        questions, row = self._account.questions, f"{question.id}/{answer.row_id}"
        return (row, questions[row]) if row in questions else (question.id, questions.get(question.id))

    def _has_words(self, question: _Asked) -> bool:
        # A score may be told as text.
        is_score = question.id in self._account.questions
        return any(
            bytes(answer.text) not in {b'""', b"null"} for answer in question.answers if answer.other_id or not is_score
        )


def _score(asks: ChoiceQuestion, answer: _Answer) -> int | None:
    text = msgspec.json.decode(answer.simple_text, type=str | None) or ""
    for told in (text, answer.choice_id):
        if told in asks.choices:
            return asks.choices[told]
        if told in asks.no_answer:
            return None
    # Of NPS it is -100, 0 or 100, which is no score.
    weight = None if answer.choice_metadata is None else answer.choice_metadata.weight
    if asks.kind != "nps" and weight is not None and re.fullmatch(r"\d{1,2}", str(weight), re.ASCII):
        return int(weight)
    number = _NUMBER_AT_THE_END.search(text.strip())
    if number is None:
        raise UnusablePart("no_score", "an answer that is to be a score is no number: say under `choices` what it is")
    return int(number[1])


def surveymonkey_puller(
    account: SurveyMonkeyAccount,
    intake: Intake,
    *,
    clock: Callable[[], datetime] = utc_now,
    poll_seconds: float | None = None,
    back_off: BackOff | None = None,
) -> ApiPuller[ListCursor]:
    """Return what reads the responses to a survey; raises SettingsError."""
    survey = _Responses(account)
    # A change moves a response to where new ones are: nothing has to be read again.
    pace = ListPace(begin=account.begin, reread=timedelta(0), remember=_REMEMBERED, moves=True)
    responses = ResponseList(account, intake, fetch=survey.fetch, read=survey.read, pace=pace, clock=clock)
    login = header_login("Authorization", SecretLines(account.token_file), "Bearer ")
    return response_puller(
        account, responses, account.address, login, intake, poll_seconds=poll_seconds, back_off=back_off
    )


SOURCE: Final = Source(
    name="surveymonkey",
    about="SurveyMonkey: what customers answer about satisfaction, effort and recommendation.",
    options=Options,
    pull=lambda options, intake: surveymonkey_puller(toml_of(options.file, SurveyMonkeyAccount), intake),
    position=lambda options: position_beside(options.file),
    setup=Setup(
        steps="docs/sources/surveymonkey.md says how to get a token, and what finds the ids of surveys and questions.",
        also_asked=("tenant", "queue", "address"),
        file=ConnectionFile(asks=SurveyMonkeyAccount, text=lambda told, _: toml_table_of((), told)),
    ),
)
"""Its entry of the registry."""
