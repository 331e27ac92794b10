"""The figures of a month of cases, computed a second time: by a database, in SQL, from the recorded events alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.core.cloudevents import encode
from stream.core.collector import PageDetail, metric_families
from stream.core.family import Board
from stream.families.cases.queue import CASE_WINDOWS
from stream.families.cases.snapshot import CasesSnapshot
from stream.families.cases.tally import CaseTally
from stream.families.registry import FAMILIES
from stream.http.exposition import TextFormat, written
from stream.simulator import demo_centre, simulate
from stream.sources import jsonl
from stream.sources.intake import Intake

pytestmark = pytest.mark.slow

START = datetime(2026, 2, 23, tzinfo=UTC)
AT = START + timedelta(days=32, hours=10, minutes=30)
"""A Friday: the first two days are in the longest window only."""

POLICIES = """
[[queue]]
tenant = "fabrikam"
name = "claims"
channel = "email"
opening_hours = ["Mon-Fri 07:00-17:00"]
first_response_target_seconds = 14400
next_response_target_seconds = 14400
"""

STATEMENTS = Path(__file__).with_name("figures_of_cases.sql")

Queue = tuple[str, str, str]
Figures = dict[tuple[Queue, str, str], int]
"""By queue, window and field of `CaseTally`."""

COUNTED = [name for name in CaseTally.__struct_fields__ if not name.endswith(("_ms", "_in", "_in_target"))]
LENGTHS = ["first_responses", "next_responses", "first_resolutions", "full_resolutions"]


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the cases of a month of the demo, and of some days more."""
    centre = replace(demo_centre(), queues=(), agents=(), trunks=())
    path = tmp_path_factory.mktemp("month") / "cases.jsonl"
    with path.open("wb") as file:
        file.writelines(encode(event) + b"\n" for event in simulate(centre, start=START, end=AT, seed=5))
    return path


