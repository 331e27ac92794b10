"""What a topic tells arrives once: from any batch on, after crashes, and however it is stopped."""

import asyncio
from pathlib import Path

import pytest

from stream.sources.intake import Intake
from stream.sources.kafka.topic import FETCH_RECORDS
from stream.sources.pulling.shipping import PositionFile, ship
from tests.running import until
from tests.sources.contract.sinks import Topic
from tests.sources.kafka_topic.topics import FakeTopic, puller_of, told_of

CALLS = [f"call{number}" for number in range(10_000)]


@pytest.fixture
def burst() -> FakeTopic:
    """Ten thousand calls at once, in three partitions."""
    topic = FakeTopic(partitions=3)
    for number, call in enumerate(CALLS):
        topic.add(call.encode(), partition=number % 3)
    return topic


async def test_a_burst_is_told_in_batches_and_gone_on_with_behind_each(burst: FakeTopic) -> None:
    names, batches = await told_of(puller_of(burst), None, len(CALLS))

    assert sorted(names) == sorted(CALLS)
    assert len(batches) > 1
    assert max(len(batch.events) for batch in batches) <= 3 * FETCH_RECORDS
    told = 0
    for batch in batches[:-1]:
        told += len(batch.events)
        rest, _ = await told_of(puller_of(burst), batch.position, len(CALLS) - told)
        assert rest == names[told:]


async def test_after_a_crash_what_is_sent_again_has_the_ids_that_it_had(burst: FakeTopic, tmp_path: Path) -> None:
    position, sink = PositionFile(tmp_path / "position"), Topic(breaks_after=4000)
    with pytest.raises(ConnectionAbortedError):
        await ship(puller_of(burst), sink, position, Intake())
    sink.breaks_after = None

    going = asyncio.create_task(ship(puller_of(burst), sink, position, Intake()))
    await until(lambda: len({event.id for event in sink.events}) == len(CALLS))
    going.cancel()
    await asyncio.wait([going])

    assert len(sink.events) > len(CALLS)
    assert {event.subject for event in sink.events} == set(CALLS)
    assert burst.connected == 0
