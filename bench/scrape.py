"""What a scrape of 5,000 queues costs while events flow, and for how long it keeps events waiting.

Broker, producer, worker and reader are processes of their own. Every queue has seen contacts in each
minute of the last hour. Events are timed from their sending to the end of the batch that applied them.
"""

import asyncio
import gzip
import random
import statistics
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from bench.brokers import Broker, broker
from bench.judged import Judged
from bench.live import Acknowledged, Live
from bench.material import Material, Sent, by_home, fill
from bench.report import at_most, fact
from stream.app.service import Service
from stream.core.cloudevents import Event
from stream.core.windows import minute_of, start_of
from stream.families.contacts.events import ContactBlocked
from stream.families.contacts.fold import ContactsFold, TallyKey
from stream.families.contacts.tables import TALLIES
from stream.families.contacts.tally import Tally, TallyRow
from stream.runtime.kafka.topics import ensure_topics
from stream.settings import Settings

__all__ = ["QUEUES", "measure", "tallies_of_an_hour"]

QUEUES = 5000
PARTITIONS = 16
PER_SECOND = 5000
SECONDS = 60.0
PAUSE_SECONDS = 2.0
"""Between two scrapes: long enough for as long a time without one."""
WARM_UP_SECONDS = 5.0

LONGEST_SECONDS = 1.0
LONGEST_DELAY_MS = 50.0

SETTINGS = Settings(
    group="scrape", partitions=PARTITIONS, http_port=0, max_queues=2 * QUEUES, max_queues_per_tenant=2 * QUEUES
)


class Scrape(Struct, frozen=True):
    """One page, by the machine's monotonic clock."""

    asked_at: float
    read_at: float
    packed: int
    size: int
    samples: int

    @property
    def seconds(self) -> float:
        """From the question to the last byte of the answer."""
        return self.read_at - self.asked_at


class Order(Struct, frozen=True):
    """Which worker to be."""

    address: str
    idempotent: bool


class LastShare(Struct, frozen=True):
    """What the worker tells in the end: when probes were applied, and how many ms after they were sent."""

    delays: list[tuple[float, float]]
    queues: int
    gaps: int


def measure(kind: str) -> list[Judged]:
    """Measure on a broker of this *kind*."""
    with broker(kind) as running:
        scrapes, sent, told = asyncio.run(_scraped(running))
    assert (told.queues, told.gaps) == (QUEUES + PARTITIONS, 0), (told.queues, told.gaps)
    first, *rest = scrapes
    judged = [scrape for scrape in rest if sent.began + WARM_UP_SECONDS <= scrape.asked_at <= sent.ended]
    seconds = [scrape.seconds for scrape in judged]
    during = [_longest(told, scrape.asked_at, scrape.read_at) for scrape in judged]
    before = [_longest(told, scrape.asked_at - scrape.seconds, scrape.asked_at) for scrape in judged]
    last = judged[-1]
    return [
        at_most(
            f"scrape of {QUEUES:,} queues × 5 windows at {PER_SECOND:,} events/s, s, median ({running.name})",
            statistics.median(seconds),
            LONGEST_SECONDS,
            "{:.2f}",
            note=f" (of {len(seconds)}, slowest {max(seconds):.2f}; the first one after the start {first.seconds:.2f})",
        ),
        at_most(
            "longest delay of an event by a scrape, ms, median",
            statistics.median(during) - statistics.median(before),
            LONGEST_DELAY_MS,
            note=(
                f" (longest from sent to applied: {statistics.median(during):.0f} with a scrape, "
                f"{statistics.median(before):.0f} without; most {max(during):.0f} and {max(before):.0f})"
            ),
        ),
        fact("… the page", f"{last.samples:,} samples, {last.size / 1e6:.0f} MB, gzipped {last.packed / 1e6:.1f} MB"),
    ]


def _longest(told: LastShare, first: float, end: float) -> float:
    return max(delay for at, delay in told.delays if first <= at < end)


async def _scraped(running: Broker) -> tuple[list[Scrape], Acknowledged, LastShare]:
    topics = _service(running.address, idempotent=running.idempotent).worker.topics
    await ensure_topics([running.address], topics, replication=1)
    await fill(running.address, f"{SETTINGS.group}-tallies-changelog", _past_hour(minute_of(datetime.now(UTC))))
    order = Order(running.address, running.idempotent)
    worker = await _started("bench.scrape", order)
    try:
        url = (await _out(worker).readline()).decode().strip()
        address = f"kafka://{running.address}" if running.idempotent else running.address
        live = Live(address, PARTITIONS, PER_SECOND, SECONDS)
        producer = await _started("bench.live", live)
        scrapes: list[Scrape] = []
        scraping = asyncio.create_task(_scrape(f"{url}/metrics", scrapes))
        sent = msgspec.json.decode((await producer.communicate())[0], type=Acknowledged)
        scraping.cancel()
        await asyncio.wait([scraping])
        return scrapes, sent, msgspec.json.decode((await worker.communicate(b""))[0], type=LastShare)
    finally:
        if worker.returncode is None:
            worker.kill()


