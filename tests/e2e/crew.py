"""Workers as processes of their own: started, killed, frozen and asked to stop, and what their pages say meanwhile."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Self

import aiohttp

from stream.board.cluster.share import SHARE_PATH, ShareCodec, WorkerShare, board_of
from stream.broker.child import dies_with_parent
from stream.core.family import Board
from stream.families.registry import FAMILIES
from tests.running import Figures, parsed

__all__ = ["Crew", "WorkerProcess"]

ROOT = Path(__file__).parents[2]
LOOK_SECONDS = 0.5
STOP_SECONDS = 60.0
PAGE_SECONDS = 5.0

NEVER = ("contact_source_offset_gaps_total", "contact_dead_letters_total")
"""Counters that stay at 0 in every life, as far as they can be seen: a life ends at any moment."""

COUNTED = (
    "contact_events_total",
    "contact_events_replayed_total",
    "contact_checkpoints_total",
    "contact_checkpoint_failures_total",
    "contact_foreign_writes_total",
)
"""Counters that tell how much there was to withstand."""

WIRE = ShareCodec(FAMILIES)


class WorkerProcess:
    """One life of a worker."""

    def __init__(self, number: int, at: datetime, environment: Mapping[str, str], home: Path) -> None:
        self.number = number
        self.log = home / f"worker-{number}.log"
        self.frozen = False
        self.figures: Figures = {}
        """The feed's figures of the last look."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.standing_worker", at.isoformat()],
                cwd=ROOT,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509  # it allocates nothing between fork and exec
            )

    @property
    def ended(self) -> int | None:
        """The exit status; None while it lives."""
        return self._process.poll()

    @property
    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    @property
    def address(self) -> str | None:
        """Where its pages are; None until it has said so."""
        found = re.search(r"live board and metrics: (http://\S+)", self.said)
        return found and found[1]

    @property
    def resident_mb(self) -> int:
        """Memory that it holds now, in MB."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self._process.pid}/status").read_text())
        return int(found[1]) // 1024 if found else 0

    @property
    def applied(self) -> int:
        """Events that it had applied at the last look."""
        return int(self.counted("contact_events_total"))

    def counted(self, name: str) -> float:
        """Return the value of a counter, over all its labels, as of the last look."""
        return sum(value for (found, _), value in self.figures.items() if found == name)

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)
        self.frozen = number is signal.SIGSTOP

    async def end(self, number: signal.Signals) -> int:
        """Send it a signal that ends it, and return its exit status."""
        self.tell(number)
        return await asyncio.wait_for(asyncio.to_thread(self._process.wait), STOP_SECONDS)

    async def page(self, name: str, session: aiohttp.ClientSession) -> str | None:
        """Return a page; None while there is no answer, or one that it is not ready."""
        body = await self._body(name, session)
        return None if body is None else body.decode()

    async def share(self, session: aiohttp.ClientSession) -> WorkerShare | None:
        """Return what it tells the other workers; None while there is no answer."""
        body = await self._body(SHARE_PATH[1:], session)
        return None if body is None else WIRE.decoded(body)

    async def _body(self, name: str, session: aiohttp.ClientSession) -> bytes | None:
        address = self.address
        if address is None:
            return None
        try:
            async with session.get(f"{address}/{name}") as answer:
                return await answer.read() if answer.ok else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None


class Crew:
    """All workers of a group, one life after the other; a context manager that leaves none behind."""

    def __init__(self, at: datetime, environment: Mapping[str, str], home: Path) -> None:
        self._at = at
        self._environment = environment
        self._home = home
        self.lives: list[WorkerProcess] = []
        self.alive: list[WorkerProcess] = []
        self.killed = self.killed_at_work = 0
        self.largest_mb = 0
        self.faults: list[str] = []
        """What must never happen, and did."""
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PAGE_SECONDS))
        self._looking = asyncio.create_task(self._look_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        await self._session.close()
        for worker in self.alive:
            await worker.end(signal.SIGKILL)

    def start(self) -> WorkerProcess:
        """Start one more worker."""
        worker = WorkerProcess(len(self.lives), self._at, self._environment, self._home)
        self.lives.append(worker)
        self.alive.append(worker)
        return worker

    @property
    def longest_log(self) -> int:
        """Lines that the most talkative life has written."""
        return max(life.said.count("\n") for life in self.lives)

    def __str__(self) -> str:
        return "alive: " + ", ".join(
            f"{worker.number} ({'frozen' if worker.frozen else worker.applied})" for worker in self.alive
        )

    def assert_sound(self) -> None:
        """Fail with all that must never happen, and did."""
        assert not self.faults, "\n".join(self.faults)

    async def kill(self, worker: WorkerProcess) -> None:
        """End a worker as a power cut would."""
        self.killed += 1
        self.killed_at_work += bool(worker.applied)
        self._leave(worker)
        await worker.end(signal.SIGKILL)

    async def remove(self, worker: WorkerProcess) -> None:
        """Ask a worker to end, as an orchestrator does."""
        self._leave(worker)
        # One that has only begun to start ends at once.
        fine = {0} if worker.address else {0, -signal.SIGTERM}
        if (status := await worker.end(signal.SIGTERM)) not in fine:
            self.faults.append(f"worker {worker.number}, asked to stop, ended with {status}:\n{worker.said[-2000:]}")

    def total(self, name: str) -> int:
        """Return the sum of a counter over all lives, each as of the last look at it."""
        return int(sum(life.counted(name) for life in self.lives))

    async def pages(self) -> list[Figures] | None:
        """Return what every worker shows on `/metrics`, parsed as Prometheus does; None unless all are ready."""
        ready = [await worker.page("readyz", self._session) for worker in self.alive]
        texts = [await worker.page("metrics", self._session) for worker in self.alive]
        if not texts or None in ready or None in texts:
            return None
        return [parsed(text) for text in texts if text is not None]

    async def board(self) -> Board | None:
        """Return the whole board, added up from what each worker tells; None unless all answer."""
        shares = [await worker.share(self._session) for worker in self.alive]
        partitions = [one for share in shares if share is not None for one in share.partitions]
        return None if None in shares else board_of(partitions, FAMILIES, self._at, whole=True)

    async def _look_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for worker in [worker for worker in self.alive if not worker.frozen]:
                await self._look(worker)

    async def _look(self, worker: WorkerProcess) -> None:
        text = await worker.page("metrics", self._session)
        if text is not None:
            worker.figures = _counters(text)
        if worker in self.alive:
            self._judge(worker)

    def _judge(self, worker: WorkerProcess) -> None:
        if worker.ended is not None:
            self.alive.remove(worker)
            self.faults.append(f"worker {worker.number} ended by itself with {worker.ended}:\n{worker.said[-2000:]}")
            return
        self.largest_mb = max(self.largest_mb, worker.resident_mb)
        for name in NEVER:
            if count := worker.counted(name):
                self.faults.append(f"worker {worker.number}: {name} is {count:g}")

    def _leave(self, worker: WorkerProcess) -> None:
        if worker in self.alive:  # else it has ended by itself, which is a fault noted already
            self.alive.remove(worker)


def _counters(text: str) -> Figures:
    # Parsing all of a page twice a second would be the larger part of this machine's work.
    lines = [line for line in text.splitlines() if line.startswith((*NEVER, *COUNTED))]
    return parsed("\n".join([*lines, ""]))
