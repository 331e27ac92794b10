"""How many series a queue makes for Prometheus to keep."""

import re
from collections import defaultdict
from functools import cache

import pytest

from stream.core.collector import PageDetail, metric_families
from stream.core.windows import LIVE_WINDOWS
from stream.families.registry import FAMILIES
from stream.http.exposition import TextFormat, written
from tests.golden.example_day import board_at, samples_of

MOST = 90

QUARTERS = [(hour, minute) for hour in range(24) for minute in (0, 15, 30, 45)]

_QUEUE = re.compile(r"queue=\"([^\"]+)\",channel=\"([^\"]+)\"")


@cache
def series_of_the_day(detail: PageDetail) -> dict[tuple[str, ...], set[str]]:
    """By queue and channel, every series that is there at some time of the day."""
    pages = (
        written(metric_families(board_at(hour, minute), FAMILIES, detail), TextFormat.TEXT).decode()
        for hour, minute in QUARTERS
    )
    found = defaultdict(set)
    for series in samples_of(pages):
        if queue := _QUEUE.search(series):
            found[queue.groups()].add(series)
    return found


def test_a_queue_to_which_everything_happens_makes_at_most_ninety_series_in_a_day() -> None:
    queues = series_of_the_day(PageDetail())

    assert len(queues) == 3
    assert {name: len(series) for name, series in queues.items() if len(series) > MOST} == {}
    # It is the busiest that is judged: this one has callbacks, exits, transfers and somebody who waits.
    busiest = {series.partition("{")[0] for series in queues["service", "voice"]}
    assert {
        "contact_longest_wait_seconds",
        "contact_callbacks_failed_total",
        "contact_dequeued_total",
        "contact_transferred_out_total",
        "contact_blocked_total",
    } <= busiest


@pytest.mark.parametrize("window", LIVE_WINDOWS)
def test_windows_that_somebody_chose_have_every_figure(window: str) -> None:
    chosen = series_of_the_day(PageDetail(windows=(window,)))["service", "voice"]
    all_of_them = series_of_the_day(PageDetail(windows=LIVE_WINDOWS))["service", "voice"]

    assert {series for series in all_of_them if f'window="{window}"' in series or "window=" not in series} == chosen


def test_a_histogram_has_some_buckets_all_or_only_what_counts_everything() -> None:
    buckets = {
        detail: sum(
            "_seconds_bucket{" in series
            for series in series_of_the_day(PageDetail(histograms=detail))["service", "voice"]
        )
        for detail in ("none", "coarse", "full")
    }

    assert buckets == {"none": 2, "coarse": 11, "full": 29}
