"""The figures of cases by a database: in SQL (`figures_of_cases.sql`), from a file of events alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from stream.core.family import Board
from stream.families.cases.family import FAMILY
from stream.families.cases.snapshot import CasesSnapshot
from stream.families.cases.tally import CaseTally

__all__ = [
    "CLAIMS",
    "COUNTED",
    "LENGTHS",
    "POLICIES",
    "Backlog",
    "Figures",
    "Queue",
    "backlog_in",
    "backlog_of",
    "database_of",
    "figures_in",
    "figures_of",
]

POLICIES = """
[[queue]]
tenant = "fabrikam"
name = "claims"
channel = "email"
opening_hours = ["Mon-Fri 07:00-17:00"]
first_response_target_seconds = 14400
next_response_target_seconds = 14400
"""
"""What the SQL knows of queues: all others have the targets that hold where no file says otherwise."""

CLAIMS = ("fabrikam", "claims", "email")

COUNTED = [name for name in CaseTally.__struct_fields__ if not name.endswith(("_ms", "_in", "_in_target"))]
LENGTHS = ["first_responses", "next_responses", "first_resolutions", "full_resolutions"]

Queue = tuple[str, str, str]
Figures = dict[tuple[Queue, str, str], int]
"""By queue, window and field of `CaseTally`; without what is 0."""
Backlog = dict[Queue, tuple[int, int, int | None, int | None]]
"""Of each queue with open cases: how many are open, how many wait, and since when the first of both."""


@contextmanager
def database_of(path: Path, at: datetime) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that has read a file of events, and knows the figures of the instant *at*."""
    given = {"file": str(path), "at": _ms(at)}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        statements = Path(__file__).with_name("figures_of_cases.sql").read_text()
        for statement in connection.extract_statements(statements):
            connection.execute(statement, {name: given[name] for name in statement.named_parameters})
        yield connection


def figures_in(database: duckdb.DuckDBPyConnection) -> Figures:
    """Return what the database has counted, by our names."""
    figures: Figures = {}
    for *queue, window, what, number, ms, business_ms, in_target in database.execute("FROM figure").fetchall():
        named = {what: number}
        if what in LENGTHS:
            named |= {f"{what}_ms": ms, f"{what}_business_ms": business_ms}
        if what in LENGTHS[:2]:
            named[f"{what}_in_target"] = in_target
        figures |= {(tuple(queue), window, name): value for name, value in named.items()}
    return {key: number for key, number in figures.items() if number}


def figures_of(board: Board) -> Figures:
    """Return what a board has counted."""
    names = [*COUNTED, *(f"{what}{part}" for what in LENGTHS for part in ("_ms", "_business_ms"))]
    names += [f"{what}_in_target" for what in LENGTHS[:2]]
    figures: Figures = {}
    for one in _snapshots(board):
        for window in FAMILY.windows:
            tally = one.counted.window(window, CaseTally)
            figures |= {(one.key, window, name): getattr(tally, name) for name in names}
    return {key: number for key, number in figures.items() if number}


def backlog_in(database: duckdb.DuckDBPyConnection) -> Backlog:
    """Return what the database says is open."""
    told = database.execute("""
        SELECT tenant, queue, channel, count(*), count(waiting_since), min(opened_at), min(waiting_since)
        FROM standing WHERE is_open AND NOT is_gone GROUP BY ALL
    """).fetchall()
    return {row[:3]: row[3:] for row in told}


def backlog_of(board: Board) -> Backlog:
    """Return what a board says is open."""
    return {
        one.key: (
            one.open,
            one.waiting,
            None if one.opened_since is None else _ms(one.opened_since),
            None if one.waiting_since is None else _ms(one.waiting_since),
        )
        for one in _snapshots(board)
        if one.open
    }


def _snapshots(board: Board) -> tuple[CasesSnapshot, ...]:
    return tuple(board.snapshots["cases"])


def _ms(at: datetime) -> int:
    return (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
