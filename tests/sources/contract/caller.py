"""How one system calls a webhook, as the contract of webhooks wants to be told."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from stream.sources.source import Received, Source
from tests.sources.new_sources import BEGIN

__all__ = ["SECRET", "URL", "Caller", "altered", "received", "secret_file", "webhook_file_of"]

URL: Final = "https://events.example.org/v1/webhooks/one"

SECRET: Final = "a-secret-of-the-tests"


class Caller(Struct, frozen=True, kw_only=True):
    """How one system calls; its secret is SECRET."""

    source: Source
    options: Callable[[Path], Struct]
    """Of the source, with files in the folder that is given."""
    signed: Callable[[bytes], Received]
    bodies: Sequence[bytes]
    """What it sends when somebody calls, as it was recorded or documented."""
    unknown: bytes
    """What it sends of a kind that nobody knows."""
    at: datetime = BEGIN
    """When the board is looked at, after all of `bodies` came."""
    figures: str = ""
    """What the board has then, counted by hand: lines of `/metrics` with the labels that matter."""


def received(body: bytes, headers: Mapping[str, str]) -> Received:
    return Received(body, headers, URL, BEGIN)


def secret_file(folder: Path) -> Path:
    """Write the secret of a sender to a file."""
    path = folder / "secret"
    path.write_text(f"{SECRET}\n", encoding="utf-8")
    return path


def altered(request: Received, **changed: object) -> Received:
    """Return a request of which something is not as it was signed."""
    return replace(request, **changed)


def _in_toml(value: object) -> str:
    """Return a value as an inline value of TOML, which knows no null."""
    if not isinstance(value, dict):
        return json.dumps(value)
    return (
        "{" + ", ".join(f"{json.dumps(key)} = {_in_toml(one)}" for key, one in value.items() if one is not None) + "}"
    )


def webhook_file_of(caller: Caller, folder: Path) -> Path:
    """Write the file of webhooks of one whose name is the end of URL."""
    told = msgspec.to_builtins(caller.options(folder), enc_hook=str)
    lines = [f"{name} = {_in_toml(value)}" for name, value in told.items() if value is not None]
    path = folder / "webhooks.toml"
    path.write_text("\n".join(["[webhooks.one]", f'source = "{caller.source.name}"', *lines]), encoding="utf-8")
    return path
