"""How long events take from their source to the figures, and whose clock is wrong: with one worker, and with two."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from stream.app.service import Service
from stream.core.cloudevents import Event
from tests.brokers import Broker
from tests.running import Figures, running_service, scrape, send, settings_of_a_test, until
from tests.timeline import event

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CALLS = 40
"""Of each source: its queues are on all partitions."""


def calls(source: str, ahead: timedelta) -> list[Event]:
    """A call in each of many queues, one every tenth of a second; the clock of the source is so far ahead."""
    return [
        event(
            "enqueued",
            f"{source}-{number}",
            NOON + ahead - number * timedelta(seconds=0.1),
            source=source,
            queue=f"q{number}",
        )
        for number in range(CALLS)
    ]


EVENTS = [
    *calls("/right", timedelta()),
    *calls("/ahead", timedelta(seconds=90)),
    *calls("/late", timedelta(seconds=-3)),
    *calls("/history", timedelta(days=-1)),
]
REFUSED = calls("/other-zone", timedelta(hours=1))


@asynccontextmanager
async def crew(broker: Broker, size: int) -> AsyncIterator[list[Service]]:
    """Workers of one group that have applied all events, the clock of each at noon."""
    settings = settings_of_a_test()
    async with running_service(broker, at=NOON, settings=settings) as one:
        if size == 1:
            workers = [one]
            await _told(broker, workers)
            yield workers
            return
        async with running_service(broker, at=NOON, settings=settings) as other:
            workers = [one, other]
            await until(lambda: all(worker.feed.ready and worker.feed.partitions for worker in workers))
            await _told(broker, workers)
            yield workers


async def _told(broker: Broker, workers: list[Service]) -> None:
    await send(broker.address, [*EVENTS, *REFUSED])
    await applied(workers, len(EVENTS))
    await until(lambda: sum(worker.feed.dead_letters for worker in workers) == len(REFUSED))


async def applied(workers: list[Service], events: int) -> None:
    """Wait until workers have applied so many events in all."""
    await until(lambda: sum(worker.feed.events.total() for worker in workers) == events)


def of(pages: Iterable[Figures], name: str, **labels: str) -> list[float]:
    """The samples of a series, one for each worker that has it."""
    series = name, tuple(sorted(labels.items()))
    return [page[series] for page in pages if series in page]


async def test_a_clock_that_is_ahead_and_a_source_that_is_late_are_shown_as_that(fresh_broker: Broker) -> None:
    async with crew(fresh_broker, 1) as (worker,):
        page = await scrape(worker)

    def least(source: str) -> list[float]:
        return of([page], "contact_source_least_latency_seconds", source=source)

    assert least("/right") == [0]
    assert least("/ahead") == [-90]
    assert least("/late") == [3]
    assert least("/history") == [86_400]
    assert least("/other-zone") == [-3600]


async def test_latencies_are_of_the_events_that_are_not_history_and_the_same_page_has_their_figures(
    fresh_broker: Broker,
) -> None:
    async with crew(fresh_broker, 1) as (worker,):
        page = await scrape(worker)

    def within(source: str, le: str) -> list[float]:
        return of([page], "contact_source_latency_seconds_bucket", source=source, le=le)

    assert (within("/right", "2.0"), within("/right", "5.0"), within("/right", "+Inf")) == ([21], [40], [40])
    assert (within("/ahead", "1.0"), within("/ahead", "+Inf")) == ([40], [40])
    assert (within("/late", "2.0"), within("/late", "5.0"), within("/late", "10.0")) == ([0], [21], [40])
    assert (within("/history", "+Inf"), within("/other-zone", "+Inf")) == ([0], [0])
    assert of([page], "contact_source_old_events_total", source="/history") == [40]
    assert of([page], "contact_source_old_events_total", source="/late") == [0]
    # Of the calls of yesterday nobody waits any more.
    assert sum(value for (name, _), value in page.items() if name == "contact_open_cases") == 3 * CALLS


async def test_a_clock_that_stays_ahead_is_told_on_the_board(fresh_broker: Broker) -> None:
    at = NOON
    async with running_service(fresh_broker, clock=lambda: at) as worker:
        for minute in range(3):
            # Of two minutes nothing is said yet.
            assert not any(source.clock_ahead for source in worker.feed.sources.values())
            at = NOON + minute * timedelta(minutes=1)
            await send(fresh_broker.address, [event("enqueued", f"ann-{minute}", at + timedelta(seconds=90))])
            await applied([worker], minute + 1)
        await until_read(worker, "The clock of /pbx is ahead by 90 s: waits look too short")


async def until_read(worker: Service, text: str) -> None:
    """Read boards until a notice is on one: they are kept for a second."""
    async with asyncio.timeout(60):
        while text not in [one.text for one in (await worker.cluster.read()).notices]:
            await asyncio.sleep(0.1)


async def test_two_workers_together_tell_what_one_does(fresh_broker: Broker, own_broker: Broker) -> None:
    async with crew(fresh_broker, 1) as alone:
        one = [await scrape(worker) for worker in alone]
    async with crew(own_broker, 2) as both:
        two = [await scrape(worker) for worker in both]

    added = [series for series in one[0] if series[0].startswith(("contact_source_latency", "contact_source_old"))]
    assert len(added) == 5 * 13
    for name, labels in added:
        assert round(sum(of(two, name, **dict(labels))), 6) == round(sum(of(one, name, **dict(labels))), 6)
    for source in ("/right", "/ahead", "/late", "/history", "/other-zone"):
        told = of(two, "contact_source_least_latency_seconds", source=source)
        assert [min(told)] == of(one, "contact_source_least_latency_seconds", source=source)
    assert all(of([page], "contact_source_least_latency_seconds", source="/ahead") for page in two)
