"""A real Prometheus in tests: Debian's, on a free port of loopback, with what it is told to scrape. It dies with us."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from stream.broker.child import HOST, dies_with_parent, free_port

__all__ = ["INSTALL", "Prometheus", "Sample", "Series", "configuration", "program", "prometheus"]

INSTALL = "apt-get install -y --no-install-recommends prometheus prometheus-alertmanager"

LOOK_SECONDS = 0.05


class Sample(NamedTuple):
    """One series of an answer, at one instant."""

    labels: dict[str, str]
    value: float


class Series(NamedTuple):
    """One series of an answer over time: pairs of seconds since 1970 and value."""

    labels: dict[str, str]
    points: list[tuple[float, float]]


def program(name: str) -> str:
    """Return where `prometheus`, `promtool`, `alertmanager` or `amtool` is; skip the test where it is missing."""
    found = shutil.which(name) or shutil.which(f"prometheus-{name}")  # Debian's name of the Alertmanager
    if found is None:
        pytest.skip(f"{name} is missing: {INSTALL}")
    return found


class Prometheus:
    """One that runs."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self.address = address
        self._session = session

    async def query(self, expr: str, *, at: datetime | None = None) -> list[Sample]:
        """Return what *expr* is at an instant (now): a scalar is one sample without labels."""
        data = await self.ask("query", query=expr, **({"time": str(at.timestamp())} if at else {}))
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(one["metric"], float(one["value"][1])) for one in data["result"]]

    async def query_range(self, expr: str, *, start: datetime, end: datetime, step: timedelta) -> list[Series]:
        """Return what *expr* was from *start* to *end*, one point a *step*."""
        span = {"start": str(start.timestamp()), "end": str(end.timestamp()), "step": str(step.total_seconds())}
        data = await self.ask("query_range", query=expr, **span)
        return [Series(one["metric"], [(at, float(value)) for at, value in one["values"]]) for one in data["result"]]

    async def wait_for(self, expr: str, *, seconds: float = 30) -> list[Sample]:
        """Return the first answer to *expr* that is not empty; a comparison is such a condition."""
        try:
            async with asyncio.timeout(seconds):
                while not (found := await self.query(expr)):
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            raise AssertionError(f"in {seconds:g} s Prometheus had no answer to: {expr}") from None
        return found

    async def ask(self, what: str, **parameters: str) -> Any:
        """Return the `data` of an answer of `/api/v1/`: rules, alerts, targets, label/queue/values, …"""
        async with self._session.get(f"{self.address}/api/v1/{what}", params=parameters) as answer:
            said = await answer.json()
        assert said["status"] == "success", f"{parameters}: {said['error']}"
        return said["data"]


def configuration(
    targets: Mapping[str, Sequence[str]],
    *,
    interval: timedelta = timedelta(seconds=1),
    rules: Sequence[Path] = (),
    alertmanagers: Sequence[str] = (),
) -> str:
    """Return a configuration (JSON is YAML) that scrapes the addresses of each job, and judges rules as often."""
    every = f"{interval // timedelta(milliseconds=1)}ms"
    config = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(path.resolve()) for path in rules],
        "scrape_configs": [{"job_name": job, **_static(addresses)} for job, addresses in targets.items()],
        "alerting": {"alertmanagers": [_static(alertmanagers)]},
    }
    return json.dumps(config)


def _static(addresses: Sequence[str]) -> dict[str, object]:
    return {"static_configs": [{"targets": [one.removeprefix("http://").rstrip("/") for one in addresses]}]}


@asynccontextmanager
async def prometheus(home: Path, config: str | Path, *, history: str = "") -> AsyncIterator[Prometheus]:
    """Run one by a text of `configuration()`, or by a file; it begins with *history*: OpenMetrics with timestamps."""
    command, port, log = program("prometheus"), free_port(), home / "prometheus.log"
    home.mkdir(parents=True, exist_ok=True)
    file = config if isinstance(config, Path) else home / "prometheus.yml"
    if isinstance(config, str):
        file.write_text(config)
    if history:
        _remember(history, home)
    options = [f"--config.file={file}", f"--storage.tsdb.path={home / 'data'}", f"--web.listen-address={HOST}:{port}"]
    with log.open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            command, *options, stdout=said, stderr=said, preexec_fn=dies_with_parent()
        )
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
            await _ready(f"http://{HOST}:{port}", session, process, log)
            yield Prometheus(f"http://{HOST}:{port}", session)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _remember(history: str, home: Path) -> None:
    (told := home / "history.txt").write_text(history)
    command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(told), str(home / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


async def _ready(address: str, session: aiohttp.ClientSession, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(100):
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"{address}/-/ready") as answer:
                    if answer.ok:
                        return
            assert process.returncode is None, f"Prometheus ended:\n{log.read_text()[-2000:]}"
            await asyncio.sleep(LOOK_SECONDS)
