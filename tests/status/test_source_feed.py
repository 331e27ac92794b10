"""Latency by source, and what it says of clocks: told times, told clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.status.feed import MAX_SOURCES, OVERFLOW_SOURCE, Feed
from stream.status.source_feed import KEPT_MINUTES, LATENCY_SECONDS, SourceFeed

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def heard(*latencies: float, at: datetime = NOON) -> SourceFeed:
    """A source of which one batch was heard: events so many seconds old."""
    source = SourceFeed()
    source.heard(sorted(at - seconds(latency) for latency in latencies), at)
    return source


def counted(source: SourceFeed) -> dict[int, int]:
    return {bound: count for bound, count in zip(LATENCY_SECONDS, source.by_latency, strict=True) if count}


def test_every_event_of_a_batch_is_in_the_bucket_of_its_latency() -> None:
    source = heard(0.2, 1, 1.5, 45, 600)

    assert counted(source) == {1: 2, 2: 1, 60: 1, 600: 1}
    assert source.latency_seconds_sum == pytest.approx(647.7)


def test_history_that_is_replayed_is_no_latency_and_is_counted_apart() -> None:
    source = heard(86_400, 7200, 601, 3)

    assert counted(source) == {5: 1}
    assert source.old_events == 3
    assert source.latency_seconds_sum == 3


def test_a_batch_of_history_alone_leaves_no_trace_in_the_latencies() -> None:
    source = heard(86_400, 7200)

    assert (counted(source), source.old_events, source.latency_seconds_sum) == ({}, 2, 0)


def test_events_ahead_of_our_clock_count_as_no_latency_and_take_nothing_from_the_sum() -> None:
    source = heard(-90, -80, 4)

    assert counted(source) == {1: 2, 5: 1}
    assert source.latency_seconds_sum == 4


def test_a_clock_that_is_ahead_has_a_least_latency_below_zero() -> None:
    assert heard(-90, -80, 4).least_latency == seconds(-90)


def test_a_source_that_is_always_late_has_that_as_its_least_latency() -> None:
    source = heard(9, 3, 5)
    source.heard([NOON - seconds(4)], NOON + seconds(1))

    assert source.least_latency == seconds(3)


def test_the_least_latency_is_that_of_the_last_minutes() -> None:
    source = heard(-90)
    later = NOON + timedelta(minutes=KEPT_MINUTES - 1)
    source.heard([later - seconds(2)], later)
    assert source.least_latency == seconds(-90)

    source.heard([later], later + timedelta(minutes=1))

    assert source.least_latency == seconds(2)


def test_of_a_source_that_is_silent_nothing_is_said_of_its_clock() -> None:
    source = heard(-90)

    source.forget(NOON + timedelta(minutes=KEPT_MINUTES))

    assert source.least_latency is None


def test_what_our_clock_said_before_it_was_set_back_is_forgotten() -> None:
    source = heard(3600)

    source.forget(NOON - timedelta(hours=1))

    assert source.least_latency is None


def test_a_clock_is_ahead_by_what_each_of_the_last_minutes_says() -> None:
    source = SourceFeed()
    for minute, ahead in enumerate((95, 90, 92)):
        assert source.clock_ahead == timedelta()
        at = NOON + timedelta(minutes=minute)
        source.heard([at, at + seconds(ahead)], at)

    assert source.clock_ahead == seconds(90)


def test_one_event_with_a_wrong_time_makes_no_clock_wrong() -> None:
    source = heard(-90)
    for minute in range(1, KEPT_MINUTES):
        at = NOON + timedelta(minutes=minute)
        source.heard([at - seconds(1)], at)

    assert source.least_latency == seconds(-90)
    assert source.clock_ahead == timedelta()


def test_an_event_that_was_refused_since_it_was_too_far_ahead_speaks_of_the_clock_alone() -> None:
    feed = Feed()

    feed.refused("pbx", NOON + timedelta(hours=1), NOON)

    pbx = feed.sources["pbx"]
    assert pbx.least_latency == timedelta(hours=-1)
    assert (counted(pbx), pbx.old_events, pbx.newest, feed.newest_event) == ({}, 0, None, None)


def test_sources_that_are_refused_have_the_same_bound_as_those_that_are_heard() -> None:
    feed = Feed()
    for number in range(2 * MAX_SOURCES):
        feed.refused(f"source-{number}", NOON + timedelta(hours=1), NOON)

    assert len(feed.sources) == MAX_SOURCES + 1
    assert OVERFLOW_SOURCE in feed.sources


def test_a_feed_whose_clock_is_looked_at_forgets_what_sources_said_long_ago() -> None:
    feed = Feed()
    feed.heard({"pbx": [NOON]}, NOON)

    feed.set_clock(NOON + timedelta(hours=1))

    assert feed.sources["pbx"].least_latency is None
    assert counted(feed.sources["pbx"]) == {1: 1}


@given(st.lists(st.floats(-400, 1200, allow_nan=False), min_size=1, max_size=300), st.integers(1, 300))
def test_however_events_are_cut_into_batches_they_are_counted_the_same(latencies: list[float], size: int) -> None:
    whole, cut = heard(*latencies), SourceFeed()
    for start in range(0, len(latencies), size):
        cut.heard(sorted(NOON - seconds(one) for one in latencies[start : start + size]), NOON)

    assert (cut.by_latency, cut.old_events) == (whole.by_latency, whole.old_events)
    assert (cut.newest, cut.least_latency) == (whole.newest, whole.least_latency)
    assert sum(whole.by_latency) + whole.old_events == len(latencies)


def test_the_sum_of_a_large_batch_is_close_to_that_of_each_event() -> None:
    latencies = [0.01 * number for number in range(5000)]

    assert heard(*latencies).latency_seconds_sum == pytest.approx(sum(latencies), rel=0.01)
