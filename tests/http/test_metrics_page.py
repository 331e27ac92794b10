"""Scrapes: who asks for a page that is being made shares it, and whatever holds one up holds up no board."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import make_mocked_request

from stream.families.registry import FAMILIES
from stream.http import metrics_page as module
from stream.http.metrics_page import MetricsPage
from stream.http.server import BoardServer
from stream.http.shown import Shown
from tests.board.boards import a_board, a_queue
from tests.board.conftest import Worker
from tests.families.everything import ones
from tests.running import until

PAGES = Shown(families=FAMILIES, registry="stream.families.registry:FAMILIES")
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
EVERY_FORMAT = [
    {"Accept": accept, "Accept-Encoding": encoding}
    for accept in ("*/*", OPENMETRICS)
    for encoding in ("gzip", "identity")
]


@asynccontextmanager
async def serving(worker: Worker) -> AsyncIterator[tuple[BoardServer, ClientSession]]:
    server = worker.server()
    await server.start()
    try:
        async with ClientSession(server.address) as session:
            yield server, session
    finally:
        await server.stop()


async def body(session: ClientSession, path: str, headers: dict[str, str] | None = None) -> bytes:
    async with session.get(path, headers=headers) as answer:
        assert answer.status == 200
        return await answer.read()


async def test_a_scrape_that_is_being_answered_answers_all_who_ask_for_the_same_format() -> None:
    worker = Worker(goes_on=asyncio.Event())
    page = MetricsPage(PAGES, read_board=worker.read_own_board, feed=worker.feed, timer=time.perf_counter)
    asks = [make_mocked_request("GET", "/metrics", headers={"Accept": accept}) for accept in ("*/*", OPENMETRICS)]

    scrapes = [asyncio.create_task(page.answer(ask)) for ask in asks * 20]
    for _ in range(5):  # turns of the loop: all of them wait
        await asyncio.sleep(0)
    worker.goes_on.set()
    answers = await asyncio.gather(*scrapes)
    later = await page.answer(asks[0])
    page.stop()

    assert {answer.content_type for answer in answers} == {"text/plain", "application/openmetrics-text"}
    assert len({id(answer.body) for answer in answers}) == 2
    assert later.body not in [answer.body for answer in answers]
    assert worker.taken == 2


async def test_who_gives_up_takes_the_page_from_nobody() -> None:
    worker = Worker(goes_on=asyncio.Event())
    page = MetricsPage(PAGES, read_board=worker.read_own_board, feed=worker.feed, timer=time.perf_counter)
    ask = make_mocked_request("GET", "/metrics")

    impatient, patient = (asyncio.create_task(page.answer(ask)) for _ in range(2))
    while not worker.taken:
        await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    worker.goes_on.set()
    answer = await patient
    page.stop()

    assert (answer.status, worker.taken) == (200, 1)


async def test_a_writer_that_hangs_holds_up_no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE", 1)
    async with serving(Worker()) as (server, session):
        await body(session, "/metrics")
        writer = server._metrics._page_writer.pid
        assert writer is not None
        os.kill(writer, signal.SIGSTOP)
        scrapes = [asyncio.create_task(body(session, "/metrics", headers)) for headers in EVERY_FORMAT]
        async with asyncio.timeout(5), session.get("/events") as wall:
            # Not one of several: each of these would have waited for a thread.
            for path in ("/board.json", "/detail.json", "/part") * 3:
                await body(session, path)
            for _ in range(20):
                await wall.content.readline()
        stuck = [scrape.done() for scrape in scrapes]
        os.kill(writer, signal.SIGCONT)
        pages = await asyncio.gather(*scrapes)

    assert not any(stuck)
    assert all(b"contact_open_cases" in page for page in pages)


async def test_scrapers_that_read_slowly_hold_up_neither_board_nor_scrapes() -> None:
    board = a_board(*(a_queue(f"queue-{number}", tally=ones()) for number in range(400)))
    async with serving(worker := Worker(board=board)) as (server, session):
        host, port = server.address.removeprefix("http://").split(":")
        slow = [socket.create_connection((host, int(port))) for _ in range(4)]
        for one, headers in zip(slow, EVERY_FORMAT, strict=True):
            fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            one.sendall(f"GET /metrics HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode())
        try:
            await until(lambda: worker.taken > 0)
            async with asyncio.timeout(10):
                for path in ("/board.json", "/detail.json", "/part", "/metrics"):
                    await body(session, path)
        finally:
            for one in slow:
                one.close()
