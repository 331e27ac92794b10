"""
LiveAgent's tickets as a source of their own: its API (version 3) is asked for those that have changed.

It tells what rules cannot: how tickets stand that were there before, and whatever a rule has missed. Messages are what
rules tell. Both say the same of a ticket, with the same ids.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, MsgspecError, Raw, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Event, Name
from stream.errors import SettingsError
from stream.sources.help_desk import DeskSettings
from stream.sources.instants import named_zone
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.liveagent.tickets import (
    LIVEAGENT_CHANNELS,
    LIVEAGENT_STATES,
    LiveAgentTicket,
    liveagent_standing,
    names_of_departments,
)
from stream.sources.pulling.shipping import BackOff
from stream.sources.pulling.web_api import ApiAway, ApiPage, ApiPuller, WebApi, header_login
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.source import Source, position_beside
from stream.sources.ticket_standing import events_of_standing
from stream.sources.unquoted import unquoted

__all__ = ["LIVEAGENT_TICKETS", "PollOptions", "ticket_puller"]

_PATH: Final = "tickets"
_AT_ONCE: Final = 100
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


class PollOptions(Struct, frozen=True, kw_only=True):
    """What a person says of a LiveAgent."""

    address: Annotated[str, Meta(description="The API, such as https://acme.ladesk.com/api/v3.")]
    token_file: Annotated[Path, Meta(description="File with a key of the API, version 3.")]
    since: Annotated[str, Meta(description="Tickets that have changed since then, such as 2026-01-01.")]
    tenant: Annotated[Name, Meta(description="Whose tickets they are.")] = DEFAULT_TENANT
    source_name: Annotated[str, Meta(description="Names the LiveAgent in events: as for its rules.")] = "/liveagent"
    time_zone: Annotated[str, Meta(description="Of times without an offset.")] = "UTC"
    queues_file: Annotated[
        Path | None,
        Meta(description="What `GET /api/v3/departments` answered: names of departments. Others are called by id."),
    ] = None
    default_queue: Annotated[Name, Meta(description="Of a ticket without a department.")] = "unassigned"
    other_channel: Annotated[Channel, Meta(description="The channel of forums and suggestions.")] = "email"


class _Cursor(Struct, frozen=True):
    since: str
    page: int = 1
    """Of those since then: more than one where many have changed in the same second."""
    told: tuple[str, ...] = ()
    """What stands for those of that second that were told already: they come again."""


class _Dated(Struct):
    date_changed: str = ""


class _Poller:
    def __init__(self, options: PollOptions, intake: Intake) -> None:
        self._intake = intake
        self._zone = named_zone(options.time_zone, "time_zone")
        self._desk = DeskSettings.of(options, LIVEAGENT_CHANNELS, names_of_departments(options.queues_file).of)

    async def ask(self, api: WebApi, cursor: _Cursor) -> ApiPage[_Cursor]:
        parameters = {
            "_page": str(cursor.page),
            "_perPage": str(_AT_ONCE),
            "_sortField": "date_changed",
            "_sortDir": "ASC",
            "_filters": msgspec.json.encode([["date_changed", "D>=", cursor.since]]).decode(),
        }
        found = msgspec.json.decode(await api.get(_PATH, parameters), type=list[Raw])
        more = len(found) >= _AT_ONCE
        if more and not _is_sorted(found):
            raise ApiAway(f"{api}/{_PATH} answers in another order than by date_changed: some would be left out")
        again = frozenset(cursor.told)
        new = [content for content in found if _sign(content) not in again]
        events = [event for number, content in enumerate(new, 1) for event in self._told(content, number)]
        return ApiPage(events, _behind(found, cursor, more=more), more)

    def _told(self, content: Raw, number: int) -> list[Event]:
        self._intake.read += 1
        place = Location(_PATH, number, number)
        try:
            told = msgspec.json.decode(content, type=LiveAgentTicket)
            if told.status not in LIVEAGENT_STATES:
                self._intake.wonder("status", BadLine(place, "unknown_kind", "a letter of a status that is not known"))
                return []
            standing = liveagent_standing(told, self._desk, self._zone)
        except UnusablePart as problem:
            self._intake.refuse(BadLine(place, problem.reason, problem.detail))
            return []
        # What msgspec says names a field.
        except MsgspecError as failure:
            self._intake.refuse(BadLine(place, "invalid_field", unquoted(failure)))
            return []
        self._intake.used["ticket"] += 1
        return [*events_of_standing(self._desk, standing)]


def _behind(found: list[Raw], cursor: _Cursor, *, more: bool) -> _Cursor:
    """Return where the next page begins: at the second of the last change, for there may be more of it."""
    dated = [(_changed(content), content) for content in found]
    since = max([cursor.since, *(at for at, _ in dated)])
    is_same = since == cursor.since
    known = cursor.told if is_same else ()
    told = (*known, *(_sign(content) for at, content in dated if at in {since, ""}))
    return _Cursor(since, cursor.page + 1 if is_same and more else 1, tuple(dict.fromkeys(told)))


def _is_sorted(found: list[Raw]) -> bool:
    dates = [at for at in map(_changed, found) if at]
    return dates == sorted(dates)


def _changed(content: Raw) -> str:
    try:
        at = msgspec.json.decode(content, type=_Dated).date_changed
    except MsgspecError:
        return ""
    return at if _MOMENT.fullmatch(at) else ""


def _sign(content: Raw) -> str:
    return blake2b(content, digest_size=8).hexdigest()


def _begin(since: str) -> str:
    moment = since if " " in since else f"{since} 00:00:00"
    if not _MOMENT.fullmatch(moment):
        raise SettingsError(
            f"since: {since!r} is neither a day, such as 2026-01-01, nor a time, as 2026-01-01 09:00:00"
        )
    return moment


def ticket_puller(
    options: PollOptions,
    intake: Intake,
    *,
    poll_seconds: float = 60,
    back_off: BackOff | None = None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> ApiPuller[_Cursor]:
    """Return what asks for page behind page, and then once a minute; raises SettingsError."""
    api = WebApi(options.address, header_login("apikey", SecretLines(options.token_file)))
    begin = _Cursor(_begin(options.since))
    ask = _Poller(options, intake).ask
    return ApiPuller(api, ask, begin, intake, poll_seconds=poll_seconds, back_off=back_off, sleep=sleep)


LIVEAGENT_TICKETS: Final = Source(
    name="liveagent-tickets",
    about="LiveAgent's tickets that have changed, as its API answers: how each stands.",
    options=PollOptions,
    pull=ticket_puller,
    position=lambda options: position_beside(options.token_file),
)
"""Its entry of the registry."""
