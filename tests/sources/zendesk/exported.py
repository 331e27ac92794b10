"""Zendesk's incremental export: an account that keeps its audits, and answers for them page by page."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import Puller
from stream.sources.zendesk.export import ExportOptions, export_puller
from tests.sources.contract.kept import PolledSystem
from tests.sources.contract.served_api import served_api, told_by_api
from tests.sources.contract.told_story import ToldStory
from tests.sources.zendesk.account import BEGIN, GROUPS, SUPPORT

__all__ = ["AGENTS", "PAGE", "STORY", "SYSTEM", "audit", "export_options", "exported_page", "users_page"]

PAGE: Final = 1_000
_BEGIN: Final = round(BEGIN.timestamp())
CUSTOMER: Final = 1001
AGENTS: Final[Mapping[str, list[list[int]]]] = {"agent": [[2001], [2002]], "admin": [[2003]]}
"""By role, in pages."""


def audit(number: int, ticket: int, seconds: int, *children: dict[str, Any], **fields: Any) -> bytes:
    """One audit; what it did has numbers of its own."""
    told = [{"id": number * 10 + place, "via": "Web form", **child} for place, child in enumerate(children)]
    content = {"id": number, "ticket_id": ticket, "timestamp": _BEGIN + seconds, "event_type": "Audit"}
    at = (BEGIN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    system = {"client": "Marked", "location": "Marked"}
    return json.dumps(
        content
        | {"created_at": at, "updater_id": CUSTOMER, "via": "Mail", "system": system, "child_events": told}
        | fields
    ).encode()


def _created(number: int) -> bytes:
    created = {"event_type": "Create", "status": "new", "requester_id": CUSTOMER, "subject": "Marked"}
    return audit(number + 1, 5000 + number, number, created)


def _answer(records: Sequence[bytes], request: web.Request) -> web.Response:
    """Answer as Zendesk does, with the number of a record for the second in which it was exported."""
    if request.path.endswith("/users.json"):
        return web.json_response({"users": [], "meta": {"has_more": False}})
    begin = int(request.query["start_time"]) - _BEGIN
    end = min(begin + PAGE, len(records))
    last = json.dumps(end == len(records))
    content = b",".join(records[begin:end])
    tail = f'], "end_time": {_BEGIN + end}, "end_of_stream": {last}}}'.encode()
    return web.Response(body=b'{"ticket_events": [' + content + tail, content_type="application/json")


def exported_page(audits: Sequence[bytes], query: Mapping[str, str], at_once: int) -> web.Response:
    """Answer as Zendesk does: what was changed at or after an instant, so many at once."""
    found = [each for each in map(json.loads, audits) if each["timestamp"] >= int(query["start_time"])]
    page = found[:at_once]
    end = page[-1]["timestamp"] if page else None
    return web.json_response({"ticket_events": page, "end_time": end, "end_of_stream": len(found) == len(page)})


def users_page(query: Mapping[str, str]) -> web.Response:
    """Answer as Zendesk does to who asks for the users of a role."""
    pages, place = AGENTS[query["role"]], int(query.get("page[after]", 0))
    more = place + 1 < len(pages)
    meta = {"has_more": more, "after_cursor": str(place + 1) if more else None}
    return web.json_response({"users": [{"id": number} for number in pages[place]], "meta": meta})


def export_options(folder: Path, address: str, **options: Any) -> ExportOptions:
    """Return options with a token in the folder."""
    (folder / "token").write_text("a-token")
    told = {
        "address": address,
        "user": "mia@acme.example",
        "token_file": folder / "token",
        "since": "2026-03-02T09:00Z",
    }
    return ExportOptions(**{**told, **options})


def _puller(address: str, folder: Path, intake: Intake) -> Puller:
    return export_puller(
        export_options(folder, address),
        intake,
        clock=lambda: datetime(2030, 1, 1, tzinfo=UTC),
        poll_seconds=0.001,
        back_off=BackOff(first=0.001, longest=0.01),
    )


SYSTEM: Final = PolledSystem(
    call=_created,
    noise=(
        audit(1, 1, 0, {"event_type": "Change", "status": "+38640000001"}),
        audit(2, 1, 0, {"event_type": "Notification", "recipients": [1]}),
        audit(3, 1, 0, event_type="Rumour"),
    ),
    counted=(1, 1, 1),
    kept=served_api(_answer, _puller),
)

_RECORDED: Final = [
    json.dumps(each).encode()
    for each in json.loads((Path(__file__).parent / "export_page.json").read_bytes())["ticket_events"]
]
"""A ticket of 8 January 2025: it is opened at 10:32:07, and solved at 13:20."""


def _that_day(number: int, ticket: int, clock: str, *children: dict[str, Any], **fields: Any) -> bytes:
    at = datetime.fromisoformat(f"2025-01-08T{clock}Z")
    return audit(number, ticket, round((at - BEGIN).total_seconds()), *children, **fields)


def _answer_on_that_day(records: Sequence[bytes], request: web.Request) -> web.Response:
    return (
        users_page(request.query) if request.path.endswith("/users.json") else exported_page(records, request.query, 2)
    )


def _arguments(address: str, folder: Path) -> Sequence[str]:
    (folder / "token").write_text("a-token")
    (folder / "groups.json").write_text(json.dumps(GROUPS))
    token, groups = (str(folder / name) for name in ("token", "groups.json"))
    return [address, "mia@acme.example", token, "2025-01-01", "--queues-file", groups]


_NEW: Final = {"event_type": "Create", "status": "new", "group_id": int(SUPPORT), "requester_id": CUSTOMER}
_ANSWER: Final = {"event_type": "Comment", "author_id": 2001, "public": True, "body": "Marked"}
_QUESTION: Final = {"event_type": "Comment", "author_id": CUSTOMER, "public": True, "body": "Marked"}

STORY: Final = ToldStory(
    begun=told_by_api(
        _answer_on_that_day,
        (
            [
                _RECORDED[0],
                _that_day(11, 5200, "11:00", _NEW, _QUESTION, via="Whatsapp"),
                _that_day(12, 5200, "11:20", _ANSWER, {"event_type": "Change", "status": "pending"}, updater_id=2001),
            ],
            [
                _RECORDED[1],
                _that_day(13, 5200, "14:00", _QUESTION, {"event_type": "Change", "status": "open"}),
                _that_day(14, 5200, "14:30", _ANSWER, {"event_type": "Change", "status": "solved"}, updater_id=2001),
                _that_day(15, 5201, "15:00", _NEW),
            ],
        ),
        _arguments,
    ),
    # Opened, asked; opened, asked, answered, pending. Then solved; asked, open, answered, solved; opened.
    told=6,
    afresh=12,
    at=datetime(2025, 1, 8, 16, tzinfo=UTC),
    figures="""
contact_case_window_opened{queue="Support",channel="email",window="today"} 2
contact_case_window_resolved{queue="Support",channel="email",window="today"} 1
contact_cases_open{queue="Support",channel="email"} 1
contact_case_longest_wait_seconds{queue="Support",channel="email"} 3600
contact_case_window_opened{queue="Support",channel="messaging",window="today"} 1
contact_case_window_received{queue="Support",channel="messaging",window="today"} 2
contact_case_window_sent{queue="Support",channel="messaging",window="today"} 2
contact_case_window_first_responses{queue="Support",channel="messaging",window="today"} 1
contact_case_first_response_mean_seconds{queue="Support",channel="messaging",window="today"} 1200
contact_case_next_response_mean_seconds{queue="Support",channel="messaging",window="today"} 1800
contact_case_window_resolved{queue="Support",channel="messaging",window="today"} 1
contact_cases_open{queue="Support",channel="messaging"} 0
""",
)
