"""Zendesk's incremental export: an account that keeps its audits, and answers for them page by page."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import Puller
from stream.sources.zendesk.export import ExportOptions, export_puller
from tests.sources.contract.kept import PolledSystem
from tests.sources.contract.served_api import served_api
from tests.sources.zendesk.account import BEGIN

__all__ = ["PAGE", "SYSTEM", "audit", "export_options"]

PAGE: Final = 1_000
_BEGIN: Final = round(BEGIN.timestamp())
CUSTOMER: Final = 1001


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