async def _started(module: str, order: Struct) -> asyncio.subprocess.Process:
    told = msgspec.json.encode(order).decode()
    return await asyncio.create_subprocess_exec(sys.executable, "-m", module, told, stdin=PIPE, stdout=PIPE)


def _out(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    assert process.stdout is not None
    return process.stdout


async def _scrape(url: str, scrapes: list[Scrape]) -> None:
    """Read the page again and again, as Prometheus does: gzipped, on one connection."""
    async with aiohttp.ClientSession(headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as session:
        while True:
            asked_at = monotonic()
            async with session.get(url) as answer:
                answer.raise_for_status()
                packed = await answer.read()
            read_at = monotonic()
            page = await asyncio.to_thread(gzip.decompress, packed)
            samples = page.count(b"\n") - page.count(b"\n#") - 1
            scrapes.append(Scrape(asked_at, read_at, len(packed), len(page), samples))
            await asyncio.sleep(PAUSE_SECONDS)


def _past_hour(now: int) -> Material:
    """Return the tallies of queues that had contacts in each minute of the hour before the minute *now*."""
    chance = random.Random(1)
    records = []
    for number in range(QUEUES):
        queue = f"queue-{number:05}"
        for key, row in tallies_of_an_hour(chance, queue, now):
            records.append((f"default/{queue}", Sent(TALLIES.encode_key(key), TALLIES.encode_row(row))))
    homes = by_home([Sent(name.encode(), b"") for name, _ in records], PARTITIONS)
    partition_of = {sent.key: partition for partition, share in enumerate(homes) for sent in share}
    by_partition: list[list[Sent]] = [[] for _ in range(PARTITIONS)]
    for name, sent in records:
        by_partition[partition_of[name.encode()]].append(sent)
    return Material([sent for _, sent in records], by_partition)


def tallies_of_an_hour(chance: random.Random, queue: str, now: int) -> Iterator[tuple[TallyKey, TallyRow]]:
    """Yield the rows of a queue that had contacts in each minute of the hour before the minute *now*."""
    total = Tally()
    for minute in range(now - 60, now + 1):
        tally = _minute(chance)
        total += tally
        yield ("default", queue, "voice", "minute", minute), TallyRow(-1, tally)
    yield ("default", queue, "voice", "day", datetime.now(UTC).toordinal()), TallyRow(-1, total)
    yield ("default", queue, "voice", "total", 0), TallyRow(-1, total, newest=start_of(now))


def _minute(chance: random.Random) -> Tally:
    """Return what three contacts, more or less, make of a minute."""
    answered, in_time, abandoned = chance.randint(1, 4), chance.randint(0, 1), chance.randint(0, 1)
    waits, handles = [0] * len(Tally().waits), [0] * len(Tally().handles)
    waits[chance.randrange(len(waits))] += answered
    handles[chance.randrange(len(handles))] += answered
    return Tally(
        offered=answered + abandoned,
        answered=answered,
        answered_in_target=in_time,
        abandoned=abandoned,
        dequeued_overflow=chance.randint(0, 1),
        blocked_full=chance.randint(0, 1),
        handled=answered,
        offers_missed=chance.randint(0, 1),
        answer_wait_ms=chance.randrange(120_000),
        abandon_wait_ms=abandoned * chance.randrange(120_000),
        talk_ms=chance.randrange(600_000),
        hold_ms=chance.randrange(60_000),
        wrapup_ms=chance.randrange(60_000),
        waits=waits,
        handles=handles,
    )


def _service(address: str, *, idempotent: bool) -> Service:
    return Service(SETTINGS, brokers=address, idempotent=idempotent)


async def _work(order: Order) -> None:
    """Be the worker until standard input ends; then tell."""
    delays: list[tuple[float, float]] = []
    service = _service(order.address, idempotent=order.idempotent)
    async with service:
        for fold in service.worker.folds():
            if isinstance(fold, ContactsFold):
                fold.apply = _timed(fold.apply, delays)  # type: ignore[method-assign]  # nothing else knows when
        print(service.address, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        told = LastShare(delays, len((await service.board()).snapshots["contacts"]), service.feed.gaps)
    sys.stdout.buffer.write(msgspec.json.encode(told))


def _timed(apply: Callable[..., Any], delays: list[tuple[float, float]]) -> Callable[..., Any]:
    def timed(events: Sequence[Event], offsets: Sequence[int]) -> object:
        applied = apply(events, offsets)
        at, now = monotonic(), time()
        probes = (event for event in events if type(event) is ContactBlocked)
        delays.extend((at, (now - probe.time.timestamp()) * 1000) for probe in probes)
        return applied

    return timed


if __name__ == "__main__":
    asyncio.run(_work(msgspec.json.decode(sys.argv[1], type=Order)))
