"""Figures are read in slices: events are applied between two, and no slice is long."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stream.app import slices as module
from stream.app.slices import SLICE, read_in_slices
from stream.core.family import Family, FoldOptions
from stream.families.registry import FAMILIES
from stream.simulator import demo_centre, simulate
from stream.simulator.customers.quarter import simulated_quarter
from stream.status.feed import PartitionFeed
from tests.families.surveys.busy import busy_events

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Costly:
    """Yields snapshots of some cost, and notes in which turn of the loop each was taken."""

    def __init__(self, *costs: int) -> None:
        self._costs = costs
        self.work_by_turn: dict[int, int] = {}
        self.turn = 0

    def snapshots(self, _: datetime) -> Iterator[tuple[int, int]]:
        for number, cost in enumerate(self._costs):
            self.work_by_turn[self.turn] = self.work_by_turn.get(self.turn, 0) + cost
            yield cost, number

    async def count_turns(self) -> None:
        while True:
            self.turn += 1
            await asyncio.sleep(0)


@pytest.mark.parametrize("costs", [[1] * 10_000, [SLICE] * 20, [60] * 50, [1, 5 * SLICE, 1]])
async def test_no_more_than_a_slice_is_read_while_others_wait(
    costs: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BREATH_SECONDS", 0.0005)
    fold: Any = Costly(*costs)
    others = asyncio.create_task(fold.count_turns())

    (partition,) = await read_in_slices([(PartitionFeed("toys", 0), fold)], NOON)
    others.cancel()

    assert partition.snapshots == tuple(range(len(costs)))
    assert max(fold.work_by_turn.values()) < SLICE + max(costs)


async def test_many_small_partitions_are_one_slice_after_another_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BREATH_SECONDS", 0.0005)
    fold: Any = Costly(*[1] * 30)
    others = asyncio.create_task(fold.count_turns())

    read = await read_in_slices([(PartitionFeed("toys", number), fold) for number in range(40)], NOON)
    others.cancel()

    assert [one.feed.partition for one in read] == [*range(40)]
    assert max(fold.work_by_turn.values()) <= SLICE


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
async def test_events_that_come_between_two_slices_break_nothing(
    family: Family[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SLICE", 1)
    monkeypatch.setattr(module, "BREATH_SECONDS", 0.0)
    day = simulate(demo_centre(), start=NOON - timedelta(hours=1), end=NOON, seed=7)
    customers = simulated_quarter(seed=7, customers=20, start=NOON - timedelta(days=100))
    events = [event for event in (*day, *busy_events(NOON), *customers) if isinstance(event, family.events)]
    fold = family.new_fold(FoldOptions())
    middle = len(events) // 20
    fold.apply(events[:middle], range(middle))

    async def go_on() -> int:
        for offset in range(middle, len(events), 20):
            more = events[offset : offset + 20]
            fold.apply(more, range(offset, offset + len(more)))
            await asyncio.sleep(0)
        return offset

    applying = asyncio.create_task(go_on())
    reading = await read_in_slices([(PartitionFeed(family.name, 0), fold)], NOON)
    await applying

    assert reading[0].snapshots
    assert await read_in_slices([(PartitionFeed(family.name, 0), fold)], NOON) != reading
