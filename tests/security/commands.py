"""Our commands as processes, with the settings in their environment that an administrator would set."""

import subprocess
import sys
from pathlib import Path

from msgspec.structs import fields

from stream.security.kafka_security import KafkaSecurity
from stream.settings import PREFIX, Settings

__all__ = ["command", "environment"]

ROOT = Path(__file__).parents[2]


def environment(address: str, security: KafkaSecurity, settings: Settings) -> dict[str, str]:
    """Return the variables, and nothing else."""
    given = {"broker": address, "group": settings.group, "partitions": settings.partitions, "http_port": "0"}
    given |= {field.name: getattr(security, field.name) for field in fields(KafkaSecurity)}
    return {f"{PREFIX}{name.upper()}": str(value) for name, value in given.items() if value}


def command(*arguments: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    program = [sys.executable, "-m", "stream", *arguments]
    return subprocess.run(program, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
