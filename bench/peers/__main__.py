"""`make bench-peers`: one job by every peer, in turns, from topics of the same day; exit status 1 if one is wrong.

Figures are those that each process measures of itself from its first record to its last, with all state durable.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.material import Material, Sent, fill, material
from bench.peers.answers import READERS, Answers, oracle, wrong_answers
from bench.peers.environments import ROOT, java_command, python_of
from bench.peers.job import PARTITIONS
from scripts.apache_kafka.cluster import Cluster
from stream.runtime.kafka.topics import TopicDeclaration, ensure_topics, source_topic

QUEUES = 200
LONGEST_SECONDS = 240
REPEAT_EVERY = 50
REPEAT_AFTER = 20
JVM = ("-Xmx2g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


class Peer(NamedTuple):
    """One row of the table."""

    name: str
    title: str
    thousands: int
    """Events before repetitions: so many that a run lasts 20 to 60 s."""
    command: Callable[[], list[str]]


class Filled(NamedTuple):
    """A topic, how many records it has, and what is right to answer."""

    topic: str
    events: int
    right: Answers


class Report(NamedTuple):
    """What one run of one peer came to."""

    events: int
    rate: float
    """Events a second."""
    cpu: float
    """CPU seconds of its process per million events."""
    peak: float
    """Peak of its resident memory in bytes."""
    wrong: int
    """Answers that are missing, differ, or should not be."""


def _python(module: str, environment: str | None = None) -> Callable[[], list[str]]:
    return lambda: [python_of(environment) if environment else sys.executable, "-m", f"bench.peers.{module}"]


PEERS = [
    Peer("ceiling", "the ceiling: getmany + orjson.loads", 2000, _python("own.ceiling")),
    Peer("own", "contact-stream", 2000, _python("own.worker")),
    Peer("kafka_streams", "Kafka Streams, 1 thread", 2000, lambda: java_command("kafka_streams", "Contacts", *JVM)),
    Peer("bytewax", "Bytewax", 600, _python("bytewax.worker", "bytewax")),
    Peer("quix", "Quix Streams", 600, _python("quix.worker", "quix")),
    Peer("faust", "Faust", 40, _python("faust.worker", "faust")),
]


def main() -> int:
    """Prepare, measure, compare, and print the table."""
    chosen = _arguments()
    peers = [peer for peer in PEERS if not chosen.only or peer.name in chosen.only]
    commands = {peer: peer.command() for peer in peers}
    reports: dict[Peer, list[Report]] = {peer: [] for peer in peers}
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.platform()}")
    print(f"{datetime.now(UTC):%d %B %Y}: python -m bench.peers {' '.join(sys.argv[1:])}", flush=True)
    with tempfile.TemporaryDirectory() as home, Cluster(Path(home) / "kafka") as cluster:
        topics = asyncio.run(_fill(cluster.address, {int(peer.thousands * 1000 * chosen.scale) for peer in peers}))
        for run in range(chosen.runs):
            for peer in peers:
                folder = Path(home) / f"{peer.name}-{run}"
                filled = topics[int(peer.thousands * 1000 * chosen.scale)]
                reports[peer].append(_measured(peer, commands[peer], cluster.address, filled, folder))
                print(f"{peer.title}: {reports[peer][-1]}, load {os.getloadavg()[0]:.1f}", flush=True)
    print(_table({peer: told for peer, told in reports.items() if told}))
    return 1 if any(report.wrong for told in reports.values() for report in told) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each peer; the table has the medians")
    parser.add_argument("--scale", type=float, default=1.0, help="times as many events for each peer")
    parser.add_argument("--only", action="append", choices=[peer.name for peer in PEERS], help="may be repeated")
    return parser.parse_args()


async def _fill(brokers: str, sizes: set[int]) -> dict[int, Filled]:
    """Fill a topic with the first so many events of the same day, for each size."""
    topics = {}
    for size in sizes:
        # A worker of ours reads no other name, and has the largest.
        topic = "contacts" if size == max(sizes) else f"{'contacts'}-{size}"
        await ensure_topics([brokers], [source_topic(topic, PARTITIONS, retention=timedelta(days=7))])
        by_partition = [_with_repeats(records) for records in material(size, QUEUES, PARTITIONS).by_partition]
        records = [record for partition in by_partition for record in partition]
        await fill(brokers, topic, Material(records, by_partition))
        topics[size] = Filled(topic, len(records), oracle(record.value for record in records))
    return topics


def _with_repeats(records: list[Sent]) -> list[Sent]:
    """Send each fiftieth event again, a little later: what comes at least once sometimes comes twice."""
    told: list[Sent] = []
    for index, record in enumerate(records):
        told.append(record)
        if index >= REPEAT_AFTER and index % REPEAT_EVERY == 0:
            told.append(records[index - REPEAT_AFTER])
    return told


async def _declare_changelogs(brokers: str, group: str) -> None:
    """Create what stock Faust would create: its agent dies of changelogs that are too new to have known partitions."""
    names = [f"{group}-{table}-changelog" for table in ("segments", "tallies")]
    await ensure_topics(
        [brokers], [TopicDeclaration(name, PARTITIONS, {"cleanup.policy": "compact"}) for name in names]
    )


def _measured(peer: Peer, command: list[str], brokers: str, filled: Filled, folder: Path) -> Report:
    """Run a peer as a process of its own, and compare what it made durable with what is right."""
    folder.mkdir()
    group = f"peer-{folder.name}"
    if peer.name == "faust":
        asyncio.run(_declare_changelogs(brokers, group))
    told = [*command, brokers, filled.topic, str(filled.events), group, str(folder)]
    with (folder / "log").open("wb") as log:
        try:
            subprocess.run(told, cwd=ROOT, stdout=log, stderr=log, timeout=LONGEST_SECONDS, check=True)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failure:
            raise SystemExit(f"{peer.title}: {failure}\n{(folder / 'log').read_text()[-3000:]}") from failure
    figures = json.loads((folder / "report.json").read_text())
    wrong = 0
    if peer.name in READERS:
        wrong = wrong_answers(asyncio.run(READERS[peer.name](brokers, filled.topic, group, folder)), filled.right)
    return Report(
        filled.events,
        filled.events / figures["seconds"],
        figures["cpu_seconds"] / filled.events * 1e6,
        figures["peak_bytes"],
        wrong,
    )


def _table(reports: dict[Peer, list[Report]]) -> str:
    """Return the medians in Markdown; ratios are of each round, so that the load of other programs cancels out."""
    lines = [
        "",
        "| | events/s | to ours | CPU s per million | to ours | peak MB | events | answers |",
        "|---" * 8 + "|",
    ]
    own = next((told for peer, told in reports.items() if peer.name == "own"), None)
    for peer, told in reports.items():
        events, rate, cpu, peak, _ = map(median, zip(*told, strict=True))
        faster, costlier = "", ""
        if own is not None:
            faster = f"{median(one.rate / our.rate for one, our in zip(told, own, strict=True)):.2f}"
            costlier = f"{median(one.cpu / our.cpu for one, our in zip(told, own, strict=True)):.2f}"
        spread = f"{min(one.rate for one in told):,.0f} to {max(one.rate for one in told):,.0f}"
        judged = f"**{max(one.wrong for one in told)} wrong**" if any(one.wrong for one in told) else "right"
        judged = judged if peer.name in READERS else "none"
        cells = [peer.title, f"{rate:,.0f} ({spread})", faster, f"{cpu:.1f}", costlier, f"{peak / 2**20:,.0f}"]
        lines.append(f"| {' | '.join([*cells, f'{events:,}', judged])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
