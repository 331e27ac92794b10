"""How Typeform calls."""

import hmac
import json
from base64 import b64encode
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


def _form(token: str) -> bytes:
    return json.dumps(_FORM | {"form_response": _FORM["form_response"] | {"token": token}}).encode()


CALLER = Caller(
    source=typeform.SOURCE,
    options=lambda folder: typeform.Options(secret_file=secret_file(folder), questions={"csat": Question(kind="csat")}),
    signed=_signed,
    bodies=[_form("first"), _form("second")],
    unknown=json.dumps(_FORM | {"event_type": "rumour"}).encode(),
)
