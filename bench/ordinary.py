"""A worker for an ordinary centre: 20 queues and 50 events a second. How small it is, and how soon it is there."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from urllib.error import URLError
from urllib.request import urlopen

from bench.brokers import JOIN_WAIT_MS, Broker, broker
from bench.judged import Judged
from bench.processes import cpu_seconds
from bench.report import at_most, fact
from stream.broker.child import free_port
from stream.sdk.factory import EventFactory
from stream.sdk.producer import Producer

__all__ = ["measure"]

QUEUES = 20
PER_SECOND = 50
SECONDS = 60
READ_EVERY = 15.0
"""Seconds between two scrapes."""

MEGABYTES = 120
SHARE_OF_A_CORE = 0.03
START_SECONDS = 3.0

EMBEDDED_JOIN_SECONDS = 3.0
"""Half of the session timeout that a worker has there."""


def measure(kind: str) -> list[Judged]:
    """Measure on a broker of that *kind*, at rest but for this."""
    with broker(kind) as running:
        return asyncio.run(_measure(running))


async def _measure(running: Broker) -> list[Judged]:
    began = monotonic()
    async with _worker(running) as (worker, address):
        await _until_answers(f"{address}/healthz")
        opened = monotonic() - began
        await _until_answers(f"{address}/readyz")
        ready = monotonic() - began
        before, at = cpu_seconds(worker.pid), monotonic()
        scrapes = asyncio.create_task(_scrape_for_ever(address))
        sent = await _send(running)
        scrapes.cancel()
        share = (cpu_seconds(worker.pid) - before) / (monotonic() - at)
        resident = _resident_megabytes(worker.pid)
    join = JOIN_WAIT_MS / 1000 if running.idempotent else EMBEDDED_JOIN_SECONDS
    return [
        fact("events sent, and queues", f"{sent:,}, {QUEUES}"),
        at_most("memory of the worker, MB", resident, MEGABYTES),
        at_most(
            f"share of a core at {PER_SECOND} events/s, scraped all {READ_EVERY:g} s", share, SHARE_OF_A_CORE, "{:.3f}"
        ),
        fact("its pages answer after, s", f"{opened:.1f}"),
        at_most(
            f"it is ready after, the {join:g} s of the group's join left out, s", ready - join, START_SECONDS, "{:.1f}"
        ),
    ]


@asynccontextmanager
async def _worker(running: Broker) -> AsyncIterator[tuple[subprocess.Popen[bytes], str]]:
    port = free_port()
    address = running.address if running.idempotent else f"embedded:{running.address}"
    command = [sys.executable, "-m", "stream", "worker", "--broker", address, "--port", str(port)]
    environment = {**os.environ, "CONTACT_STREAM_PARTITIONS": "4", "CONTACT_STREAM_LOG_LEVEL": "ERROR"}
    worker = subprocess.Popen(command, env=environment)
    try:
        yield worker, f"http://127.0.0.1:{port}"
    finally:
        worker.terminate()
        worker.wait(60)


async def _send(running: Broker) -> int:
    """Send three events in each turn: somebody comes, another is answered, a third hangs up."""
    events = EventFactory("/ordinary")
    turns = SECONDS * PER_SECOND // 3
    address = f"kafka://{running.address}" if running.idempotent else running.address
    async with Producer(address) as producer:
        began = monotonic()
        for turn in range(turns):
            await producer.post(events.enqueued(f"c{turn}", queue=f"queue-{turn % QUEUES}"))
            await producer.post(events.answered(f"c{turn - 40}", queue=f"queue-{(turn - 40) % QUEUES}"))
            ended = events.ended(f"c{turn - 240}", queue=f"queue-{turn % QUEUES}", talk=timedelta(seconds=12))
            await producer.post(ended)
            await asyncio.sleep(max(0.0, began + (turn + 1) * 3 / PER_SECOND - monotonic()))
    return 3 * turns


async def _scrape_for_ever(address: str) -> None:
    while True:
        await asyncio.to_thread(_read, f"{address}/metrics")
        await asyncio.sleep(READ_EVERY)


async def _until_answers(url: str) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(_read, url):
            await asyncio.sleep(0.05)


def _read(url: str) -> bool:
    try:
        with urlopen(url, timeout=10) as answer:
            return bool(answer.read())
    except (URLError, OSError):
        return False


def _resident_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))
