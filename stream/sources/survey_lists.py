"""
Lists of responses to surveys that an API tells page by page.

They are read in rounds: each begins a little before the newest response that is known, and once in an hour as long
before it as answers change. What was told already is remembered in the cursor, so that only changes are told again.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, MsgspecError, Struct
from msgspec.structs import replace

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Event, Name
from stream.sdk.factory import utc_now
from stream.sdk.surveys import AnswerFields
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.pulling.shipping import BackOff
from stream.sources.pulling.web_api import ApiPage, ApiPuller, Login, WebApi
from stream.sources.requests.parts import UnusablePart
from stream.sources.survey_questions import SurveyResponse, events_of_response
from stream.sources.unquoted import unquoted

__all__ = ["ListCursor", "ListPace", "ResponseList", "ResponsePage", "SurveyAccount", "ToldResponse", "response_puller"]

_RESPONSE: Final = "response"
"""What a response is counted as."""

_OVERLAP: Final = timedelta(minutes=15)
"""A round begins so long before the newest response: some are seen later than they were given."""

_SECOND: Final = timedelta(seconds=1)
"""Systems tell whole seconds, and may mean by "after" what is later than that one."""

_REREAD_EVERY: Final = timedelta(hours=1)

_SLACK: Final = timedelta(days=1)
"""What was told is remembered for so much longer than it is read again."""


class SurveyAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a list, whatever the system."""

    token_file: Annotated[Path, Meta(description="File with the key, or token, of the API.")]
    since: Annotated[date, Meta(description="The first day, in UTC, whose responses are told, such as 2026-01-01.")]
    poll_seconds: Annotated[int, Meta(ge=10, le=86_400)]
    tenant: Annotated[Name, Meta(description="Whose customers they are.")] = DEFAULT_TENANT
    source_name: Annotated[str, Meta(min_length=1, max_length=200)]
    """What events have as their source."""
    queue: Annotated[
        Name | None, Meta(description="The queue that the responses rate; without one they rate the tenant as a whole.")
    ] = None
    channel: Annotated[Channel | None, Meta(description="Of the conversations that are rated.")] = None

    @property
    def begin(self) -> datetime:
        """When the first day begins."""
        return datetime.combine(self.since, time(), UTC)


class ResponsePage(Struct, frozen=True):
    """One page of a list."""

    responses: Sequence[bytes]
    """Each as the system wrote it."""
    more: bool
    """Whether there is a page behind it."""


class ToldResponse(Struct, frozen=True, kw_only=True):
    """What one response says."""

    response: SurveyResponse
    told: AnswerFields
    modified: datetime | None = None
    """When it was changed last, if the system tells that: else changes are of when they are seen."""
    unknown: str | None = None
    """A kind of answer that is in it, and that nobody knows."""


class ListPace(Struct, frozen=True, kw_only=True):
    """How far back a list is read, and what is remembered of it."""

    begin: datetime
    reread: timedelta
    """Once in an hour all of so long is read again: answers may have changed. 0: never."""
    remember: timedelta
    """Changes are told as such for so long."""
    moves: bool = False
    """Whether the list is in the order of changes: then each moves a response to the end, and all behind it forward."""


class ListCursor(Struct, frozen=True):
    """Where the next page begins, and what was told of the last days."""

    after: datetime
    """This round is about responses from then on."""
    page: int = 1
    newest: datetime | None = None
    """Of the responses that were read so far."""
    told: dict[str, tuple[int, str]] = {}
    """By id: the second of the response, and a digest of what was told of it."""


