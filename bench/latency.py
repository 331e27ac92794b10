"""How long an event takes from the producer's acknowledgement to its value on `/metrics`, and to being durable.

Producer, worker, broker and reader are processes of their own. Each scrape tells, partition by
partition, how old the newest event is that its figures know: from the acknowledgement of that event
to the last byte of the page. That is never less than the truth, and at most the 20 ms between two
probes more. Scrapes are at random moments, so nothing depends on how often one asks.
"""

import asyncio
import random
import re
import statistics
import sys
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from itertools import pairwise
from time import monotonic

import aiohttp
import msgspec
from msgspec import Struct

from bench.brokers import Broker, broker
from bench.crew import crew
from bench.judged import Judged
from bench.live import Acknowledged, Live
from bench.report import at_most, fact
from bench.worker import Progress

__all__ = ["Scrape", "ages_of", "measure"]

PER_SECOND = 5000
PARTITIONS = 16
SECONDS = 60.0
LONGEST_MS = 300.0
CHECKPOINT_MS = 1000.0
"""The interval of checkpoints, as it is by default."""
SCRAPE_SECONDS = (0.4, 0.8)
"""Twenty-five times as often as Prometheus asks by default."""
WARM_UP_SECONDS = 5.0
"""Not judged: the join of what was already open, first pages, the broker's compiler."""

_PROBES = re.compile(
    rb'^contact_blocked_total\{[^}]*queue="probe-(\d+)-\d+"[^}]*reason="full"[^}]*\} (\S+)', re.MULTILINE
)


class Scrape(Struct, frozen=True):
    """One page, and how many probes it knew of in each partition."""

    asked_at: float
    read_at: float
    counted: dict[int, int]


def measure(kind: str) -> list[Judged]:
    """Measure on a broker of this *kind* that does nothing else."""
    with broker(kind) as running:
        scrapes, sent, told = asyncio.run(_live(running))
    judged = [
        scrape for scrape in scrapes if sent.began + WARM_UP_SECONDS <= scrape.asked_at and scrape.read_at <= sent.ended
    ]
    ages = sorted(age * 1000 for scrape in judged for age in ages_of(scrape, sent))
    lines = [line for line in told if sent.began + WARM_UP_SECONDS <= line.at <= sent.ended]
    assert not told[-1].faults
    return _figures(running, ages, judged, lines, sent)


def _figures(
    running: Broker, ages: Sequence[float], judged: Sequence[Scrape], lines: Sequence[Progress], sent: Acknowledged
) -> list[Judged]:
    hundredths = statistics.quantiles(ages, n=100)
    write_ms = max(line.checkpoint for line in lines) * 1000
    look_ms = max(after.at - before.at for before, after in pairwise(lines)) * 1000
    durable_ms = [line.until_durable * 1000 for line in lines if line.until_durable]
    page_ms = [(scrape.read_at - scrape.asked_at) * 1000 for scrape in judged]
    busy = (lines[-1].cpu - lines[0].cpu) / (lines[-1].at - lines[0].at)
    at = f"at {sent.events / (sent.ended - sent.began):,.0f} events/s ({running.name})"
    return [
        at_most(
            f"acknowledged → on `/metrics`, p99, ms, {at}",
            hundredths[98],
            LONGEST_MS,
            note=f" (p50 {hundredths[49]:.0f}, most {ages[-1]:.0f}; {len(ages):,} ages on {len(judged)} pages)",
        ),
        at_most(
            "applied → durable, longest, ms; promised: the checkpoint interval, one write, one look",
            max(durable_ms),
            CHECKPOINT_MS + write_ms + look_ms,
            note=f" (median {statistics.median(durable_ms):.0f}; longest write {write_ms:.0f}, look {look_ms:.0f})",
        ),
        fact(
            "… of that the page: asked → read",
            f"median {statistics.median(page_ms):.0f} ms, most {max(page_ms):.0f} ms",
        ),
        fact("… the worker's processor time, pages included", f"{busy:.0%} of one core"),
        fact("… the producer behind its own pace, at most", f"{sent.latest_seconds * 1000:.0f} ms"),
    ]


def ages_of(scrape: Scrape, sent: Acknowledged) -> list[float]:
    """Return, for each partition, how many seconds before the page was read its newest probe was acknowledged."""
    ages = []
    for partition, acknowledged in enumerate(sent.probes):
        counted = scrape.counted.get(partition, 0)
        # A page may know a probe of whose arrival its producer is not told yet; one that knows none is as old as all.
        known_at = [sent.began, *acknowledged, scrape.read_at][min(counted, len(acknowledged) + 1)]
        ages.append(max(0.0, scrape.read_at - known_at))
    return ages


async def _live(running: Broker) -> tuple[list[Scrape], Acknowledged, list[Progress]]:
    async with crew(running, 1, partitions=PARTITIONS) as workers:
        await workers.until(workers.ready)
        address = f"{'kafka' if running.idempotent else 'embedded'}://{running.address}"
        order = msgspec.json.encode(Live(address, PARTITIONS, PER_SECOND, SECONDS)).decode()
        producer = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.live", order, stdout=PIPE)
        scrapes: list[Scrape] = []
        scraping = asyncio.create_task(_scrape(f"{workers.told[0][-1].url}/metrics", scrapes))
        out, _ = await producer.communicate()
        scraping.cancel()
        await asyncio.wait([scraping])
    return scrapes, msgspec.json.decode(out, type=Acknowledged), workers.told[0]


async def _scrape(url: str, scrapes: list[Scrape]) -> None:
    """Read the page again and again, as Prometheus does: gzipped, on one connection."""
    chance = random.Random(1)
    async with aiohttp.ClientSession(headers={"Accept-Encoding": "gzip"}) as session:
        while True:
            await asyncio.sleep(chance.uniform(*SCRAPE_SECONDS))
            asked_at = monotonic()
            async with session.get(url) as answer:
                answer.raise_for_status()
                page = await answer.read()
            read_at = monotonic()
            counted = {int(partition): int(float(value)) for partition, value in _PROBES.findall(page)}
            scrapes.append(Scrape(asked_at, read_at, counted))
