"""A checkpoint may be cut off at any step: what is counted afterwards is what was sent, exactly."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka.errors import CommitFailedError, KafkaTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.runtime.checkpoint.checkpoint import no_fault
from stream.runtime.checkpoint.policy import Backlog, CheckpointPolicy, CheckpointState
from tests.runtime.fakes import Crash, Fate, MemoryLog
from tests.runtime.lives import NOW, PARTITION, Life, records_of
from tests.runtime.toy import COUNTS, Count, Ping

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STEPS = ["begun", "cut", "written 0", "written 1", "committed", "told"]


def pings(count: int) -> list[Ping]:
    """Many keys, distinct ids, and every fourth ping once more right after its successor."""
    sent = []
    for number in range(count):
        sent.append(Ping(f"queue-{number % 7}", number))
        if number % 4 == 1:
            sent.append(sent[-2])
    return sent


def expected(sent: list[Ping]) -> dict[str, int]:
    return dict(Counter(ping.key for ping in set(sent)))


def test_a_checkpoint_is_to_end_within_an_interval_of_the_start_of_the_last() -> None:
    state = CheckpointState(CheckpointPolicy(interval=SECOND), next_at=NOON)

    assert state.wait(NOON - SECOND) == SECOND
    assert state.wait(NOON + SECOND) == timedelta(0)
    state.finished(NOON, NOON + SECOND / 4)
    due = state.wait(NOON + SECOND / 4)
    assert SECOND / 4 + due + SECOND / 4 == SECOND * 0.9  # as long again, and a little to spare


def test_a_broker_that_is_slower_than_the_interval_gets_a_rest() -> None:
    state = CheckpointState(CheckpointPolicy(interval=SECOND), next_at=NOON)
    state.finished(NOON, NOON + 5 * SECOND)

    assert state.wait(NOON + 5 * SECOND) == SECOND / 10


def test_a_failed_checkpoint_is_tried_again_after_its_own_pause() -> None:
    state = CheckpointState(CheckpointPolicy(interval=60 * SECOND, retry_after=2 * SECOND), next_at=NOON)
    state.failed(NOON)

    assert state.wait(NOON) == 2 * SECOND


def test_a_clock_that_is_set_back_does_not_put_checkpoints_off() -> None:
    state = CheckpointState(CheckpointPolicy(interval=SECOND), next_at=NOON)

    assert state.wait(NOON - 3600 * SECOND) == SECOND


def test_a_worker_that_is_behind_puts_a_checkpoint_off_five_times_at_most() -> None:
    state = CheckpointState(CheckpointPolicy(interval=SECOND), next_at=NOON)
    assert not state.put_off(NOON)  # the first one after the start
    state.finished(NOON, NOON)

    assert [state.put_off(NOON + number * SECOND) for number in range(1, 6)] == [True, True, True, True, False]
    assert state.put_off(NOON + SECOND)
    assert state.wait(NOON + SECOND) == SECOND / 10  # to look again
    assert not state.put_off(NOON - 3600 * SECOND)  # the clock was set back


async def test_a_worker_is_behind_while_more_waits_than_it_has_applied_lately() -> None:
    log, topic = MemoryLog(), records_of(pings(80))
    life = Life(log, topic).begin()
    backlog, seen = Backlog([life.owned]), []
    for number in (20, 20, 40, 20):
        await life.apply(number)
        seen.append(backlog.is_long())

    assert seen == [True, True, True, False]  # the third puts off for a moment more, to cover what is left


async def test_counts_are_written_before_marks_and_offsets_come_last() -> None:
    log, topic = MemoryLog(), records_of(pings(20))
    life = Life(log, topic).begin()
    await life.apply(20)

    assert await life.checkpoints.write()
    assert log.appends == ["lives-counts-changelog", "lives-marks-changelog"]
    assert log.committed == {PARTITION: 20}
    assert life.owned.feed.committed == 20
    assert life.worker.feed.checkpoints.count == 1


async def test_a_row_is_written_once_however_often_it_changed() -> None:
    log, topic = MemoryLog(), records_of([Ping("a", number) for number in range(500)])
    life = Life(log, topic).begin()
    await life.apply(500)
    await life.checkpoints.write()

    assert len(log.changelogs["lives-counts-changelog", 0]) == 1


async def test_what_is_applied_during_a_checkpoint_belongs_to_the_next() -> None:
    log, topic = MemoryLog(), records_of([Ping("a", number) for number in range(30)])
    life = Life(log, topic).begin()
    await life.apply(10)

    async def apply_more(step: str) -> None:
        if step == "cut":
            await life.apply(10)

    life.checkpoints._fault = apply_more
    await life.checkpoints.write()

    assert log.committed == {PARTITION: 10}
    assert life.owned.dirty
    second = Life(log, topic).begin()
    assert second.counts == {"a": 10}


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_after_any_step_changes_no_figure(step: str) -> None:
    sent = pings(60)
    log, topic = MemoryLog(), records_of(sent)
    life = Life(log, topic).begin()
    await life.apply(20)
    await life.checkpoints.write()
    await life.apply(15)
    life.crash_at = step
    with pytest.raises(Crash):
        await life.checkpoints.write()

    next_life = Life(log, topic).begin()
    await next_life.apply(len(topic))

    assert next_life.counts == expected(sent)
    assert next_life.worker.feed.gaps == 0


@given(
    steps=st.lists(st.tuples(st.integers(0, 30), st.sampled_from([None, *STEPS, 1, 2])), max_size=12),
    batch=st.integers(1, 25),
)
@settings(max_examples=60, deadline=None)
def test_any_series_of_crashes_leaves_the_exact_figures(steps: list[tuple[int, str | int | None]], batch: int) -> None:
    async def story() -> None:
        sent = pings(120)
        log, topic = MemoryLog(), records_of(sent)
        life = Life(log, topic).begin()
        for number, crash in steps:
            await life.apply(number)
            # A number stands for a crash within that append: half of its rows are in the log.
            life.crash_at = crash if isinstance(crash, str) else None
            log.crash_in_append = crash if isinstance(crash, int) else None
            try:
                await life.checkpoints.write()
            except Crash:
                life = Life(log, topic).begin()
        log.crash_in_append = life.crash_at = None
        while life.owned.position < len(topic):
            await life.apply(batch)
        await life.checkpoints.write()

        assert life.counts == expected(sent)
        assert Life(log, topic).begin().counts == expected(sent)

    asyncio.run(story())


async def test_a_failure_of_the_broker_is_counted_and_made_good_by_the_next_checkpoint() -> None:
    log, topic = MemoryLog(), records_of(pings(20))
    life = Life(log, topic).begin()
    await life.apply(20)
    assert await life.checkpoints.write()
    await life.apply(5)
    log.failure = KafkaTimeoutError()

    assert not await life.checkpoints.write()
    assert log.committed == {PARTITION: 20}
    figures = life.worker.feed.checkpoints
    assert (figures.failures, figures.failing_since) == (1, NOW)
    assert await life.checkpoints.write()
    assert log.committed == {PARTITION: 25}
    assert (figures.failures, figures.failing_since) == (1, None)
    assert Life(log, topic).begin().counts == life.counts


async def test_a_worker_that_was_removed_from_the_group_writes_nothing() -> None:
    log, topic = MemoryLog(), records_of(pings(20))
    life = Life(log, topic).begin()
    await life.apply(20)
    log.failure = CommitFailedError()  # the answer to the question whether it is a member

    assert not await life.checkpoints.write()
    assert not log.changelogs["lives-counts-changelog", 0]
    assert life.worker.feed.checkpoints.failures == 0


async def test_partitions_lost_during_a_checkpoint_are_not_committed() -> None:
    log, topic = MemoryLog(), records_of(pings(20))
    life = Life(log, topic).begin()
    await life.apply(20)

    async def lose(step: str) -> None:
        if step == "written 0":
            life.worker.ownership.freeze(lost=True)

    life.checkpoints._fault = lose
    assert not await life.checkpoints.write()
    assert not log.changelogs["lives-marks-changelog", 0]
    assert log.committed == {PARTITION: 0}


async def test_the_last_checkpoint_tells_which_partitions_are_durable() -> None:
    log, topic = MemoryLog(), records_of(pings(20))
    life = Life(log, topic).begin()
    await life.apply(20)
    log.failure = KafkaTimeoutError()

    assert not await life.checkpoints.write_last(SECOND)
    assert await life.checkpoints.write_last(SECOND) == [PARTITION]


async def test_the_last_checkpoint_does_not_wait_for_ever() -> None:
    log, topic = MemoryLog(), records_of(pings(20))
    life = Life(log, topic).begin()
    await life.apply(20)

    async def hang(_: str) -> None:
        await asyncio.Event().wait()

    life.checkpoints._fault = hang
    assert not await life.checkpoints.write_last(SECOND / 50)
    assert life.worker.feed.checkpoints.failures == 1
    assert life.owned.dirty


async def test_a_checkpoint_that_outlives_a_rebalance_commits_nothing() -> None:
    """Its rows may have reached the changelog after they were recovered from it: their offsets must not be skipped."""
    sent = pings(40)
    log, topic = MemoryLog(), records_of(sent)
    life = Life(log, topic).begin()
    await life.apply(30)
    fate = life.log.fates["marks", 0] = Fate(arrives=asyncio.Event())
    hanging = asyncio.create_task(life.checkpoints.write())
    await fate.in_flight.wait()
    life.listener._last_within = SECOND / 50
    await life.listener.give_up(lost=False)
    life.join()
    life.read_changelogs()
    assert fate.arrives is not None
    fate.arrives.set()

    assert not await hanging
    life.start()
    await life.apply(len(topic))
    assert life.counts == expected(sent)
    assert await life.checkpoints.write()
    assert Life(log, topic).begin().counts == expected(sent)


async def test_partitions_are_not_kept_while_a_checkpoint_of_theirs_may_still_fail() -> None:
    log, topic = MemoryLog(), records_of(pings(40))
    life = Life(log, topic).begin()
    await life.apply(30)
    await life.checkpoints.write()
    life.fold.counts.write_again(["queue-1"])  # to be written again, as after a write of somebody else
    fate = life.log.fates["counts", 0] = Fate(arrives=asyncio.Event())
    hanging = asyncio.create_task(life.checkpoints.write())
    await fate.in_flight.wait()

    assert not await life.checkpoints.write_last(SECOND / 50)
    hanging.cancel()


async def test_what_was_not_acknowledged_in_time_is_not_sent_later() -> None:
    log, topic = MemoryLog(), records_of(pings(20))
    life = Life(log, topic).begin()
    await life.apply(20)
    life.log.fates["counts", 0] = Fate(share=0, failure=TimeoutError())

    assert not await life.checkpoints.write()
    assert life.log.abandoned == 1
    assert await life.checkpoints.write()
    assert life.log.abandoned == 1


async def test_membership_is_asked_for_again_before_each_table() -> None:
    """A process may be stopped anywhere: what it knew before is worth nothing afterwards."""
    log, topic = MemoryLog(), records_of(pings(20))
    life = Life(log, topic).begin()
    await life.apply(20)

    async def stop_for_long(step: str) -> None:
        if step == "written 0":
            life.checkpoints._member_at = float("-inf")
            Life(log, topic).begin()

    life.checkpoints._fault = stop_for_long
    assert not await life.checkpoints.write()
    assert not log.changelogs["lives-marks-changelog", 0]


async def test_a_write_of_somebody_else_is_noticed_by_an_owner_who_writes_nothing() -> None:
    log, topic = MemoryLog(), records_of([Ping("a", number) for number in range(20)])
    zombie = Life(log, topic).begin()
    await zombie.apply(10)
    fate = zombie.log.fates["counts", 0] = Fate(arrives=asyncio.Event())
    hanging = asyncio.create_task(zombie.checkpoints.write())
    await fate.in_flight.wait()
    owner = Life(log, topic).begin()
    await owner.apply(20)
    await owner.checkpoints.write()
    assert fate.arrives is not None
    fate.arrives.set()
    assert not await hanging

    await owner.checkpoints.check_changelogs()
    await owner.checkpoints.write()
    log.compact()

    assert owner.worker.feed.foreign_writes == 2  # of counts, and then of marks
    assert Life(log, topic).begin().counts == {"a": 20}


async def test_a_write_of_somebody_else_between_two_batches_of_one_append_is_noticed() -> None:
    log, topic = MemoryLog(), records_of([Ping(f"k{number % 4}", number) for number in range(20)])
    life = Life(log, topic).begin()
    await life.apply(20)
    key, stale = COUNTS.encode_key("k0"), COUNTS.encode_row(Count(1, 1))
    log.stranger = (key, stale, [])
    await life.checkpoints.write()
    await life.checkpoints.write()

    assert life.worker.feed.foreign_writes == 1
    written = [one.value for one in log.changelogs["lives-counts-changelog", 0] if one.key == key]
    own = COUNTS.encode_row(life.fold.counts["k0"])
    assert written == [own, stale, own]


async def test_an_owner_sees_no_stranger_in_its_own_writes() -> None:
    log, topic = MemoryLog(), records_of(pings(20))
    life = Life(log, topic).begin()
    await life.checkpoints.check_changelogs()
    await life.apply(20)
    await life.checkpoints.write()
    await life.checkpoints.check_changelogs()

    assert life.worker.feed.foreign_writes == 0
    assert not life.owned.dirty


async def test_a_partition_that_starts_again_at_its_commit_has_nothing_uncommitted() -> None:
    log, topic = MemoryLog(), records_of(pings(30))
    life = Life(log, topic).begin()

    async def apply_more(step: str) -> None:
        if step == "cut":
            await life.apply(10)

    life.checkpoints._fault = apply_more
    await life.apply(10)
    await life.checkpoints.write()
    assert life.owned.feed.uncommitted_since is not None
    life.start()

    assert life.owned.feed.uncommitted_since is None


async def test_what_is_applied_and_not_committed_has_an_age() -> None:
    log, topic = MemoryLog(), records_of(pings(30))
    life = Life(log, topic).begin()
    feed, now = life.owned.feed, NOW
    life.ownership.clock = lambda: now
    assert feed.uncommitted_since is None

    await life.apply(10)
    now = NOW + SECOND
    await life.apply(10)
    assert feed.uncommitted_since == NOW

    async def apply_more(step: str) -> None:
        if step == "cut":
            await life.apply(5)

    life.checkpoints._fault = apply_more
    await life.checkpoints.write()
    assert feed.uncommitted_since == NOW + SECOND
    life.checkpoints._fault = no_fault
    await life.checkpoints.write()
    assert feed.uncommitted_since is None
