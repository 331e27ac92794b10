from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest

from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.simulator import demo_centre, going_on, newest_event, office_centre
from tests.brokers import Broker
from tests.running import running_service, send, send_raw, until

NOW = datetime(2026, 11, 20, 10, 40, tzinfo=UTC)
LATER = NOW + timedelta(minutes=50)
"""When it has been started again for a while, in another hour."""
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def run(
    newest: Event | None, *, until: datetime, now: datetime = NOW, seed: int = 1, cases_before: timedelta = 0 * HOUR
) -> list[Event]:
    events = going_on(demo_centre(), newest, now=now, past=HOUR, seed=seed, cases_before=cases_before)
    return list(takewhile(lambda event: event.time < until, events))


def test_a_run_begins_at_a_whole_hour_at_least_the_past_ago() -> None:
    assert run(None, until=NOW)[0].time == datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.mark.parametrize("cut", [1, 1000, 5000])
def test_a_run_goes_on_with_the_very_events_that_would_have_followed(cut: int) -> None:
    whole = run(None, until=LATER)
    newest = whole[cut]

    assert run(newest, until=LATER, now=LATER) == [
        event for event in whole if event.time >= newest.time - timedelta(minutes=5)
    ]


@pytest.mark.parametrize("cut", [1, 2000, -1000])
def test_a_run_goes_on_also_where_it_was_stopped_among_the_cases_of_the_days_before(cut: int) -> None:
    whole = run(None, until=LATER, cases_before=48 * HOUR)
    newest = whole[cut]

    assert whole[0].time < NOW - 48 * HOUR
    assert run(newest, until=LATER, now=LATER, cases_before=48 * HOUR) == [
        event for event in whole if event.time >= newest.time - timedelta(minutes=5)
    ]


def test_after_a_run_of_another_seed_a_new_one_begins() -> None:
    newest = run(None, until=NOW, seed=2)[-1]

    assert run(newest, until=NOW) == run(None, until=NOW)


async def test_a_simulator_that_was_killed_and_started_again_counts_each_contact_once(fresh_broker: Broker) -> None:
    whole = run(None, until=LATER)
    told = [event for event in whole if event.time < NOW]
    # What it had not yet been told when the simulator was killed: some partitions are behind.
    arrived = [event for event in told if event.time < NOW - MINUTE or event.subject[-1] in "02468"]
    async with running_service(fresh_broker, at=LATER) as service:
        await send(fresh_broker.address, arrived)
        rest = run(await newest_event([fresh_broker.address], demo_centre()), until=LATER, now=LATER)
        await send(fresh_broker.address, rest)
        await until(lambda: service.feed.events.total() >= len(arrived) + len(rest))

        assert whole[0] not in rest
        assert await service.board() == replay(whole).board(LATER)


async def test_of_a_broker_only_the_events_of_the_centre_are_looked_at(fresh_broker: Broker) -> None:
    brokers = [fresh_broker.address]
    assert await newest_event(brokers, demo_centre()) is None
    (first, *_) = run(None, until=NOW)
    async with running_service(fresh_broker, at=NOW):
        assert await newest_event(brokers, demo_centre()) is None
        await send(fresh_broker.address, [first])
        await send_raw(fresh_broker.address, "contacts", [(b"northwind/sales", b"no event")])

        assert await newest_event(brokers, demo_centre()) == first
        assert await newest_event(brokers, office_centre()) is None
