"""A Prometheus that watches real workers, fed with two hours of a simulated centre, and knows last week."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from stream.app.demo import DEMO_POLICIES
from stream.app.policy_file import policies_of
from stream.app.service import Service
from stream.core.cloudevents import Event
from stream.core.derivation import Derivation
from stream.core.policies import Policies
from stream.families.registry import FAMILIES
from stream.simulator import demo_centre, simulate, with_surveys
from stream.simulator.customers.quarter import simulated_quarter
from tests.brokers import Broker
from tests.families.customers.told import customer_event
from tests.monitoring import Prometheus, configuration, prometheus
from tests.running import running_service, scrape, send, send_raw, settings_of_a_test, until
from tests.timeline import event

__all__ = ["JOB", "Watched", "watched"]

JOB = "contact-stream"
SEED = 7
AFTERNOON = datetime(2026, 11, 20, 14, tzinfo=UTC), datetime(2026, 11, 20, 16, tzinfo=UTC)
HOURS = """[defaults]
team = "desk"
quiet_hours = "22:00-06:00"
customer_minimum = 5
"""
CUSTOMERS = 60
SCRAPES = 6
"""So many are needed until every rate has something to compare."""

EVERY = timedelta(milliseconds=500)


class Watched(NamedTuple):
    """Workers of one group, and who scrapes them."""

    prometheus: Prometheus
    workers: list[Service]


@asynccontextmanager
async def watched(broker: Broker, home: Path, groups: Sequence[int]) -> AsyncIterator[list[Watched]]:
    """
    Run a group of each of these sizes on the same events; yield them in that order, each with a Prometheus.

    The workers' clock stands at the end of what happened, so that groups can be compared.
    """
    # A whole minute: what is in which window does not depend on the second at which this runs.
    at = datetime.now(UTC).replace(second=0, microsecond=0)
    events = [*_rare(at), *_some_cases(at), *_a_quarter(at), *_an_afternoon(at)]
    before = [event for event in events if event.time < at - timedelta(minutes=6)]
    after = [event for event in events if event.time >= at - timedelta(minutes=6)]
    policies = policies_of(DEMO_POLICIES.replace("[defaults]", HOURS) + _of_cases(at), "demo")
    async with AsyncExitStack() as stack:
        crews = []
        for size in groups:
            settings = settings_of_a_test()
            starting = (running_service(broker, at=at, settings=settings, policies=policies) for _ in range(size))
            crews.append([await stack.enter_async_context(worker) for worker in starting])
        for crew in crews:
            await _each_has_its_share(crew)
        # Each group writes what follows from events for other families, and reads what the other groups have written.
        told_before, told = (len(some) + len(groups) * _following(some, policies) for some in (before, events))
        await send(broker.address, before)
        await asyncio.gather(*(_applied(crew, told_before) for crew in crews))
        watching = [
            await stack.enter_async_context(await _prometheus(home / str(number), crew))
            for number, crew in enumerate(crews)
        ]
        await asyncio.gather(*(one.wait_for(f"sum (contact_events_total) == {told_before}") for one in watching))
        await _rest(broker, after)
        for one, size in zip(watching, groups, strict=True):
            await one.wait_for(_scraped(told, size))
        yield [Watched(one, crew) for one, crew in zip(watching, crews, strict=True)]


def _an_afternoon(at: datetime) -> list[Event]:
    """The same two hours at whatever hour this runs: they end at the instant *at*."""
    later = at - AFTERNOON[1]
    events = with_surveys(simulate(demo_centre(), start=AFTERNOON[0], end=AFTERNOON[1], seed=SEED))
    # Cases are told of by themselves, so that each of their figures has a sample.
    return [replace(event, time=event.time + later) for event in events if event.topic != "cases"]


def _following(events: Sequence[Event], policies: Policies) -> int:
    """Return how many events for other families follow from these."""
    derivation = Derivation(FAMILIES, policies)
    told = [*events]
    for one in told:  # it grows meanwhile
        told += [follows for follows, _ in derivation.of(one)]
    return len(told) - len(events)


def _a_quarter(at: datetime) -> list[Event]:
    """What customers did in a hundred days: they end at the instant *at*."""
    quarter = simulated_quarter(SEED, CUSTOMERS, at - timedelta(days=99, hours=12))
    events = [replace(event, tenantid="northwind") for event in quarter if event.time <= at - timedelta(minutes=10)]
    return [*events, *_come_and_gone(at)]


def _come_and_gone(at: datetime) -> list[Event]:
    """Of a plan and a group two customers: one is lost in the last 30 days, the other is new and was referred."""
    of_plan = {"tenant": "northwind", "plan": "basic", "group": "private"}
    return [
        customer_event("joined", "was here", at - timedelta(days=80), monthly=1200, **of_plan),
        customer_event("left", "was here", at - timedelta(days=9), tenant="northwind"),
        customer_event("joined", "is new", at - timedelta(days=9), referred=True, monthly=900, **of_plan),
    ]


def _rare(at: datetime) -> list[Event]:
    """What does not happen on every day, so that every figure has a sample."""

    def ago(minutes: float) -> datetime:
        return at - timedelta(minutes=minutes)

    return [
        event("enqueued", "forgotten", ago(241), queue="sales", tenant="northwind"),
        event("enqueued", "patient", ago(9), queue="claims", tenant="fabrikam"),
        event("enqueued", "again", ago(8), queue="sales", tenant="northwind", enqueue_seq=2, reason="requeue"),
        event("abandoned", "again", ago(7.5), queue="sales", tenant="northwind", enqueue_seq=2),
        event("ended", "known late", ago(8), queue="sales", tenant="northwind", talk_ms=60_000),
        event("abandoned", "unheard", ago(7), queue="sales", tenant="northwind"),
        event("dequeued", "asked", ago(7), queue="sales", tenant="northwind", reason="callback_requested"),
        event("blocked", "early", ago(5), queue="sales", tenant="northwind", reason="closed"),
        event("blocked", "many", ago(5), queue="sales", tenant="northwind", reason="full"),
        event("answered", "came before", ago(5), queue="sales", tenant="northwind"),
        event("abandoned", "came before, too", ago(5), queue="sales", tenant="northwind"),
        event("dequeued", "will be called", ago(5), queue="sales", tenant="northwind", reason="callback_requested"),
        event("callback.requested", "hope", ago(5), queue="sales", tenant="northwind"),
        event("callback.failed", "hope", ago(4), queue="sales", tenant="northwind"),
        *_a_while_ago(at),
    ]


def _of_cases(at: datetime) -> str:
    """A queue that is not always served, and whose day began half a day before, at whatever hour this runs."""
    begins = f"{at - timedelta(hours=12):%H:%M}"
    return f"""
    [[queue]]
    name = "helpdesk"
    opening_hours = "00:00-23:59"
    day_starts = "{begins}"
    first_response_target_seconds = 1800
    """


def _some_cases(at: datetime) -> list[Event]:
    """Ten cases alike, which have all that can be counted, and two that wait: many enough for every partition."""

    def of(case: str, minutes: float, kind: str, **data: object) -> Event:
        return event(kind, case, at - timedelta(minutes=minutes), tenant="northwind", **data)

    def begun(case: str, minutes: float) -> list[Event]:
        opened = of(case, minutes, "case.opened", queue="helpdesk", channel="email")
        return [opened, of(case, minutes, "message.received")]

    def solved(case: str) -> list[Event]:
        return [
            *begun(case, 200),
            of(case, 190, "message.sent"),
            of(case, 180, "message.received"),
            of(case, 170, "message.sent"),
            of(case, 165, "case.resolved"),
            of(case, 160, "case.reopened"),
            of(case, 150, "case.resolved"),
        ]

    cases = [one for number in range(10) for one in solved(f"4{number}")]
    return [*cases, *begun("waits", 20), *begun("waits too long", 100)]


def _a_while_ago(at: datetime) -> list[Event]:
    """Surveys and reviews of the period before the last seven days, and before the last thirty."""
    told = []
    for days in (10, 45):
        then, place = at - timedelta(days=days), {"queue": "sales", "channel": "voice", "tenant": "northwind"}
        told += [
            event("survey.answered", f"{kind}-{days}", then, kind=kind, score=8, scale="0-10", **place)
            for kind in ("csat", "ces", "nps")
        ]
        # Effort is told of those who were asked, and a figure before also needs who was.
        told.append(event("survey.invited", f"ces-{days}", then - timedelta(hours=1), kind="ces", **place))
        tone = [{"name": "tone", "score": 3, "max": 4}]
        told.append(event("quality.reviewed", f"review-{days}", then, categories=tone, **place))
    return told


def _scraped(events: int, size: int) -> str:
    """A query with an answer once every worker was asked often enough after the last event."""
    often = f'min (count_over_time (contact_ready{{job="{JOB}"}}[1m])) >= {SCRAPES}'
    return f"(sum (contact_events_total) == {events}) and (count (up == 1) == {size}) and ({often})"


async def _each_has_its_share(crew: Sequence[Service]) -> None:
    await until(lambda: all(worker.feed.ready and worker.feed.partitions for worker in crew), seconds=60)


async def _applied(crew: Sequence[Service], many: int) -> None:
    await until(lambda: sum(worker.feed.events.total() for worker in crew) >= many, seconds=60)


async def _rest(broker: Broker, events: Sequence[Event]) -> None:
    """Send the last minutes: and one record that is no event."""
    await send(broker.address, events)
    await send_raw(broker.address, "contacts", [(b"northwind/sales", b"no event")])


async def _prometheus(home: Path, crew: Sequence[Service]) -> AbstractAsyncContextManager[Prometheus]:
    history = "".join([await _last_week(worker) for worker in crew]) + "# EOF\n"
    config = configuration({JOB: [worker.address for worker in crew]}, interval=EVERY)
    return prometheus(home, config, history=history)


async def _last_week(worker: Service) -> str:
    """What the worker shows, as if it had shown it a week ago, too."""
    figures = await scrape(worker)
    instance = worker.address.removeprefix("http://")
    then = datetime.now(UTC) - timedelta(days=7, minutes=3)
    minutes = [(then + timedelta(minutes=minute)).timestamp() for minute in range(12)]
    lines = []
    for (name, labels), value in figures.items():
        text = ",".join(f'{label}="{text}"' for label, text in (*labels, ("job", JOB), ("instance", instance)))
        lines += [f"{name}{{{text}}} {value} {minute:.3f}\n" for minute in minutes if name.startswith("contact_")]
    return "".join(lines)
