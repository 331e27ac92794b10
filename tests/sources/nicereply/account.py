"""A Nicereply account: what it keeps, and how its API answers for it page by page."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from stream.sources.intake import Intake
from stream.sources.nicereply import webhook
from stream.sources.nicereply.source import NicereplyAccount, nicereply_puller
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import Puller
from stream.sources.survey_questions import Question
from tests.sources.contract.caller import SECRET, Caller, received, secret_file
from tests.sources.contract.kept import PolledSystem
from tests.sources.contract.served_api import latest_by_id, records_since, served_api, told_by_api
from tests.sources.contract.told_story import ToldStory

__all__ = [
    "CALLER",
    "CES",
    "CSAT",
    "NOW",
    "NPS",
    "QUESTIONS",
    "STORY",
    "SYSTEM",
    "account_of",
    "answer_as_nicereply",
    "filled",
    "response",
    "scale",
    "words",
]

NOW: Final = datetime(2030, 1, 1, tzinfo=UTC)
BEGIN: Final = datetime(2026, 5, 4, 9, tzinfo=UTC)

CSAT: Final = "86bae330-e8bc-4fa3-9af9-91eb2459d348"
CES: Final = "3ef73361-0000-4000-8000-000000000001"
NPS: Final = "6c0dc99b-0000-4000-8000-000000000001"

QUESTIONS: Final = {CSAT: Question(kind="csat"), CES: Question(kind="ces", scale="1-7"), NPS: Question(kind="nps")}


def scale(question: str, value: int | None) -> dict[str, Any]:
    return {"question_id": question, "question_type": "SCALE", "scale": {"value": value}}


def words(text: str = "Marked") -> dict[str, Any]:
    return {"question_id": "words", "question_type": "OPEN_ENDED", "open_ended": {"value": text}}


def response(number: int, *answers: dict[str, Any], seconds: int | None = None, **fields: Any) -> bytes:
    """Return a response as the API without a number tells it; each comes a second after the one before."""
    at = BEGIN + timedelta(seconds=number if seconds is None else seconds)
    told = {"id": f"r-{number}", "created_at": at.isoformat(), "ticket_id": "5158", "customer_id": "c-1", "from": None}
    return json.dumps(told | {"answers": answers or [scale(CSAT, 5)]} | fields).encode()


def answer_as_nicereply(records: Sequence[bytes], request: web.Request) -> web.Response:
    """Answer with a page of what was given since, the oldest first; garbage is always there."""
    after, page, size = (request.query[name] for name in ("created_after", "page", "per_page"))
    since = datetime.fromisoformat(after)
    found = records_since(records, "created_at", since)
    begin = (int(page) - 1) * int(size)
    pages = -(-len(found) // int(size))
    content = b",".join(found[begin : begin + int(size)])
    pagination = json.dumps({"current_page": int(page), "total_pages": pages, "total": len(found)}).encode()
    return web.json_response(body=b'{"data": [' + content + b'], "pagination": ' + pagination + b"}")


def account_of(folder: Path, **told: Any) -> NicereplyAccount:
    """Return an account with a token in the folder."""
    (folder / "token").write_text("a-token\n")
    options = {"token_file": folder / "token", "since": "2026-05-04", "user": "mia@acme.example", "queue": "support"}
    shown: Mapping[str, Any] = options | {"questions": QUESTIONS} | told
    return NicereplyAccount(**{**shown, "since": datetime.fromisoformat(shown["since"]).date()})


def _puller(address: str, folder: Path, intake: Intake) -> Puller:
    return nicereply_puller(
        account_of(folder, address=address),
        intake,
        clock=lambda: NOW,
        poll_seconds=0.001,
        back_off=BackOff(first=0.001, longest=0.01),
    )


SYSTEM: Final = PolledSystem(
    call=response,
    noise=(
        b'"+38640000001"',
        response(0, words("+38640000001"), id="noise-of-words"),
        response(0, {"question_id": "x", "question_type": "RUMOUR"}, id="noise-of-rumour"),
    ),
    counted=(1, 1, 1),
    kept=served_api(answer_as_nicereply, _puller),
)


_RECORDED: Final = [
    json.dumps(each).encode()
    for each in json.loads((Path(__file__).parent / "responses_page_CONSTRUCTED.json").read_bytes())["data"]
]
"""Of 4 May 2026, the later one first: 5, 6 and 9 at 10:27; 2 at 9:00, by somebody with an address alone."""

_CHANGED: Final = {"answers": [scale(CSAT, 3), scale(CES, 6), scale(NPS, 9)], "updated_at": "2026-05-04T10:35:00Z"}


def _arguments(address: str, folder: Path) -> Sequence[str]:
    (folder / "token").write_text("a-token")
    kinds = {CSAT: "csat", CES: "ces", NPS: "nps"}
    scales = "".join(f'[questions.{question}]\nkind = "{kind}"\n' for question, kind in kinds.items())
    told = f'address = "{address}"\nuser = "mia@acme.example"\ntoken_file = "token"\nsince = 2026-05-04\n'
    (folder / "nicereply.toml").write_text(f'{told}queue = "support"\n{scales}scale = "0-10"\n')
    return [str(folder / "nicereply.toml")]


STORY: Final = ToldStory(
    begun=told_by_api(
        lambda records, request: answer_as_nicereply(latest_by_id(records, "created_at"), request),
        (
            _RECORDED,
            [
                # The customer thinks again.
                json.dumps(json.loads(_RECORDED[0]) | _CHANGED).encode(),
                response(3, scale(CSAT, 4), scale(NPS, 3), words(), seconds=100 * 60),
            ],
        ),
        _arguments,
    ),
    # An event for each answer: 3 and 1. Then 3 anew, and 2, each with the words that came with it.
    told=4,
    afresh=6,
    at=datetime(2026, 5, 4, 11, tzinfo=UTC),
    figures="""
