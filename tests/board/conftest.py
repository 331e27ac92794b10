"""A real server on loopback, with a board that a test can change."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from msgspec.structs import replace
from playwright.async_api import Browser, Page

from stream.board.cluster.merge import BoardReading
from stream.board.cluster.share import PartitionBoard, WorkerShare, vitals_of
from stream.board.shared_reading import SharedReading
from stream.core.family import Board
from stream.families.registry import FAMILIES
from stream.http.server import BoardServer, Listen
from stream.http.shown import Shown
from stream.status.feed import Feed, PartitionFeed
from stream.status.freshness import Limits, notices_of
from stream.status.health import Health, health_of
from tests.board.boards import LIMITS, wall
from tests.board.chromium import Visitor, browser, new_page

__all__ = ["Worker", "served"]

EVERY = timedelta(milliseconds=50)


def a_flowing_feed() -> Feed:
    """A ready worker to which an event has just come."""
    now = datetime.now(UTC)
    partition = PartitionFeed("contacts", 0, recovered_at=now, applied_at=now, record_at=now)
    return Feed(recovery="ready", partitions={("contacts", 0): partition}, newest_event=now)


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class Worker:
    """Stands for the worker behind the server."""

    board: Board = field(default_factory=lambda: wall(datetime.now(UTC)))
    feed: Feed = field(default_factory=a_flowing_feed)
    broken: Exception | None = None
    taken: int = 0
    moving: bool = False
    """Whether the time of the board goes on; else it stays what it was."""
    speed: int = 1
    """How much faster than ours its clock goes."""
    every: timedelta = EVERY
    """How often it tells the page; a second, as it really does, where nothing is going to happen."""
    limits: Limits = LIMITS
    shown: Shown = Shown(families=FAMILIES, registry="stream.families.registry:FAMILIES")  # noqa: RUF009  # frozen
    goes_on: asyncio.Event = field(default_factory=_set)
    """Cleared: it hangs."""
    windows: tuple[str, ...] | None = None
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def read_own_board(self) -> Board:
        self.taken += 1
        await self.goes_on.wait()
        if self.broken is not None:
            raise self.broken
        return replace(self.board, at=self.clock()) if self.moving else self.board

    async def read_share(self) -> WorkerShare:
        board = await self.read_own_board()
        partitions = tuple(
            PartitionBoard(feed=PartitionFeed(name, 0), snapshots=snapshots)
            for name, snapshots in board.snapshots.items()
        )
        return WorkerShare(group="test", generation=1, at=board.at, vitals=vitals_of(self.feed), partitions=partitions)

    async def read_board(self) -> BoardReading:
        return BoardReading(await self.read_own_board(), notices_of(self.feed, self.clock(), self.limits))

    def clock(self) -> datetime:
        return self.began + (datetime.now(UTC) - self.began) * self.speed

    def health(self) -> Health:
        return health_of(self.feed, self.clock())

    def server(self, listen: Listen | None = None) -> BoardServer:
        return BoardServer(
            replace(self.shown, windows=self.windows),
            read_board=self.read_own_board,
            read_share=SharedReading(self.read_share, keep_seconds=self.every.total_seconds()).read,
            read=SharedReading(self.read_board, keep_seconds=self.every.total_seconds()).read,
            feed=self.feed,
            clock=self.clock,
            health=self.health,
            listen=listen or Listen(port=0),
            every=self.every,
        )


@asynccontextmanager
async def _served(worker: Worker, listen: Listen | None = None) -> AsyncIterator[str]:
    server = worker.server(listen)
    await server.start()
    try:
        yield server.address
    finally:
        await server.stop()


@pytest.fixture
def served() -> Callable[..., AbstractAsyncContextManager[str]]:
    """Serve a worker's board, and give its address."""
    return _served


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests."""
    async with browser() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def desk(chromium: Browser) -> Page:
    """One page for all tests: it is quicker to clear than to make."""
    return await new_page(chromium)


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(chromium: Browser, desk: Page) -> AsyncIterator[Visitor]:
    """Somebody who looks at the board, and in the end had nothing to complain of."""
    person = Visitor(chromium, desk)
    yield person
    await person.leave()
    assert person.complaints == []
