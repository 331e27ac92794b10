"""What Nicereply's two APIs and its webhook tell, and what becomes of it."""

import json
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from stream.core.cloudevents import Event
from stream.gateway.webhook_file import webhooks_of
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.nicereply.source import NicereplyAccount, nicereply_puller
from stream.sources.nicereply.webhook import WebhookOptions, nicereply_webhook
from stream.sources.pulling.shipping import BackOff
from stream.sources.pulling.web_api import ApiPuller
from stream.sources.source import Received
from stream.sources.survey_questions import Question
from stream.sources.toml_file import toml_of
from tests.sources.nicereply.account import (
    CES,
    CSAT,
    NOW,
    NPS,
    account_of,
    answer_as_nicereply,
    filled,
    response,
    scale,
    words,
)

HERE = Path(__file__).parent
DOCS = Path(__file__).parents[3] / "docs/sources/nicereply.md"
PAGE = json.loads((HERE / "responses_page_CONSTRUCTED.json").read_text())
PAGE_V1 = json.loads((HERE / "ratings_page_v1_CONSTRUCTED.json").read_text())
RATING = {"rating": Question(kind="csat", scale="1-10")}

Answer = Callable[[web.Request], web.Response]


class Asked:
    """What was asked of an API, and what became of what it answered."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.aside: list[BadLine] = []
        self.intake = Intake(self.aside.append)


@asynccontextmanager
async def serving(answer: Answer, asked: Asked) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.Response:
        asked.requests.append(request)
        return answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def told_by(answer: Answer, folder: Path, asked: Asked, rounds: int = 1, **account: Any) -> list[Event]:
    """Return what so many questions to an API tell."""
    async with serving(answer, asked) as address:
        puller = nicereply_puller(
            account_of(folder, address=address, **account),
            asked.intake,
            clock=lambda: NOW,
            poll_seconds=0.001,
            back_off=BackOff(first=0.001),
        )
        batches = puller.batches(None)
        events: list[Event] = []
        async for batch in batches:
            events += batch.events
            if len(asked.requests) >= rounds:
                break
        await batches.aclose()
    return events


def page_of(content: Any) -> Answer:
    return lambda _: web.json_response(content)


def list_of(*records: bytes) -> Answer:
    kept: Sequence[bytes] = records
    return lambda request: answer_as_nicereply(kept, request)


def shown_by(request: web.Request) -> str:
    return b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()


@pytest.fixture
def asked() -> Asked:
    return Asked()


async def test_a_response_is_an_answer_to_each_question_that_means_something(tmp_path: Path, asked: Asked) -> None:
    events = await told_by(page_of(PAGE), tmp_path, asked)

    first, second = "0f6f0c1e-0000-4000-8000-000000000001", "0f6f0c1e-0000-4000-8000-000000000002"
    assert [(e.subject, e.data.kind, e.data.score, e.data.rated_on) for e in events] == [
        (f"{first}/{CSAT}", "csat", 5, "1-5"),
        (f"{first}/{CES}", "ces", 6, "1-7"),
        (f"{first}/{NPS}", "nps", 9, "0-10"),
        (f"{second}/{CSAT}", "csat", 2, "1-5"),
    ]
    assert [(e.time, e.data.comment, e.data.customer) for e in events[2:]] == [
        (datetime(2026, 5, 4, 10, 27, tzinfo=UTC), True, "9b1d0000-0000-4000-8000-000000000001"),
        (datetime(2026, 5, 4, 9, 0, tzinfo=UTC), False, None),
    ]
    assert {(e.source, e.data.queue) for e in events} == {("/nicereply", "support")}
    assert asked.intake.used == {"response": 2}


async def test_it_asks_for_what_is_new_oldest_first_as_who_has_the_token(tmp_path: Path, asked: Asked) -> None:
    await told_by(page_of(PAGE), tmp_path, asked)

    (request,) = asked.requests
    assert request.path == "/responses"
    assert {**request.query} == {
        "created_after": "2026-05-04T00:00:00Z",
        "sort_order": "asc",
        "page": "1",
        "per_page": "100",
    }
    assert shown_by(request) == "mia@acme.example:a-token"


async def test_the_responses_of_one_survey_have_a_list_of_their_own(tmp_path: Path, asked: Asked) -> None:
    await told_by(page_of(PAGE), tmp_path, asked, path="surveys/362ea713-8867/responses")

    assert asked.requests[0].path == "/surveys/362ea713-8867/responses"


async def test_a_customer_with_an_address_alone_has_an_opaque_id_or_none(tmp_path: Path, asked: Asked) -> None:
    (tmp_path / "key").write_text("a-key\n")

    events = await told_by(page_of(PAGE), tmp_path, asked, address_key_file=tmp_path / "key")

    assert re.fullmatch("[0-9a-f]{32}", events[3].data.customer)
    assert "example.com" not in repr(events)


async def test_what_customers_write_is_in_no_event(tmp_path: Path, asked: Asked) -> None:
    assert "Invented" not in repr(await told_by(page_of(PAGE), tmp_path, asked))


async def test_pages_are_read_to_the_last(tmp_path: Path, asked: Asked) -> None:
    events = await told_by(list_of(*map(response, range(250))), tmp_path, asked, rounds=3)

    assert len(events) == 250
    assert [request.query["page"] for request in asked.requests] == ["1", "2", "3"]


async def test_a_question_that_was_left_out_is_no_answer(tmp_path: Path, asked: Asked) -> None:
    kept = list_of(response(1, scale(CSAT, None), words("")), response(2, scale(CSAT, 4), words("")))

    (event,) = await told_by(kept, tmp_path, asked)

    assert (event.subject, event.data.comment) == (f"r-2/{CSAT}", False)
    assert asked.intake.ignored == {"response": 1}


async def test_surveys_have_queues_by_their_ids(tmp_path: Path, asked: Asked) -> None:
    kept = list_of(response(1, survey_id=123), response(2, survey_id="s-2"), response(3))

    events = await told_by(kept, tmp_path, asked, queues={"123": "sales", "s-2": "billing"})

    assert [event.data.queue for event in events] == ["sales", "billing", "support"]


@pytest.mark.parametrize(
    ("record", "reason", "detail"),
    [
        (response(1, scale(CSAT, 9)), "score_outside_scale", "see what `questions` says"),
        (response(1, {"question_id": CSAT, "question_type": "CHOICE"}), "no_score", "answered with something else"),
        (response(1, created_at="2026-05-04"), "invalid_field", "at `$.created_at`"),
        (response(1, created_at="2026-05-04T09:00:00"), "invalid_field", "at `$.created_at`"),
        (response(1, {"question_id": CSAT}), "invalid_field", "`question_type` - at `$.answers[0]`"),
        (response(1, id=""), "invalid_field", "at `$.id`"),
        (response(1, {"question_id": "x", "question_type": "RUMOUR"}), "unknown_kind", "not known"),
    ],
)
async def test_what_has_changed_is_set_aside_and_named(
    tmp_path: Path, asked: Asked, record: bytes, reason: str, detail: str
) -> None:
    page = {"data": [json.loads(record)], "pagination": {"total_pages": 1}}

    assert await told_by(page_of(page), tmp_path, asked) == []
    assert [bad.reason for bad in asked.aside] == [reason]
    assert detail in asked.aside[0].detail


async def test_a_rating_of_version_1_is_one_answer(tmp_path: Path, asked: Asked) -> None:
    (event,) = await told_by(
        page_of(PAGE_V1), tmp_path, asked, path="v1/csat/ratings", questions=RATING, user="", queues={"123": "sales"}
    )

    data: Any = event.data
    assert (event.id, event.subject, event.time) == (
        "90012/csat",
        "90012/csat",
        datetime(2026, 5, 4, 10, 27, tzinfo=UTC),
    )
    assert (data.kind, data.score, data.rated_on, data.queue, data.agent) == ("csat", 9, "1-10", "sales", "ana")
    assert (data.comment, data.customer) == (True, None)
    assert shown_by(asked.requests[0]) == ":a-token"


def rating(number: int, at: datetime, **fields: Any) -> dict[str, Any]:
    return {"id": number, "score": 8, "created_at": at.isoformat(), "comment": None, "survey_id": 123} | fields


def pages_v1(*pages: Sequence[dict[str, Any]]) -> Answer:
    """Answer as version 1: newest first, a link to the next page, and where there is none an empty list of PHP."""

    def answer(request: web.Request) -> web.Response:
        number = int(request.query["page"])
        links: Any = {"next": f"/v1/csat/ratings?page={number + 1}"} if number < len(pages) else []
        return web.json_response({"_results": pages[number - 1], "_pagination": {"links": links}})

    return answer


async def test_version_1_is_read_from_the_newest_to_what_is_too_old(tmp_path: Path, asked: Asked) -> None:
    days = [datetime(2026, 5, day, tzinfo=UTC) for day in (7, 6, 5, 4, 3, 2)]
    ratings = [rating(number, at) for number, at in enumerate(days)]
    answer = pages_v1(ratings[:2], ratings[2:5], ratings[5:])

    events = await told_by(answer, tmp_path, asked, rounds=2, path="v1/csat/ratings", questions=RATING)

    assert [event.time for event in events] == days[:4]
    assert [request.query["page"] for request in asked.requests] == ["1", "2"]


@pytest.mark.parametrize("called", ["ana@acme.example", "+386 40 777 123"])
async def test_agents_that_are_called_by_address_or_telephone_stay_unknown(
    tmp_path: Path, asked: Asked, called: str
) -> None:
    answer = pages_v1([rating(1, datetime(2026, 5, 5, tzinfo=UTC), user={"username": called})])

    (event,) = await told_by(answer, tmp_path, asked, path="v1/csat/ratings", questions=RATING)

    assert event.data.agent is None


@pytest.mark.parametrize(
    "path", ["", "users", "responses/1", "../responses", "surveys//responses", "v1/ratings", "v1/surveys/x/ratings"]
)
def test_only_lists_of_responses_are_asked_for(path: str, tmp_path: Path) -> None:
    file = tmp_path / "nicereply.toml"
    file.write_text(f'token_file = "token"\nsince = 2026-05-04\npath = "{path}"\n[questions.rating]\nkind = "csat"\n')

    with pytest.raises(Exception, match=r"at `\$\.path`"):
        toml_of(file, NicereplyAccount)


class Webhook:
    """A webhook with what became of what it was given."""

    def __init__(self, folder: Path, **options: Any) -> None:
        (folder / "key").write_text("a-key\n")
        self.aside: list[BadLine] = []
        self.intake = Intake(self.aside.append)
        questions = {"csat": Question(kind="csat"), "nps": Question(kind="nps")}
        self._webhook = nicereply_webhook(
            WebhookOptions(**{"key_file": folder / "key", "questions": questions, **options}), self.intake
        )

    def verified(self, url: str = "", **headers: str) -> bool:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self._webhook.verified(Received(b"", named, f"https://events.example.org/w{url}", NOW))

    def events(self, body: bytes) -> list[Event]:
        return [*self._webhook.events(Received(body, {}, "https://events.example.org/w", NOW))]


def test_the_template_filled_in_is_an_answer_to_each_question(tmp_path: Path) -> None:
    webhook = Webhook(tmp_path, queues={"123": "sales"})

    events: list[Any] = webhook.events(filled(1))

    assert [(e.id, e.data.kind, e.data.score) for e in events] == [("r-1/csat", "csat", 4), ("r-1/nps", "nps", 9)]
    assert {(e.data.queue, e.data.agent, e.data.customer, e.time.isoformat()) for e in events} == {
        ("sales", "ana", "c-1", "2026-05-04T09:00:01+00:00")
    }


def test_a_change_that_is_posted_has_the_time_of_the_change(tmp_path: Path) -> None:
    at = "2026-05-04T10:00:00+00:00"

    (event, _) = Webhook(tmp_path).events(filled(1, updated_at=at))

    assert (type(event).__name__, event.id, event.time.isoformat()) == ("SurveyChanged", f"r-1/csat/{at}", at)


def test_questions_that_were_left_out_or_mean_nothing_are_no_answers(tmp_path: Path) -> None:
    webhook = Webhook(tmp_path)

    assert webhook.events(filled(1, answers={"csat": "", "nps": None, "colour": "blue"})) == []
    assert webhook.intake.ignored == {"response": 1}


def test_the_key_is_in_a_header_or_in_the_url(tmp_path: Path) -> None:
    header, url = Webhook(tmp_path), Webhook(tmp_path, key_in="url")

    assert header.verified(x_api_key="a-key")
    assert url.verified("?key=a-key")
    assert not any([header.verified("?key=a-key"), header.verified(), url.verified(x_api_key="a-key")])
    assert not any([header.verified(x_api_key="a-kez"), url.verified("?key=a-kez"), url.verified("?key=a-key&key=x")])


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (filled(1, id="{{response.id}}"), "unresolved_variable", "template's id was not filled in"),
        (filled(1, agent="{$agent}", answers={"csat": "{{x}}"}), "unresolved_variable", "agent, answers was not"),
        (filled(1, answers={"csat": "good"}), "no_score", "no whole number"),
        (filled(1, answers={"csat": "9"}), "score_outside_scale", "outside the scale"),
        (filled(1, answers={"csat": "9" * 5000}), "no_score", "no whole number"),
        (filled(1, created_at="04.05.2026 09:00"), "invalid_field", "created_at is no time with its zone"),
        (filled(1, updated_at="2026-05-04 09:00"), "invalid_field", "updated_at is no time with its zone"),
        (filled(1, id=""), "invalid_field", "at `$.id`"),
        (filled(1, event=None), "unknown_document", "at `$.event`"),
        (filled(1, event="response.deleted"), "unknown_kind", "not known"),
    ],
)
def test_a_template_that_is_filled_in_otherwise_is_set_aside(
    tmp_path: Path, body: bytes, reason: str, detail: str
) -> None:
    webhook = Webhook(tmp_path)

    assert webhook.events(body) == []
    assert [bad.reason for bad in webhook.aside] == [reason]
    assert detail in webhook.aside[0].detail


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


def test_the_files_on_its_page_are_read(tmp_path: Path) -> None:
    accounts = [block for block in blocks("toml") if "[webhooks" not in block]
    (webhooks,) = [block for block in blocks("toml") if "[webhooks" in block]
    for name in ("nicereply.token", "nicereply.key"):
        (tmp_path / name).write_text("secret")
    (tmp_path / "webhooks.toml").write_text(webhooks)

    for number, account in enumerate(accounts):
        (tmp_path / f"{number}.toml").write_text(account)
        puller = nicereply_puller(toml_of(tmp_path / f"{number}.toml", NicereplyAccount), Intake())
        assert isinstance(puller, ApiPuller)

    assert len(accounts) == 2
    assert webhooks_of(tmp_path / "webhooks.toml").keys() == {"nicereply"}


def test_the_template_on_its_page_is_one_whose_blanks_are_found_empty(tmp_path: Path) -> None:
    (template,) = blocks("json")
    webhook = Webhook(tmp_path)

    assert webhook.events(template.encode()) == []
    assert [bad.reason for bad in webhook.aside] == ["unresolved_variable"]
    assert json.loads(template).keys() == json.loads(filled(1)).keys()
