from datetime import timedelta

import pytest

from stream.status.feed import CheckpointFigures, Feed, PartitionFeed, RecoveryState
from stream.status.freshness import Notice, notices_of
from stream.status.health import health_of
from stream.status.source_feed import KEPT_MINUTES, SourceFeed
from tests.board.boards import LIMITS, NOON


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def feed(*, lag: int = 0, applied: float = 1, sent: float = 1, happened: float = 1) -> Feed:
    """A ready worker with one partition; ages in seconds before noon."""
    partition = PartitionFeed(
        "contacts",
        3,
        recovered_at=NOON - timedelta(hours=1),
        position=100,
        highwater=100 + lag,
        applied_at=NOON - seconds(applied),
        record_at=NOON - seconds(sent),
    )
    return Feed(recovery="ready", partitions={("contacts", 3): partition}, newest_event=NOON - seconds(happened))


def codes(of: Feed) -> list[str]:
    return [notice.code for notice in notices_of(of, NOON, LIMITS)]


def test_a_feed_that_flows_needs_no_notice() -> None:
    assert notices_of(feed(), NOON, LIMITS) == ()
    assert notices_of(feed(lag=50), NOON, LIMITS) == ()


def test_records_that_wait_without_progress_are_a_stall_since_the_last_one_applied() -> None:
    [notice] = notices_of(feed(lag=1234, applied=192, sent=192), NOON, LIMITS)

    assert notice == Notice(
        code="stalled",
        severity="stale",
        text="No progress in 1 partition: 1,234 records wait",
        since=NOON - seconds(192),
    )


def test_a_worker_that_catches_up_shows_the_past_and_says_so() -> None:
    [notice] = notices_of(feed(lag=9, applied=1, sent=300, happened=300), NOON, LIMITS)

    assert (notice.code, notice.since) == ("behind", NOON - seconds(300))


def test_a_feed_that_fell_silent_says_since_when() -> None:
    [notice] = notices_of(feed(applied=31, happened=32), NOON, LIMITS)

    assert (notice.code, notice.severity, notice.since) == ("silent", "stale", NOON - seconds(31))


def test_what_stands_still_is_called_so_within_half_a_minute() -> None:
    assert max(LIMITS.stalled, LIMITS.behind, LIMITS.silent) <= seconds(30)


def test_old_events_that_come_now_are_late() -> None:
    assert codes(feed(applied=1, happened=301)) == ["late"]


def test_before_the_first_event_the_board_says_that_none_has_come() -> None:
    assert codes(Feed(recovery="ready")) == ["empty"]


def test_a_rebalance_is_no_silence_until_nothing_has_come_for_as_long() -> None:
    again = Feed(recovery="ready", newest_event=NOON - seconds(70))
    again.partitions["contacts", 0] = PartitionFeed("contacts", 0, recovered_at=NOON - seconds(29))

    assert codes(again) == []
    again.partitions["contacts", 0].recovered_at = NOON - seconds(31)
    assert codes(again) == ["silent"]


@pytest.mark.parametrize("state", ["starting", "rebalancing", "recovering", "stopped"])
def test_a_worker_that_is_not_ready_says_why(state: RecoveryState) -> None:
    [notice] = notices_of(Feed(recovery=state, progress_at=NOON), NOON, LIMITS)

    assert (notice.code, notice.severity, notice.since) == (state, "stale", NOON)


def test_a_worker_that_stopped_names_the_cause() -> None:
    [notice] = notices_of(Feed(recovery="stopped", failure="broker refused"), NOON, LIMITS)

    assert "broker refused" in notice.text


def clock(ahead: float) -> SourceFeed:
    """A source that was heard in each of the last minutes, and whose clock is ahead by so many seconds."""
    source = SourceFeed()
    for minute in range(KEPT_MINUTES):
        at = NOON + timedelta(minutes=minute)
        source.heard([at + seconds(ahead)], at)
    return source


