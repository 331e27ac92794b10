"""The equality that is the test: a worker shows what `replay` prints, figure by figure, series by series."""

import asyncio
import itertools
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace as changed

from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.app.service import Service
from stream.core.cloudevents import Event
from stream.core.collector import FEW_SERIES
from stream.core.family import Board
from stream.http.exposition import TextFormat, written
from stream.simulator import demo_centre, office_centre, simulate, with_surveys
from stream.sources.asterisk_queue_log.source import Options, read
from stream.sources.files import jsonl
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from tests.board.boards import families_of
from tests.brokers import Broker
from tests.e2e.busy_day import POLICY, without_corrections
from tests.families.contacts.test_laws import END, days
from tests.running import Figures, parsed, running_service, scrape, send, until
from tests.samples import sample

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MID_MORNING = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
AFTER_HOURS = datetime(2026, 3, 2, 22, 10, tzinfo=UTC)
"""Of the shipped day: an instant in the thick of it, and one when all of it is over."""

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"


async def applied(service: Service, count: int) -> None:
    await until(lambda: service.feed.events.total() >= count)


def series_of(board: Board) -> Figures:
    return parsed(written(families_of(board, FEW_SERIES), TextFormat.TEXT).decode())


async def assert_worker_shows(service: Service, board: Board) -> None:
    """The same board, and the same series on /metrics: no more, no fewer, no other value."""
    shown = await service.board()
    assert shown == board
    scraped = await scrape(service)
    expected = series_of(board)
    names = {name for name, _ in expected}
    assert {key: value for key, value in scraped.items() if key[0] in names} == expected


async def test_the_simulators_day_on_a_worker_equals_its_replay(fresh_broker: Broker) -> None:
    day = list(simulate(demo_centre(), start=NOON - timedelta(hours=2), end=NOON, seed=7))
    async with running_service(fresh_broker, at=NOON) as service:
        await send(fresh_broker.address, day)
        await applied(service, len(day))

        await assert_worker_shows(service, replay(day).board(NOON))
        assert service.feed.gaps == 0
        assert service.feed.dead_letters == 0


async def test_a_day_of_known_customers_on_a_worker_equals_its_replay(fresh_broker: Broker) -> None:
    """With what contacts, cases, surveys and carts tell of them, which a worker reads once that is written."""
    day = simulate(
        demo_centre(),
        start=NOON - timedelta(minutes=40),
        end=NOON,
        seed=7,
        cases_before=timedelta(hours=5),
        customers_before=timedelta(days=5),
    )
    events = list(with_surveys(day))
    policies = policies_of(POLICY, "policies")
    replayed = replay(events, policies=policies)
    async with running_service(fresh_broker, at=NOON, policies=policies) as service:
        await send(fresh_broker.address, events)
        await applied(service, replayed.events)

        shown, expected = (without_corrections(board) for board in (await service.board(), replayed.board(NOON)))
        assert shown == expected
        assert series_of(shown) == series_of(expected)
        assert sum(one.present for one in shown.snapshots["customers"]) > 1000
        assert service.feed.dead_letters == 0


@pytest.mark.parametrize("at", [MID_MORNING, AFTER_HOURS])
async def test_the_shipped_day_through_broker_and_worker_equals_its_replay(fresh_broker: Broker, at: datetime) -> None:
    day = jsonl.read(jsonl.Options(file=EXAMPLES / "day.jsonl"), Intake(_refuse))
    scraped = await _compare(fresh_broker, list(day), at)

    assert _answered(scraped) > 10


@pytest.mark.parametrize("at", [MID_MORNING, AFTER_HOURS])
async def test_the_shipped_queue_log_through_source_broker_and_worker_equals_its_replay(
    fresh_broker: Broker, at: datetime
) -> None:
    """The voice queues of the same day, in Asterisk's own format."""
    scraped = await _compare(fresh_broker, _log_read(EXAMPLES / "day.queue_log"), at)

    assert _answered(scraped) > 10


