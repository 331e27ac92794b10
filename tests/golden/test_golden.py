"""
What the example day shows, beside what it showed before families of figures were values.

The files were written by the code of then. Every difference is listed here, with its reason; a change of a
figure is not among them.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stream.board.document import document_of
from stream.board.view import panels_of
from stream.core.collector import PageDetail, metric_families
from stream.core.windows import ALL, DEFAULT_WINDOW, LIVE_WINDOWS
from stream.families.registry import FAMILIES
from stream.http.exposition import TextFormat, written
from tests.golden.example_day import board_at, samples_of

HERE = Path(__file__).parent

at_each_time = pytest.mark.parametrize("time", ["0830", "1030", "2300"])

EVERYTHING = PageDetail(windows=LIVE_WINDOWS, histograms="full")

NEW_IN_ROWS = {
    "answered_wait_unknown": "a wait that nobody told is unknown, no longer 0 s",
    "abandoned_wait_unknown": "as above",
    "opens_at": "a queue that is closed tells when it opens again",
    "waits": "percentiles and bars of the detail stood elsewhere",
}

DUPLICATE = "contact_handled_total"
"""The `_count` of the handle times says the same."""


def page_of(time: str, detail: PageDetail) -> dict[str, str]:
    families = metric_families(board_at(int(time[:2]), int(time[2:])), FAMILIES, detail)
    return samples_of([written(families, TextFormat.TEXT).decode()])


def golden_page(time: str) -> dict[str, str]:
    return samples_of([(HERE / f"metrics-{time}.txt").read_text()])


def as_json(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))


def as_before(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without what is new in it."""
    return {name: value for name, value in row.items() if name not in NEW_IN_ROWS}


def by_key(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row["tenant"], row["queue"], row["channel"]))


@at_each_time
def test_the_whole_page_is_as_it_was_but_for_counters_that_never_counted(time: str) -> None:
    before, now = golden_page(time), page_of(time, EVERYTHING)

    gone = before.keys() - now.keys()
    assert now == {series: value for series, value in before.items() if series not in gone}
    # What never occurred had a counter at 0, and the counter of the handled was there twice.
    assert all(before[series] == "0" or series.startswith(f"{DUPLICATE}{{") for series in gone)
    assert all(series.partition("{")[0].endswith("_total") for series in gone)


@at_each_time
def test_what_is_handled_is_still_counted(time: str) -> None:
    before, now = golden_page(time), page_of(time, EVERYTHING)
    counts = {series: value for series, value in before.items() if series.startswith(DUPLICATE)}

    assert counts
    assert {series.replace(DUPLICATE, "contact_handle_seconds_count"): value for series, value in counts.items()} == {
        series: value for series, value in now.items() if series.startswith("contact_handle_seconds_count")
    }


@at_each_time
def test_what_is_written_by_default_is_part_of_that(time: str) -> None:
    everything, few = page_of(time, EVERYTHING), page_of(time, PageDetail())

    assert few.items() <= everything.items()
    assert len(few) < len(everything) * 0.55


@at_each_time
def test_the_board_is_as_it_was(time: str) -> None:
    board = board_at(int(time[:2]), int(time[2:]))
    before = json.loads((HERE / f"board-{time}.json").read_text())
    now = as_json(document_of(board, FAMILIES, DEFAULT_WINDOW, ()))

    assert [as_before(row) for row in now["panels"]["contacts"]["rows"]] == before["queues"]
    of_tenants = [row for row in now["panels"]["agents"]["rows"] if row["queue"] is None]
    assert [(row["tenant"], row["states"]) for row in of_tenants] == [
        (row["tenant"], row["states"]) for row in before["agents"]
    ]
    assert (now["window"], now["at"]) == (before["window"], before["at"])
    assert now["panels"]["contacts"]["windows"] == before["windows"]


@at_each_time
def test_every_figure_of_the_whole_file_is_as_it_was(time: str) -> None:
    board = board_at(int(time[:2]), int(time[2:]))
    before = json.loads((HERE / f"rows-all-{time}.json").read_text())
    now = as_json(panels_of(board, FAMILIES, ALL, detailed=True))

    assert [as_before(row) for row in by_key(now["contacts"]["rows"])] == by_key(before["queues"])
