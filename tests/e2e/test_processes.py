"""The programs as they are started and stopped in the world: the demo, a worker, and what an operator asks them."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.brokers import Broker
from tests.e2e.watched import wait_until
from tests.monitoring import program

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE = 40.0


class Running:
    """A process whose output is read line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[str] = []

    def says(self, pattern: str) -> str:
        """Return the first group of the first line that matches, waiting for it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if match := re.search(pattern, line):
                return match.group(1)
        raise AssertionError(f"it ended without saying {pattern}:\n{''.join(self.said)}")

    def ends(self) -> str:
        """Return all it said, after it has ended by itself or was asked to."""
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return "".join(self.said) + rest


@contextmanager
def running(*arguments: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "stream", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
    try:
        yield Running(process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


QUEUES = {"sales", "support", "support-chat", "support-email", "claims", "claims-chat"}
"""Of the simulated centre."""


def queues_of(address: str) -> set[str]:
    """Return the names of the queues on the board that have seen somebody."""
    rows = json.loads(fetched(f"{address}/board.json?window=today"))["panels"]["contacts"]["rows"]
    return {row["queue"] for row in rows if row["offered"]}


def test_the_demo_shows_a_moving_board_and_promtool_has_nothing_to_say_about_its_metrics() -> None:
    promtool = program("promtool")
    with running("demo", "--port", "0") as demo:
        address = demo.says(r"live board:\s+(http://127\.0\.0\.1:\d+)/")
        wait_until(lambda: queues_of(address) == QUEUES, "every queue has seen somebody", seconds=PATIENCE)
        page = fetched(address)
        metrics = fetched(f"{address}/metrics")
    lint = subprocess.run([promtool, "check", "metrics"], input=metrics, capture_output=True, text=True, check=False)

    assert "<title>" in page
    assert "contact_open_cases{" in metrics
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", "")


def test_the_demo_ends_by_itself_with_the_final_board() -> None:
    with running("demo", "--duration", "10", "--port", "0") as demo:
        summary = demo.says(r"events\s+(\d+)")
        said = demo.ends()

    assert demo.process.returncode == 0
    assert int(summary) > 100
    assert "northwind" in said.rpartition("worst")[2]


def test_a_worker_takes_a_recorded_day_and_stops_cleanly_when_asked(fresh_broker: Broker, tmp_path: Path) -> None:
    day = tmp_path / "day.jsonl"
    with running("simulate", "--centre", "demo", "--hours", "0.2", "--start", "2026-11-20T10:00:00Z") as simulator:
        day.write_text(simulator.ends())
    bad = tmp_path / "bad.jsonl"
    bad.write_text(day.read_text().splitlines()[0] + "\nnot an event\n")

    with running("worker", "--broker", fresh_broker.setting, "--port", "0") as worker:
        address = worker.says(r"live board and metrics: (http://\S+)")
        wait_until_ready(address)
        with running("produce", str(day), "--broker", fresh_broker.setting) as producer:
            produced = producer.ends()
        with running("produce", str(bad), "--broker", fresh_broker.setting) as producer:
            produced_bad = producer.ends()
        count = len(day.read_text().splitlines())
        # Partitions are read in no order among each other: the last to be applied need not be the repeated one.
        wait_for_metric(address, "contact_events_duplicate_total", 1)
        wait_for_metric(address, "contact_events_total", count + 1)
        total = sum(metric(address, "contact_events_total").values())
        worker.process.send_signal(signal.SIGTERM)
        worker.ends()

    assert f"{count} events were acknowledged" in produced
    assert "1 lines were set aside" in produced_bad
    assert total == count + 1
    assert worker.process.returncode == 0


def test_an_operator_finds_a_bad_record_again(fresh_broker: Broker) -> None:
    with running("worker", "--broker", fresh_broker.setting, "--port", "0") as worker:
        address = worker.says(r"live board and metrics: (http://\S+)")
        wait_until_ready(address)
        subprocess.run([sys.executable, "-c", _SEND_BAD, fresh_broker.address], check=True, timeout=PATIENCE)
        wait_for_metric(address, "contact_events_invalid_total", 1)
        with running("dead-letters", "--broker", fresh_broker.setting) as listing:
            listed = listing.ends()
        place = re.search(r"(contacts/\d+/\d+)  not_json", listed)
        assert place is not None, listed
        with running("dead-letters", "--broker", fresh_broker.setting, "--show", place.group(1)) as showing:
            shown = showing.ends()

    assert "1 dead letters" in listed
    assert shown == "ENTERQUEUE"


_SEND_BAD = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

async def send() -> None:
    async with AIOKafkaProducer(bootstrap_servers=sys.argv[1]) as producer:
        await producer.send_and_wait("contacts", b"ENTERQUEUE", key=b"default/sales")

asyncio.run(send())
"""


def test_a_worker_without_a_broker_says_so_and_waits_until_it_is_asked_to_stop() -> None:
    with running("worker", "--broker", "127.0.0.1:9", "--port", "0") as worker:
        named = worker.says(r"No broker yet, trying again until there is one: The brokers (\S+) cannot be asked")
        worker.process.send_signal(signal.SIGTERM)
        said = worker.ends()

    assert worker.process.returncode == 0
    assert named == "127.0.0.1:9"
    assert "Traceback" not in said


def metric(address: str, name: str) -> dict[str, float]:
    rows = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", fetched(f"{address}/metrics"), re.MULTILINE)
    return {labels: float(value) for labels, value in rows}


def wait_for_metric(address: str, name: str, least: float) -> None:
    wait_until(lambda: sum(metric(address, name).values()) >= least, f"{name} is {least:g}", seconds=PATIENCE)


def wait_until_ready(address: str) -> None:
    wait_until(lambda: is_ready(address), "the worker is ready", seconds=PATIENCE)


def is_ready(address: str) -> bool:
    try:
        fetched(f"{address}/readyz")
    except urllib.error.HTTPError as unready:
        unready.close()
        return False
    return True