async def test_the_real_log_of_2010_gives_the_golden_numbers_on_metrics(fresh_broker: Broker) -> None:
    log = sample("asterisk/queue_log_2010_freepbx.txt")
    at = datetime(2010, 2, 22, 12, tzinfo=UTC)

    scraped = await _compare(fresh_broker, _log_read(log), at)

    queue = (("channel", "voice"), ("queue", "9000"), ("tenant", "default"))
    assert scraped["contact_offered_total", queue] == 21
    assert scraped["contact_answered_total", queue] == 8
    assert scraped["contact_answered_in_target_total", queue] == 6
    assert scraped["contact_abandoned_total", queue] == 12
    assert scraped["contact_wait_seconds_sum", queue] == 143
    assert scraped["contact_open_cases", queue] == 1


def _refuse(bad: BadLine) -> None:
    pytest.fail(str(bad))


def _log_read(log: Path) -> list[Event]:
    return list(read(Options(file=log, source_name="/pbx"), Intake(_refuse)))


def _answered(scraped: Figures) -> float:
    return sum(value for (name, _), value in scraped.items() if name == "contact_answered_total")


async def _compare(broker: Broker, recorded: list[Event], at: datetime) -> Figures:
    """Send what had happened at the instant *at*, and compare; return what the worker shows."""
    events = [event for event in recorded if event.time <= at]
    async with running_service(broker, at=at) as service:
        await send(broker.address, events)
        await applied(service, len(events))
        await assert_worker_shows(service, replay(events).board(at))
        return await scrape(service)


async def test_after_a_restart_the_board_is_the_same_and_goes_on(fresh_broker: Broker) -> None:
    day = list(simulate(demo_centre(), start=NOON - timedelta(minutes=40), end=NOON, seed=5))
    first, second = day[: len(day) // 2], day[len(day) // 2 :]
    async with running_service(fresh_broker, at=NOON) as service:
        group = service.worker.settings.group
        settings_of_group = changed(service.settings, group=group)
        await send(fresh_broker.address, first)
        await applied(service, len(first))
        await assert_worker_shows(service, replay(first).board(NOON))

    await send(fresh_broker.address, second + second[::7])  # while nobody works; some twice
    async with running_service(fresh_broker, at=NOON, settings=settings_of_group) as service:
        await applied(service, len(second) + len(second[::7]))

        await assert_worker_shows(service, replay(day).board(NOON))
        assert service.feed.gaps == 0


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


_tenants = (f"tenant-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def worker(loop: asyncio.Runner, own_broker: Broker) -> Iterator[Service]:
    """One worker for all generated days; each day has a tenant of its own."""
    context = running_service(own_broker, at=END)
    yield loop.run(context.__aenter__())
    loop.run(context.__aexit__(None, None, None))


# The worker's own threads go on, and draw jitter, while a day is generated.
@pytest.mark.filterwarnings("ignore:Do not use the .random. module inside strategies")
@settings(max_examples=int(os.environ.get("E2E_EXAMPLES", "25")), suppress_health_check=list(HealthCheck))
@given(day=days())
def test_any_day_on_a_worker_equals_its_replay(
    loop: asyncio.Runner, own_broker: Broker, worker: Service, day: list[Event]
) -> None:
    tenant = next(_tenants)
    events = [changed(told, tenantid=tenant) for told in day]

    shown = loop.run(_shown(worker, own_broker, events))

    expected = replay(events).board(END).snapshots["contacts"]
    assert tuple(queue for queue in shown.snapshots["contacts"] if queue.tenant == tenant) == expected


async def _shown(worker: Service, broker: Broker, events: Sequence[Event]) -> Board:
    before = worker.feed.events.total()
    await send(broker.address, events)
    await applied(worker, before + len(events))
    return await worker.board()


async def test_the_board_is_read_from_what_is_owned(fresh_broker: Broker) -> None:
    """Nothing owned, nothing shown: a worker that has stopped shows no frozen figures."""
    day = list(simulate(office_centre(), start=NOON - timedelta(minutes=30), end=NOON, seed=5))
    async with running_service(fresh_broker, at=NOON) as service:
        await send(fresh_broker.address, day)
        await applied(service, len(day))
        owned = service.worker.folds()

    assert owned
    assert service.worker.folds() == []