class ResponseList:
    """
    Tells each response once, and again when it has changed; what it says of one is what `events_of_response` makes.

    *fetch* returns a page of what was given, or changed, from an instant on. *read* returns what a response says; it
    raises UnusablePart, or msgspec's errors.
    """

    def __init__(
        self,
        account: SurveyAccount,
        intake: Intake,
        *,
        fetch: Callable[[WebApi, datetime, int], Awaitable[ResponsePage]],
        read: Callable[[bytes], ToldResponse],
        pace: ListPace,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._account = account
        self._intake = intake
        self._fetch = fetch
        self._read = read
        self._pace = pace
        self._clock = clock
        self._reread_at: datetime | None = None

    async def ask(self, api: WebApi, cursor: ListCursor) -> ApiPage[ListCursor]:
        """Return what the page at the cursor tells; the last of a round is followed by the first of the next."""
        page = await self._fetch(api, cursor.after, cursor.page)
        memory, events, newest, last = dict(cursor.told), list[Event](), cursor.newest, cursor.after
        for number, raw in enumerate(page.responses, 1):
            place = Location(f"{self._account.source_name} page {cursor.page}", number, number)
            found = self._found(raw, place)
            if isinstance(found, BadLine):
                self._refuse(found, raw, newest or cursor.after, memory)
            # A list whose API cannot be asked for what is new holds what is old, too.
            elif (at := found.response.at) >= cursor.after:
                # One from the future must not end the reading of all that is given until then.
                last = max(last, min(at, self._clock()))
                newest = max(newest or last, last)
                events += self._news(found, place, memory)
        # An empty page ends a round, whatever it says: else a list that is never at its end would be asked for ever.
        more = page.more and bool(page.responses)
        behind = self._next_page(cursor, last) if more else self._next_round(cursor, newest)
        return ApiPage(events, replace(behind, newest=newest, told=self._kept(memory, newest)), more=more)

    def _next_page(self, cursor: ListCursor, last: datetime) -> ListCursor:
        # A page that is found by its number would leave out what has moved to the page before meanwhile.
        after = last - _SECOND
        if self._pace.moves and after > cursor.after:
            return replace(cursor, after=after, page=1)
        return replace(cursor, page=cursor.page + 1)

    def _next_round(self, cursor: ListCursor, newest: datetime | None) -> ListCursor:
        if newest is None:
            return replace(cursor, page=1)
        now, back = self._clock(), _OVERLAP
        if self._pace.reread and (self._reread_at is None or now >= self._reread_at):
            self._reread_at, back = now + _REREAD_EVERY, self._pace.reread
        return replace(cursor, page=1, after=max(newest - back, self._pace.begin))

    def _kept(self, memory: dict[str, tuple[int, str]], newest: datetime | None) -> dict[str, tuple[int, str]]:
        if newest is None:
            return memory
        horizon = (newest - max(self._pace.remember, _OVERLAP) - _SLACK).timestamp()
        return {key: seen for key, seen in memory.items() if seen[0] >= horizon}

    def _found(self, raw: bytes, place: Location) -> ToldResponse | BadLine:
        try:
            return self._read(raw)
        except UnusablePart as problem:
            return BadLine(place, problem.reason, problem.detail)
        # What msgspec says names a field.
        except (MsgspecError, RecursionError) as failure:
            return BadLine(place, "invalid_field", unquoted(failure))

    def _refuse(self, bad: BadLine, raw: bytes, at: datetime, memory: dict[str, tuple[int, str]]) -> None:
        key = _digest(raw)
        if key not in memory:
            memory[key] = int(at.timestamp()), ""
            self._intake.read += 1
            self._intake.refuse(bad)

    def _news(self, found: ToldResponse, place: Location, memory: dict[str, tuple[int, str]]) -> list[Event]:
        """Return what was not told yet."""
        response = found.response
        known = memory.get(response.id)
        seen = int(response.at.timestamp()), _digest_of(found)
        if known is not None and known[1] == seen[1]:
            return []
        memory[response.id] = seen
        self._intake.read += 1
        if known is not None:
            at = (found.modified or self._clock()).astimezone(UTC)
            response = replace(response, at=at, revision=at.isoformat())
        try:
            events = [*events_of_response(response, self._account.source_name, self._account.tenant, **found.told)]
        except UnusablePart as problem:
            self._intake.refuse(BadLine(place, problem.reason, problem.detail))
            return []
        if events:
            self._intake.used[_RESPONSE] += 1
        elif found.unknown is not None:
            detail = "an answer of a kind that is not known"
            self._intake.wonder(found.unknown, BadLine(place, "unknown_kind", detail))
        else:
            self._intake.ignore(_RESPONSE)
        return events


def response_puller(
    account: SurveyAccount,
    responses: ResponseList,
    address: str,
    login: Login,
    intake: Intake,
    *,
    poll_seconds: float | None = None,
    back_off: BackOff | None = None,
) -> ApiPuller[ListCursor]:
    """Return what reads a list round after round; raises SettingsError."""
    begin, seconds = ListCursor(account.begin), account.poll_seconds if poll_seconds is None else poll_seconds
    return ApiPuller(WebApi(address, login), responses.ask, begin, intake, poll_seconds=seconds, back_off=back_off)


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()


def _digest_of(found: ToldResponse) -> str:
    """Return a digest of what can change: neither names of queues nor what questions mean, which people mend."""
    scores = sorted((each.question, each.score) for each in found.response.scores)
    return _digest(repr((scores, found.told.get("comment", False))).encode())
