"""The HTTP gateway beside a bare application on one broker: events a second, how long an answer takes, at what cost."""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final
from urllib.request import urlopen

from msgspec import Struct

from bench.brokers import Broker, broker
from bench.judged import Judged
from bench.material import material
from bench.posts import Posted, post
from bench.processes import cpu_seconds, in_own_process
from bench.report import at_least, at_most, fact
from stream.broker.child import free_port
from stream.gateway.messages import BATCHED, STRUCTURED
from stream.runtime.kafka.topics import ensure_topics, source_topic
from stream.settings import Settings

__all__ = ["measure"]

EVENTS: Final = 20_000
QUEUES, PARTITIONS = 200, 12
BATCH: Final = 100
SECONDS: Final = 8.0

BATCHED_EVENTS_PER_SECOND: Final = 30_000
POSTS_PER_SECOND: Final = 2_500
LEAST_SHARE: Final = 0.5


class Way(Struct, frozen=True):
    """One way to post the day."""

    what: str
    kind: str
    events: int
    """In each post."""
    connections: int
    asked: int
    """Events a second."""


IN_BATCHES: Final = Way("in batches of 100", BATCHED, BATCH, 16, BATCHED_EVENTS_PER_SECOND)
ONE_BY_ONE: Final = Way("one by one", STRUCTURED, 1, 64, POSTS_PER_SECOND)


class Run(Struct, frozen=True):
    """What one server did."""

    posted: Posted
    cpu: float
    """Of the server."""
    megabytes: float


def measure(kind: str, runs: int) -> list[Judged]:
    """Measure gateway and bare application in turns, on a broker of that *kind*."""
    with broker(kind) as running:
        _create_topic(running)
        return [figure for way in (IN_BATCHES, ONE_BY_ONE) for figure in _measured(running, way, runs)]


def _measured(on: Broker, way: Way, runs: int) -> Iterator[Judged]:
    ours: list[Run] = []
    bare: list[Run] = []
    for _ in range(runs):
        ours.append(_run(on, way, gateway=True))
        bare.append(_run(on, way, gateway=False))
    rates = [run.posted.rate * way.events for run in ours]
    tops = [run.posted.rate * way.events for run in bare]
    shares = [rate / top for rate, top in zip(rates, tops, strict=True)]
    yield at_least(
        f"gateway, events/s {way.what}, {way.connections} connections",
        statistics.median(rates),
        way.asked,
        note=_range(rates),
    )
    yield fact("… a bare application", f"{statistics.median(tops):,.0f}{_range(tops)}")
    yield at_least("… gateway : bare, side by side, median", statistics.median(shares), LEAST_SHARE, "{:.2f}")
    yield fact("… the same in processor time", f"{_cost(bare, way) / _cost(ours, way):.2f}")
    yield fact("… p50, p99 of an answer, ms: gateway", _answer_times(ours))
    yield fact("… p50, p99 of an answer, ms: bare", _answer_times(bare))
    yield fact(
        "… processor time per event: gateway, bare, sender",
        ", ".join(map(_micros, (_cost(ours, way), _cost(bare, way), _senders(ours, way)))),
    )
    yield fact("… memory of the gateway, MB", f"{max(run.megabytes for run in ours):.0f}")
    yield from _at_pace(_run(on, way, gateway=True, per_second=way.asked / way.events), way)


def _at_pace(run: Run, way: Way) -> Iterator[Judged]:
    taken = run.posted.rate * way.events
    yield at_least(f"gateway at {way.asked:,} events/s {way.what}: events/s taken", taken, 0.98 * way.asked)
    yield fact(
        "… p50, p99, longest answer, ms",
        f"{run.posted.p50_ms:.1f}, {run.posted.p99_ms:.1f}, {run.posted.longest_ms:.0f}",
    )
    yield at_most("… share of a core", run.cpu / run.posted.seconds, 1.0, "{:.2f}")


def _run(on: Broker, way: Way, *, gateway: bool, per_second: float | None = None) -> Run:
    with tempfile.TemporaryDirectory() as folder, _serving(on, Path(folder), gateway=gateway) as (server, port):
        # Warm: connections, topics, code.
        in_own_process(_post, port, way, 1.0, per_second)
        before = cpu_seconds(server.pid)
        posted = in_own_process(_post, port, way, SECONDS, per_second)
        run = Run(posted, cpu_seconds(server.pid) - before, _resident_megabytes(server.pid))
    if set(posted.statuses) != {202}:
        raise SystemExit(f"not every post was taken: {posted.statuses}")
    return run


def _post(port: int, way: Way, seconds: float, per_second: float | None) -> Posted:
    values = [record.value for record in material(EVENTS, QUEUES, PARTITIONS).records]
    bodies = [b"[" + b",".join(values[i : i + BATCH]) + b"]" for i in range(0, len(values), BATCH)]
    chosen: Sequence[bytes] = bodies if way.events > 1 else values
    return post(
        "127.0.0.1", port, chosen, way.kind, connections=way.connections, seconds=seconds, per_second=per_second
    )


@contextmanager
def _serving(on: Broker, folder: Path, *, gateway: bool) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port, address = free_port(), f"kafka://{on.address}" if on.idempotent else on.address
    ours = ["stream", "gateway", "--broker", address, "--port", str(port), "--spool", str(folder / "spool")]
    command = [sys.executable, "-m", *(ours if gateway else ["bench.bare_gateway", address, str(port)])]
    server = subprocess.Popen(command, env={**os.environ, "CONTACT_STREAM_LOG_LEVEL": "WARNING"})
    try:
        _until_listening(port)
        yield server, port
    finally:
        server.terminate()
        server.wait(60)


def _until_listening(port: int) -> None:
    until = monotonic() + 30
    while True:
        try:
            urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
        except OSError:
            if monotonic() > until:
                raise
            sleep(0.05)
        else:
            return


def _create_topic(on: Broker) -> None:
    declared = [source_topic("contacts", PARTITIONS, retention=Settings().retention)]
    asyncio.run(ensure_topics([on.address], declared, replication=1, create=True))


def _resident_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))


def _cost(runs: Sequence[Run], way: Way) -> float:
    return statistics.median(run.cpu / (run.posted.statuses[202] * way.events) for run in runs)


def _senders(runs: Sequence[Run], way: Way) -> float:
    return statistics.median(run.posted.cpu / (run.posted.statuses[202] * way.events) for run in runs)


def _micros(seconds: float) -> str:
    return f"{1e6 * seconds:.1f} µs"


def _answer_times(runs: Sequence[Run]) -> str:
    return ", ".join(
        f"{statistics.median(times):.1f}"
        for times in zip(*((run.posted.p50_ms, run.posted.p99_ms) for run in runs), strict=True)
    )


def _range(rates: Sequence[float]) -> str:
    return f" ({min(rates):,.0f} to {max(rates):,.0f})"
