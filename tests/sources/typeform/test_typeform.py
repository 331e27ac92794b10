"""A form that somebody submits is an answer to each of its questions that means something, and to no other."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stream.core.cloudevents import Event
from stream.gateway.webhook_file import webhooks_of
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.requests.json_webhook import JsonWebhook
from stream.sources.source import Received
from stream.sources.survey_questions import Question
from stream.sources.typeform.source import Options, typeform_webhook

RECORDED = (Path(__file__).parent / "form_response.json").read_bytes()
SECRET = "invented-secret-0001"
SIGNATURE = "sha256=CelyrpW1tyVJCuakz7twgdnVkDfEF9dBU1m1iimEbwo="
"""As it was computed for the recorded body elsewhere."""
AT = datetime(2030, 1, 1, 0, 0, 2, tzinfo=UTC)
URL = "https://events.example.org/v1/webhooks/forms"
QUESTIONS = {"csat": Question(kind="csat"), "ces": Question(kind="ces", scale="1-7")}


class Told:
    """A webhook with what it was given and what it made of it."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.aside: list[BadLine] = []
        self.intake = Intake(self.aside.append)
        (folder / "secret").write_text(f"old\n{SECRET}\n")
        options = {"questions": QUESTIONS} | options
        self.webhook: JsonWebhook = typeform_webhook(Options(secret_file=folder / "secret", **options), self.intake)

    def events(self, body: bytes = RECORDED) -> list[Event]:
        self.intake.read += 1
        return [*self.webhook.events(Received(body, {}, URL, AT))]


@pytest.fixture
def told(tmp_path: Path) -> Told:
    return Told(tmp_path)


def changed(**changes: Any) -> bytes:
    body = json.loads(RECORDED)
    body["form_response"] |= changes
    return json.dumps(body).encode()


def number(of: int | None, ref: str = "csat", **field: Any) -> dict[str, Any]:
    return {"type": "number", "number": of, "field": {"id": "x", "type": "rating", "ref": ref} | field}


def test_the_recorded_form_tells_satisfaction_recommendation_and_effort(told: Told) -> None:
    events = told.events()

    assert [(e.id, e.subject, e.data.kind, e.data.score, e.data.rated_on) for e in events] == [
        ("20gh4opy9jh1jh6s0bd2n20gh4fy4rf4/csat", "20gh4opy9jh1jh6s0bd2n20gh4fy4rf4/csat", "csat", 4, "1-5"),
        ("20gh4opy9jh1jh6s0bd2n20gh4fy4rf4/nps", "20gh4opy9jh1jh6s0bd2n20gh4fy4rf4/nps", "nps", 9, "0-10"),
        ("20gh4opy9jh1jh6s0bd2n20gh4fy4rf4/ces", "20gh4opy9jh1jh6s0bd2n20gh4fy4rf4/ces", "ces", 6, "1-7"),
    ]
    assert {(e.data.queue, e.data.agent, e.data.comment) for e in events} == {("sales", "ana", True)}
    assert {(e.time, e.source) for e in events} == {(datetime(2030, 1, 1, 0, 0, 1, tzinfo=UTC), "/typeform")}
    assert (dict(told.intake.used), told.aside) == ({"form_response": 1}, [])


def test_what_the_customer_wrote_is_in_no_event(told: Told) -> None:
    assert "Invented text" not in repr(told.events())


def test_the_signature_is_the_published_one(told: Told) -> None:
    for signature, good in ((SIGNATURE, True), (SIGNATURE[:-2] + "A=", False), (SIGNATURE[7:], False), ("", False)):
        request = Received(RECORDED, {"typeform-signature": signature}, URL, AT)
        assert told.webhook.verified(request) is good
    assert not told.webhook.verified(Received(RECORDED + b" ", {"typeform-signature": SIGNATURE}, URL, AT))


def test_a_question_is_found_by_its_id_where_it_has_no_ref(tmp_path: Path) -> None:
    told = Told(tmp_path, questions={"csat1": Question(kind="csat", scale="1-10")})

    (event, _) = told.events()

    assert (event.subject.rpartition("/")[2], event.data.rated_on) == ("csat", "1-10")


def test_thumbs_count_as_one_and_none(tmp_path: Path) -> None:
    told = Told(tmp_path, questions={"ok": Question(kind="csat", scale="yes_no")})
    yes = {"type": "boolean", "boolean": True, "field": {"id": "b", "type": "yes_no", "ref": "ok"}}

    (event,) = told.events(changed(answers=[yes]))

    assert event.data.score == 1


def test_a_scale_from_0_is_moved_to_ours(tmp_path: Path) -> None:
    told = Told(tmp_path, questions={"csat": Question(kind="csat", above=1)})

    (event,) = told.events(changed(answers=[number(0)]))

    assert event.data.score == 1


def test_a_form_without_hidden_fields_rates_the_tenant(told: Told) -> None:
    events = told.events(changed(hidden={"queue": ""}))

    assert {event.data.queue for event in events} == {None}


def test_a_form_of_questions_that_mean_nothing_here_is_ignored(told: Told) -> None:
    assert told.events(changed(answers=[number(3, "colour")])) == []
    assert told.intake.ignored == {"form_response": 1}


@pytest.mark.parametrize("typed", ["marked@example.com", "+386 40 777 123"])
def test_an_address_or_a_telephone_number_in_a_hidden_field_is_no_id(told: Told, typed: str) -> None:
    events = told.events(changed(hidden={"queue": "sales", "agent": typed, "customer_id": typed}))

    assert {(event.data.queue, event.data.agent, event.data.customer) for event in events} == {("sales", None, None)}


def test_what_a_hidden_field_calls_a_customer_is_the_id(told: Told) -> None:
    assert told.events(changed(hidden={"customer_id": "8412"}))[0].data.customer == "8412"


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (changed(answers=[number(9)]), "score_outside_scale", "the score is outside the scale"),
        (changed(answers=[number(None)]), "no_score", "was answered with something else"),
        (changed(answers=[{"type": "number"}]), "invalid_field", "`field` - at `$.form_response.answers[0]`"),
        (changed(submitted_at="yesterday"), "invalid_field", "at `$.form_response.submitted_at`"),
        (changed(submitted_at="2030-01-01T00:00:01"), "invalid_field", "at `$.form_response.submitted_at`"),
        (b'{"event_type": 1}', "unknown_document", "at `$.event_type`"),
        (b'{"event_type": "form_deleted"}', "unknown_kind", "not known"),
    ],
)
def test_what_has_changed_is_set_aside_and_named(told: Told, body: bytes, reason: str, detail: str) -> None:
    assert told.events(body) == []
    assert [bad.reason for bad in told.aside] == [reason]
    assert detail in told.aside[0].detail


def test_a_form_told_again_has_the_ids_that_it_had(told: Told) -> None:
    assert [event.id for event in told.events()] == [event.id for event in told.events()]


def test_the_file_of_webhooks_on_its_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/sources/typeform.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "webhooks.toml").write_text(block)
    (tmp_path / "typeform.secret").write_text("secret")

    assert webhooks_of(tmp_path / "webhooks.toml").keys() == {"forms"}
