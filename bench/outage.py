"""An hour without a broker at 500 events/s: what the spool takes of disk and memory, and how soon it is sent."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.brokers import Broker, broker
from bench.gateway import IN_BATCHES, create_topic, peak_megabytes, post_bodies, until_listening
from bench.judged import Judged
from bench.processes import in_own_process
from bench.report import at_least, fact
from stream.broker.child import free_port

__all__ = ["measure"]

EVENTS: Final = 1_800_000
NOWHERE: Final = "127.0.0.1:1"
LEAST_DRAINED_PER_SECOND: Final = 1_000
"""Twice as fast as they come: else a spool that was once filled would never be empty again."""


def measure(kind: str) -> list[Judged]:
    """Fill a spool without a broker, kill the gateway, and start it again with a broker of that *kind*."""
    with broker(kind) as running, tempfile.TemporaryDirectory() as folder:
        create_topic(running)
        spool = Path(folder) / "spool"
        with _gateway(f"kafka://{NOWHERE}", spool) as (server, port):
            began, accepted = monotonic(), 0
            while accepted < EVENTS:
                posted = in_own_process(post_bodies, port, IN_BATCHES, 10.0, None)
                accepted += posted.statuses[202] * IN_BATCHES.events
            filled, while_filling = monotonic() - began, peak_megabytes(server.pid)
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        drained, while_draining = _drain(running, spool, accepted)
        arrived = asyncio.run(_arrived(running.address))
    return [
        fact("events accepted without a broker, then killed", f"{accepted:,}"),
        fact("… events/s accepted", f"{accepted / filled:,.0f}"),
        fact("… on the disk, MB, and bytes an event", f"{size / 1e6:,.0f}, {size / accepted:.0f}"),
        fact("… memory while it fills, MB", f"{while_filling:.0f}"),
        # A batch that was under way when the gateway was killed may have arrived, and have had no answer.
        # Counted, not compared by id: the same day is posted again and again. tests/e2e/test_outage.py compares ids.
        at_least("… records on the broker in the end : events accepted", arrived / accepted, 1.0, "{:.4f}"),
        at_least("… events/s sent once the broker is back", accepted / drained, LEAST_DRAINED_PER_SECOND),
        fact("… seconds until the spool is empty, memory meanwhile, MB", f"{drained:.0f}, {while_draining:.0f}"),
    ]


def _drain(on: Broker, spool: Path, accepted: int) -> tuple[float, float]:
    """Return how long a restarted gateway takes to send all of it, and the most memory that it had."""
    began = monotonic()
    with _gateway(f"kafka://{on.address}" if on.idempotent else on.address, spool) as (server, port):
        first = _spooled(port)
        if first < accepted * 0.9:
            raise SystemExit(f"of {accepted:,} events the spool has only {first:,} after the kill")
        while _spooled(port):
            sleep(0.2)
        return monotonic() - began, peak_megabytes(server.pid)


async def _arrived(address: str) -> int:
    consumer = AIOKafkaConsumer("contacts", bootstrap_servers=address)
    await consumer.start()
    try:
        partitions = [TopicPartition("contacts", number) for number in consumer.partitions_for_topic("contacts") or ()]
        return sum((await consumer.end_offsets(partitions)).values())
    finally:
        await consumer.stop()


def _spooled(port: int) -> int:
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
    except URLError as failure:
        raise SystemExit(f"the gateway does not answer: {failure}") from failure
    return int(float(next(line.split()[1] for line in lines if line.startswith("contact_gateway_spool_events "))))


@contextmanager
def _gateway(brokers: str, spool: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "stream",
        "gateway",
        "--broker",
        brokers,
        "--port",
        str(port),
        "--spool",
        str(spool),
    ]
    limits = {"CONTACT_STREAM_GATEWAY_SPOOL_BYTES": str(10**10), "CONTACT_STREAM_LOG_LEVEL": "ERROR"}
    server = subprocess.Popen(command, env=os.environ | limits)
    try:
        until_listening(port)
        yield server, port
    finally:
        server.kill()
        server.wait(60)
