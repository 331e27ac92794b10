"""What a Prometheus needs for 100, 1,000 and 5,000 queues: series, memory, disk, and how long a scrape takes.

The real one, with a store of its own, scrapes the real page in a process of its own. Bytes on disk are those of
a snapshot, which holds blocks as they are kept; 120 samples fill a chunk, so the run of the fewest queues
scrapes that often.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from msgspec import Struct

from bench.judged import Judged
from bench.processes import cpu_seconds
from bench.report import at_most, fact
from stream.broker.child import HOST, dies_with_parent, free_port

__all__ = ["measure"]

MOST_SERIES = 90


class Run(Struct, frozen=True):
    """So many queues, scraped so often."""

    queues: int
    every_seconds: int
    scrapes: int


FULL_CHUNK = 120
"""Samples of a series that are packed together: with fewer of them each takes more bytes."""

RUNS = (Run(100, 1, 122), Run(1000, 4, 30), Run(5000, 10, 15))


class Seen(Struct, frozen=True):
    """What one Prometheus says of itself after its scrapes."""

    series: int
    samples: int
    memory: int
    scrape_seconds: float
    cpu_per_scrape: float
    bytes_per_sample: float


def measure() -> list[Judged]:
    """Measure each size by itself."""
    if shutil.which("prometheus") is None:
        raise SystemExit("prometheus is missing: apt-get install -y --no-install-recommends prometheus")
    figures = []
    for run in RUNS:
        with tempfile.TemporaryDirectory() as home, _page(run.queues) as target:
            seen = _seen(run, target, Path(home))
        name = f"{run.queues:,} queues"
        figures += [
            at_most(f"{name}: series for each", seen.series / run.queues, MOST_SERIES, "{:.1f}"),
            fact("… series, samples a scrape", f"{seen.series:,}"),
            fact(f"… memory after {run.scrapes} scrapes", f"{seen.memory / 1e6:,.0f} MB"),
            fact("… a scrape, page and all, median", f"{seen.scrape_seconds * 1000:,.0f} ms"),
            fact("… processor time of Prometheus for a scrape", f"{seen.cpu_per_scrape * 1000:,.0f} ms"),
        ]
        if run.scrapes > FULL_CHUNK:
            figures.append(fact("… on disk", f"{seen.bytes_per_sample:.2f} bytes a sample"))
    return figures


@contextmanager
def _page(queues: int) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.prometheus_page", str(queues)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.communicate("")


@contextmanager
def _prometheus(home: Path, target: str, every: int) -> Iterator[tuple[str, int]]:
    config = {
        "global": {"scrape_interval": f"{every}s", "scrape_timeout": f"{every}s"},
        "scrape_configs": [{"job_name": "contact-stream", "static_configs": [{"targets": [target]}]}],
    }
    (home / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    address = f"{HOST}:{free_port()}"
    options = (
        f"--config.file={home / 'prometheus.yml'}",
        f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address={address}",
        "--web.enable-admin-api",
    )
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(["prometheus", *options], stdout=log, stderr=log, preexec_fn=dies_with_parent())  # noqa: PLW1509  # no thread of ours runs
    try:
        yield f"http://{address}", process.pid
    finally:
        process.terminate()
        process.wait()


def _seen(run: Run, target: str, home: Path) -> Seen:
    with _prometheus(home, target, run.every_seconds) as (address, pid):
        _wait_for(address, f"scrape_samples_scraped > {10 * run.queues}")
        before = cpu_seconds(pid)
        samples = _wait_for(address, f"count_over_time(up[1h]) >= {run.scrapes}")
        spent = (cpu_seconds(pid) - before) / (samples - 1)
        own = urlopen(f"{address}/metrics").read().decode()
        snapshot = json.load(urlopen(Request(f"{address}/api/v1/admin/tsdb/snapshot", method="POST")))["data"]["name"]
        blocks = home / "data" / "snapshots" / snapshot
        told = [json.loads(path.read_text())["stats"]["numSamples"] for path in blocks.glob("*/meta.json")]
        size = sum(path.stat().st_size for path in blocks.rglob("*") if path.is_file())
        return Seen(
            series=int(_own(own, "prometheus_tsdb_head_series")),
            samples=sum(told),
            memory=int(_own(own, "process_resident_memory_bytes")),
            scrape_seconds=_wait_for(address, "quantile_over_time(0.5, scrape_duration_seconds[1h])"),
            cpu_per_scrape=spent,
            bytes_per_sample=size / sum(told),
        )


def _own(text: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
    assert found is not None, name
    return float(found[1])


def _wait_for(address: str, expr: str) -> float:
    """Return the value of the first answer to a query."""
    for _ in range(3000):
        try:
            found = json.load(urlopen(f"{address}/api/v1/query?query={quote(expr)}"))["data"]["result"]
        except URLError:
            found = []
        if found:
            return float(found[0]["value"][1])
        time.sleep(0.1)
    raise TimeoutError(expr)
