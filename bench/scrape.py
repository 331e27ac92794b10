"""How long a scrape takes, and how long it holds up the worker's loop: `python bench/scrape.py [QUEUES]`.

The server runs in this process, beside a task that measures the largest gap between two turns of the
loop; the scraper is a process of its own that asks as Prometheus does.
"""

import asyncio
import gzip
import random
import sys
from datetime import UTC, datetime, timedelta
from time import perf_counter

from stream.board.health import Health
from stream.board.server import BoardServer, Listen
from stream.domain.policy import Policy
from stream.domain.snapshot import AgentsSnapshot, Board, QueueSnapshot
from stream.domain.tally import Tally
from stream.domain.windows import TODAY, WINDOWS
from stream.metrics.feed import Feed

ROUNDS = 7

SCRAPER = """
import sys, time, urllib.request
request = urllib.request.Request(sys.argv[1], headers={
    "Accept": "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
    "Accept-Encoding": sys.argv[2]})
began = time.perf_counter()
body = urllib.request.urlopen(request).read()
print(time.perf_counter() - began)
open(sys.argv[3], "wb").write(body)
"""


def a_tally(chance: random.Random, contacts: int) -> Tally:
    """A window of an ordinary queue."""
    answered, abandoned = contacts * 8 // 10, contacts // 10
    tally = Tally(
        offered=contacts,
        answered=answered,
        answered_in_target=answered * 7 // 10,
        abandoned=abandoned,
        abandoned_short=abandoned // 4,
        handled=answered,
        dequeued_overflow=contacts // 20,
        blocked_full=contacts // 50,
        transferred_in=contacts // 30,
        answer_wait_ms=answered * chance.randrange(1_000, 40_000),
        talk_ms=answered * chance.randrange(60_000, 300_000),
        wrapup_ms=answered * chance.randrange(10_000, 60_000),
    )
    for _ in range(answered):
        tally.waits[chance.randrange(len(tally.waits))] += 1
        tally.handles[chance.randrange(len(tally.handles))] += 1
    return tally


def a_board(queues: int) -> Board:
    """Queues with five windows, a total, and agents."""
    chance, at = random.Random(1), datetime.now(UTC)
    waited = timedelta(seconds=41.25)
    names = [f"support-{number:04}" for number in range(queues)]
    return Board(
        at=at,
        queues=tuple(
            QueueSnapshot(
                tenant="acme",
                queue=name,
                channel="voice",
                policy=Policy(),
                waiting=3,
                longest_wait=waited,
                oldest_enqueued_at=at - waited,
                waiting_past_threshold=1,
                talking=5,
                wrapping_up=1,
                callbacks_waiting=0,
                windows={window: a_tally(chance, chance.randrange(10, 200)) for window in (*WINDOWS, TODAY)},
                total=a_tally(chance, 1_000),
                taken_back=Tally(),
            )
            for name in names
        ),
        agents=tuple(
            AgentsSnapshot(
                tenant="acme", queue=name, states={"available": 2, "on_contact": 5, "acw": 1, "not_ready": 1}
            )
            for name in names
        ),
    )


async def largest_gap(gaps: list[float]) -> None:
    """Note how long the loop was away, at every turn."""
    last = perf_counter()
    while True:
        await asyncio.sleep(0)
        now = perf_counter()
        gaps.append(now - last)
        last = now


async def main(queues: int) -> None:
    """Measure with and without compression."""
    board = a_board(queues)

    async def take_board() -> Board:
        return board

    server = BoardServer(
        take_board=take_board,
        feed=Feed(recovery="ready"),
        clock=lambda: datetime.now(UTC),
        health=Health,
        listen=Listen(port=0),
    )
    await server.start()
    for busy in (False, True):
        for encoding in ("identity", "gzip"):
            await measure(server.address, encoding, queues, busy=busy)
    await server.stop()


async def measure(address: str, encoding: str, queues: int, *, busy: bool) -> None:
    """Scrape a few times; *busy*: while the loop never rests, as in a worker that catches up."""
    times, worst = [], []
    for _ in range(ROUNDS):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SCRAPER, f"{address}/metrics", encoding, "/tmp/scraped"),
            stdout=asyncio.subprocess.PIPE,
        )
        gaps: list[float] = []
        watching = asyncio.create_task(largest_gap(gaps) if busy else sleepy_gap(gaps))
        told, _ = await process.communicate()
        watching.cancel()
        times.append(float(told))
        worst.append(max(gaps))
    body = await asyncio.to_thread(read_scraped, packed=encoding == "gzip")
    samples = sum(not line.startswith(b"#") for line in body.splitlines())
    loop = "busy" if busy else "idle"
    print(
        f"{queues} queues x 5 windows, {samples} samples, {len(body) / 1e6:.1f} MB, {encoding}, loop {loop}: "
        f"scrape median {sorted(times)[ROUNDS // 2] * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms; "
        f"largest gap of the loop {max(worst) * 1000:.1f} ms"
    )


async def sleepy_gap(gaps: list[float]) -> None:
    """As `largest_gap`, but the loop rests 1 ms between turns, which is subtracted."""
    while True:
        began = perf_counter()
        await asyncio.sleep(0.001)
        gaps.append(perf_counter() - began - 0.001)


def read_scraped(*, packed: bool) -> bytes:
    """Return the last page."""
    with (gzip.open if packed else open)("/tmp/scraped", "rb") as file:
        return file.read()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
