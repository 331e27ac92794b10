"""The file of webhooks: a table for each, with the source whose payloads it takes and that source's own options."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from stream.errors import SettingsError
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.registry import SOURCES
from stream.sources.source import Webhook

__all__ = ["MountedWebhook", "webhooks_of"]

WebhookName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class MountedWebhook(Struct, frozen=True):
    """A webhook under its name, which is the end of its path, and what became of what it got."""

    name: str
    webhook: Webhook
    intake: Intake
    aside: list[BadLine]
    """What of the request that is being read is of no use; a request is read in one go."""


class _WebhookTable(Struct, forbid_unknown_fields=True):
    webhooks: dict[WebhookName, dict[str, Any]]


def webhooks_of(path: Path) -> dict[str, MountedWebhook]:
    """Return the webhooks of a TOML file, by name; raises SettingsError naming the entry at fault."""
    try:
        table = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _WebhookTable)
    except OSError as failure:
        raise SettingsError(f"{path} cannot be read: {failure.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8") from None
    # What tomllib and msgspec say names a place, and quotes nothing.
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as failure:
        raise SettingsError(f"{path}: {failure}") from None
    return {name: _mounted(path, name, told) for name, told in table.webhooks.items()}


def _mounted(path: Path, name: str, told: dict[str, Any]) -> MountedWebhook:
    where = f"{path}: webhooks.{name}"
    named = told.pop("source", None)
    source = SOURCES.get(named) if isinstance(named, str) else None
    if source is None or source.webhook is None:
        able = " ".join(sorted(each.name for each in SOURCES.values() if each.webhook))
        raise SettingsError(f"{where}.source: name one of the sources that take webhooks: {able}")
    unknown = told.keys() - set(source.options.__struct_fields__)
    if unknown:
        known = ", ".join(source.options.__struct_fields__)
        raise SettingsError(f"{where}: {source.name} has no option {', '.join(sorted(unknown))}; it has: {known}")
    try:
        options = msgspec.convert(told, source.options, dec_hook=_beside(path))
    except msgspec.ValidationError as failure:
        raise SettingsError(f"{where}: {failure}") from None
    aside: list[BadLine] = []
    intake = Intake(aside.append)
    try:
        return MountedWebhook(name, source.webhook(options, intake), intake, aside)
    except SettingsError as failure:
        raise SettingsError(f"{where}: {failure}") from None


def _beside(path: Path) -> Callable[[type, object], object]:
    """Return what reads paths: those that are relative stand beside the file, so that both can be moved together."""

    def decoded(kind: type, value: object) -> object:
        if kind is Path and isinstance(value, str):
            return path.parent / value
        raise TypeError(f"Expected the {'path of a file' if kind is Path else kind.__name__}")

    return decoded
