"""A SurveyMonkey account: what it keeps of one survey, and how its API answers for it page by page."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import Puller
from stream.sources.surveymonkey.source import ChoiceQuestion, SurveyMonkeyAccount, surveymonkey_puller
from tests.sources.contract.kept import PolledSystem
from tests.sources.contract.served_api import latest_by_id, records_since, served_api, told_by_api
from tests.sources.contract.told_story import ToldStory

__all__ = [
    "NOW",
    "QUESTIONS",
    "STORY",
    "SYSTEM",
    "account_of",
    "answer_as_surveymonkey",
    "chosen",
    "rated",
    "response",
]

NOW: Final = datetime(2030, 1, 1, tzinfo=UTC)
BEGIN: Final = datetime(2026, 5, 4, 9, tzinfo=UTC)

QUESTIONS: Final = {
    "101": ChoiceQuestion(kind="csat"),
    "102": ChoiceQuestion(kind="nps"),
    "103": ChoiceQuestion(kind="csat", choices={"Very satisfied": 5, "Satisfied": 4, "9003": 3}),
}


def rated(question: str, weight: object, text: str, **fields: Any) -> dict[str, Any]:
    """Return the answer to a question of rating: one row, and choices with weights."""
    answer = {"choice_id": "1", "row_id": "2", "choice_metadata": {"weight": weight}, "simple_text": text}
    return {"id": question, "answers": [answer | fields], "family": "matrix", "heading": "Marked"}


def chosen(question: str, text: str, **fields: Any) -> dict[str, Any]:
    """Return the answer to a question with one choice."""
    return {"id": question, "answers": [{"choice_id": "1", "simple_text": text} | fields], "heading": "Marked"}


def response(number: int, *questions: dict[str, Any], seconds: int | None = None, **fields: Any) -> bytes:
    """Return a response as `responses/bulk` tells it; each comes a second after the one before."""
    at = BEGIN + timedelta(seconds=number if seconds is None else seconds)
    told = {
        "id": f"7{number:09}",
        "date_modified": at.isoformat(),
        "date_created": (at - timedelta(seconds=60)).isoformat(),
        "response_status": "completed",
        "collection_mode": "default",
        "ip_address": "192.0.2.7",
        "metadata": {"contact": {"email": {"value": "marked@example.com"}}},
        "custom_variables": {},
        "pages": [{"id": "1", "questions": questions or [rated("101", "5", "5")]}],
    }
    return json.dumps(told | fields).encode()


def answer_as_surveymonkey(records: Sequence[bytes], request: web.Request) -> web.Response:
    """Answer with a page of what was modified since, the oldest first; garbage is always there."""
    since, page, size = (request.query[name] for name in ("start_modified_at", "page", "per_page"))
    after, begin = datetime.fromisoformat(since), (int(page) - 1) * int(size)
    found = records_since(records, "date_modified", after)
    content = b",".join(found[begin : begin + int(size)])
    more = begin + int(size) < len(found)
    links = json.dumps({"self": "https://…", **({"next": "https://…?page=2"} if more else {})}).encode()
    return web.json_response(body=b'{"data": [' + content + b'], "links": ' + links + b"}")


def account_of(folder: Path, **told: Any) -> SurveyMonkeyAccount:
    """Return an account with a token in the folder."""
    (folder / "token").write_text("a-token\n")
    options = {"token_file": folder / "token", "since": date(2026, 5, 4), "survey": "123", "queue": "support"}
    shown: dict[str, Any] = options | {"questions": QUESTIONS} | told
    return SurveyMonkeyAccount(**shown)


def _puller(address: str, folder: Path, intake: Intake) -> Puller:
    return surveymonkey_puller(
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
        response(0, id="noise-of-preview", collection_mode="preview"),
        response(0, id="noise-of-rumour", collection_mode="rumour"),
    ),
    counted=(1, 1, 1),
    kept=served_api(answer_as_surveymonkey, _puller),
)


def _arguments(address: str, folder: Path) -> Sequence[str]:
    (folder / "token").write_text("a-token")
    (folder / "surveymonkey.toml").write_text(f"""
address = "{address}"
token_file = "token"
since = 2026-05-04
survey = "123"
queue = "support"
[questions.101]
kind = "csat"
[questions.102]
kind = "nps"
[questions.103]
kind = "csat"
choices = {{ "Very satisfied" = 5, "Satisfied" = 4 }}
""")
    return [str(folder / "surveymonkey.toml")]


_TO_SALES: Final = {"queue": "sales", "customer_id": "marked@example.com"}

STORY: Final = ToldStory(
    begun=told_by_api(
        lambda records, request: answer_as_surveymonkey(latest_by_id(records, "date_modified"), request),
        (
            [
                response(1, rated("101", "5", "5"), rated("102", "100", "Extremely likely - 10")),
                response(2, rated("101", "2", "2")),
            ],
            [
                # Who has changed an answer is among the new ones; and nobody knows what a preview thinks.
                response(2, rated("101", "4", "4"), seconds=600),
                response(3, chosen("103", "Very satisfied"), seconds=700, custom_variables=_TO_SALES),
                response(4, rated("102", "-100", "0"), seconds=800),
                response(5, rated("101", "1", "1"), seconds=900, collection_mode="preview"),
            ],
        ),
        _arguments,
    ),
    # An event for each answer: 2 and 1. Then one anew, and 2.
    told=3,
    afresh=5,
    at=datetime(2026, 5, 4, 11, tzinfo=UTC),
    figures="""
contact_survey_window_answers{queue="support",kind="csat",window="7d"} 2
contact_csat_mean_score{queue="support",window="7d"} 4.5
contact_csat_ratio{queue="support",window="today"} 1
contact_nps_score{queue="support",window="today"} 0
contact_survey_window_answers{queue="sales",kind="csat",window="7d"} 1
contact_csat_mean_score{queue="sales",window="7d"} 5
""",
)
