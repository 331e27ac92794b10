"""Workers in processes of their own, watched while they apply what is on a topic."""

import asyncio
import sys
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec
from msgspec import Struct

from bench.brokers import Broker, delete_topics
from bench.processes import cpu_of_machine, cpu_seconds
from bench.worker import Order, Progress

__all__ = ["Crew", "Race", "crew", "race"]


class Crew:
    """Running workers, and all that they told."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self.processes = processes
        self.told: list[list[Progress]] = [[] for _ in processes]
        self._news = asyncio.Condition()
        self._listening = [asyncio.create_task(self._listen(number)) for number in range(len(processes))]

    async def until(self, condition: Callable[[], bool], *, seconds: float = 300) -> None:
        """Wait for *condition*, which is looked at with each line; raises if a worker ends before."""
        async with asyncio.timeout(seconds), self._news:
            while not condition():
                if any(task.done() for task in self._listening):
                    raise RuntimeError("a worker has ended by itself: see what it wrote")
                await self._news.wait()

    def sum(self, figure: Callable[[Progress], int]) -> int:
        """Return the sum of a figure over what the workers told last."""
        return sum(figure(lines[-1]) for lines in self.told if lines)

    def ready(self) -> bool:
        """Tell whether all have partitions, and recovered them."""
        return all(lines and lines[-1].ready for lines in self.told)

    async def stop(self) -> None:
        """Have all stop in order, and wait for it."""
        for process in self.processes:
            if process.stdin is not None:
                process.stdin.close()
        await asyncio.gather(*(process.wait() for process in self.processes), *self._listening)

    async def _listen(self, number: int) -> None:
        out = self.processes[number].stdout
        assert out is not None
        async for line in out:
            if not line.startswith(b"{"):  # a profiler speaks, too
                continue
            self.told[number].append(msgspec.json.decode(line, type=Progress))
            async with self._news:
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()


@asynccontextmanager
async def crew(broker: Broker, workers: int, *, partitions: int, under: Sequence[str] = ()) -> AsyncIterator[Crew]:
    """Run so many *workers* of a new group, each *under* another command if there is one; its topics go with it."""
    group = f"bench-{uuid.uuid4().hex[:8]}"
    order = msgspec.json.encode(Order(broker.address, broker.idempotent, group, partitions)).decode()
    command = [*under, sys.executable, "-m", "bench.worker", order]
    processes = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE) for _ in range(workers)]
    try:
        running = Crew(processes)
        yield running
        await running.stop()
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
    await delete_topics(broker.address, group)


class Race(Struct, frozen=True):
    """How a crew got from the first record of a topic to the last one being durable."""

    events: int
    seconds: float
    by_worker: list[int]
    """Events that each applied."""
    together_rate: float
    """Events per second, of all, while every worker had something to do."""
    cpu_by_worker: list[float]
    """Seconds of processor time."""
    cpu_of_main_threads: list[float]
    cpu_of_broker: float
    cpu_of_machine: float
    """All of the above, and what others did meanwhile."""
    rows: int
    """Written to changelogs."""

    @property
    def rate(self) -> float:
        """Events per second, all workers together."""
        return self.events / self.seconds


async def race(broker: Broker, workers: int, events: int, *, partitions: int, under: Sequence[str] = ()) -> Race:
    """Have a crew apply a topic that holds so many *events*, until all of it is durable."""
    async with crew(broker, workers, partitions=partitions, under=under) as running:
        await running.until(lambda: running.sum(lambda told: told.applied) > 0)
        before, machine_before = cpu_seconds(broker.pid), cpu_of_machine()
        await running.until(lambda: running.sum(lambda told: told.durable) >= events)
        cpu_of_broker, machine = cpu_seconds(broker.pid) - before, cpu_of_machine() - machine_before
        told = [list(lines) for lines in running.told]
    assert sum(lines[-1].applied for lines in told) == events, "nothing twice, nothing missing"
    assert not any(lines[-1].faults for lines in told)
    return _race(told, cpu_of_broker, machine)


def _race(told: Sequence[Sequence[Progress]], broker: float, machine: float) -> Race:
    firsts = [[line for line in lines if line.applied == 0][-1] for lines in told]
    lasts = [lines[-1] for lines in told]
    done = [next(line for line in lines if line.applied == lines[-1].applied) for lines in told]
    began, ended = max(first.at for first in firsts), min(line.at for line in done)
    return Race(
        events=sum(last.applied for last in lasts),
        seconds=max(last.at for last in lasts) - min(first.at for first in firsts),
        by_worker=[last.applied for last in lasts],
        together_rate=sum(_applied_at(lines, ended) - _applied_at(lines, began) for lines in told) / (ended - began),
        cpu_by_worker=[last.cpu - first.cpu for first, last in zip(firsts, lasts, strict=True)],
        cpu_of_main_threads=[
            last.cpu_of_main_thread - first.cpu_of_main_thread for first, last in zip(firsts, lasts, strict=True)
        ],
        cpu_of_broker=broker,
        cpu_of_machine=machine,
        rows=sum(last.rows for last in lasts),
    )


def _applied_at(lines: Sequence[Progress], at: float) -> int:
    return max((line.applied for line in lines if line.at <= at), default=0)
