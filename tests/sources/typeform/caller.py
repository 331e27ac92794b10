"""How Typeform calls."""

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from stream.sources.source import Received
from stream.sources.survey_questions import Question
from stream.sources.typeform import source as typeform
from tests.sources.contract.caller import SECRET, Caller, received, secret_file

__all__ = ["CALLER"]

_FORM = json.loads((Path(__file__).parent / "form_response.json").read_text())


def _signed(body: bytes) -> Received:
    signature = b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
    return received(body, {"typeform-signature": f"sha256={signature}"})


def _form(token: str, csat: int, nps: int) -> bytes:
    form = json.loads((Path(__file__).parent / "form_response.json").read_text())
    form["form_response"]["token"] = token
    for answer, score in zip(form["form_response"]["answers"], (csat, nps), strict=False):
        answer["number"] = score
    return json.dumps(form).encode()


CALLER = Caller(
    source=typeform.SOURCE,
    options=lambda folder: typeform.Options(secret_file=secret_file(folder), questions={"csat": Question(kind="csat")}),
    signed=_signed,
    bodies=[_form("first", 4, 9), _form("second", 2, 3)],
    at=datetime(2030, 1, 1, 0, 1, tzinfo=UTC),
    figures="""
contact_survey_answers_total{queue="sales",kind="csat"} 2
contact_csat_ratio{queue="sales",window="today"} 0.5
contact_nps_score{queue="sales",window="today"} 0
""",
    unknown=json.dumps(_FORM | {"event_type": "rumour"}).encode(),
)
