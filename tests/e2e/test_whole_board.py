"""Several workers, one board: each shows what one worker would show, says when a part is missing, and heals."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import msgspec
import pytest

from stream.app.replay import replay
from stream.board.document import Document, document_of
from stream.board.view import Panel
from stream.core.cloudevents import Event
from stream.families.registry import FAMILIES
from stream.simulator import demo_centre, simulate
from tests.brokers import Broker
from tests.e2e.crew import Crew, WorkerProcess
from tests.running import send

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SESSION = timedelta(seconds=9)
"""Heartbeats are a quarter of it apart: nobody is taken for dead, and replaced, before a board has missed them."""
PROMISED_SECONDS = 10.0
"""Within this a board says that a part of it is missing."""
READY_SECONDS = 60.0

Shown = Mapping[str, Panel]


class Wall:
    """Looks at the boards of a crew."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.slowest = 0.0
        """Seconds that the slowest answer of a living worker took."""

    async def board(self, worker: WorkerProcess) -> Document | None:
        """Return the board of a worker; None while it has none."""
        asked_at = time.monotonic()
        page = await worker.page("board.json?window=today", self._session)
        self.slowest = max(self.slowest, time.monotonic() - asked_at)
        return None if page is None else msgspec.json.decode(page, type=Document)

    async def until_whole(self, workers: list[WorkerProcess], expected: Shown) -> None:
        """Wait until every board shows all there is, and says that it is right."""
        boards: list[Document | None] = []
        try:
            async with asyncio.timeout(READY_SECONDS):
                while True:
                    boards = [await self.board(worker) for worker in workers]
                    if all(one and _is_right(one) and one.panels == expected for one in boards):
                        return
        except TimeoutError:
            notices = [one and one.notices for one in boards]
            raise AssertionError(
                f"{notices} {[one and {name: len(panel.rows) for name, panel in one.panels.items()} for one in boards]}"
            ) from None

    async def until_it_says_a_part_is_missing(self, worker: WorkerProcess) -> float:
        """Return after how many seconds the board of a worker says so."""
        began = time.monotonic()
        while time.monotonic() - began < PROMISED_SECONDS:
            board = await self.board(worker)
            if board and any((one.code, one.severity) == ("partial", "stale") for one in board.notices):
                return time.monotonic() - began
            await asyncio.sleep(0.1)  # a browser looks once a second
        raise AssertionError(f"worker {worker.number} has not said so")


def _is_right(board: Document) -> bool:
    # A warning stays: since partitions went to other hands no event has come.
    return all(one.severity == "warning" for one in board.notices)


@asynccontextmanager
async def at_work(broker: Broker, home: Path, *, workers: int) -> AsyncIterator[tuple[Crew, Wall]]:
    """Run some workers on the events of a day."""
    environment = {
        "CONTACT_STREAM_BROKER": broker.setting,
        "CONTACT_STREAM_GROUP": home.name,
        "CONTACT_STREAM_PARTITIONS": "4",
        "CONTACT_STREAM_SESSION_TIMEOUT": f"PT{SESSION.total_seconds():g}S",
        "CONTACT_STREAM_HTTP_PORT": "0",
    }
    async with Crew(NOON, environment, home) as crew, aiohttp.ClientSession() as session:
        for _ in range(workers):
            crew.start()
        await send(broker.address, day())
        yield crew, Wall(session)
        crew.assert_sound()


def day() -> list[Event]:
    """Two hours of the simulated centre."""
    return list(simulate(demo_centre(), start=NOON - timedelta(hours=2), end=NOON, seed=7))


def all_there_is() -> Shown:
    """What one worker would show."""
    whole = document_of(replay(day()).board(NOON), FAMILIES, "today", ())
    return msgspec.json.decode(msgspec.json.encode(whole), type=Document).panels


async def test_every_worker_shows_what_one_would_says_when_another_is_killed_and_is_whole_again(
    fresh_broker: Broker, tmp_path: Path
) -> None:
    async with at_work(fresh_broker, tmp_path, workers=3) as (crew, wall):
        await wall.until_whole(crew.alive, all_there_is())
        pages = await crew.pages()
        await crew.kill(crew.alive[0])

        await asyncio.gather(*map(wall.until_it_says_a_part_is_missing, crew.alive))
        await wall.until_whole(crew.alive, all_there_is())

    assert pages is not None
    tenants_per_page = [
        {dict(labels)["queue"] for (name, labels) in page if name == "contact_open_cases"} for page in pages
    ]
    assert sum(map(len, tenants_per_page)) == len({queue for queues in tenants_per_page for queue in queues})


async def test_a_worker_that_is_frozen_holds_up_no_board_and_is_believed_again_when_it_thaws(
    fresh_broker: Broker, tmp_path: Path
) -> None:
    async with at_work(fresh_broker, tmp_path, workers=2) as (crew, wall):
        await wall.until_whole(crew.alive, all_there_is())
        watching, frozen = crew.alive
        wall.slowest = 0.0
        frozen.tell(signal.SIGSTOP)

        await wall.until_it_says_a_part_is_missing(watching)
        await wall.until_whole([watching], all_there_is())
        frozen.tell(signal.SIGCONT)
        frozen.frozen = False
        await wall.until_whole([watching, frozen], all_there_is())

    assert wall.slowest < 3
