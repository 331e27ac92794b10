"""A broker that is away, hangs, has no room or was never there: seen on the board, nothing lost, healed by itself."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scripts.apache_kafka.cluster import Cluster
from scripts.apache_kafka.node import Node
from stream.core.cloudevents import Event
from stream.sdk.producer import Producer, ProducerPolicy
from stream.simulator import demo_centre, simulate
from tests.e2e.watched import Watched, counted_by_replay, wait_until, watched_worker

SETTINGS = {"partitions": "4", "session_timeout": "PT6S"}
AWAY_SECONDS = float(os.environ.get("AWAY_SECONDS", "20"))
"""How long a broker is away; `AWAY_SECONDS=300` for the whole five minutes of the promise."""

MARKED_WITHIN = 30.0
LINES_A_MINUTE = 25
"""More than that in a log is a flood: nobody reads it."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240 + 2 * AWAY_SECONDS)]


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def hour() -> list[Event]:
    now = datetime.now(UTC)
    return list(simulate(demo_centre(), start=now - timedelta(hours=1), end=now, seed=3))


def sending(aside: ThreadPoolExecutor, cluster: Cluster, events: list[Event]) -> "Future[None]":
    """Send from aside, as a call system does: it waits for its broker, too."""

    async def send() -> None:
        # A test that fails meanwhile waits for this to end.
        policy = ProducerPolicy(delivery_timeout=timedelta(seconds=180 + 2 * AWAY_SECONDS))
        async with Producer(f"kafka://{cluster.address}", policy=policy) as producer:
            await producer.send_many(events)

    return aside.submit(lambda: asyncio.run(send()))


def stands_still(worker: Watched) -> bool:
    return worker.notices().get("unreachable") == "stale" and not worker.says_yes("/readyz")


def shows(worker: Watched, events: list[Event]) -> bool:
    """Tell whether it counts what a replay counts; events that were read twice are no progress."""
    applied = worker.says_yes("/readyz") and worker.figure("contact_events_total") >= len(events)
    return applied and worker.counted() == counted_by_replay(events)


def has_settled(worker: Watched) -> bool:
    """Tell whether all it has applied is durable, and no more is to come."""
    names = ("contact_applied_offset", "contact_committed_offset", "contact_end_offset")
    return len({worker.figure(name) for name in names}) == 1 and not set(worker.notices()) - {"late", "silent"}


def assert_catches_up(worker: Watched, events: list[Event]) -> None:
    """In the end the worker shows what the replay does, nothing was lost, and all of it is durable."""
    wait_until(lambda: shows(worker, events), "caught up", seconds=120)
    wait_until(lambda: has_settled(worker), "all of it is durable")

    assert worker.runs
    assert shows(worker, events)
    assert worker.figure("contact_source_offset_gaps_total") == 0


@contextmanager
def no_answer(cluster: Cluster, how: str) -> Iterator[None]:
    [node] = cluster.nodes
    if how == "hangs":
        node.send(signal.SIGSTOP)
        try:
            yield
        finally:
            node.send(signal.SIGCONT)
    else:
        node.kill()
        try:
            yield
        finally:
            cluster.start()


