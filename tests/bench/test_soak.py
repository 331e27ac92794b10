"""What the long run measures with: what was told is what a replay counts, and what waits is known to the batch."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from bench.churn import ACTIVE_QUEUES, NAMES, TURN_SECONDS, Churn
from bench.deployed import Page
from bench.lanes import Lanes
from bench.material import Sent
from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.families.contacts.events import ContactEnqueued
from stream.families.registry import DECODER

TURN = timedelta(seconds=TURN_SECONDS)
START = datetime(2026, 11, 20, tzinfo=UTC)
HOURS = 6


@pytest.fixture(scope="module")
def told() -> tuple[Churn, list[Event]]:
    churn = Churn(START)
    steps = HOURS * 120
    sent = [one for step in range(steps) for one in churn.until(START + timedelta(seconds=30 * step), 20)]
    return churn, [DECODER.decode(one.value) for one in (*sent, *churn.end(START + timedelta(hours=HOURS)))]


def test_the_totals_that_were_told_are_those_of_the_replay(told: tuple[Churn, list[Event]]) -> None:
    churn, events = told
    queues = replay(events).board(START + timedelta(hours=HOURS)).snapshots["contacts"]

    assert len(queues) == NAMES
    for queue in queues:
        kinds = [churn.told[queue.queue, kind] for kind in ("enqueued", "answered", "abandoned", "wrapup_ended")]
        total = queue.total
        assert kinds == [total.offered, total.answered, total.abandoned, total.handled]
    assert churn.open_contacts == 0


def test_queues_fall_silent_and_come_again(told: tuple[Churn, list[Event]]) -> None:
    _, events = told
    arrivals = [event for event in events if isinstance(event, ContactEnqueued)]
    turns: list[set[str]] = [set() for _ in range(2 * HOURS)]
    for event in arrivals:
        turns[int((event.time - START) / TURN)].add(event.data.queue)

    assert all(ACTIVE_QUEUES <= len(names) <= 2 * ACTIVE_QUEUES < NAMES for names in turns)
    assert all(now - before and before - now for before, now in pairwise(turns))
    assert set.union(*turns[: NAMES // ACTIVE_QUEUES]) == set.union(*turns)


class Broker:
    """Acknowledges each batch as soon as it comes, at the next offset."""

    def __init__(self) -> None:
        self.end = 0

    def create_batch(self) -> Any:
        return Batch()

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> Any:
        del topic, partition
        first, self.end = self.end, self.end + batch.record_count()
        return acknowledged(first)


class Batch(list[bytes]):
    def append(self, *, key: bytes, value: bytes, timestamp: None) -> object | None:  # type: ignore[override]  # aiokafka's
        del key, timestamp
        super().append(value)
        return self if len(self) <= 2 else None

    def record_count(self) -> int:
        return min(len(self), 2)


class Answer:
    def __init__(self, offset: int) -> None:
        self.offset = offset


async def acknowledged(first: int) -> Answer:
    return Answer(first)


async def test_what_is_acknowledged_waits_until_it_is_reached() -> None:
    lanes = Lanes(Broker(), 1)
    await lanes.send([Sent(b"default/a", b"1"), Sent(b"default/a", b"2"), Sent(b"default/a", b"3")])
    await lanes.acknowledged()
    later = 1e12

    assert lanes.sent == 3
    assert lanes.oldest_waiting({}, later) > 0
    assert lanes.oldest_waiting({"0": 2.0}, later) > 0
    assert lanes.oldest_waiting({"0": 3.0}, later) == 0


def test_a_page_is_read_by_label_and_without_the_topic_of_agents() -> None:
    page = Page(
        b'# HELP contact_x x\ncontact_x{topic="contacts",partition="1"} 5.0\n'
        b'contact_x{topic="agents",partition="1"} 9.0\n'
        b'contact_offered_total{tenant="a",queue="b",channel="voice"} 2.0\ncontact_ready 1.0\n'
    )

    assert page.by("partition", "x") == {"1": 5}
    assert page.by("queue", "offered_total") == {"b": 2}
    assert (page.sum("ready"), page.sum("x"), page.sum("missing")) == (1, 14, 0)