contact_survey_window_answers{queue="support",kind="csat",window="7d"} 3
contact_csat_mean_score{queue="support",window="7d"} 3
contact_nps_score{queue="support",window="today"} 0
contact_survey_window_answers{queue="support",kind="nps",window="7d"} 2
contact_survey_window_answers{queue="support",kind="ces",window="7d"} 1
contact_survey_window_comments{queue="support",window="7d"} 2
""",
)


def filled(number: int = 1, **fields: Any) -> bytes:
    """Return the template of the page, filled in."""
    told = {
        "event": "response",
        "id": f"r-{number}",
        "created_at": (BEGIN + timedelta(seconds=number)).isoformat(),
        "updated_at": "",
        "survey_id": "123",
        "agent": "ana",
        "customer": "c-1",
        "answers": {"csat": "4", "nps": "9"},
    }
    return json.dumps(told | fields).encode()


CALLER: Final = Caller(
    source=webhook.WEBHOOK,
    options=lambda folder: webhook.WebhookOptions(
        key_file=secret_file(folder),
        questions={"csat": Question(kind="csat"), "nps": Question(kind="nps")},
        queues={"123": "sales"},
    ),
    signed=lambda body: received(body, {"x-api-key": SECRET}),
    bodies=[
        filled(1),
        filled(2, answers={"csat": "2", "nps": "3"}),
        filled(2, answers={"csat": "5", "nps": "3"}, updated_at="2026-05-04T10:00:00+00:00"),
    ],
    at=datetime(2026, 5, 4, 11, tzinfo=UTC),
    figures="""
contact_survey_window_answers{queue="sales",kind="csat",window="7d"} 2
contact_csat_mean_score{queue="sales",window="7d"} 4.5
contact_csat_ratio{queue="sales",window="today"} 1
contact_nps_score{queue="sales",window="today"} 0
""",
    unknown=filled(3, event="rumour"),
)
