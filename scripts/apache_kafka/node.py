"""One broker of a cluster: a Java process, its ports, its folder."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

from scripts.apache_kafka.distribution import HERE, KafkaUnavailable, class_path, java
from stream.broker.child import HOST, dies_with_parent, speaks_kafka

__all__ = ["Node", "Ports"]

START_SECONDS = 60.0
STOP_SECONDS = 30.0
HEAP = "768m"

# As Kafka's own start script sets them, with a heap for a small machine.
_JVM = ["-server", f"-Xmx{HEAP}", f"-Xms{HEAP}", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Djava.awt.headless=true"]

# What runs for seconds ends before its code is compiled well: that took half of the time of its start.
_FOR_SECONDS = ["-XX:TieredStopAtLevel=1"]


class Ports(NamedTuple):
    """Where a broker listens."""

    client: int
    controller: int


class Node:
    """
    A broker that is a controller as well, in the folder *home*.

    It dies with this process unless it is started with `outlives=True`. One that is *short_lived* starts in half the
    time, and is slower for ever.
    """

    def __init__(self, number: int, ports: Ports, home: Path, *, short_lived: bool = False) -> None:
        self.number = number
        self.ports = ports
        self.home = home
        self._jvm = [*_JVM, *(_FOR_SECONDS if short_lived else ())]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where clients find it, as `host:port`."""
        return f"{HOST}:{self.ports.client}"

    @property
    def data(self) -> Path:
        """Where its records are."""
        return self.home / "data"

    @property
    def pid(self) -> int | None:
        """The process id, also of a broker that another process started; None while it does not run."""
        if self._process is not None:
            return self._process.pid if self._process.poll() is None else None
        noted = self.home / "pid"
        pid = int(noted.read_text()) if noted.exists() else 0
        return pid if pid and _is_kafka(pid, self.home) else None

    def format(self, cluster_id: str, properties: Sequence[str], passwords: Mapping[str, str]) -> None:
        """Write its settings, and make its folder one of the cluster with these SCRAM users; keeps what is in there."""
        self.home.mkdir(parents=True, exist_ok=True)
        settings = self.home / "server.properties"
        settings.write_text("\n".join(properties) + "\n")
        command = [
            *self._java(),
            *_FOR_SECONDS,
            "kafka.tools.StorageTool",
            "format",
            f"-t={cluster_id}",
            "-c",
            str(settings),
        ]
        for mechanism, (user, password) in product(("SCRAM-SHA-256", "SCRAM-SHA-512"), passwords.items()):
            command += ["--add-scram", f"{mechanism}=[name={user},password={password}]"]
        subprocess.run([*command, "--ignore-formatted"], capture_output=True, text=True, check=True)

    def spawn(self, *, outlives: bool = False) -> None:
        """Start the process; `wait` returns when it answers."""
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._java(), *self._jvm, "kafka.Kafka", str(self.home / "server.properties")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=outlives,
                preexec_fn=None if outlives else dies_with_parent(),
            )
        (self.home / "pid").write_text(str(self._process.pid))

    def wait(self) -> None:
        """Return when the broker answers; raises KafkaUnavailable with its last words when it does not."""
        deadline = time.monotonic() + START_SECONDS
        while not speaks_kafka(self.ports.client):
            if self.pid is None or time.monotonic() > deadline:
                raise KafkaUnavailable(f"Broker {self.number} does not answer; {self.home}/server.log: {self._said()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power cut would; its data stay."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order; after half a minute as a power cut would."""
        self._end(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Send its process a signal: SIGSTOP has it hang, SIGCONT go on."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, number)

    def wipe(self) -> None:
        """End it, and lose its disk."""
        self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        self.send(number)
        deadline = time.monotonic() + STOP_SECONDS
        while self.pid is not None:
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
            time.sleep(0.02)
        self._process = None
        (self.home / "pid").unlink(missing_ok=True)

    def _java(self) -> list[str]:
        return [java(), "-cp", class_path(), f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"]

    def _said(self) -> str:
        return (self.home / "server.log").read_text(errors="replace")[-1500:].strip()


def _is_kafka(pid: int, home: Path) -> bool:
    """Tell whether a process is the broker of that folder: ids are used again."""
    try:
        return str(home).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
