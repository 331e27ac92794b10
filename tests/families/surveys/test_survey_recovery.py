"""A worker that dies at any step of a checkpoint changes no figure of surveys: the board is that of `replay`."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from faust.types import TP

from stream.app.replay import replay
from stream.app.topics import source_topics
from stream.core.cloudevents import Event, encode, key_of
from stream.core.family import FoldOptions, merged
from stream.core.policies import Policies
from stream.families.registry import FAMILIES
from stream.families.surveys.family import FAMILY
from stream.runtime.routing.processor import home_of
from stream.settings import Settings
from tests.families.surveys.busy import busy_events
from tests.runtime.fakes import Crash, FakeRecord, Fate, MemoryLog
from tests.runtime.members import Member

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PARTITIONS = 2
SETTINGS = Settings(group="surveys", partitions=PARTITIONS)
CHUNK = 30
STEPS = ["begun", "cut", "written 0", "committed", "told"]
FATES = [f"{table} {share}" for table in FAMILY.tables for share in (0, 0.5, 1)]


def told() -> list[Event]:
    """Two weeks as they arrive: much of them out of order, and some once more."""
    chance = random.Random(7)
    events = busy_events(NOON)
    events += chance.sample(events, 40)
    chance.shuffle(events)
    return events


TOLD = told()
EXPECTED = replay(TOLD).board(NOON).snapshots[FAMILY.name]


def member(log: MemoryLog) -> Member:
    topics: dict[TP, list[FakeRecord]] = {TP(one.name, n): [] for one in FAMILIES for n in range(PARTITIONS)}
    for event in TOLD:
        topic = topics[TP(event.topic, home_of(key_of(event), PARTITIONS))]
        topic.append(FakeRecord(len(topic), key_of(event), encode(event)))
    sources = source_topics(
        Policies(),
        partitions=PARTITIONS,
        max_queues_per_tenant=100,
        max_queues=100,
        max_customers=100,
        future_tolerance=timedelta(hours=1),
        clock=lambda: NOON,
    )
    return Member(log, topics, sources, SETTINGS, NOON)


def shown_by(worker: Member) -> tuple[Any, ...]:
    told = [fold.snapshots(NOON) for feed, fold in worker.ownership.shown() if feed.topic == FAMILY.name]
    return merged([snapshot for one in told for _, snapshot in one])


async def finish(worker: Member) -> tuple[Any, ...]:
    while not worker.done:
        await worker.apply(CHUNK)
        assert await worker.checkpoints.write()
    return shown_by(worker)


def test_there_is_something_of_every_table_to_lose() -> None:
    fold = FAMILY.new_fold(FoldOptions())
    fold.apply(TOLD, range(len(TOLD)))
    fold.settle()

    assert all(fold.tables.values())
    assert [*fold.tables] == [*FAMILY.tables]


@pytest.mark.parametrize("step", [*STEPS, *FATES, "commit 0", "commit 1"])
async def test_a_worker_that_dies_at_any_step_of_a_checkpoint_changes_no_figure(step: str) -> None:
    for checkpoints in range(4):
        worker = member(MemoryLog()).begin()
        for _ in range(checkpoints):
            await worker.apply(CHUNK)
            assert await worker.checkpoints.write()
        await worker.apply(CHUNK)
        if step in STEPS:
            worker.crash_at = step
        else:
            request, _, share = step.partition(" ")
            for partition in range(1 if request == "commit" else PARTITIONS):
                worker.log.fates[request, partition] = Fate(float(share), Crash(step))
        with pytest.raises(Crash):
            await worker.checkpoints.write()

        heir = member(worker.log.shared).begin()
        assert await finish(heir) == EXPECTED
        heir.log.shared.compact()
        assert shown_by(member(heir.log.shared).begin()) == EXPECTED
