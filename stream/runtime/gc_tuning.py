"""How the Python interpreter is set while a worker runs; set back when the last one stops."""

import gc
import sys

__all__ = ["GcTuning"]

COLLECT_AFTER = (100_000, 50, 100)
"""
A batch makes thousands of objects that live until the next checkpoint and are in no cycle. With
Python's own 700 the collector took much of a worker's time: `bench/README.md` has the figures.
"""

SWITCH_SECONDS = 0.001
"""The consumer's thread has little to do, but must get its turn to send the next fetch: 5 ms are long."""


class GcTuning:
    """Applied once for all workers of a process."""

    _workers = 0
    _before = (gc.get_threshold(), sys.getswitchinterval())

    def __init__(self) -> None:
        self._applied = False

    def apply(self) -> None:
        """Set the interpreter up; does nothing the second time."""
        if self._applied:
            return
        self._applied = True
        if GcTuning._workers == 0:
            GcTuning._before = (gc.get_threshold(), sys.getswitchinterval())
            gc.set_threshold(*COLLECT_AFTER)
            sys.setswitchinterval(SWITCH_SECONDS)
        GcTuning._workers += 1

    def restore(self) -> None:
        """Set the interpreter back; does nothing when it was not applied."""
        if not self._applied:
            return
        self._applied = False
        GcTuning._workers -= 1
        if GcTuning._workers == 0:
            thresholds, switch_interval = GcTuning._before
            gc.set_threshold(*thresholds)
            sys.setswitchinterval(switch_interval)
