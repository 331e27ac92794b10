"""A program of the stack: started, watched, killed, frozen, started again. It dies with the thread that started it."""

import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from stream.broker.child import dies_with_parent

__all__ = ["Program", "StackError"]

START_SECONDS = 60.0
STOP_SECONDS = 40.0


class StackError(Exception):
    """The stack cannot run; the message says why, or what to install."""


class Program:
    """One command, with its log and the page that says whether it is well."""

    def __init__(
        self, command: Sequence[str], log: Path, *, environment: Mapping[str, str], address: str = "", health: str = ""
    ) -> None:
        self.address = address
        """Of its pages, `http://host:port`; empty where it has none."""
        self._command = command
        self._log = log
        self._environment = environment
        self._health = health
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def runs(self) -> bool:
        """Whether its process has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """All it has said so far."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        """Start it; `wait` returns when it is well."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=os.environ | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509  # it allocates nothing between fork and exec
            )

    def finish(self) -> None:
        """Run it to its end; raises StackError with its words when it fails."""
        self.start()
        assert self._process is not None
        if self._process.wait(START_SECONDS):
            raise StackError(f"{' '.join(self._command)} failed: {self.log[-2000:].strip()}")

    def wait(self) -> None:
        """Return when its page says that it is well; raises StackError with its last words when it does not."""
        deadline = time.monotonic() + START_SECONDS
        while not self.well():
            if not self.runs or time.monotonic() > deadline:
                raise StackError(f"{' '.join(self._command)} is not well: {self.log[-2000:].strip()}")
            time.sleep(0.05)

    def well(self) -> bool:
        """Tell what a health check sees."""
        try:
            with urllib.request.urlopen(f"{self.address}{self._health}", timeout=5) as answer:  # noqa: S310  # ours, on loopback
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def send(self, number: signal.Signals) -> None:
        """Send it a signal: SIGSTOP has it stand still, SIGCONT go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait; one that does not listen is killed."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
