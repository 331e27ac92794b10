"""The feed's figures: alive means progress, ready means recovered, and labels stay bounded."""

from datetime import UTC, datetime, timedelta

from stream.status.feed import MAX_SOURCES, OVERFLOW_SOURCE, Feed, PartitionFeed

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
PATIENCE = timedelta(seconds=30)
LATER = NOON + PATIENCE + timedelta(seconds=1)


def feed(*, position: int = 10, highwater: int = 10) -> Feed:
    partition = PartitionFeed("contacts", 0, recovered_at=NOON, position=position, highwater=highwater)
    return Feed(recovery="ready", progress_at=NOON, partitions={("contacts", 0): partition})


def test_a_worker_with_nothing_to_do_is_alive() -> None:
    assert feed().alive(LATER, PATIENCE)


def test_a_worker_that_leaves_records_lying_is_dead() -> None:
    stuck = feed(highwater=11)

    assert stuck.alive(NOON + PATIENCE, PATIENCE)
    assert not stuck.alive(LATER, PATIENCE)


def test_a_worker_that_is_behind_but_applies_is_alive() -> None:
    busy = feed(highwater=1_000_000)
    busy.partitions["contacts", 0].applied_at = LATER

    assert busy.alive(LATER, PATIENCE)


def test_one_stuck_partition_is_enough_to_be_dead() -> None:
    half = feed(highwater=11)
    half.partitions["contacts", 1] = PartitionFeed("contacts", 1, NOON, position=5, highwater=9, applied_at=LATER)

    assert not half.alive(LATER, PATIENCE)


def test_a_long_recovery_is_alive_while_rows_come() -> None:
    recovering = Feed(recovery="recovering", progress_at=LATER)

    assert recovering.alive(LATER, PATIENCE)
    assert not recovering.ready
    assert not recovering.alive(LATER + 2 * PATIENCE, PATIENCE)


def test_a_worker_that_failed_for_good_is_dead_at_once() -> None:
    failed = feed()
    failed.failure = "UnreadableRow: ..."

    assert not failed.alive(NOON, PATIENCE)


def test_the_newest_event_time_of_a_source_never_goes_back() -> None:
    ours = Feed()
    ours.heard({"pbx": [LATER]}, LATER)
    ours.heard({"pbx": [NOON], "crm": [NOON]}, LATER)

    assert {name: source.newest for name, source in ours.sources.items()} == {"pbx": LATER, "crm": NOON}
    assert ours.newest_event == LATER


def test_sources_beyond_the_limit_share_one_figure() -> None:
    ours = Feed()
    for number in range(MAX_SOURCES + 50):
        ours.heard({f"source-{number}": [NOON]}, LATER)
    ours.heard({"one more": [LATER]}, LATER)

    assert len(ours.sources) == MAX_SOURCES + 1
    assert ours.sources[OVERFLOW_SOURCE].newest == LATER


def test_after_the_clock_was_set_back_a_worker_that_stands_still_is_dead_all_the_same() -> None:
    stuck = feed(highwater=11)
    stuck.partitions["contacts", 0].applied_at = LATER
    stuck.checkpoints.finished_at = LATER

    stuck.set_clock(NOON)

    assert stuck.checkpoints.finished_at == NOON
    assert stuck.alive(NOON + PATIENCE, PATIENCE)
    assert not stuck.alive(LATER, PATIENCE)


def test_what_lies_in_the_past_stays_when_the_clock_goes_on() -> None:
    quiet = feed()
    quiet.partitions["contacts", 0].applied_at = NOON

    quiet.set_clock(LATER)

    assert (quiet.progress_at, quiet.partitions["contacts", 0].applied_at) == (NOON, NOON)
