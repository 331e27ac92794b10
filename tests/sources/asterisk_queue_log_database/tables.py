"""A table of a queue_log as tests need it: rows appear when the test says so, and the database may be away."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stream.core.cloudevents import Event
from stream.sources.asterisk_queue_log.rows import TABLE_COLUMNS
from stream.sources.asterisk_queue_log_database.read_ids import IdGap
from stream.sources.asterisk_queue_log_database.source import DatabasePuller, Options
from stream.sources.asterisk_queue_log_database.table import StoredRow
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import PulledBatch
from tests.sources.queue_logs import IDENTITY, START

PAGE = 7
"""Smaller than a real one, so that tests need few rows for several of them."""


class FakeTable:
    """A `Table` in memory; errors in `failures` come one by one before anything else does."""

    def __init__(self, rows: Sequence[StoredRow] = (), *, page: int = PAGE) -> None:
        self._page = page
        self.rows = {row.id: row for row in rows}
        self.failures: list[Exception] = []
        self.is_closed = False

    def add(self, *rows: StoredRow) -> None:
        self.rows |= {row.id: row for row in rows}

    def newest_id(self) -> int:
        if self.failures:
            raise self.failures.pop(0)
        return max(self.rows, default=0)

    def behind(self, newest: int) -> list[StoredRow]:
        return [self.rows[number] for number in sorted(self.rows) if number > newest][: self._page]

    def within(self, gaps: Sequence[IdGap]) -> list[StoredRow]:
        found = [number for number in sorted(self.rows) if any(gap.first <= number <= gap.last for gap in gaps)]
        return [self.rows[number] for number in found][: self._page]

    def close(self) -> None:
        self.is_closed = True


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = datetime.fromtimestamp(START, UTC)

    def __call__(self) -> datetime:
        return self.at

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def row_of(number: int, line: str) -> StoredRow:
    """A line of a log as the row with this id."""
    cells = line.split("|")
    cells += [""] * (len(TABLE_COLUMNS) - len(cells))
    return StoredRow(number, {"id": str(number), **dict(zip(TABLE_COLUMNS, cells, strict=False))})


def rows_of(log: str, *, first: int = 1) -> list[StoredRow]:
    return [row_of(number, line) for number, line in enumerate(log.splitlines(), first)]


OPTIONS = Options(file=Path("none"), tenant=IDENTITY.tenant, source_name=IDENTITY.source)


def puller(
    table: FakeTable,
    *acts: Callable[[], object],
    clock: Clock | None = None,
    intake: Intake | None = None,
    waited: Callable[[float], object] = lambda _: None,
    options: Options = OPTIONS,
) -> DatabasePuller:
    """Do one act each time there is nothing to read; then let the puller end."""
    left = list(acts)

    async def pause() -> bool:
        if not left:
            return False
        left.pop(0)()
        return True

    async def sleep(seconds: float) -> None:
        waited(seconds)

    return DatabasePuller(
        options,
        intake or Intake(),
        table=table,
        pause=pause,
        clock=clock or Clock(),
        back_off=BackOff(first=1, longest=8, sleep=sleep),
    )


async def batches_of(following: DatabasePuller, saved: bytes | None = None) -> list[PulledBatch]:
    return [batch async for batch in following.batches(saved)]


async def events_of(following: DatabasePuller, saved: bytes | None = None) -> list[Event]:
    return [event for batch in await batches_of(following, saved) for event in batch.events]
