"""What SurveyMonkey's list of responses tells: scores are weights, numbers or choices that somebody has named."""

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from stream.core.cloudevents import Event
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.pulling.shipping import BackOff
from stream.sources.pulling.web_api import ApiPuller
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, check_verification, verifier_of
from stream.sources.source import Received
from stream.sources.surveymonkey.source import ChoiceQuestion, SurveyMonkeyAccount, surveymonkey_puller
from stream.sources.toml_file import toml_of
from tests.sources.surveymonkey.account import (
    NOW,
    account_of,
    answer_as_surveymonkey,
    chosen,
    rated,
    response,
)

HERE = Path(__file__).parent
DOCS = Path(__file__).parents[3] / "docs/sources/surveymonkey.md"


class Survey:
    """What a survey keeps, what was asked of it, and what became of that."""

    def __init__(self, folder: Path) -> None:
        self.kept: list[bytes] = []
        self.requests: list[web.Request] = []
        self.aside: list[BadLine] = []
        self.intake = Intake(self.aside.append)
        self._folder = folder

    async def told(self, *kept: bytes, rounds: int = 1, then: Sequence[bytes] = (), **account: Any) -> list[Event]:
        """Return what is told until so many questions were asked when it keeps this, and then something else."""
        self.kept = [*kept]
        async with self._serving() as address:
            puller = surveymonkey_puller(
                account_of(self._folder, address=address, **account),
                self.intake,
                clock=lambda: NOW,
                poll_seconds=0.001,
                back_off=BackOff(first=0.001),
            )
            batches, events = puller.batches(None), list[Event]()
            async for batch in batches:
                events += batch.events
                self.kept = [*(then or kept)]
                if len(self.requests) >= rounds or (then and len(events) > len(kept)):
                    break
            await batches.aclose()
        return events

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[str]:
        async def handle(request: web.Request) -> web.Response:
            self.requests.append(request)
            return answer_as_surveymonkey(self.kept, request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        async with TestServer(app) as server:
            yield str(server.make_url("/"))


@pytest.fixture
def survey(tmp_path: Path) -> Survey:
    return Survey(tmp_path)


def scores(events: list[Event]) -> list[tuple[str, str, int]]:
    told: list[Any] = [*events]
    return [(one.subject.partition("/")[2], one.data.kind, one.data.score) for one in told]


async def test_a_complete_response_is_an_answer_to_each_question_that_means_something(survey: Survey) -> None:
    events = await survey.told(
        response(
            1,
            rated("101", "4", "4"),
            rated("102", "-100", "Not at all likely - 0"),
            chosen("103", "Very satisfied"),
            chosen("999", "Blue"),
            {"id": "104", "answers": [{"text": "Marked", "simple_text": "Marked"}]},
            custom_variables={"queue": "sales", "agent": "ana", "customer_id": "8412"},
        )
    )

    assert scores(events) == [("101", "csat", 4), ("102", "nps", 0), ("103", "csat", 5)]
    data: list[Any] = [event.data for event in events]
    assert {(one.queue, one.agent, one.customer, one.comment) for one in data} == {("sales", "ana", "8412", True)}
    assert {(one.id.partition("/")[0], one.source, one.time) for one in events} == {
        ("7000000001", "/surveymonkey", datetime(2026, 5, 4, 9, 0, 1, tzinfo=UTC))
    }
    assert survey.intake.used == {"response": 1}
    assert "arked" not in repr(events)


async def test_it_asks_for_complete_responses_the_least_recently_changed_first(survey: Survey) -> None:
    await survey.told(response(1))

    request = survey.requests[0]
    assert request.path == "/surveys/123/responses/bulk"
    assert {**request.query} == {
        "start_modified_at": "2026-05-04T00:00:00+00:00",
        "sort_by": "date_modified",
        "sort_order": "ASC",
        "status": "completed",
        "simple": "true",
        "page": "1",
        "per_page": "100",
    }
    assert request.headers["Authorization"] == "Bearer a-token"


async def test_pages_are_read_to_the_last(survey: Survey) -> None:
    assert len(await survey.told(*map(response, range(250)), rounds=3)) == 250
    # Each page begins where the last one ended, a second before: a page's number is that of others once one is edited.
    begun = [datetime.fromisoformat(request.query["start_modified_at"]) for request in survey.requests]
    assert [(at - begun[1]).total_seconds() for at in begun[1:]] == [0, 98]
    assert {request.query["page"] for request in survey.requests} == {"1"}


@pytest.mark.parametrize(
    ("question", "score"),
    [
        (rated("101", "5", "Very good"), 5),
        (rated("101", 3, ""), 3),
        (rated("101", "", "4"), 4),
        (rated("102", "100", "9"), 9),
        (rated("102", "100", "Extremely likely - 10"), 10),
        (rated("102", "0", "7"), 7),
        (rated("102", "-100", "Gar nicht wahrscheinlich - 0"), 0),
        ({"id": "102", "answers": [{"text": "8", "simple_text": "8"}]}, 8),
        (chosen("103", "Satisfied"), 4),
        (chosen("103", "Zufrieden", choice_id="9003"), 3),
    ],
)
async def test_a_score_is_what_somebody_has_said_or_a_weight_or_a_number(
    survey: Survey, question: dict[str, Any], score: int
) -> None:
    (told,) = scores(await survey.told(response(1, question)))

    assert told[2] == score


async def test_neither_an_address_of_e_mail_nor_a_telephone_number_is_an_id(survey: Survey) -> None:
    variables = {"customer_id": "marked@example.com", "agent": "+386 40 777 123"}

    (event,) = await survey.told(response(1, custom_variables=variables))

    assert (event.data.customer, event.data.agent) == (None, None)


async def test_choices_that_are_no_answer_are_none(survey: Survey) -> None:
    assert await survey.told(response(1, rated("101", "", "N/A"))) == []
    assert survey.intake.ignored == {"response": 1}


async def test_words_beside_the_choices_are_a_comment(survey: Survey) -> None:
    question = rated("101", "5", "5")
    question["answers"].append({"other_id": "9", "text": "Marked", "simple_text": "Marked"})

    (event,) = await survey.told(response(1, question))

    assert event.data.comment is True


async def test_rows_of_a_matrix_are_questions_of_their_own(survey: Survey) -> None:
    question = rated("201", "5", "5", row_id="1")
    question["answers"] += rated("201", "2", "2", row_id="2")["answers"]
    asked = {"201/1": ChoiceQuestion(kind="csat"), "201/2": ChoiceQuestion(kind="ces", scale="1-5")}

    assert scores(await survey.told(response(1, question), questions=asked)) == [
        ("201/1", "csat", 5),
        ("201/2", "ces", 2),
    ]


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        ({"collection_mode": "preview"}, "ignored"),
        ({"collection_mode": "survey_preview"}, "ignored"),
        ({"response_status": "partial"}, "ignored"),
        ({"collection_mode": "rumour"}, "unknown"),
    ],
)
async def test_who_only_looks_at_the_survey_answers_nothing(
    survey: Survey, fields: dict[str, Any], outcome: str
) -> None:
    assert await survey.told(response(1, **fields)) == []
    assert getattr(survey.intake, outcome).total() == 1


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        (response(1, chosen("103", "Great")), "no_score", "say under `choices` what it is"),
        (response(1, rated("102", "100", "Sure")), "no_score", "say under `choices` what it is"),
        (response(1, rated("101", "9", "9")), "score_outside_scale", "see what `questions` says"),
        (response(1, rated("101", "5", "5"), date_modified="yesterday"), "invalid_field", "at `$.date_modified`"),
        (response(1, {"answers": []}), "invalid_field", "`id` - at `$.pages[0].questions[0]`"),
        (
            response(1, {"id": "101", "answers": [{"choice_id": "1"}, {"choice_id": "2"}]}),
            "several_answers",
            "name it with its row",
        ),
    ],
)
async def test_what_has_changed_is_set_aside_and_named(
    survey: Survey, record: bytes, reason: str, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.sources.surveymonkey.account.records_since", lambda records, *_: [*records])

    assert await survey.told(record) == []
    assert [bad.reason for bad in survey.aside] == [reason]
    assert detail in survey.aside[0].detail


async def test_a_response_that_is_edited_replaces_its_answers(survey: Survey) -> None:
    first, edited = response(1, rated("101", "2", "2")), response(1, rated("101", "5", "5"), seconds=600)

    events = await survey.told(first, then=[edited], rounds=4)

    assert [type(event).__name__ for event in events] == ["SurveyAnswered", "SurveyChanged"]
    assert [(event.subject, event.time.isoformat()) for event in events] == [
        ("7000000001/101", "2026-05-04T09:00:01+00:00"),
        ("7000000001/101", "2026-05-04T09:10:00+00:00"),
    ]


def table_on_the_page() -> VerifyTable:
    (block,) = re.findall(r"```toml\n(\[verify\]\n.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    told: VerifyTable = msgspec.toml.decode(block, type=dict[str, VerifyTable])["verify"]
    return told


def test_its_webhook_can_be_verified_by_a_mapping(tmp_path: Path) -> None:
    """As it was computed for the recorded body elsewhere."""
    body = (HERE / "response_completed_CONSTRUCTED.json").read_bytes()
    (tmp_path / "secret").write_text("invented-key&invented-secret\n")
    table = table_on_the_page()
    check_verification(table)
    verified = verifier_of(table, SecretLines(tmp_path / "secret"))

    def shown(signature: str, sent: bytes = body) -> bool:
        return verified(Received(sent, {"sm-signature": signature}, "https://events.example.org/w", NOW))

    assert shown("YNJIvNRBjvSjBrwO/oALwgoth0Q=")
    assert not any(
        [shown("YNJIvNRBjvSjBrwO/oALwgoth0q="), shown(""), shown("YNJIvNRBjvSjBrwO/oALwgoth0Q=", body + b" ")]
    )
    assert "score" not in json.loads(body) | json.loads(body)["resources"]


def test_the_file_on_its_page_is_read(tmp_path: Path) -> None:
    (account,) = re.findall(r"```toml\n *# csat.toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "csat.toml").write_text(account)
    (tmp_path / "surveymonkey.token").write_text("token")

    told = toml_of(tmp_path / "csat.toml", SurveyMonkeyAccount)

    assert isinstance(surveymonkey_puller(told, Intake()), ApiPuller)
    assert {one.kind for one in told.questions.values()} == {"csat", "nps"}