def test_a_source_whose_clock_is_ahead_is_named_and_the_worst_of_several() -> None:
    skewed = feed()
    skewed.sources = {"/pbx": clock(0.4), "/chat": clock(90), "/mail": clock(-3)}

    [notice] = notices_of(skewed, NOON, LIMITS)
    assert (notice.code, notice.severity, notice.since) == ("skew", "warning", None)
    assert notice.text == "The clock of /chat is ahead by 90 s: waits look too short"

    skewed.sources["/mail"] = clock(7)
    [notice] = notices_of(skewed, NOON, LIMITS)
    assert notice.text == "The clock of /chat and of 1 more is ahead by 90 s: waits look too short"


def test_what_makes_figures_stale_comes_before_what_does_not() -> None:
    failing = feed(lag=5, applied=100, sent=100)
    failing.checkpoints = CheckpointFigures(failing_since=NOON - seconds(60))

    assert codes(failing) == ["stalled", "unsaved"]


def test_a_worker_with_nothing_to_do_is_alive_and_ready() -> None:
    health = health_of(feed(applied=9999), NOON)

    assert (health.dead, health.unready) == ((), ())


def test_a_worker_that_stands_still_before_waiting_records_is_dead() -> None:
    health = health_of(feed(lag=7, applied=61), NOON)

    assert health.dead == ("contacts/3: 7 records wait, none applied for more than 60 s",)
    assert health.unready == ()


def test_a_worker_that_recovers_is_alive_and_not_ready() -> None:
    health = health_of(Feed(recovery="recovering", progress_at=NOON - seconds(1)), NOON)

    assert health.dead == ()
    assert health.unready == ("recovering: partitions are not all assigned and recovered",)


def test_a_recovery_without_progress_is_dead() -> None:
    assert health_of(Feed(recovery="recovering", progress_at=NOON - seconds(61)), NOON).dead != ()


def test_a_worker_that_failed_is_dead() -> None:
    assert health_of(Feed(recovery="stopped", failure="why"), NOON).dead == ("stopped: why",)


def test_a_broker_that_does_not_answer_is_the_cause_and_the_rest_goes_without_saying() -> None:
    cut_off = feed(lag=7, applied=300, sent=300, happened=400)
    cut_off.broker_silent_since = NOON - seconds(290)

    [notice] = notices_of(cut_off, NOON, LIMITS)

    assert (notice.code, notice.severity, notice.since) == ("unreachable", "stale", NOON - seconds(290))


def test_a_partition_whose_broker_is_gone_stands_still_and_is_counted() -> None:
    part = feed()
    part.partitions["contacts", 3].silent_since = NOON - seconds(40)

    [notice] = notices_of(part, NOON, LIMITS)

    assert (notice.code, notice.since) == ("unreachable", NOON - seconds(40))
    assert "for 1 partition:" in notice.text
    assert health_of(part, NOON).unready == ("no broker answers for contacts/3",)


def test_a_restart_brings_no_broker_back_so_who_waits_for_one_is_alive_and_not_ready() -> None:
    cut_off = feed(lag=7, applied=300)
    cut_off.broker_silent_since = NOON - seconds(290)

    health = health_of(cut_off, NOON)

    assert health.dead == ()
    assert health.unready == (f"no broker has answered since {NOON - seconds(290):%H:%M:%S} UTC",)
    cut_off.recovery, cut_off.progress_at = "rebalancing", NOON - seconds(290)
    assert health_of(cut_off, NOON).dead == ()


def test_a_broker_that_is_back_gives_the_worker_time_to_begin() -> None:
    back = feed(lag=7, applied=300)
    back.partitions["contacts", 3].answered_at = NOON - seconds(5)

    assert health_of(back, NOON).dead == ()
    assert health_of(back, NOON + seconds(60)).dead != ()


def test_partitions_that_wait_for_a_dead_letter_say_so() -> None:
    waiting = feed(lag=7, applied=20)
    waiting.letters_on_their_way = 1

    [notice] = notices_of(waiting, NOON, LIMITS)

    assert notice.text == "No progress in 1 partition: 7 records wait for a dead letter to be acknowledged"


def test_events_far_ahead_of_the_clock_tell_that_the_clock_is_wrong() -> None:
    assert codes(feed(happened=-299)) == []
    assert codes(feed(happened=-3600)) == ["clock"]
