"""What a scrape of many queues costs, and how long it holds up the worker's loop."""

import asyncio
import statistics
import sys
from asyncio.subprocess import PIPE
from datetime import timedelta
from time import perf_counter

from msgspec import Struct

from bench.material import START, Material, fill
from stream.broker.embedded import EmbeddedBroker
from stream.codec import CONTACTS_TOPIC
from stream.processing.service import Service
from stream.settings import Settings

__all__ = ["Scrapes", "scrape_many"]

SCRAPES = 10

# The client is another process, and asks as Prometheus does: its cost is not the worker's.
_CLIENT = """
import gzip, sys, time, urllib.request
for _ in range(int(sys.argv[2])):
    asked = urllib.request.Request(sys.argv[1], headers={"Accept-Encoding": "gzip"})
    began = time.perf_counter()
    body = urllib.request.urlopen(asked).read()
    seconds = time.perf_counter() - began
    text = gzip.decompress(body)
    print(seconds, len(text), sum(line[:1] != b"#" for line in text.splitlines()), flush=True)
"""


class Scrapes(Struct, frozen=True):
    """Seconds of the median and slowest scrape, its size, and the longest time the loop was held up."""

    median_seconds: float
    slowest_seconds: float
    longest_hold_seconds: float
    bytes: int
    samples: int
    queues: int


async def scrape_many(what: Material) -> Scrapes:
    """Scrape a worker that has folded the material, over HTTP, again and again."""
    at = START + timedelta(hours=1)
    async with EmbeddedBroker() as broker:
        settings = Settings(partitions=len(what.by_partition), session_timeout=timedelta(seconds=2), http_port=0)
        async with Service(settings, brokers=broker.address, idempotent=False, clock=lambda: at) as service:
            await fill(broker.address, CONTACTS_TOPIC, what)
            while service.feed.events.total() < len(what.records):
                await asyncio.sleep(0.05)
            await service.worker.checkpoints.take()
            queues = len((await service.board()).queues)
            return await _measure(f"{service.address}/metrics", queues)


async def _measure(url: str, queues: int) -> Scrapes:
    holds: list[float] = []
    watching = asyncio.create_task(_watch(holds))
    client = await asyncio.create_subprocess_exec(sys.executable, "-c", _CLIENT, url, str(SCRAPES), stdout=PIPE)
    out, _ = await client.communicate()
    watching.cancel()
    rows = [line.split() for line in out.decode().splitlines()][1:]  # the first one warms up
    seconds = [float(row[0]) for row in rows]
    return Scrapes(statistics.median(seconds), max(seconds), max(holds), int(rows[0][1]), int(rows[0][2]), queues)


async def _watch(holds: list[float]) -> None:
    while True:
        began = perf_counter()
        await asyncio.sleep(0.001)
        holds.append(perf_counter() - began - 0.001)
