"""Counts throws and hits of each stand."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from stream.core.counted import Counted
from stream.core.counts import Counts, CountsRow
from stream.core.family import Applied, times_by_source
from stream.core.retention import Retention
from stream.core.rows import Rows
from stream.core.windowed import Scope, Windowed
from stream.core.windows import LIVE_WINDOWS, minute_of
from tests.toy.events import ToyThrown

WINDOWS = (*LIVE_WINDOWS, "7d")

RowKey = tuple[str, str, Scope, int]


class Throws(Counts, array_like=True, gc=False):
    thrown: int = 0
    hits: int = 0


class ThrowsRow(CountsRow[Throws], array_like=True, gc=False):
    applied_offset: int = -1
    tally: Throws = field(default_factory=Throws)


class Thrown(Struct, frozen=True):
    """What one throw counts for."""

    at: datetime
    hit: bool

    def count(self, tallies: Iterable[Throws], sign: int, /) -> None:
        for tally in tallies:
            tally.thrown += sign
            tally.hits += sign * self.hit


class Stand(Struct, frozen=True, kw_only=True):
    """What is shown of a stand."""

    tenant: str
    queue: str
    counted: Counted

    @property
    def key(self) -> tuple[str, str]:
        return self.tenant, self.queue

    def __add__(self, other: "Stand") -> "Stand":
        return Stand(tenant=self.tenant, queue=self.queue, counted=self.counted + other.counted)


class ToyFold:
    contribution = Thrown

    def __init__(self) -> None:
        self.throws: Rows[RowKey, CountsRow[Throws]] = Rows()
        self.stands: dict[tuple[str, str], Windowed[Throws]] = {}

    def new_row(self) -> CountsRow[Any]:
        return ThrowsRow()

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        return {"throws": self.throws}

    def apply(self, events: Sequence[ToyThrown], offsets: Sequence[int]) -> Applied:
        applied = Applied(by_type=Counter(map(type, events)), times_by_source=times_by_source(events))
        for event, offset in zip(events, offsets, strict=True):
            key = (event.tenantid, event.data.queue)
            counts = self._counts_of(key)
            counts.hear(event.time)
            counts.count(self.contribution(event.time, event.data.hit), 1, offset)
            for scope, number, row in counts.drain_counted():
                if row.applied_offset < offset:
                    row.applied_offset = offset
                    self.throws.put((*key, scope, number), row)
        return applied

    def settle(self) -> None:
        """Rows are up to date at any time; what is too old goes."""
        for key, counts in self.stands.items():
            for scope, number in counts.forget_outdated():
                self.throws.remove((*key, scope, number))

    def committed(self, offset: int) -> None:
        pass

    def recovered(self) -> None:
        self.stands.clear()
        for (*key, scope, number), row in self.throws.items():
            self._counts_of((str(key[0]), str(key[1]))).load(scope, number, row)
        for counts in self.stands.values():
            counts.loaded()

    def snapshots(self, at: datetime) -> Iterator[tuple[int, Stand]]:
        for (tenant, queue), counts in self.stands.items():
            yield 1, Stand(tenant=tenant, queue=queue, counted=counts.counted(minute_of(at)))

    def _counts_of(self, key: tuple[str, str]) -> Windowed[Throws]:
        if key not in self.stands:
            retention = Retention(minutes=120, days=9)
            self.stands[key] = Windowed(self.new_row, retention, ZoneInfo("UTC"), time(0), windows=WINDOWS)
        return self.stands[key]
