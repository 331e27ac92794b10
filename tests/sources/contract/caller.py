"""How one system calls a webhook, as the contract of webhooks wants to be told."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from stream.sources.source import Received, Source
from tests.sources.new_sources import BEGIN

__all__ = ["SECRET", "URL", "Caller", "altered", "received", "secret_file"]

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
