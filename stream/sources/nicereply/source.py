"""Nicereply as a source: responses to surveys, by either of its APIs, read again while they may change."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from stream.core.cloudevents import Instant, Name
from stream.sdk.factory import utc_now
from stream.sources.address_ids import AddressIds
from stream.sources.intake import Intake
from stream.sources.nicereply.rated_by import RatedBy
from stream.sources.pulling.shipping import BackOff
from stream.sources.pulling.web_api import ApiPuller, WebApi, basic_login
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

__all__ = ["SOURCE", "NicereplyAccount", "Options", "nicereply_puller"]

_PAGE: Final = 100

_RATING: Final = "rating"
"""What the only question of a rating of version 1 is called in the file."""

_OF_NO_SCORE: Final = frozenset({"OPEN_ENDED"})

ResponseId = Annotated[str, Meta(min_length=1, max_length=100)]


class NicereplyAccount(SurveyAccount, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    questions: Annotated[
        Mapping[str, Question],
        Meta(description="What questions mean, by their id; of version 1 that of `rating` alone.", min_length=1),
    ]
    address: Annotated[str, Meta(description="The API.")] = "https://api.nicereply.com"
    path: Annotated[
        str,
        Meta(
            description="All responses, those of one survey (surveys/ID/responses), or a list of version 1.",
            pattern=r"^(surveys/[\w-]{1,100}/)?responses$|^v1/(csat|ces|nps|surveys/\d{1,20})/ratings$",
        ),
    ] = "responses"
    user: Annotated[str, Meta(description="The account's address of e-mail; version 1 wants none.")] = ""
    reread_days: Annotated[int, Meta(ge=0, le=60)] = 7
    """Responses of so many days are read again once in an hour: customers change them."""
    poll_seconds: Annotated[int, Meta(ge=10, le=86_400)] = 60
    source_name: Annotated[str, Meta(min_length=1, max_length=200)] = "/nicereply"
    queues: Mapping[str, Name] = {}
    """Queues by the id of the survey; those of others rate *queue*."""
    address_key_file: Path | None = None
    """With it a customer who is known by an address alone has an opaque id; else none."""


class Options(Struct, frozen=True, kw_only=True):
    """What a person says on the command line."""

    file: Annotated[
        Path, Meta(description="A TOML file: token_file, since, [questions], and where needed user, path, queue.")
    ]


class _Scale(Struct):
    value: int | None = None


class _Words(Struct):
    # Not decoded: what customers write is nobody's business here.
    value: msgspec.Raw = msgspec.Raw(b"null")


class _Answer(Struct):
    question_id: ResponseId
    question_type: Annotated[str, Meta(min_length=1)]
    scale: _Scale | None = None
    open_ended: _Words | None = None


class _Response(Struct):
    id: ResponseId
    created_at: Instant
    answers: list[_Answer] = []
    updated_at: Instant | None = None
    survey_id: int | str | None = None
    customer_id: str | None = None
    address: str | None = field(default=None, name="from")


class _User(Struct):
    username: str | None = None


class _Customer(Struct):
    email: str | None = None


class _Rating(Struct):
    """A response of version 1: one score."""

    id: int | ResponseId
    created_at: Instant
    score: int
    updated_at: Instant | None = None
    survey_id: int | str | None = None
    comment: msgspec.Raw = msgspec.Raw(b"null")
    user: _User | None = None
    customer: _Customer | None = None


class _Given(Struct):
    created_at: Instant


class _Pagination(Struct):
    total_pages: int


class _ResponsePage(Struct):
    data: list[msgspec.Raw]
    pagination: _Pagination


class _Links(Struct):
    next: str | None = None


class _PaginationV1(Struct):
    links: _Links | list[str] = []  # an empty object of PHP is a list


class _RatingPage(Struct):
    results: list[msgspec.Raw] = field(name="_results")
    pagination: _PaginationV1 = field(name="_pagination")


class _Responses:
    """The lists of the API without a number: several questions in one response."""

    def __init__(self, account: NicereplyAccount, rated: RatedBy) -> None:
        self._account = account
        self._rated = rated

    async def fetch(self, api: WebApi, after: datetime, page: int) -> ResponsePage:
        parameters = {"created_after": _without_fraction(after), "sort_order": "asc", **_page(page)}
        told = msgspec.json.decode(await api.get(self._account.path, parameters), type=_ResponsePage)
        return ResponsePage([bytes(raw) for raw in told.data], page < told.pagination.total_pages)

    def read(self, raw: bytes) -> ToldResponse:
        told = msgspec.json.decode(raw, type=_Response)
        scores = [score for answer in told.answers if (score := self._score(answer)) is not None]
        unknown = [each.question_type for each in told.answers if each.scale is None]
        comment = any(_has_words(each.open_ended.value) for each in told.answers if each.open_ended is not None)
        return ToldResponse(
            response=SurveyResponse(id=told.id, scores=scores, at=told.created_at.astimezone(UTC)),
            told=self._rated.fields(told.survey_id, None, told.customer_id or told.address, comment=comment),
            modified=told.updated_at,
            unknown=next((kind for kind in unknown if kind not in _OF_NO_SCORE), None),
        )

    def _score(self, answer: _Answer) -> QuestionScore | None:
        asks = self._account.questions.get(answer.question_id)
        if asks is None:
            return None
        if answer.scale is None:
            raise UnusablePart("no_score", "a question that is to be a score was answered with something else")
        # Left out by the customer.
        if answer.scale.value is None:
            return None
        return QuestionScore(answer.question_id, asks, answer.scale.value)


class _Ratings:
    """The lists of version 1: each response is one score. Newest first, and none can be asked for what is new."""

    def __init__(self, account: NicereplyAccount, rated: RatedBy) -> None:
        self._account = account
        self._rated = rated

    async def fetch(self, api: WebApi, after: datetime, page: int) -> ResponsePage:
        told = msgspec.json.decode(await api.get(self._account.path, _page(page)), type=_RatingPage)
        responses, links = [bytes(raw) for raw in told.results], told.pagination.links
        # Only whether there is a next page is of use: nobody else's link is followed with our key.
        more = isinstance(links, _Links) and bool(links.next)
        return ResponsePage(responses, more and not _is_behind(responses, after))

    def read(self, raw: bytes) -> ToldResponse:
        told, asks = msgspec.json.decode(raw, type=_Rating), self._account.questions.get(_RATING)
        # Several lists may know the same number, which is why what is asked is part of the survey.
        scores = [] if asks is None else [QuestionScore(asks.kind, asks, told.score)]
        agent = None if told.user is None else told.user.username
        customer = None if told.customer is None else told.customer.email
        return ToldResponse(
            response=SurveyResponse(id=str(told.id), scores=scores, at=told.created_at.astimezone(UTC)),
            told=self._rated.fields(told.survey_id, agent, customer, comment=_has_words(told.comment)),
            modified=told.updated_at,
        )


def nicereply_puller(
    account: NicereplyAccount,
    intake: Intake,
    *,
    clock: Callable[[], datetime] = utc_now,
    poll_seconds: float | None = None,
    back_off: BackOff | None = None,
) -> ApiPuller[ListCursor]:
    """Return what reads the list of an account; raises SettingsError."""
    rated = RatedBy(account.queue, account.queues, account.channel, AddressIds(account.address_key_file))
    of_system = (_Ratings if account.path.startswith("v1/") else _Responses)(account, rated)
    reread = timedelta(days=account.reread_days)
    pace = ListPace(begin=account.begin, reread=reread, remember=reread)
    responses = ResponseList(account, intake, fetch=of_system.fetch, read=of_system.read, pace=pace, clock=clock)
    login = basic_login(account.user, SecretLines(account.token_file))
    return response_puller(
        account, responses, account.address, login, intake, poll_seconds=poll_seconds, back_off=back_off
    )


def _page(page: int) -> dict[str, str]:
    return {"page": str(page), "per_page": str(_PAGE)}


def _without_fraction(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _has_words(value: msgspec.Raw) -> bool:
    return bytes(value) not in {b"null", b'""'}


def _is_behind(responses: list[bytes], after: datetime) -> bool:
    """Tell whether a page that is newest first has come to what was given before an instant."""
    try:
        first, last = (msgspec.json.decode(responses[at], type=_Given).created_at for at in (0, -1))
    except (IndexError, msgspec.MsgspecError):
        return False
    return last <= first and last < after


SOURCE: Final = Source(
    name="nicereply",
    about="Nicereply: what customers answer about satisfaction, effort and recommendation.",
    options=Options,
    pull=lambda options, intake: nicereply_puller(toml_of(options.file, NicereplyAccount), intake),
    position=lambda options: position_beside(options.file),
    setup=Setup(
        steps="docs/sources/nicereply.md says where the key is, and what finds the ids of questions.",
        also_asked=("tenant", "queue", "path", "user"),
        file=ConnectionFile(asks=NicereplyAccount, text=lambda told, _: toml_table_of((), told)),
    ),
)
"""Its entry of the registry."""
