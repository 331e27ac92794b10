"""Zendesk's history as a source: its incremental export of changes of tickets, page by page."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, MsgspecError, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Event, Name
from stream.core.windows import EPOCH
from stream.errors import SettingsError
from stream.sdk.factory import utc_now
from stream.sources.help_desk import DeskSettings
from stream.sources.instants import instant_in
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.pulling.shipping import BackOff
from stream.sources.pulling.web_api import ApiPage, ApiPuller, WebApi, basic_login
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.source import Source, position_beside
from stream.sources.unquoted import unquoted
from stream.sources.zendesk.audits import events_of_audit
from stream.sources.zendesk.groups import names_of_groups
from stream.sources.zendesk.vocabulary import ZENDESK_CHANNELS

__all__ = ["EXPORT", "ExportOptions", "export_puller"]

_EVENTS: Final = "api/v2/incremental/ticket_events.json"
_USERS: Final = "api/v2/users.json"
_STANDS: Final = timedelta(minutes=1)
"""Zendesk exports nothing that is younger, and refuses to be asked for it."""
_AGENTS_KNOWN_FOR: Final = 3600.0
_OUTCOME: Final = "audit"


class ExportOptions(Struct, frozen=True, kw_only=True):
    """What a person says of a Zendesk account."""

    address: Annotated[str, Meta(description="The account, such as https://acme.zendesk.com.")]
    user: Annotated[str, Meta(description="Address of the administrator whose token it is.", min_length=1)]
    token_file: Annotated[Path, Meta(description="File with an API token.")]
    since: Annotated[str, Meta(description="The first day, or instant, such as 2026-01-01.")]
    until: Annotated[
        str | None,
        Meta(description="Nothing from here on: when the webhook began. Both together may count messages twice."),
    ] = None
    tenant: Annotated[Name, Meta(description="Whose tickets they are.")] = DEFAULT_TENANT
    source_name: Annotated[str, Meta(description="Names the account in events: as for its webhook.")] = "/zendesk"
    queues_file: Annotated[
        Path | None,
        Meta(description="What `GET /api/v2/groups` answered: names of groups. Others are called by their id."),
    ] = None
    default_queue: Annotated[Name, Meta(description="The queue of tickets without a group.")] = "unassigned"
    other_channel: Annotated[
        Channel, Meta(description="The channel of forms, the API, and whatever else is no channel of its own.")
    ] = "email"


class _Cursor(Struct, frozen=True):
    start_time: int
    told: tuple[int, ...] = ()
    """What of that second was told already: it comes again."""


class _EventsPage(Struct):
    ticket_events: list[dict[str, Any]]
    end_of_stream: bool
    end_time: int | None = None


class _User(Struct):
    id: int


class _Meta(Struct, frozen=True):
    has_more: bool = False
    after_cursor: str | None = None


class _UserPage(Struct):
    users: list[_User]
    meta: _Meta = _Meta()


class _Agents:
    """Ids of those who answer; asked for anew once in an hour."""

    def __init__(self) -> None:
        self.ids: frozenset[str] = frozenset()
        self._known_until = 0.0

    async def refresh(self, api: WebApi) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._known_until:
            return
        self.ids = frozenset([each for role in ("agent", "admin") for each in await self._with(role, api)])
        self._known_until = now + _AGENTS_KNOWN_FOR

    async def _with(self, role: str, api: WebApi) -> list[str]:
        found: list[str] = []
        parameters = {"role": role, "page[size]": "100"}
        while True:
            page = msgspec.json.decode(await api.get(_USERS, parameters), type=_UserPage)
            found += [str(user.id) for user in page.users]
            if not page.meta.has_more or not page.meta.after_cursor:
                return found
            parameters["page[after]"] = page.meta.after_cursor


class _Export:
    def __init__(self, options: ExportOptions, intake: Intake, clock: Callable[[], datetime]) -> None:
        self._intake = intake
        self._clock = clock
        self._agents = _Agents()
        self._until = None if options.until is None else _instant(options.until, "until")
        self._desk = DeskSettings.of(options, ZENDESK_CHANNELS, names_of_groups(options.queues_file).of)

    async def ask(self, api: WebApi, cursor: _Cursor) -> ApiPage[_Cursor]:
        begin = EPOCH + timedelta(seconds=cursor.start_time)
        if begin > self._clock() - _STANDS or (self._until is not None and begin >= self._until):
            return ApiPage([], cursor, more=False)
        await self._agents.refresh(api)
        parameters = {"start_time": str(cursor.start_time), "include": "comment_events"}
        page = msgspec.json.decode(await api.get(_EVENTS, parameters), type=_EventsPage)
        new = [content for content in page.ticket_events if content.get("id") not in cursor.told]
        events = [event for number, content in enumerate(new, 1) for event in self._told(content, number)]
        if page.end_time is None:
            return ApiPage(events, cursor, more=False)
        if not new and not page.end_of_stream and page.end_time <= cursor.start_time:
            return self._past(cursor)
        again = (content for content in page.ticket_events if _is_from(content, page.end_time))
        known = cursor.told if page.end_time == cursor.start_time else ()
        told = tuple(dict.fromkeys([*known, *(content["id"] for content in again)]))
        return ApiPage(events, _Cursor(page.end_time, told), more=not page.end_of_stream)

    def _past(self, cursor: _Cursor) -> ApiPage[_Cursor]:
        """Go on behind a second of which one page does not hold all: Zendesk answers with the same page for ever."""
        detail = "more was changed in one second than a page holds, by a bulk change: the rest of it is left out"
        self._intake.read += 1
        self._intake.refuse(BadLine(Location(_EVENTS, 0, 0), "too_many", detail))
        return ApiPage([], _Cursor(cursor.start_time + 1), more=True)

    def _told(self, content: dict[str, Any], number: int) -> list[Event]:
        self._intake.read += 1
        place = Location(_EVENTS, number, number)
        kind = content.get("event_type")
        if isinstance(kind, str) and kind != "Audit":
            self._intake.wonder(kind, BadLine(place, "unknown_kind", "an event of a kind that is not known"))
            return []
        try:
            events = [*events_of_audit(content, self._desk, self._agents.ids)]
        except UnusablePart as problem:
            self._intake.refuse(BadLine(place, problem.reason, problem.detail))
            return []
        # What msgspec says names a field.
        except MsgspecError as failure:
            self._intake.refuse(BadLine(place, "invalid_field", unquoted(failure)))
            return []
        events = [event for event in events if self._until is None or event.time < self._until]
        if events:
            self._intake.used[_OUTCOME] += 1
        else:
            self._intake.ignore(_OUTCOME)
        return events


def export_puller(
    options: ExportOptions,
    intake: Intake,
    *,
    clock: Callable[[], datetime] = utc_now,
    poll_seconds: float = 60,
    back_off: BackOff | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> ApiPuller[_Cursor]:
    """Return what asks for page behind page, and then once a minute; raises SettingsError."""
    export = _Export(options, intake, clock)
    api = WebApi(options.address, basic_login(f"{options.user}/token", SecretLines(options.token_file)))
    begin = _Cursor((_instant(options.since, "since") - EPOCH) // timedelta(seconds=1))
    return ApiPuller(api, export.ask, begin, intake, poll_seconds=poll_seconds, back_off=back_off, sleep=sleep)


def _is_from(content: dict[str, Any], second: int) -> bool:
    """Tell whether an audit that can be told apart is of this second, or of a later one."""
    at, number = content.get("timestamp"), content.get("id")
    return isinstance(at, int) and at >= second and isinstance(number, int)


def _instant(text: str, option: str) -> datetime:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        at = instant_in(text)
    else:
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if at is None:
        raise SettingsError(f"{option}: {text!r} is neither a day, such as 2026-01-01, nor an instant with its zone")
    return at


EXPORT: Final = Source(
    name="zendesk-export",
    about="Zendesk's history: its incremental export of changes of tickets.",
    options=ExportOptions,
    pull=export_puller,
    position=lambda options: position_beside(options.token_file),
)
"""Its entry of the registry."""