@pytest.fixture(scope="module")
def database(month: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    given = {"file": str(month), "at": (AT - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for statement in connection.extract_statements(STATEMENTS.read_text()):
            connection.execute(statement, {name: given[name] for name in statement.named_parameters})
        yield connection


@pytest.fixture(scope="module")
def board(month: Path) -> Board:
    events = jsonl.read(jsonl.Options(file=month), Intake())
    return replay(events, at=AT, policies=policies_of(POLICIES, "policies.toml")).board(AT)


def snapshots(board: Board) -> dict[Queue, CasesSnapshot]:
    return {one.key: one for one in board.snapshots["cases"]}


def figures_of(board: Board) -> Figures:
    """Return what the board has counted; nothing where there is nothing."""
    figures: Figures = {}
    for queue, snapshot in snapshots(board).items():
        for window in CASE_WINDOWS:
            tally = snapshot.counted.window(window, CaseTally)
            names = [*COUNTED, *(f"{what}{part}" for what in LENGTHS for part in ("_ms", "_business_ms"))]
            names += [f"{what}_in_target" for what in LENGTHS[:2]]
            figures |= {(queue, window, name): getattr(tally, name) for name in names}
    return {key: number for key, number in figures.items() if number}


def figures_in(database: duckdb.DuckDBPyConnection) -> Figures:
    """Return what the database has counted, under the same names."""
    figures: Figures = {}
    for *queue, window, what, number, ms, business_ms, in_target in database.execute("FROM figure").fetchall():
        named = {what: number}
        if what in LENGTHS:
            named |= {f"{what}_ms": ms, f"{what}_business_ms": business_ms}
        if what in LENGTHS[:2]:
            named[f"{what}_in_target"] = in_target
        figures |= {(tuple(queue), window, name): value for name, value in named.items()}
    return {key: number for key, number in figures.items() if number}


def test_every_count_and_sum_is_what_the_database_says(database: duckdb.DuckDBPyConnection, board: Board) -> None:
    ours, theirs = figures_of(board), figures_in(database)

    assert ours == theirs
    # Not equal for want of anything to count: all but parts of cases, which the simulator does not split.
    assert {name for _, _, name in theirs} >= {*COUNTED} - {"split"}
    assert {window for _, window, _ in theirs} == {*CASE_WINDOWS}
    assert (
        len({number for (queue, _, name), number in theirs.items() if name == "opened" and queue[1] == "support"}) > 9
    )


def test_the_backlog_is_what_the_database_says(database: duckdb.DuckDBPyConnection, board: Board) -> None:
    told = database.execute("""
        SELECT tenant, queue, channel, count(*), count(waiting_since), min(opened_at), min(waiting_since)
        FROM standing WHERE is_open AND NOT is_gone GROUP BY ALL
    """).fetchall()

    assert {tuple(row[:3]): tuple(row[3:]) for row in told} == {
        queue: (one.open, one.waiting, _ms(one.opened_since), _ms(one.waiting_since))
        for queue, one in snapshots(board).items()
        if one.open
    }
    assert any(one.waiting for one in snapshots(board).values())


def test_the_page_of_metrics_says_what_the_database_says(database: duckdb.DuckDBPyConnection, board: Board) -> None:
    page = samples_of(board)
    told = {(queue, name): number for (queue, name), number in expected_samples(figures_in(database)).items()}

    assert told
    assert {key: page.get(key) for key in told} == pytest.approx(told, rel=1e-9, abs=0)
    # And nothing else: a count that is not told is 0, and what has no denominator has no sample.
    windowed = {name for _, name in told}
    assert not [key for key, value in page.items() if key[1] in windowed and key not in told and value]


RATIOS = {
    "contact_case_first_response_level_ratio": ("first_responses_in_target", "first_responses"),
    "contact_case_next_response_level_ratio": ("next_responses_in_target", "next_responses"),
    "contact_case_resolution_ratio": ("resolved", "opened"),
    "contact_case_assigned_resolution_ratio": ("assigned_resolved", "assigned"),
    "contact_case_one_touch_ratio": ("one_touch", "full_resolutions"),
    "contact_case_messages_per_resolution": ("messages", "full_resolutions"),
}
MEANS = {
    f"contact_case_{what.removesuffix('s')}{clock}_mean_seconds": (f"{what}{clock}_ms", what)
    for what in LENGTHS
    for clock in ("", "_business")
}
Sample = tuple[tuple[Queue, str], str]
"""Queue and window, and the name of the metric."""


def expected_samples(figures: Figures) -> dict[Sample, float]:
    """Return the windowed samples that follow from the counts of the database."""
    samples: dict[Sample, float] = {}
    for queue, window in {(queue, window) for queue, window, _ in figures}:

        def count(name: str, queue: Queue = queue, window: str = window) -> int:
            return figures.get((queue, window, name), 0)

        of = (queue, window)
        counts = [*COUNTED, *(f"{what}_in_target" for what in LENGTHS[:2])]
        samples |= {(of, f"contact_case_window_{name}"): count(name) for name in counts if count(name)}
        samples |= {(of, name): count(part) / count(whole) for name, (part, whole) in RATIOS.items() if count(whole)}
        samples |= {
            (of, name): count(ms) / 1000 / count(number)
            for name, (ms, number) in MEANS.items()
            # Business time is told of a queue that closes.
            if count(number) and ("_business_" not in name or queue == ("fabrikam", "claims", "email"))
        }
    return samples


def samples_of(board: Board) -> dict[Sample, float]:
    """Return the samples of the page that have a window, as Prometheus reads them."""
    page = written(
        metric_families(board, FAMILIES, PageDetail(windows=CASE_WINDOWS, histograms="full")), TextFormat.TEXT
    )
    return {
        (((labels["tenant"], labels["queue"], labels["channel"]), labels["window"]), sample.name): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
        if "window" in (labels := sample.labels)
    }


def _ms(at: datetime | None) -> int | None:
    return None if at is None else (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
