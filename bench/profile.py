"""Where the time of a worker goes: samples of who holds the interpreter, taken from outside by py-spy.

A sampler from outside sees all threads and costs the worker nothing to speak of; cProfile would make
small functions look large.
"""

import asyncio
import shutil
import sys
import sysconfig
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bench.brokers import Broker
from bench.crew import race
from bench.judged import Judged
from bench.report import fact

__all__ = ["measure", "room_of"]

SAMPLES_PER_SECOND = 200
TOP = 25

_ROOMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("checkpoint: cut, encode rows, pack record batches", ("RowTable.cut", "KafkaLog.pack", "Checkpoints._cut")),
    ("checkpoint: send and commit", ("Checkpoints.", "aiokafka/producer", "KafkaLog.")),
    ("decode", ("_Decoder.__call__", "stream/core/cloudevents.py")),
    ("fold", ("stream/families/", "stream/core/")),
    ("keys, offsets, slices", ("stream/runtime/routing/processor.py",)),
    ("fetch and parse records", ("aiokafka/consumer", "aiokafka/record", "consumer_thread.py", "unreadable.py")),
    ("network", ("aiokafka/", "asyncio/streams.py", "asyncio/selector_events.py")),
    ("pages and the telling of progress", ("stream/board", "stream/http", "stream/status", "_tell (bench")),
    ("event loops, Faust", ("",)),
)
"""A sample belongs to the first room one of whose names is in its stack."""


def measure(broker: Broker, events: int, partitions: int) -> list[Judged]:
    """Profile one worker on a topic that holds so many *events*; prints the functions at the top."""
    with tempfile.NamedTemporaryFile(suffix=".folded") as stacks:
        command = [
            "record",
            "--gil",
            "--rate",
            str(SAMPLES_PER_SECOND),
            "--format",
            "raw",
            "--output",
            stacks.name,
            "--",
        ]
        found = asyncio.run(race(broker, 1, events, partitions=partitions, under=[_py_spy(), *command]))
        samples = _samples(Path(stacks.name).read_text())
    total = samples.total()
    rooms = Counter[str]()
    functions = Counter[str]()
    for frames, count in samples.items():
        rooms[room_of(frames)] += count
        functions[frames[-1]] += count
    print(
        f"\nProfile: {total:,} samples of who holds the interpreter, at {found.rate:,.0f} events/s; the top functions"
    )
    for function, count in functions.most_common(TOP):
        print(f"{count / total:7.1%}  {function}")
    return [fact(f"share of the interpreter: {room}", f"{count / total:.1%}") for room, count in rooms.most_common()]


def _py_spy() -> str:
    found = shutil.which("py-spy", path=sysconfig.get_path("scripts")) or shutil.which("py-spy")
    if found is None:
        sys.exit("the profile needs py-spy: `make bench` installs it")
    return found


def _samples(folded: str) -> Counter[Sequence[str]]:
    """Return the stacks, outermost first and without lines, of what was sampled after the imports."""
    samples = Counter[Sequence[str]]()
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        if stack and "importlib" not in stack:
            samples[tuple(frame.rpartition(":")[0] for frame in stack.split(";"))] += int(count)
    return samples


def room_of(frames: Sequence[str]) -> str:
    """Return what a stack, outermost frame first, was about."""
    return next(room for room, names in _ROOMS if any(name in frame for name in names for frame in frames))