@pytest.mark.parametrize("how", ["is gone", "hangs"])
def test_a_broker_that_does_not_answer_is_seen_on_the_board_and_costs_nothing(
    kafka_of_one: Cluster, aside: ThreadPoolExecutor, tmp_path: Path, how: str
) -> None:
    events = hour()
    before, meanwhile = events[: len(events) // 2], events[len(events) // 2 :]
    with watched_worker(f"kafka://{kafka_of_one.address}", tmp_path / "log", **SETTINGS) as worker:
        wait_until(lambda: worker.says_yes("/readyz"), "ready")
        sending(aside, kafka_of_one, before).result()
        wait_until(lambda: shows(worker, before), "applied")
        lines = worker.log.count("\n")
        with no_answer(kafka_of_one, how):
            since = time.monotonic()
            waiting = sending(aside, kafka_of_one, meanwhile)
            wait_until(lambda: stands_still(worker), "marked as stale", seconds=MARKED_WITHIN)
            silent_since = worker.figure("contact_broker_silent_timestamp_seconds")
            while time.monotonic() - since < AWAY_SECONDS:
                assert stands_still(worker)
                assert worker.says_yes("/healthz")  # a restart would bring no broker back
                time.sleep(1)
            away = time.monotonic() - since
        waiting.result(120)
        assert_catches_up(worker, events)
        assert worker.figure("contact_broker_silent_timestamp_seconds") == 0
        assert abs(time.time() - silent_since - away) < away / 2 + MARKED_WITHIN
        assert worker.log.count("\n") - lines < LINES_A_MINUTE * (1 + away / 60)


def test_partitions_whose_only_broker_is_gone_are_seen_and_the_others_go_on(
    kafka_of_three: Cluster, aside: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """Without copies, on three brokers: a third of the queues stands still, and the board must not look whole."""
    events = hour()
    before, meanwhile = events[: len(events) // 2], events[len(events) // 2 :]
    settings = SETTINGS | {"partitions": "6"}  # each broker has some of the contacts
    with watched_worker(f"kafka://{kafka_of_three.address}", tmp_path / "log", **settings) as worker:
        wait_until(lambda: worker.says_yes("/readyz"), "ready")
        sending(aside, kafka_of_three, before).result()
        wait_until(lambda: shows(worker, before), "applied")
        kafka_of_three.nodes[2].kill()
        waiting = sending(aside, kafka_of_three, meanwhile)
        wait_until(lambda: stands_still(worker), "marked as stale", seconds=MARKED_WITHIN)
        silent = sum(name == "contact_partition_silent_timestamp_seconds" for name, _ in worker.figures())

        assert 0 < silent < 12
        assert worker.says_yes("/healthz")
        kafka_of_three.start()
        waiting.result(120)
        assert_catches_up(worker, events)


def test_a_worker_without_a_broker_says_so_waits_for_it_and_then_works(kafka_of_one: Cluster, tmp_path: Path) -> None:
    kafka_of_one.stop()
    with watched_worker(f"kafka://{kafka_of_one.address}", tmp_path / "log", **SETTINGS) as worker:
        wait_until(lambda: "No broker yet" in worker.log, "it says so in the log")
        status, reasons = worker.page("/readyz")
        assert (status, worker.says_yes("/healthz")) == (503, True)
        assert "no broker has answered since" in reasons
        assert stands_still(worker)

        kafka_of_one.start()
        wait_until(lambda: worker.says_yes("/readyz"), "ready")

        assert not set(worker.notices()) & {"unreachable", "starting"}
        assert worker.log.count("No broker yet") == 1
        worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait(30) == 0


@contextmanager
def small_disk(cluster: Cluster, megabytes: int) -> Iterator[Path]:
    """Give the only broker a disk of its own, of that size and empty."""
    [node] = cluster.nodes
    if os.geteuid() != 0:
        pytest.skip("only root can make a small disk: run this test as root")
    node.stop()
    size = f"size={megabytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "contact-stream-test", node.data], check=True)
    try:
        cluster.start()
        yield node.data
    finally:
        node.kill()
        subprocess.run(["umount", node.data], check=True)


def fill(disk: Path) -> Path:
    """Leave no room; returns the file that takes it."""
    rubbish = disk / "rubbish"
    with rubbish.open("wb", buffering=0) as full:
        try:
            while True:
                full.write(bytes(2**16))
        except OSError:
            return rubbish


def ended(node: Node) -> bool:
    return node.pid is None


def test_a_broker_whose_disk_is_full_loses_nothing_and_is_good_again_when_there_is_room(
    kafka_of_one: Cluster, aside: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """Kafka ends when it cannot write to its only folder of logs; what it had acknowledged is there afterwards."""
    events = hour()
    before, meanwhile = events[: len(events) // 2], events[len(events) // 2 :]
    [node] = kafka_of_one.nodes
    with (
        small_disk(kafka_of_one, 400) as disk,
        watched_worker(f"kafka://{kafka_of_one.address}", tmp_path / "log", **SETTINGS) as worker,
    ):
        wait_until(lambda: worker.says_yes("/readyz"), "ready")
        sending(aside, kafka_of_one, before).result()
        wait_until(lambda: shows(worker, before), "applied")
        rubbish = fill(disk)
        waiting = sending(aside, kafka_of_one, meanwhile)
        wait_until(lambda: ended(node), "the broker has given up")
        wait_until(lambda: stands_still(worker), "marked as stale", seconds=MARKED_WITHIN)
        assert worker.says_yes("/healthz")

        rubbish.unlink()
        kafka_of_one.start()
        waiting.result(120)
        assert_catches_up(worker, events)
