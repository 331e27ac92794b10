"""Workers on a real broker: nothing lost, nothing counted twice, whoever comes and goes."""

import asyncio
import gc
import random
import signal
import sys
from collections import Counter
from datetime import timedelta
from typing import Any

import aiokafka
import pytest
from aiokafka.structs import TopicPartition

from stream.errors import TopicMismatch
from stream.runtime.checkpoint.tables import UnreadableRow
from stream.runtime.routing.processor import home_of
from tests.runtime.cluster import PARTITIONS, PATIENCE_SECONDS, Cluster, until
from tests.runtime.toy import COUNTS, Count

pytestmark = pytest.mark.slow

KEYS = [f"queue-{number}" for number in range(20)]


def pings(count: int, *, first: int = 0, seed: int = 1) -> list[tuple[str, int]]:
    """Distinct pings of many keys; every fifth is sent once more, a few places later."""
    chance = random.Random(seed)
    sent: list[tuple[str, int]] = []
    for number in range(first, first + count):
        sent.append((chance.choice(KEYS), number))
        if number % 5 == 0:
            sent.append(chance.choice(sent[-4:]))
    return sent


def expected(sent: list[tuple[str, int]]) -> dict[str, int]:
    return dict(Counter(key for key, _ in set(sent)))


async def test_batches_of_all_partitions_are_folded_exactly(cluster: Cluster) -> None:
    worker = await cluster.start_worker()
    sent = pings(2000)
    await cluster.send_many(sent)
    # What comes last may be repeats, which no count shows.
    await until(lambda: worker.feed.events["Ping"] == len(sent))

    assert cluster.counts() == expected(sent)
    assert len(worker.folds()) == PARTITIONS
    assert worker.feed.ready
    assert worker.feed.duplicates == len(sent) - 2000
    assert worker.feed.gaps == 0
    await until(lambda: all(part.committed == part.highwater for part in worker.feed.partitions.values()))
    assert worker.feed.checkpoints.failures == 0


async def test_what_somebody_else_writes_into_a_changelog_is_read_and_answered(cluster: Cluster) -> None:
    worker = await cluster.start_worker()
    await cluster.send("a", 1)
    await until(lambda: sum(one.committed for one in worker.feed.partitions.values()) == 1)
    changelog = f"{cluster.settings.group}-counts-changelog"
    home = home_of(b"a", PARTITIONS)
    for key in (b"a", b"gone"):
        await cluster.producer.send_and_wait(changelog, COUNTS.encode_row(Count(0, 0)), key=key, partition=home)

    await cluster.send("a", 2)
    await until(lambda: worker.feed.foreign_writes)
    written = await cluster.read(changelog, 6)

    last = {record.key: record.value for record in written if record.partition == home}
    assert last == {b"a": COUNTS.encode_row(Count(1, 2)), b"gone": None}
    assert worker.feed.checkpoints.failures == 0


async def test_a_restart_recovers_the_rows_and_goes_on(cluster: Cluster) -> None:
    first = await cluster.start_worker()
    sent = pings(500)
    await cluster.send_many(sent)
    await until(lambda: first.feed.events["Ping"] == len(sent))
    await cluster.stop_worker(first)
    more = pings(100, first=500)
    await cluster.send_many(more)

    second = await cluster.start_worker()
    await until(lambda: second.feed.events["Ping"] == len(more))

    assert cluster.counts() == expected(sent + more)
    assert second.feed.replayed == 0  # a clean stop had committed everything
    assert second.feed.recovered_rows > 0
    assert second.feed.gaps == 0
    assert not first.folds()


