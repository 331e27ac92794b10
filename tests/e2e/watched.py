"""A worker process, watched from outside as an orchestrator, a scraper and a supervisor would."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stream.app.catalogue import SECTIONS
from stream.app.replay import replay
from stream.core.cloudevents import Event
from stream.core.collector import FEW_SERIES
from stream.http.exposition import TextFormat, written
from tests.board.boards import families_of
from tests.running import Figures, parsed

__all__ = ["Watched", "counted_by_replay", "wait_until", "watched_worker"]

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
COUNTED = {one.name.removesuffix("_total") for one in SECTIONS["totals"]}
"""Figures that do not depend on the instant at which they are read."""


class Watched:
    """A worker process and its log."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self._log = log
        wait_until(lambda: re.search(r"live board and metrics: (\S+)", self.log), "it has said where its board is")
        self.address = re.findall(r"live board and metrics: (\S+)", self.log)[-1]

    @property
    def log(self) -> str:
        """All it has said so far."""
        return self._log.read_text()

    @property
    def runs(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def page(self, path: str) -> tuple[int, str]:
        """Return status and body."""
        try:
            with urllib.request.urlopen(f"{self.address}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def says_yes(self, path: str) -> bool:
        """Tell what an orchestrator sees of `/healthz` or `/readyz`."""
        return self.page(path)[0] == 200

    def notices(self) -> dict[str, str]:
        """Return code and severity of each sentence in the banner of the board."""
        document = json.loads(self.page("/board.json")[1])
        return {notice["code"]: notice["severity"] for notice in document["notices"]}

    def figures(self) -> Figures:
        """Return every sample of `/metrics`."""
        return parsed(self.page("/metrics")[1])

    def figure(self, name: str) -> float:
        """Return the sum of a metric's samples; 0 where there is none."""
        return sum(value for (known, _), value in self.figures().items() if known == name)

    def counted(self) -> Figures:
        """Return what it has counted of contacts, as `counted_by_replay` does."""
        return _counted(self.figures())


@contextmanager
def watched_worker(broker: str, log: Path, **settings: str) -> Iterator[Watched]:
    """Run `contact-stream worker`; *settings* as in its environment, without their prefix."""
    environment = os.environ | {f"CONTACT_STREAM_{name.upper()}": value for name, value in settings.items()}
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "stream", "worker", "--broker", broker, "--port", "0"],
            stdout=out,
            stderr=out,
            cwd=ROOT,
            env=environment,
        )
    worker = None
    try:
        yield (worker := Watched(process, log))
    except BaseException:
        print(log.read_text()[-5000:])  # a test that fails shows what the worker knew
        if worker is not None and worker.runs:
            print(worker.page("/readyz"), worker.notices(), worker.figure("contact_events_total"))
        raise
    finally:
        process.kill()
        process.wait()


def counted_by_replay(events: Sequence[Event]) -> Figures:
    """Return what every event counts for, as `replay` has it."""
    board = replay(events).board(max(event.time for event in events))
    return _counted(parsed(written(families_of(board, FEW_SERIES), TextFormat.TEXT).decode()))


def _counted(figures: Figures) -> Figures:
    ours = re.compile(rf"({'|'.join(COUNTED)})_(total|sum|count|bucket)")
    return {key: value for key, value in figures.items() if ours.fullmatch(key[0])}


def wait_until(condition: Callable[[], object], what: str, *, seconds: float = PATIENCE) -> None:
    """Return as soon as a condition holds, which is looked at ten times a second."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
