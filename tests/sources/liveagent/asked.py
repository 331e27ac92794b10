"""LiveAgent's API: it keeps tickets, and answers page by page for those that have changed since a moment."""

import json
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from stream.sources.intake import Intake
from stream.sources.liveagent.poller import PollOptions, ticket_puller
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import Puller
from tests.sources.contract.kept import Kept, PolledSystem
from tests.sources.contract.served_api import latest_by_id, served_api, told_by_api
from tests.sources.contract.told_story import ToldStory
from tests.sources.liveagent.office import BEGIN, DEPARTMENTS

__all__ = ["STORY", "SYSTEM", "answered_page", "poll_options", "ticket_answer"]

_HEAD: Final = len(b'{"date_changed": "')
_LATELY: Final = "0000-00-00 00:00:00"
"""Stands for when the ticket before it has changed."""


def ticket_answer(number: int, seconds: int | None, **fields: Any) -> bytes:
    """Return a ticket as the API answers it."""
    at = _LATELY if seconds is None else _clock(seconds)
    told = {"date_changed": at, "date_created": at, "id": f"t{number}", "code": "ABC", "owner_contactid": "c1"}
    told |= {"departmentid": "default", "agentid": "", "status": "N", "channel_type": "E", "subject": "Marked"}
    return json.dumps(told | fields).encode()


def answered_page(tickets: Sequence[bytes], request: web.Request) -> web.Response:
    """Answer as LiveAgent does."""
    ((field, how, since),) = json.loads(request.query["_filters"])
    assert (field, how, request.query["_sortField"], request.query["_sortDir"]) == (
        *("date_changed", "D>=", "date_changed"),
        "ASC",
    )
    size = int(request.query["_perPage"])
    begin = bisect_left(tickets, since.encode(), key=_moment) + (int(request.query["_page"]) - 1) * size
    return web.Response(body=b"[" + b",".join(tickets[begin : begin + size]) + b"]", content_type="application/json")


def poll_options(folder: Path, address: str, **options: Any) -> PollOptions:
    """Return options with a key in the folder."""
    (folder / "token").write_text("a-key")
    return PollOptions(
        **{"address": address, "token_file": folder / "token", "since": "2026-03-02 09:00:00", **options}
    )


def _moment(ticket: bytes) -> bytes:
    return ticket[_HEAD : _HEAD + len(_LATELY)]


def _clock(seconds: int) -> str:
    return (BEGIN + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")


@asynccontextmanager
async def _kept(folder: Path) -> AsyncIterator[Kept]:
    """Keep tickets; those without a moment of their own have that of the ticket before."""
    dated: list[bytes] = []

    def answer(tickets: Sequence[bytes], request: web.Request) -> web.Response:
        for ticket in tickets[len(dated) :]:
            last = _moment(dated[-1]) if dated else _clock(0).encode()
            dated.append(ticket.replace(_LATELY.encode(), last))
        return answered_page(dated, request)

    async with served_api(answer, _puller)(folder) as kept:
        yield kept


def _puller(address: str, folder: Path, intake: Intake) -> Puller:
    pauses = BackOff(first=0.001, longest=0.01)
    return ticket_puller(poll_options(folder, address), intake, poll_seconds=0.001, back_off=pauses)


SYSTEM: Final = PolledSystem(
    call=lambda number: ticket_answer(number, number),
    tells=4,
    noise=(ticket_answer(1, None, id=None, subject="+38640000001"), ticket_answer(2, None, status="?")),
    counted=(1, 0, 1),
    kept=_kept,
)

_RECORDED: Final = json.loads((Path(__file__).parent / "ticket_api_v3.json").read_bytes())
"""A ticket of 26 November 2026: it came at 18:13:20, and was answered at 18:15:02."""


def _that_day(clock: str, **fields: Any) -> bytes:
    """Return a ticket as the recorded one, but for some fields, that has changed at another time."""
    told = {name: value for name, value in _RECORDED.items() if name != "date_changed"} | fields
    return json.dumps({"date_changed": f"2026-11-26 {clock}", **told}).encode()


def _arguments(address: str, folder: Path) -> Sequence[str]:
    (folder / "token").write_text("a-key")
    (folder / "departments.json").write_text(json.dumps(DEPARTMENTS))
    token, departments = (str(folder / name) for name in ("token", "departments.json"))
    return [address, token, "2026-11-26", "--queues-file", departments]


_OF_A_PAGE: Final = {"id": "t2", "date_created": "2026-11-26 18:20:00", "channel_type": "A", "departmentid": "b1"}

STORY: Final = ToldStory(
    begun=told_by_api(
        lambda records, request: answered_page(latest_by_id(records, "date_changed"), request),
        (
            [_that_day("18:15:02"), _that_day("18:20:00", **_OF_A_PAGE, status="N", agentid="")],
            [
                _that_day("18:30:00", **_OF_A_PAGE, status="A"),
                _that_day("18:40:00", status="R"),
                _that_day("18:50:00", id="t3", date_created="2026-11-26 18:50:00", status="N", agentid=""),
            ],
        ),
        _arguments,
    ),
    # How each stands is four events, and a solution three.
    told=8,
    afresh=11,
    at=datetime(2026, 11, 26, 19, tzinfo=UTC),
    figures="""
contact_case_window_opened{queue="Support",channel="email",window="today"} 2
contact_case_window_resolved{queue="Support",channel="email",window="today"} 1
contact_cases_open{queue="Support",channel="email"} 1
contact_case_window_opened{queue="Billing",channel="messaging",window="today"} 1
contact_case_window_resolved{queue="Billing",channel="messaging",window="today"} 0
contact_cases_by_status{queue="Billing",channel="messaging",status="pending"} 1
""",
)
