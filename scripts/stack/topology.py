"""The services of `docker-compose.yml` as processes of this machine, by the files that it mounts: all but Grafana."""

import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from scripts.apache_kafka.cluster import Cluster
from scripts.stack.compose import services
from scripts.stack.places import Places
from scripts.stack.program import Program, StackError
from stream.broker.child import HOST, free_port

__all__ = ["Topology"]

DEBIAN = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}
"""Debian's names of what the images run: of the programs and of their packages."""

NAMED_BY_PROMETHEUS = {"worker:9108", "gateway:9109", "alertmanager:9093", "localhost:9090", "localhost:3000"}
"""The addresses that its configuration must name, to be replaced by those of this machine: else it has changed."""


class Topology:
    """
    Broker, topics, workers, simulator, Prometheus and Alertmanager below the folder *home*, on loopback.

    A context manager: nothing of it is left at the end. Raises StackError or KafkaUnavailable with
    what to install. Ports are those of `docker-compose.yml` where they are *usual* and free.
    """

    def __init__(self, home: Path, *, workers: int = 2, usual: bool = False) -> None:
        self._home = home
        self._services = services()
        self._usual = usual
        commands = {name: _installed(name) for name in DEBIAN}
        self.cluster = Cluster(home / "kafka")
        ports = {name: self._ports(name, workers if name == "worker" else 1) for name in ("worker", *DEBIAN)}
        self._addresses = {
            "kafka:9092": [self.cluster.address],
            # Only by its profile, which nothing here asks for.
            "gateway:9109": [],
            **{f"{name}:{self._services[name].inside}": _at(chosen) for name, chosen in ports.items()},
        }
        self.topics = self._ours("topics")
        self.workers = [self._worker(number, port) for number, port in enumerate(ports["worker"], 1)]
        self.simulator = self._ours("simulator")
        self.prometheus = self._theirs("prometheus", commands["prometheus"], ports["prometheus"][0])
        self.alertmanager = self._theirs("alertmanager", commands["alertmanager"], ports["alertmanager"][0])

    @property
    def programs(self) -> list[Program]:
        """Everything that goes on running, but the broker."""
        return [*self.workers, self.simulator, self.alertmanager, self.prometheus]

    def start(self) -> Self:
        """Start everything in the order of its `depends_on`, and return when all are well."""
        self.cluster.start()
        self.topics.finish()
        for program in self.programs:
            program.start()
        for program in self.programs:
            if program.address:
                program.wait()
        return self

    def stop(self) -> None:
        """End everything, and remove all that it kept."""
        for program in reversed(self.programs):
            program.stop()
        self.cluster.wipe()
        shutil.rmtree(self._home, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _ports(self, name: str, count: int) -> list[int]:
        usual = self._services[name].port
        first = usual if usual and self._usual and _is_free(usual) else free_port()
        return [first, *(free_port() for _ in range(count - 1))]

    def _worker(self, number: int, port: int) -> Program:
        changes = {"CONTACT_STREAM_HTTP_HOST": HOST, "CONTACT_STREAM_HTTP_PORT": str(port)}
        return self._ours("worker", f"worker-{number}", changes, port)

    def _ours(
        self, name: str, log: str = "", changes: Mapping[str, str] | None = None, port: int | None = None
    ) -> Program:
        service = self._services[name]
        here = Places(self._addresses, {mount.inside: str(mount.path) for mount in service.mounts})
        environment = {variable: here.text(value) for variable, value in service.environment.items()}
        return Program(
            [sys.executable, "-m", "stream", *map(here.text, service.command)],
            self._log(log or name),
            environment=environment | dict(changes or {}),
            address=f"http://{HOST}:{port}" if port else "",
            health=service.health or "",
        )

    def _theirs(self, name: str, command: str, port: int) -> Program:
        service = self._services[name]
        folder = self._home / name
        paths = {mount.inside: str(folder / mount.inside.strip("/")) for mount in service.mounts}
        # A browser, and Prometheus about itself, say localhost. Grafana does not run here: links to it stay.
        grafana = f"localhost:{self._services['grafana'].inside}"
        here = Places(self._addresses | {grafana: [grafana], f"localhost:{service.inside}": [f"{HOST}:{port}"]}, paths)
        for mount in service.mounts:
            if not mount.is_volume:
                shutil.copytree(mount.path, paths[mount.inside])
        file = Path(paths[f"/etc/{name}"]) / f"{name}.yml"
        file.write_text(yaml.safe_dump(_LAID_OUT[name](yaml.safe_load(file.read_text()), here)))
        options = [*map(here.text, service.command), f"--web.listen-address={HOST}:{port}"]
        return Program(
            [command, *options],
            self._log(name),
            environment={},
            address=f"http://{HOST}:{port}",
            health=service.health or "",
        )

    def _log(self, name: str) -> Path:
        self._home.mkdir(parents=True, exist_ok=True)
        return self._home / f"{name}.log"


def _scraping_here(document: dict[str, Any], here: Places) -> object:
    return here.configuration(document, expected=NAMED_BY_PROMETHEUS)


def _telling_nobody(document: dict[str, Any], here: Places) -> object:
    # Those who would be told are not on this machine: routes lead to receivers that only have a name.
    receivers = [{"name": receiver["name"]} for receiver in document["receivers"]]
    return here.configuration(document, expected=set()) | {"receivers": receivers}


_LAID_OUT = {"prometheus": _scraping_here, "alertmanager": _telling_nobody}


def _installed(name: str) -> str:
    found = shutil.which(DEBIAN[name]) or shutil.which(name)
    if found is None:
        raise StackError(f"{DEBIAN[name]} is missing; on Debian: apt-get install {' '.join(DEBIAN.values())}")
    return found


def _at(ports: Sequence[int]) -> list[str]:
    return [f"{HOST}:{port}" for port in ports]


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