async def test_a_worker_that_joins_and_leaves_costs_and_doubles_nothing(cluster: Cluster) -> None:
    await cluster.start_worker()
    sent = pings(1500)

    async def keep_sending() -> None:
        for start in range(0, len(sent), 10):
            for key, number in sent[start : start + 10]:
                await cluster.send(key, number)
            await asyncio.sleep(0.02)

    sending = asyncio.create_task(keep_sending())
    await until(lambda: sum(cluster.counts().values()) > 100)
    second = await cluster.start_worker()
    await until(lambda: len(second.folds()) == PARTITIONS // 2)
    await until(lambda: second.feed.events["Ping"] > 50)
    await cluster.stop_worker(second)
    await sending
    await until(lambda: cluster.counts() == expected(sent))

    assert cluster.gaps() == 0
    assert second.feed.gaps == 0


async def test_rows_of_partitions_that_stay_are_not_recovered_again(cluster: Cluster) -> None:
    first = await cluster.start_worker()
    sent = pings(1000)
    await cluster.send_many(sent)
    await until(lambda: cluster.counts() == expected(sent))
    await cluster.start_worker()
    await until(lambda: len(first.folds()) == PARTITIONS // 2 and first.feed.ready)

    assert first.feed.recovered_rows == 0
    await until(lambda: cluster.counts() == expected(sent))


async def test_a_fetch_that_a_rebalance_overtakes_takes_nothing_from_the_next(cluster: Cluster) -> None:
    worker = await cluster.start_worker()
    consumer: Any = worker.app.consumer
    partitions, generation = set(consumer.assignment()), worker.app.consumer_generation_id
    seeks = {owned.tp: owned.seek for owned in worker.ownership}
    sending = asyncio.create_task(cluster.send_many(pings(500)))
    overtaken = []
    while not sending.done():
        overtaken.append(await consumer._thread.fetch(partitions, generation - 1))
    await sending
    await until(lambda: cluster.counts() == expected(pings(500)))

    assert overtaken
    assert not any(overtaken)
    assert {owned.tp: owned.seek for owned in worker.ownership} == seeks  # nothing had to be fetched again


async def test_a_changelog_that_cannot_be_read_stops_the_worker_with_a_sentence(cluster: Cluster) -> None:
    first = await cluster.start_worker()
    await cluster.stop_worker(first)
    await cluster.producer.send_and_wait(f"{cluster.settings.group}-counts-changelog", b"?", key=b"a", partition=0)

    with pytest.raises(
        UnreadableRow, match=r"counts-changelog, partition 0, offsets 0 to 0.*choose another CONTACT_STREAM_GROUP"
    ):
        await cluster.start_worker()


async def test_a_topic_that_was_made_anew_is_not_taken_for_the_old_one(cluster: Cluster) -> None:
    first = await cluster.start_worker()
    await cluster.stop_worker(first)
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=cluster.brokers, group_id=cluster.settings.group, enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign([TopicPartition(cluster.topic, 1)])
    await consumer.commit({TopicPartition(cluster.topic, 1): 1000})
    await consumer.stop()

    second = await cluster.start_worker()
    await until(lambda: second.failure is not None)

    assert isinstance(second.failure, TopicMismatch)
    assert "partition 1: offset 1000 is committed, but the topic ends at 0" in str(second.failure)
    assert not second.feed.alive(second.ownership.clock(), timedelta(hours=1))


@pytest.mark.usefixtures("kafka")  # the embedded broker lists an end that is too low at all times
async def test_an_old_end_that_a_broker_tells_after_a_crash_is_not_taken_for_a_topic_made_anew(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = await cluster.start_worker()
    await cluster.send_many(pings(100))
    await until(lambda: all(part.position for part in worker.feed.partitions.values()))
    told: list[int] = []

    def old_end(_: object) -> int:
        told.append(0)
        return 0

    monkeypatch.setattr(worker.app.consumer, "end_of", old_end)
    await until(lambda: len(told) > 4 * PARTITIONS)

    assert worker.failure is None


async def test_a_broker_is_seen_to_answer_again_while_another_request_still_waits_for_it(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two crashes in a row a board said for minutes that no broker answers, while one did."""
    worker = await cluster.start_worker()
    await cluster.send_many(pings(100))
    await until(lambda: all(part.position for part in worker.feed.partitions.values()))
    asked: list[int] = []

    async def never(partitions: list[object]) -> dict[object, int]:
        asked.append(len(partitions))
        return await asyncio.Future()

    consumer: Any = worker.app.consumer
    monkeypatch.setattr(consumer, "end_of", lambda _: 0)
    monkeypatch.setattr(consumer, "ends", never)
    await until(lambda: bool(asked))
    monkeypatch.setattr(consumer, "silence", lambda _=None: 60.0)
    await until(lambda: worker.feed.broker_silent_since is not None)
    monkeypatch.setattr(consumer, "silence", lambda _=None: 0.0)
    await until(lambda: worker.feed.broker_silent_since is None)

    assert asked == [PARTITIONS]  # all at once, and no second time before there is an answer


async def test_a_topic_enlarged_while_the_worker_runs_stops_it(cluster: Cluster) -> None:
    worker = await cluster.start_worker()
    with pytest.raises(TopicMismatch, match=rf"{cluster.topic} has 8 partitions by now, it had 4"):
        worker._check_partitions(cluster.topic, 8)


async def test_the_interpreter_is_as_before_when_the_last_worker_has_stopped(cluster: Cluster) -> None:
    before = (gc.get_threshold(), sys.getswitchinterval())
    worker = await cluster.start_worker()
    assert gc.get_threshold() != before[0]
    await cluster.stop_worker(worker)

    assert (gc.get_threshold(), sys.getswitchinterval()) == before


@pytest.mark.parametrize("step", ["written 0", "written 1"])
async def test_a_worker_killed_in_the_middle_of_a_checkpoint_changes_no_figure(cluster: Cluster, step: str) -> None:
    name = cluster.topic.removeprefix("toys-")
    command = [sys.executable, "-m", "tests.runtime.mortal", *map(str, cluster.broker), name, step, "3"]
    mortal = await asyncio.create_subprocess_exec(*command)
    sent: list[tuple[str, int]] = []
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while mortal.returncode is None:
                more = pings(20, first=len(sent))
                await cluster.send_many(more)
                sent += more
                await asyncio.sleep(0.01)  # or else its first checkpoint would have it all
    finally:
        if mortal.returncode is None:
            mortal.kill()
        assert await mortal.wait() == -signal.SIGKILL

    survivor = await cluster.start_worker()
    await until(lambda: sum(part.position for part in survivor.feed.partitions.values()) == len(sent))

    assert survivor.feed.events["Ping"] > 0  # rows had run ahead of the committed offsets
    assert cluster.counts() == expected(sent)
    assert survivor.feed.gaps == 0
