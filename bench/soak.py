"""`make soak`: a worker under steady load for half an hour, in which nothing may grow; `MINUTES=2` for a short one.

Apache Kafka, a worker process as it is deployed, and a producer at 10,000 events/s, with queues and contacts
that come and go. Whatever the length, the events span six hours, so that all that lasts a while is there.
"""

import argparse
import asyncio
import csv
import os
import statistics
import sys
import tempfile
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

from msgspec import Struct

from bench.churn import EVENTS_OF_A_CONTACT, Churn
from bench.deployed import Page, compact_within, kafka, producer_of, worker
from bench.judged import Judged
from bench.lanes import Lanes
from bench.material import CACHE
from bench.processes import cpu_seconds
from bench.report import at_least, at_most, fact, table
from scripts.apache_kafka.cluster import Cluster

__all__ = ["main"]

GROUP = "soak"
PARTITIONS = 8
EVENTS_SPAN = timedelta(hours=6)
WARM_UP = 0.45
"""Of the run: by then each queue has had its turn, and two hours of minutes have gone, which it remembers."""

TICK_SECONDS = 0.05
SAMPLES = 60
PATIENCE_SECONDS = 120.0

HELD = 0.95
MOST_GROWTH = 1.10
MOST_LOG_GROWTH = 1.5
MOST_SLOWER = 2.0
A_MOMENT_SECONDS = 1.0
"""Latencies below that are not told apart: a scrape takes part of it."""

OUTCOMES = {
    "enqueued": "offered_total",
    "answered": "answered_total",
    "abandoned": "abandoned_total",
    "wrapup_ended": "handle_seconds_count",
}
"""What an event of a kind counts for, once: the series, without the prefix that all have."""


class Sample(Struct, frozen=True):
    """A look at the worker."""

    seconds: float
    """Since the start."""
    events_per_second: float
    open_contacts: int
    queues: int
    rss_mb: float
    cpu: float
    """Cores, on average since the sample before."""
    latency: float
    """Seconds for which the oldest acknowledged event was not applied; the scrape is part of it."""
    checkpoint: float
    """Seconds that the last one took."""
    changelog_mb: float
    """On the broker's disk."""


class Soak:
    """A broker, a worker and what is told to it."""

    def __init__(self, cluster: Cluster, worker: Process, address: str, lanes: Lanes) -> None:
        self._cluster = cluster
        self._pid = worker.pid
        self._address = address
        self._lanes = lanes
        self._began = monotonic()
        self._seen = (self._began, 0, cpu_seconds(self._pid))

    async def page(self) -> Page:
        """Ask for the figures."""
        return await asyncio.to_thread(lambda: Page.of(self._address))

    async def sample(self, churn: Churn) -> Sample:
        """Look at everything."""
        page = await self.page()
        now, sent, cpu = monotonic(), self._lanes.sent, cpu_seconds(self._pid)
        before, sent_before, cpu_before = self._seen
        self._seen = now, sent, cpu
        return Sample(
            seconds=now - self._began,
            events_per_second=(sent - sent_before) / (now - before),
            open_contacts=churn.open_contacts,
            queues=len(page.by("queue", "offered_total")),
            rss_mb=_rss_mb(self._pid),
            cpu=(cpu - cpu_before) / (now - before),
            latency=self._lanes.oldest_waiting(page.by("partition", "applied_offset"), now),
            checkpoint=page.sum("checkpoint_duration_seconds"),
            changelog_mb=_size_mb(self._cluster.nodes[0].data),
        )


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _size_mb(data: Path) -> float:
    size = 0
    for log in data.glob(f"{GROUP}-*-changelog-*/*.log"):
        try:
            size += log.stat().st_size
        except FileNotFoundError:  # compacted away at this moment
            continue
    return size / 2**20


async def _pace(churn: Churn, lanes: Lanes, start: datetime, rate: float, seconds: float) -> None:
    """Tell six hours in so many seconds."""
    began, speed, arrived = monotonic(), EVENTS_SPAN.total_seconds() / seconds, 0
    while (elapsed := monotonic() - began) < seconds:
        due = int(elapsed * rate / EVENTS_OF_A_CONTACT)
        # What a crowded machine kept from being sent is not made up for in one go.
        arrivals = min(due - arrived, int(4 * TICK_SECONDS * rate / EVENTS_OF_A_CONTACT))
        arrived = due
        await lanes.send(churn.until(start + timedelta(seconds=elapsed * speed), arrivals))
        await asyncio.sleep(max(0.0, TICK_SECONDS - (monotonic() - began - elapsed)))
    await lanes.send(churn.end(start + EVENTS_SPAN))


async def _soak(minutes: float, rate: float, compaction: timedelta) -> list[Judged]:
    start, seconds = datetime.now(UTC) - EVENTS_SPAN, minutes * 60
    with tempfile.TemporaryDirectory(prefix="soak-") as home:
        log = Path(home) / "worker.log"
        async with (
            kafka(Path(home) / "kafka") as cluster,
            worker(cluster, log, group=GROUP, partitions=PARTITIONS) as (process, address),
            producer_of(cluster) as producer,
        ):
            await compact_within(cluster.address, compaction, group=GROUP, partitions=PARTITIONS)
            churn, lanes = Churn(start), Lanes(producer, PARTITIONS)
            soak = Soak(cluster, process, address, lanes)
            pacing = asyncio.create_task(_pace(churn, lanes, start, rate, seconds))
            samples = [sample async for sample in _samples(soak, churn, pacing, seconds / SAMPLES)]
            await pacing
            await lanes.acknowledged()
            page = await _settled(soak, lanes)
            ended = process.returncode is not None
    kept = _keep(samples)
    return [*_judged(samples, rate), *_exact(page, churn, lanes, ended=ended), fact("all samples", str(kept))]


