"""What `docker-compose.yml` says of a service: command, environment, mounts, ports, health. It starts nothing."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

__all__ = ["ROOT", "Mount", "Service", "services"]

ROOT = Path(__file__).parents[2]


class Mount(NamedTuple):
    """A folder or file of this checkout, or a volume, and where a container sees it."""

    source: str
    inside: str

    @property
    def is_volume(self) -> bool:
        """Whether it is a named volume, and nothing of this checkout."""
        return not self.source.startswith("./")

    @property
    def path(self) -> Path:
        """Where it is in this checkout."""
        return ROOT / self.source


class Service(NamedTuple):
    """One service."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    mounts: Sequence[Mount]
    port: int | None
    """On the host; None where nothing is published."""
    inside: int | None
    """The same in the container."""
    check: Sequence[str]
    """What its health check runs; empty where it has none."""

    @property
    def health(self) -> str | None:
        """Path of the page that its health check asks for; None where it asks otherwise."""
        found = re.search(r"http://[^/]+(/[\w/-]*)", " ".join(self.check))
        return found and found[1]


def services() -> dict[str, Service]:
    """Return the services by name."""
    described = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return {name: _service(name, entry) for name, entry in described.items()}


def _service(name: str, entry: Mapping[str, Any]) -> Service:
    port, inside = _ports(entry.get("ports", []))
    return Service(
        name=name,
        command=entry.get("command", []),
        environment=entry.get("environment", {}),
        mounts=[Mount(*volume.removesuffix(":ro").split(":")) for volume in entry.get("volumes", [])],
        port=port,
        inside=inside,
        check=entry.get("healthcheck", {}).get("test", [])[1:],
    )


def _ports(written: Sequence[str]) -> tuple[int, int] | tuple[None, None]:
    if not written:
        return None, None
    (only,) = written
    _, published, inside = only.split(":")
    return int(published), int(inside)
