"""A page of metrics of many queues for a Prometheus to scrape; a process of its own, that ends with its input.

Each scrape shows the centre a quarter of a minute later, so that figures move as if scraped every 15 s.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any

from aiohttp import web
from msgspec.structs import replace

from stream.app.replay import Replay
from stream.core.family import Board
from stream.families.registry import FAMILIES
from stream.http.metrics_page import MetricsPage
from stream.http.shown import Shown
from stream.simulator import demo_centre, simulate
from stream.status.feed import Feed

__all__ = ["boards", "many"]

START = datetime(2026, 11, 20, 14, tzinfo=UTC)
STEP = timedelta(seconds=15)
STEPS = 480
"""Two hours."""
FIRST = 120
"""Half an hour has passed by then."""
LATEST = 160
"""Queues differ in the instant that they show, by at most that many steps."""


def boards() -> list[Board]:
    """Return the boards of the simulated centre, a step apart."""
    events = simulate(demo_centre(), start=START, end=START + STEP * STEPS, seed=7)
    centre, found, waiting = Replay(), [], iter(sorted(events, key=lambda event: event.time))
    upcoming = next(waiting, None)
    for step in range(STEPS):
        at, batch = START + STEP * (step + 1), []
        while upcoming is not None and upcoming.time <= at:
            batch.append(upcoming)
            upcoming = next(waiting, None)
        if batch:
            centre.feed(batch)
        if step >= FIRST:
            found.append(centre.board(at))
    return found


def many(history: Sequence[Board], queues: int, step: int) -> Board:
    """Return the board of so many queues: copies of the simulated ones, at instants of their own."""
    now = history[LATEST + step]
    snapshots: dict[str, list[Any]] = {name: [] for name in now.snapshots}
    names = sorted({one.queue for one in now.snapshots["contacts"]})
    for number in range(queues):
        then = history[step + (7 * number) % LATEST]
        for family, one in _of_queue(then, names[number % len(names)]):
            snapshots[family].append(replace(one, tenant="default", queue=f"queue-{number:05}"))
    return Board(at=now.at, snapshots={name: tuple(of) for name, of in snapshots.items()})


def _of_queue(board: Board, queue: str) -> Iterator[tuple[str, Any]]:
    """Yield one channel of a queue, and its agents."""
    yield from [("contacts", one) for one in board.snapshots["contacts"] if one.queue == queue][:1]
    yield from [("agents", one) for one in board.snapshots["agents"] if one.queue == queue][:1]


async def _serve(queues: int) -> None:
    history, scraped = boards(), 0

    async def read_board() -> Board:
        nonlocal scraped
        board = many(history, queues, min(scraped, len(history) - LATEST - 1))
        scraped += 1
        return board

    shown = Shown(families=FAMILIES, registry="stream.families.registry:FAMILIES")
    page = MetricsPage(shown, read_board=read_board, feed=Feed(), timer=perf_counter)
    app = web.Application()
    app.router.add_get("/metrics", page.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    print(f"{runner.addresses[0][0]}:{runner.addresses[0][1]}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    page.stop()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
