"""Processes of their own for what is measured, and what others cost in processor time."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from time import monotonic
from typing import ParamSpec, TypeVar

__all__ = ["Others", "cpu_of_machine", "cpu_seconds", "in_own_process"]

P = ParamSpec("P")
T = TypeVar("T")


def in_own_process(work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Return what *work* returns in a fresh interpreter: nobody else's garbage, caches or settings are in there."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args, **options).result()


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process and its threads have used so far."""
    # The name, in parentheses, may hold spaces: fields are counted from behind it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_of_machine() -> float:
    """Return the processor time that the whole machine has used so far, all cores together."""
    # user, nice, system, idle, iowait, irq, softirq, steal
    fields = [int(field) for field in Path("/proc/stat").read_text().split(maxsplit=9)[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


class Others:
    """What everybody else on this machine takes of it: figures of a crowded machine are worth little."""

    def __init__(self, *ours: int) -> None:
        """Count from now on; *ours* are the processes that belong to us, beside this one and what it starts."""
        self._ours = ours
        self._began = monotonic()
        self._used_before = self._used()

    def cores(self) -> float:
        """Return how many cores others kept busy on average; what we started has ended by now."""
        return (self._used() - self._used_before) / (monotonic() - self._began)

    def _used(self) -> float:
        own = sum(usage.ru_utime + usage.ru_stime for usage in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))
        return cpu_of_machine() - own - sum(map(cpu_seconds, self._ours))
