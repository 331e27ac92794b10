"""However many look at a worker, its figures are read once a second: for boards, details, walls and other workers."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
from aiohttp import ClientSession

from stream.app.service import Service
from stream.board.cluster.share import WorkerShare
from stream.board.document import Document
from stream.core.windows import LIVE_WINDOWS
from tests.running import settings_of_a_test

PATHS = [*(f"board.json?window={window}" for window in LIVE_WINDOWS), "detail.json?key=a/b/voice", "part"]


class Counted(Service):
    """A worker that counts how often its figures are read; it needs no broker for that."""

    taken = 0
    broken: Exception | None = None

    async def share(self) -> WorkerShare:
        self.taken += 1
        if self.broken is not None:
            raise self.broken
        return await super().share()


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Counted, ClientSession]]:
    service = Counted(settings_of_a_test(), brokers="127.0.0.1:9", clock=lambda: datetime.now(UTC))
    await service.server.start()
    try:
        async with ClientSession(service.address) as session:
            yield service, session
    finally:
        await service.server.stop()
        await service.cluster.close()


async def body(session: ClientSession, path: str) -> bytes:
    async with session.get(f"/{path}") as answer:
        assert answer.status == 200
        return await answer.read()


async def test_fifty_who_ask_for_any_page_in_any_window_cost_one_reading_a_second() -> None:
    async with serving() as (service, session):
        began = time.monotonic()
        await asyncio.gather(*(body(session, path) for path in PATHS * 50))
        seconds = time.monotonic() - began

    assert 1 <= service.taken <= 1 + int(seconds)


async def test_a_page_is_never_more_than_a_second_old() -> None:
    async with serving() as (service, session):
        instants: set[datetime] = set()
        while len(instants) < 3:
            asked_at = datetime.now(UTC)
            document = msgspec.json.decode(await body(session, "board.json"), type=Document)
            assert asked_at - document.at < timedelta(seconds=1.1)  # the clock of the loop is another
            instants.add(document.at)

    assert service.taken == 3


async def test_walls_in_every_window_other_workers_and_details_share_what_is_read() -> None:
    async with serving() as (service, session):
        walls = [await session.get(f"/events?window={window}") for window in LIVE_WINDOWS * 4]
        began, taken = time.monotonic(), service.taken
        for _ in range(12):  # lines of the wall: some beats, so some seconds
            await asyncio.gather(body(session, "part"), body(session, "detail.json"), walls[0].content.readline())
        seconds = time.monotonic() - began
        for wall in walls:
            wall.close()

    assert service.taken - taken <= 1 + int(seconds)


async def test_when_nothing_can_be_read_all_are_told_so_and_it_is_tried_once_a_second() -> None:
    async with serving() as (service, session):
        service.broken = ZeroDivisionError()
        began = time.monotonic()

        async def status(path: str) -> int:
            async with session.get(f"/{path}") as answer:
                return answer.status

        answers = await asyncio.gather(*(status(path) for path in PATHS * 20))
        seconds = time.monotonic() - began
        service.broken = None
        async with asyncio.timeout(10):
            while await status("board.json") != 200:
                pass

    assert set(answers) == {500}
    assert service.taken <= 2 + int(seconds)


async def test_each_scrape_reads_for_itself() -> None:
    async with serving() as (service, session):
        await body(session, "board.json")
        taken = service.taken
        await body(session, "metrics")
        await body(session, "metrics")

        assert service.taken - taken == 2
