"""The figures of cases, computed a second time: by a database, in SQL, from the recorded events alone."""

import random
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
from stream.families.cases.events import CaseEvent
from stream.families.cases.family import FAMILY
from stream.families.registry import FAMILIES
from stream.http.exposition import TextFormat, written
from stream.simulator import demo_centre, simulate
from stream.sources.files import jsonl
from stream.sources.intake import Intake
from tests.app.sql import (
    CLAIMS,
    COUNTED,
    LENGTHS,
    POLICIES,
    Figures,
    Queue,
    backlog_in,
    backlog_of,
    database_of,
    figures_in,
    figures_of,
)
from tests.app.stories_of_cases import THANKED, a_story

pytestmark = pytest.mark.slow

START = datetime(2026, 2, 23, tzinfo=UTC)
AT = START + timedelta(days=32, hours=10, minutes=30)
"""A Friday: the first two days are in the longest window only."""

Sample = tuple[tuple[Queue, str], str]
"""Queue and window, and the name of the metric."""

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


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the cases of a month of the demo, and of some hours more."""
    centre = replace(demo_centre(), queues=(), agents=(), trunks=())
    path = tmp_path_factory.mktemp("month") / "cases.jsonl"
    with path.open("wb") as file:
        file.writelines(encode(event) + b"\n" for event in simulate(centre, start=START, end=AT, seed=5))
    return path


@pytest.fixture(scope="module")
def database(month: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with database_of(month, AT) as opened:
        yield opened


@pytest.fixture(scope="module")
def board(month: Path) -> Board:
    events = jsonl.read(jsonl.Options(file=month), Intake())
    return replay(events, at=AT, policies=policies_of(POLICIES, "policies.toml")).board(AT)


def test_every_count_and_sum_is_what_the_database_says(database: duckdb.DuckDBPyConnection, board: Board) -> None:
    ours, theirs = figures_of(board), figures_in(database)

    assert ours == theirs
    # Not equal for want of anything to count: all but parts of cases, which the simulator does not make.
    assert {name for _, _, name in theirs} >= {*COUNTED} - {"split"}
    assert {theirs[CLAIMS, window, "opened"] for window in FAMILY.windows} != {theirs[CLAIMS, "7d", "opened"]}
    assert len({theirs[CLAIMS, window, "opened"] for window in FAMILY.windows}) == len(FAMILY.windows)


def test_the_backlog_is_what_the_database_says(database: duckdb.DuckDBPyConnection, board: Board) -> None:
    ours, theirs = backlog_of(board), backlog_in(database)

    assert ours == theirs
    assert sum(waiting for _, waiting, *_ in theirs.values()) > 10


def test_the_page_of_metrics_says_what_the_database_says(database: duckdb.DuckDBPyConnection, board: Board) -> None:
    page, expected = samples_of(board), expected_samples(figures_in(database))

    assert {key: page.get(key) for key in expected} == pytest.approx(expected, rel=1e-9, abs=0)
    # And nothing else: what was not counted is 0, and what has no denominator has no sample.
    names = {name for _, name in expected}
    assert not [key for key, value in page.items() if key[1] in names and key not in expected and value]
    assert {*RATIOS, *MEANS} <= names


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_happens_to_cases_in_whatever_order_it_is_told_is_what_the_database_says(
    seed: int, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    events = [event for number in range(2000) for event in a_story(chance, number, START)]
    chance.shuffle(events)

    assert_equal([*events, *events[::7]], tmp_path)


def test_whoever_was_answered_after_the_solution_waits_from_the_reopening_on(tmp_path: Path) -> None:
    assert_equal(THANKED, tmp_path)


def assert_equal(events: list[CaseEvent], folder: Path) -> None:
    (path := folder / "cases.jsonl").write_bytes(b"".join(encode(event) + b"\n" for event in dict.fromkeys(events)))
    board = replay(events, at=AT).board(AT)
    with database_of(path, AT) as database:
        assert figures_of(board) == figures_in(database)
        assert backlog_of(board) == backlog_in(database)


def expected_samples(figures: Figures) -> dict[Sample, float]:
    """Return the windowed samples that follow from what the database has counted."""
    samples: dict[Sample, float] = {}
    for of in {(queue, window) for queue, window, _ in figures}:
        counts = {name: number for (*where, name), number in figures.items() if tuple(where) == of}
        samples |= {(of, f"contact_case_window_{name}"): n for name, n in counts.items() if not name.endswith("_ms")}
        samples |= {
            (of, name): counts.get(part, 0) / counts[whole] for name, (part, whole) in RATIOS.items() if whole in counts
        }
        samples |= {
            (of, name): counts.get(ms, 0) / 1000 / counts[number]
            for name, (ms, number) in MEANS.items()
            # Business time is told of a queue that closes.
            if number in counts and ("_business_" not in name or of[0] == CLAIMS)
        }
    return samples


def samples_of(board: Board) -> dict[Sample, float]:
    """Return the samples of the page that have a window, as Prometheus reads them."""
    detail = PageDetail(windows=FAMILY.windows, histograms="full")
    page = written(metric_families(board, FAMILIES, detail), TextFormat.TEXT).decode()
    return {
        (((labels["tenant"], labels["queue"], labels["channel"]), labels["window"]), sample.name): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if "window" in (labels := sample.labels)
    }
