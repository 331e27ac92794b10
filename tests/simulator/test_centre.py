from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import fmean
from typing import Literal

import pytest

from stream.core.cloudevents import tag_of
from stream.errors import SettingsError
from stream.families.contacts import events as e
from stream.simulator import busy_centre, demo_centre, simulate
from stream.simulator.callers import sampler
from stream.simulator.centre import (
    AgentPlan,
    Centre,
    DailyHours,
    Exits,
    Length,
    QueuePlan,
    Shift,
    Transfer,
)

MINUTE = timedelta(minutes=1)
TALK = Length(MINUTE)
SALES = QueuePlan(name="sales", per_hour=(1.0,), talk=TALK)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Length(-MINUTE), "mean"),
        (lambda: DailyHours(opens=9 * MINUTE, closes=8 * MINUTE), "open before they close"),
        (lambda: Exits(key=0.6, callback=0.6), "shares"),
        (lambda: QueuePlan(name="sales", per_hour=(1.0, 2.0), talk=TALK), "sales: per_hour needs 1 or 24"),
        (lambda: QueuePlan(name="sales", per_hour=(-1.0,), talk=TALK), "sales: per_hour must not be negative"),
        (lambda: Shift(starts=MINUTE, lasts=timedelta(days=1)), "less than a day"),
        (lambda: AgentPlan(id="ann", skills=(), slots=0), "ann: slots"),
        (lambda: Centre(name="c", queues=(SALES, SALES), agents=()), "one name"),
        (lambda: Centre(name="c", queues=(SALES,), agents=(AgentPlan(id="ann", skills=("x",)),)), "ann.*no queue x"),
        (lambda: Centre(name="c", queues=(), agents=(AgentPlan(id="a", skills=()),) * 2), "one id"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_and_its_fault_is_named(make: Callable[[], object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        make()


def test_a_transfer_to_a_queue_that_is_not_there_is_refused() -> None:
    sales = QueuePlan(name="sales", per_hour=(1.0,), talk=TALK, transfers=(Transfer(to="nowhere", share=0.1),))

    with pytest.raises(SettingsError, match=r"sales: transfers.*nowhere"):
        Centre(name="c", queues=(sales,), agents=())


@pytest.mark.parametrize("shape", ["constant", "exponential", "lognormal"])
def test_a_length_has_the_mean_it_names_whatever_its_shape(
    shape: Literal["constant", "exponential", "lognormal"],
) -> None:
    draw, rng = sampler(Length(MINUTE, shape)), Random(1)

    assert fmean(draw(rng) for _ in range(40_000)) == pytest.approx(60_000, rel=0.02)


@pytest.mark.parametrize("hour", [2, 10, 18])
def test_the_demo_is_lively_at_any_hour(hour: int) -> None:
    """What its board must be able to show within an hour or two, and half a minute of movement after that."""
    start = datetime(2024, 5, 6, hour, 20, tzinfo=UTC)
    events = list(simulate(demo_centre(), start=start, end=start + timedelta(hours=2), seed=1))

    told = {type(event) for event in events}
    late = Counter(int((event.time - start) / timedelta(seconds=30)) for event in events)
    assert told >= {e.ContactBlocked, e.ContactAbandoned, e.ContactDequeued, e.ContactTransferred, e.ContactHeld}
    assert {event.data.channel for event in events if isinstance(event, e.ContactEnqueued)} == {
        "voice",
        "chat",
        "email",
    }
    assert min(late[half_minute] for half_minute in range(10, 240)) >= 5


def test_the_busy_centre_tells_of_contacts_only_and_two_million_times_a_day() -> None:
    start = datetime(2024, 5, 6, tzinfo=UTC)
    events = list(simulate(busy_centre(4), start=start, end=start + timedelta(days=1), seed=1))

    assert {tag_of(event) for event in events} == {
        "contact.enqueued",
        "contact.offered_to_agent",
        "contact.offer_ended",
        "contact.answered",
        "contact.held",
        "contact.resumed",
        "contact.ended",
        "contact.wrapup_ended",
        "contact.abandoned",
    }
    assert len(events) * 200 / 4 == pytest.approx(2_000_000, rel=0.05)
