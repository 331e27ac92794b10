"""What a peer's process measures of itself, from its first record to its last. Standard library only."""

import gc
import json
import sys
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["Meter", "Run"]

COLLECT_AFTER = (100_000, 50, 100)
"""As a worker of ours sets the collector of garbage; it makes every Python peer faster, so each gets it."""


class Run(NamedTuple):
    """What a peer is told on its command line; its folder is empty, and its report goes there."""

    brokers: str
    topic: str
    events: int
    group: str
    folder: Path

    @classmethod
    def told(cls) -> "Run":
        """Read the command line, and set the collector."""
        gc.set_threshold(*COLLECT_AFTER)
        brokers, topic, events, group, folder = sys.argv[1:]
        return cls(brokers, topic, int(events), group, Path(folder))


class Meter:
    """Counts processed records, or is told when work begins and until when there was some."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._seen = 0
        self._marks: list[tuple[float, float]] = []

    def begin(self) -> None:
        """Begin to measure; only the first call counts."""
        if not self._marks:
            self.mark()

    def mark(self) -> None:
        """Note that up to now there was work."""
        self._marks = [*self._marks[:1], (time.perf_counter(), time.process_time())]

    def count(self) -> bool:
        """Note that one more record is processed; true for the last one, and the report is written."""
        self.begin()
        self._seen += 1
        if self._seen == self._run.events:
            self.mark()
            self.report()
        return self._seen == self._run.events

    def report(self) -> None:
        """Write seconds, CPU seconds of all threads, both up to the last mark, and the peak of resident bytes."""
        (began, cpu_began), (ended, cpu_ended) = self._marks
        figures = {"seconds": ended - began, "cpu_seconds": cpu_ended - cpu_began, "peak_bytes": _peak_bytes()}
        (self._run.folder / "report.json").write_text(json.dumps(figures))


def _peak_bytes() -> int:
    # Not getrusage: its peak outlives exec, and would be that of whoever started us.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
