"""The figures of a simulated quarter beside those of a database that has every event and is asked in plain SQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from stream.app.replay import replay
from stream.core.cloudevents import encode
from stream.core.figure import Reading
from stream.families.customers import columns
from stream.families.customers.counts import CHANNELS, EFFORT_BOUNDS_SECONDS, EFFORT_CONTACTS_BOUNDS
from stream.families.customers.history import ACTIVITIES
from stream.families.customers.parts import CUSTOMER_WINDOWS
from stream.families.customers.snapshot import CustomersSnapshot
from stream.simulator.customers.quarter import simulated_quarter
from tests.families.customers.told import counts_of

START = datetime(2026, 9, 24, tzinfo=UTC)

CUSTOMERS = 150

INSTANTS = {
    "at the end of the quarter": (1, START + timedelta(days=98, hours=15, minutes=20)),
    "in its middle": (2, START + timedelta(days=61, hours=10, minutes=3)),
    "at the end of a day": (3, START + timedelta(days=98, hours=23, minutes=59, seconds=59)),
}
"""Seed and instant."""

Figures = dict[tuple[str, ...], int]
"""By queue, channel, plan, group, window, field and place in it; without what is 0."""


class Compared:
    """One quarter until an instant: what the board shows of it, and a database that was asked the same."""

    def __init__(self, home: Path, seed: int, at: datetime) -> None:
        events = [event for event in simulated_quarter(seed, CUSTOMERS, START) if event.time <= at]
        file = home / "events.jsonl"
        file.write_bytes(b"".join(encode(event) + b"\n" for event in events))
        self.shown: tuple[CustomersSnapshot, ...] = replay(events).board(at).snapshots["customers"]
        self.reading = Reading(at, self.shown)
        self.database = duckdb.connect()
        self.database.execute("SET TimeZone = 'UTC'")
        given: dict[str, str | int] = {"file": f"{file}", "at": round(at.timestamp() * 1000)}
        statements = Path(__file__).with_name("figures_of_customers.sql").read_text()
        for statement in self.database.extract_statements(_with_values(statements, given)):
            self.database.execute(statement)

    def asked(self, question: str) -> list[tuple[Any, ...]]:
        """Return what the database answers."""
        return self.database.execute(question).fetchall()

    def figures(self) -> Iterator[tuple[tuple[str, ...], int]]:
        """Yield what the board has counted."""
        for one in self.shown:
            for window in CUSTOMER_WINDOWS:
                for name, value in counts_of(one, window).items():
                    places = [*zip(_places(name), value, strict=True)] if isinstance(value, list) else [("", value)]
                    yield from (((*one.key[1:], window, name, place), number) for place, number in places if number)


_NUMBERED = {"effort_in": (*EFFORT_BOUNDS_SECONDS, 0), "effort_contacts_in": (*EFFORT_CONTACTS_BOUNDS, 0)}


def _with_values(statements: str, given: dict[str, str | int]) -> str:
    """Return statements with their parameters filled in: a view cannot have any."""
    for name, value in given.items():
        statements = statements.replace(f"${name}", repr(value))
    return statements


def _places(name: str) -> Iterator[str]:
    """Yield what the database calls the places of a list."""
    return iter(CHANNELS) if name.endswith("_by") else (f"{number}" for number in range(len(_NUMBERED[name])))


@pytest.fixture(scope="module", params=INSTANTS)
def compared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    return Compared(tmp_path_factory.mktemp("quarter"), *INSTANTS[request.param])


def test_every_count_of_every_queue_plan_and_group_in_every_window_is_that_of_the_database(compared: Compared) -> None:
    shown = dict(compared.figures())
    asked = {tuple(row[:-1]): row[-1] for row in compared.asked("FROM figure")}

    differ = {key: (shown.get(key), asked.get(key)) for key in shown | asked if shown.get(key) != asked.get(key)}
    assert differ == {}
    assert {name for *_, name, _ in shown} >= {*_EXPECTED}
    assert len(shown) > 500


_EXPECTED = (
    *("contacts", "repeats", "first_decided", "first_resolved", "efforts", "effort_handovers", "asked", "came_by"),
    *("before_by", "after_by", "journeys", "joined", "left", "lost", "gained", "referred", "monthly_lost", "revenue"),
    *("carts_created", "carts_abandoned_value", "carts_completed", "carts_recovered"),
)
"""Of these something has happened in each quarter."""


def test_who_is_there_what_they_pay_and_how_active_they_are_the_database_says_as_well(compared: Compared) -> None:
    members = [one for one in compared.shown if not one.queue]

    standing = {(one.plan, one.group): (one.present, one.monthly, one.revenue) for one in members}
    assert standing == {row[:2]: row[2:] for row in compared.asked("FROM standing")}
    active = {
        (one.plan, one.group, kind): number
        for one in members
        for kind, number in zip((*ACTIVITIES, "any"), one.active, strict=True)
        if any(number)
    }
    assert active == {row[:3]: row[3:] for row in compared.asked("FROM active") if any(row[3:])}


def test_churn_and_retention_of_revenue_are_those_of_who_was_there_at_the_start_and_who_is_there_now(
    compared: Compared,
) -> None:
    asked = {row[:3]: row[3:] for row in compared.asked("FROM kept")}
    for window in ("30d", "month", "quarter"):
        shown = zip(
            compared.shown,
            columns.churn(compared.reading, window),
            columns.revenue_churn(compared.reading, window),
            columns.net_revenue_retention(compared.reading, window),
            strict=True,
        )
        for one, *ratios in shown:
            if not one.queue:
                nothing = (None,) * len(ratios)
                assert ratios == pytest.approx(asked.get((one.plan, one.group, window), nothing)), (one.key, window)
    assert any(churn for churn, *_ in asked.values())