async def _samples(soak: Soak, churn: Churn, pacing: "asyncio.Task[None]", every: float) -> AsyncIterator[Sample]:
    print(" ".join(f"{name:>17}" for name in Sample.__struct_fields__), flush=True)
    shown_at = 0.0
    while not pacing.done():
        await asyncio.wait([pacing], timeout=every)
        found = await soak.sample(churn)
        yield found
        if found.seconds - shown_at >= min(30.0, 3 * every):
            shown_at = found.seconds
            print(" ".join(f"{getattr(found, name):>17,.2f}" for name in Sample.__struct_fields__), flush=True)


async def _settled(soak: Soak, lanes: Lanes) -> Page:
    """Return the page when all that was sent is applied and durable."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            page = await soak.page()
            durable = page.by("partition", "committed_offset")
            if page.sum("events_total") >= lanes.sent and lanes.oldest_waiting(durable, monotonic()) == 0:
                return page
            await asyncio.sleep(1)


def _judged(samples: Sequence[Sample], rate: float) -> Iterator[Judged]:
    warm = [sample for sample in samples if sample.seconds > WARM_UP * samples[-1].seconds]
    half = len(warm) // 2
    held = statistics.median(sample.events_per_second for sample in warm)
    if held < HELD * rate:
        print(f"This machine did not hold {rate:,.0f} events/s; what follows holds at {held:,.0f}.")

    def halves(figure: str) -> tuple[float, float]:
        values = [getattr(sample, figure) for sample in warm]
        return statistics.median(values[:half]), statistics.median(values[half:])

    memory, log, latency = halves("rss_mb"), halves("changelog_mb"), halves("latency")
    yield fact("events per second, after warm-up", f"{held:,.0f} of {rate:,.0f}")
    yield fact("open contacts", f"{min(s.open_contacts for s in warm):,} to {max(s.open_contacts for s in warm):,}")
    yield fact("queue names seen", f"{samples[-1].queues}")
    yield fact("cores of the worker", f"{statistics.median(sample.cpu for sample in warm):.2f}")
    yield fact("memory of the worker after warm-up, by halves", "{:.0f} MB, {:.0f} MB".format(*memory))
    yield at_most("… second half : first half", memory[1] / memory[0], MOST_GROWTH, "{:.2f}")
    yield fact("changelogs on disk after warm-up, by halves", "{:.0f} MB, {:.0f} MB".format(*log))
    yield at_most("… second half : first half", log[1] / max(log[0], 1), MOST_LOG_GROWTH, "{:.2f}")
    yield fact("from acknowledged to applied, by halves", "{:.3f} s, {:.3f} s".format(*latency))
    slower = max(latency[1], A_MOMENT_SECONDS) / max(latency[0], A_MOMENT_SECONDS)
    yield at_most(f"… second half : first half, from {A_MOMENT_SECONDS:g} s on", slower, MOST_SLOWER, "{:.2f}")
    yield fact("checkpoints, seconds, by halves", "{:.3f}, {:.3f}".format(*halves("checkpoint")))


def _exact(page: Page, churn: Churn, lanes: Lanes, *, ended: bool) -> Iterator[Judged]:
    """Compare each queue's totals with what was told."""
    wrong: list[str] = []
    for kind, outcome in OUTCOMES.items():
        told = Counter({queue: number for (queue, of_kind), number in churn.told.items() if of_kind == kind})
        shown: Mapping[str, float] = page.by("queue", outcome)
        wrong += [
            f"{queue} {outcome}: {told[queue]} told, {shown.get(queue, 0):.0f} shown"
            for queue in {*told, *shown}
            if told[queue] != shown.get(queue, 0)
        ]
    for queue in wrong[:5]:
        print(f"WRONG: {queue}")
    queues = len({queue for queue, _ in churn.told})
    yield at_least("events told, and applied", page.sum("events_total"), lanes.sent)
    yield at_most(f"wrong totals, of {queues} queues × {len(OUTCOMES)}", len(wrong), 0)
    yield at_most("contacts left open", page.sum("open_cases"), 0)
    for name in (
        "source_offset_gaps_total",
        "dead_letters_total",
        "events_duplicate_total",
        "checkpoint_failures_total",
    ):
        yield at_most(name.removesuffix("_total").replace("_", " "), page.sum(name), 0)
    yield at_most("workers that ended by themselves", int(ended), 0)


def _keep(samples: Sequence[Sample]) -> Path:
    CACHE.mkdir(parents=True, exist_ok=True)
    kept = CACHE / "soak.csv"
    with kept.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(Sample.__struct_fields__)
        rows.writerows([round(getattr(one, name), 3) for name in Sample.__struct_fields__] for one in samples)
    return kept.relative_to(Path.cwd()) if kept.is_relative_to(Path.cwd()) else kept


def main() -> int:
    """Run, print, and judge."""
    arguments = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    arguments.add_argument("--minutes", type=float, default=30)
    arguments.add_argument("--rate", type=float, default=10_000, help="events per second")
    arguments.add_argument("--compaction", type=float, help="seconds until changelogs are compacted; a thirtieth of it")
    chosen = arguments.parse_args()
    compaction = timedelta(seconds=chosen.compaction or chosen.minutes * 2)
    found = asyncio.run(_soak(chosen.minutes, chosen.rate, compaction))
    print(f"\n`python -m bench.soak {' '.join(sys.argv[1:])}`, {datetime.now(UTC):%d %B %Y}\n\n{table(found)}")
    return 0 if all(figure.held for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
