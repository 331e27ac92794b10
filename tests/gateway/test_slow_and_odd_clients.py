"""Who is slow, or says what two readers read differently, gets in nobody's way: seen at the socket itself."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from stream.gateway import application, body, server
from stream.gateway.body import BodyBudget, read_body
from stream.gateway.descriptors import OTHER_FILES, room_for_connections
from stream.gateway.refusals import RequestRefused
from stream.gateway.spaced_lines import space_lines
from tests.gateway.posting import Posts, running_gateway

BATCH = b"Content-Type: application/cloudevents-batch+json\r\n"
POST = b"POST /v1/events HTTP/1.1\r\n"
EMPTY = b"Content-Length: 2\r\n\r\n[]"
CHUNKED = b"\r\n2\r\n[]\r\n0\r\n\r\n"
HOST = b"Host: x\r\n"

HONEST = [
    POST + HOST + BATCH + EMPTY,
    POST + b"Host: [::1]:9109\r\n" + BATCH + EMPTY,
    b"POST /v1/events HTTP/1.0\r\n" + BATCH + EMPTY,
    b"POST http://X/v1/events HTTP/1.1\r\n" + HOST + BATCH + EMPTY,
    POST + HOST + BATCH + b"Transfer-Encoding: Chunked\r\n" + CHUNKED,
]
FORBIDDEN = [
    POST + BATCH + EMPTY,
    POST + HOST + b"Host: evil\r\n" + BATCH + EMPTY,
    POST + b"Host: x/evil@y\r\n" + BATCH + EMPTY,
    b"POST http://evil/v1/events HTTP/1.1\r\n" + HOST + BATCH + EMPTY,
    POST + HOST + BATCH + b"Transfer-Encoding: gzip, chunked\r\n" + CHUNKED,
    POST + HOST + BATCH + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n" + CHUNKED,
    b"POST /v1/events HTTP/1.0\r\n" + HOST + BATCH + b"Transfer-Encoding: chunked\r\n" + CHUNKED,
    POST + HOST + BATCH + b"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n" + EMPTY,
    POST + HOST + BATCH + b"Content-Type: text/plain\r\n" + EMPTY,
    POST + HOST + BATCH + b"Authorization: Bearer a.b\r\nAuthorization: Bearer c.d\r\n" + EMPTY,
    POST + HOST + BATCH + b"Connection: Upgrade\r\nUpgrade: h2c\r\n" + EMPTY,
    POST + HOST + b"X: a\r\n b\r\n" + BATCH + EMPTY,
    POST + HOST + b"X: a\0b\r\n" + BATCH + EMPTY,
    (POST + HOST + BATCH + EMPTY).replace(b"\r\n", b"\n"),
]


@asynccontextmanager
async def connected(posts: Posts) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = posts.address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()


async def status_of(posts: Posts, request: bytes) -> int:
    async with connected(posts) as (reader, writer), asyncio.timeout(10):
        writer.write(request)
        return int((await reader.readline()).split()[1])


@pytest.mark.parametrize("request_bytes", HONEST)
async def test_whatever_http_allows_is_taken(request_bytes: bytes) -> None:
    async with running_gateway() as posts:
        assert await status_of(posts, request_bytes) == 202


@pytest.mark.parametrize("request_bytes", FORBIDDEN)
async def test_what_two_readers_read_differently_is_refused(request_bytes: bytes) -> None:
    async with running_gateway() as posts:
        assert await status_of(posts, request_bytes) == 400


async def test_a_path_is_what_was_sent_and_not_what_it_could_mean() -> None:
    async with running_gateway() as posts:
        for path in (b"/v1%2fevents", b"/v1/%65vents", b"/v1/webhooks/../events", b"//v1/events"):
            assert await status_of(posts, POST.replace(b"/v1/events", path) + HOST + BATCH + EMPTY) == 404
        assert await status_of(posts, b"GET /%6detrics HTTP/1.1\r\n" + HOST + b"\r\n") == 404


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        POST,
        b"POST /v1/webhooks/desk HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n[",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
async def test_however_many_are_slow_an_honest_sender_is_answered(
    begin: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CONNECTIONS", 5)
    async with running_gateway() as posts, asyncio.timeout(30):
        slow = []
        for _ in range(12):
            slow.append(await asyncio.open_connection(*posts.address.removeprefix("http://").split(":")))
            slow[-1][1].write(begin)
            await slow[-1][1].drain()
        assert await status_of(posts, POST + HOST + BATCH + EMPTY) == 202
        # The first ones are gone, though no time has run out.
        with suppress(ConnectionError):
            await slow[0][0].read()
        for _, writer in slow:
            writer.close()


async def test_who_does_not_read_an_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "UNREAD_SECONDS", 0.2)
    ask = b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n"
    async with running_gateway() as posts, connected(posts) as (_, writer), asyncio.timeout(60):
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a stream's is one that can
        while not writer.transport.is_closing():
            writer.write(ask * 100)
            with suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(0)


async def test_a_line_of_the_log_is_not_written_for_each_bad_request(caplog: pytest.LogCaptureFixture) -> None:
    async with running_gateway() as posts:
        for _ in range(20):
            assert await status_of(posts, b"no HTTP\r\n\r\n") == 400

    assert len([one for one in caplog.records if "Invalid HTTP" in one.msg]) <= 1


def test_how_many_lines_were_held_back_is_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("stream.gateway.spaced_lines.monotonic", lambda: now)
    space_lines("spaced")
    for _ in range(5):
        logging.getLogger("spaced").warning("it is %s", "away")
    now = 200.0
    logging.getLogger("spaced").warning("it is %s", "away")

    assert [one.getMessage() for one in caplog.records] == ["it is away", "it is away (and 4 times more before)"]


async def test_a_slow_body_makes_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "HURRIED_SECONDS", 0.0)
    budget = BodyBudget(100)

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 40
        await asyncio.Event().wait()

    async def quick() -> AsyncIterator[bytes]:
        yield b"x" * 40

    waiting = asyncio.create_task(read_body(slow(), "identity", budget, seconds=60))
    while budget.held < 40:
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert len(await read_body(quick(), "identity", budget, seconds=60)) == 40
    async with asyncio.timeout(10):
        with pytest.raises(RequestRefused) as refused:
            await waiting
    assert (refused.value.status, budget.held) == (408, 40)


async def test_bodies_of_webhooks_take_no_room_from_those_with_a_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(application, "BODIES_BYTES", 1000)
    (tmp_path / "token").write_text("token\n")
    (tmp_path / "webhooks.toml").write_text('[webhooks.desk]\nsource = "twilio"\ntoken_file = "token"\n')
    head = b"POST /v1/webhooks/desk HTTP/1.1\r\n" + HOST + b"Content-Length: 950\r\n"
    async with (
        running_gateway(gateway_webhooks=tmp_path / "webhooks.toml") as posts,
        connected(posts) as (reader, writer),
    ):
        writer.write(head + b"Expect: 100-continue\r\n\r\n" + b" " * 900)
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert (await posts(b"[]".ljust(900), "batch"))[0] == 202


def test_the_limit_of_open_files_bounds_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, pair: limits.append(pair))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    assert room_for_connections(2000) == 2000
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    assert room_for_connections(2000) == 512
    assert limits == [(2000 + OTHER_FILES, 4096), (1024, 1024)]


async def test_a_page_that_is_dear_is_not_written_for_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "DEAR_SECONDS", -1.0)
    clock = 100.0
    monkeypatch.setattr(application, "monotonic", lambda: clock)
    monkeypatch.setattr(application, "thread_time", iter(range(100)).__next__)
    async with running_gateway() as posts:
        before = await posts.get("/metrics")
        await posts(b"[]", "batch")
        assert await posts.get("/metrics") == before
        clock = 109.5  # nine times the second that it took
        assert 'status="202"' in (await posts.get("/metrics"))[1]
