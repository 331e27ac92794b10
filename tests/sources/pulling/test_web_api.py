"""An API is asked page by page, as long as it takes; no answer ends it, and its login is for nobody else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec import Struct

from stream.core.cloudevents import Event
from stream.errors import SettingsError, SourceError
from stream.sdk.factory import EventFactory
from stream.sources.intake import Intake
from stream.sources.pulling import web_api
from stream.sources.pulling.shipping import BackOff
from stream.sources.pulling.web_api import ApiPage, ApiPuller, WebApi, basic_login, header_login
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.source import PulledBatch, UnreadablePosition
from tests.sources.new_sources import BEGIN

Answer = Callable[[web.Request], web.StreamResponse]


class _Cursor(Struct, frozen=True):
    page: int = 0


class _Page(Struct):
    calls: list[str]
    last: bool


class Api:
    """A scripted API: each request takes the next answer, and the last one stays."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[web.Request] = []
        self.slept: list[float] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        return (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def calls(*names: str, last: bool = False) -> Answer:
    return lambda _: web.json_response({"calls": names, "last": last})


def status(number: int, **headers: str) -> Answer:
    return lambda _: web.Response(
        status=number, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


async def ask(api: WebApi, cursor: _Cursor) -> ApiPage[_Cursor]:
    told = msgspec.json.decode(await api.get("/v1/calls", {"page": str(cursor.page)}), type=_Page)
    made: list[Event] = [
        EventFactory("/api", clock=lambda: BEGIN, new_id=partial(str, name)).enqueued(name, "sales")
        for name in told.calls
    ]
    return ApiPage(made, _Cursor(cursor.page + bool(told.calls)), not told.last)


@pytest.fixture
def token(tmp_path: Path) -> SecretLines:
    (tmp_path / "token").write_text("s3cret\n")
    return SecretLines(tmp_path / "token")


class Running(Struct):
    api: Api
    puller: ApiPuller[_Cursor]
    intake: Intake

    async def take(self, number: int, saved: bytes | None = None) -> Sequence[PulledBatch]:
        found: list[PulledBatch] = []
        async with asyncio.timeout(30):
            async for batch in self.puller.batches(saved):
                found.append(batch)
                if len(found) == number:
                    break
        return found


Run = Callable[..., Awaitable[Running]]


@pytest.fixture
async def run(token: SecretLines) -> AsyncIterator[Run]:
    servers: list[TestServer] = []

    async def started(*answers: Answer) -> Running:
        api = Api(*answers)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", api.handle)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        intake = Intake()
        puller = ApiPuller(
            WebApi(str(server.make_url("/base")), header_login("Authorization", token, "Bearer ")),
            ask,
            _Cursor(),
            intake,
            poll_seconds=60,
            back_off=BackOff(sleep=api.sleep),
            sleep=api.sleep,
        )
        return Running(api, puller, intake)

    yield started
    for server in servers:
        await server.close()


async def test_pages_follow_each_other_and_the_last_is_asked_for_again_after_a_pause(run: Run) -> None:
    running = await run(calls("a"), calls("b", last=True), calls(last=True), calls("c", last=True))

    found = await running.take(3)

    assert [[event.id for event in batch.events] for batch in found] == [["a"], ["b"], ["c"]]
    assert running.api.slept == [60, 60]
    assert [request.query["page"] for request in running.api.requests] == ["0", "1", "2", "2"]
    assert {request.headers["Authorization"] for request in running.api.requests} == {"Bearer s3cret"}
    assert {request.path for request in running.api.requests} == {"/base/v1/calls"}


async def test_it_goes_on_behind_the_position_that_was_saved(run: Run) -> None:
    running = await run(calls("c", last=True))

    (batch,) = await running.take(1, b'{"page":7}')

    assert (running.api.requests[0].query["page"], batch.position) == ("7", b'{"page":8}')


@pytest.mark.parametrize("saved", [b"", b"{", b"[" * 100_000, b'{"page":"x"}'])
async def test_a_position_that_is_none_is_told(run: Run, saved: bytes) -> None:
    with pytest.raises(UnreadablePosition, match="remove the file"):
        await (await run(calls())).take(1, saved)


@pytest.mark.parametrize(
    "bad",
    [
        status(500),
        status(503),
        status(408),
        status(302, Location="http://127.0.0.1:9/steal"),
        lambda _: web.Response(text="<html>"),
        lambda _: web.Response(text="[" * 100_000),
        lambda _: web.json_response({"calls": "a", "last": 1}),
    ],
)
async def test_whatever_it_answers_later_it_is_asked_again(run: Run, bad: Answer) -> None:
    running = await run(calls("a"), bad, bad, calls("b"))

    found = await running.take(2)

    assert [event.id for batch in found for event in batch.events] == ["a", "b"]
    assert running.api.slept == [0.5, 1.0]
    assert [*running.intake.connected.values()] == [True]


async def test_it_is_left_alone_as_long_as_it_asks_for(run: Run) -> None:
    running = await run(calls("a"), status(429, Retry_After="17"), status(429, Retry_After="9" * 400), calls("b"))

    await running.take(2)

    assert running.api.slept == [17.0, 900.0]


@pytest.mark.parametrize("number", [302, 400, 401, 403, 404])
async def test_a_refusal_at_the_first_answer_is_told_at_once_without_the_login(run: Run, number: int) -> None:
    running = await run(status(number))

    with pytest.raises(SourceError, match=rf"/v1/calls answers {number}: look at address and login") as raised:
        await running.take(1)
    assert "s3cret" not in str(raised.value)


async def test_a_redirect_does_not_get_the_login(run: Run) -> None:
    thief = await run(calls())
    address = str(thief.puller._api)
    running = await run(calls("a"), status(302, Location=f"{address}/steal"), calls("b"))

    await running.take(2)

    assert thief.api.requests == []


async def test_an_answer_without_end_fills_no_memory(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_api, "PAGE_BYTES", 1_000)
    running = await run(calls("a"), lambda _: web.Response(text=" " * 1_001), calls("b"))

    found = await running.take(2)

    assert [event.id for batch in found for event in batch.events] == ["a", "b"]


async def test_one_that_always_says_more_is_not_asked_in_a_tight_loop(run: Run) -> None:
    running = await run(calls("a"), calls(), calls(), calls("b"))

    await running.take(2)

    assert running.api.slept == [60, 60]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "host",
        "ftp://host",
        "http://host",
        "https://user:pw@host",
        "https://host/?token=a",
        "https://host/#a",
        "https://[",
    ],
)
def test_an_address_that_would_show_a_secret_or_none_at_all_is_refused(address: str, token: SecretLines) -> None:
    with pytest.raises(SettingsError, match="expected https://host"):
        WebApi(address, basic_login("me", token))


def test_basic_is_user_and_first_line_of_the_file(token: SecretLines) -> None:
    assert basic_login("me", token)() == {"Authorization": "Basic bWU6czNjcmV0"}
