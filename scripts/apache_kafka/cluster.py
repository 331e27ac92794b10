"""Apache Kafka of one or three brokers on this machine (KRaft, loopback, free ports), for tests and benchmarks."""

import base64
import json
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.apache_kafka.distribution import KafkaUnavailable
from scripts.apache_kafka.node import Node, Ports
from scripts.apache_kafka.secured import Secured
from stream.broker.child import HOST, free_port

__all__ = ["Cluster"]

BROKERS = (1, 3)
_DESCRIPTION = "cluster.json"


class Cluster:
    """
    A cluster in the folder *home*, as a context manager: stopped and wiped at the end.

    A folder that holds a cluster already is taken as it is, with its ports and records. Brokers that are *short_lived*
    start in half the time, and are slower for ever: for tests, not for benchmarks. Raises KafkaUnavailable with what to
    install where Java or Maven is missing.
    """

    def __init__(
        self,
        home: Path,
        *,
        brokers: int = 1,
        settings: Mapping[str, str] | None = None,
        security: Secured | None = None,
        short_lived: bool = False,
    ) -> None:
        self.home = home.resolve()
        described = self.home / _DESCRIPTION
        if described.exists():
            known = json.loads(described.read_text())
        else:
            if brokers not in BROKERS:
                raise KafkaUnavailable(f"A cluster has {' or '.join(map(str, BROKERS))} brokers, not {brokers}")
            known = {"id": _new_id(), "ports": [[free_port(), free_port()] for _ in range(brokers)]}
        self._id: str = known["id"]
        self._listeners = dict(security.listeners if security else {})
        self._settings = dict(security.settings if security else {}) | dict(settings or {})
        self._passwords = dict(security.passwords if security else {})
        self.nodes = [
            Node(number, Ports(*ports), self.home / f"broker-{number}", short_lived=short_lived)
            for number, ports in enumerate(known["ports"], 1)
        ]

    @property
    def address(self) -> str:
        """The brokers' addresses as clients take them: `host:port,host:port`."""
        return ",".join(node.address for node in self.nodes)

    def start(self, *, outlives: bool = False) -> Self:
        """Start every broker that does not run, and return when all answer."""
        self.home.mkdir(parents=True, exist_ok=True)
        ports = [list(node.ports) for node in self.nodes]
        (self.home / _DESCRIPTION).write_text(json.dumps({"id": self._id, "ports": ports}))
        starting = [node for node in self.nodes if node.pid is None]
        try:
            for node in starting:
                node.format(self._id, self._properties(node), self._passwords)
                node.spawn(outlives=outlives)
            for node in starting:
                node.wait()
        except subprocess.CalledProcessError as failure:
            raise KafkaUnavailable(
                f"Apache Kafka cannot format its folder: {failure.stdout}{failure.stderr}"
            ) from failure
        return self

    def stop(self) -> None:
        """Stop every broker in order; records and ports stay."""
        for node in self.nodes:
            node.stop()

    def wipe(self) -> None:
        """End every broker, and remove all they held."""
        for node in self.nodes:
            node.wipe()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.wipe()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()

    def _properties(self, node: Node) -> list[str]:
        voters = ",".join(f"{voter.number}@{HOST}:{voter.ports.controller}" for voter in self.nodes)
        copies = len(self.nodes)
        more = [f"{name}://{address}" for name, (_, address) in self._listeners.items()]
        protocols = [f"{name}:{protocol}" for name, (protocol, _) in self._listeners.items()]
        properties = {
            "process.roles": "broker,controller",
            "node.id": node.number,
            "controller.quorum.voters": voters,
            "listeners": ",".join([f"CLIENT://{node.address}", f"CONTROLLER://{HOST}:{node.ports.controller}", *more]),
            "advertised.listeners": ",".join([f"CLIENT://{node.address}", *more]),
            "inter.broker.listener.name": "CLIENT",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": ",".join(["CLIENT:PLAINTEXT", "CONTROLLER:PLAINTEXT", *protocols]),
            "log.dirs": node.data,
            # Topics are declared by whoever uses them.
            "auto.create.topics.enable": "false",
            "default.replication.factor": copies,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            # With one of three brokers gone, the others go on.
            "min.insync.replicas": copies // 2 + 1,
            "transaction.state.log.min.isr": copies // 2 + 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.num.partitions": 4,
            # A test does not wait for members that may come.
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "broker.session.timeout.ms": 6000,
        }
        return [f"{name}={value}" for name, value in (properties | self._settings).items()]


def _new_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
