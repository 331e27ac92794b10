"""The file of webhooks: a table for each, with the source whose payloads it takes and that source's own options."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from stream.errors import SettingsError
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.registry import SOURCES
from stream.sources.source import Webhook
from stream.sources.toml_file import paths_beside, toml_of

__all__ = ["MountedWebhook", "WebhookName", "webhooks_of"]

WebhookName = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


class MountedWebhook(Struct, frozen=True):
    """A webhook under its name, which is the end of its path, and what became of what it got."""

    name: str
    webhook: Webhook
    intake: Intake
    aside: list[BadLine]
    """What of the request that is being read is of no use; a request is read in one go."""


class _WebhookTable(Struct, forbid_unknown_fields=True):
    webhooks: dict[WebhookName, dict[str, Any]] = {}
    surveys: dict[str, Any] = {}
    """Read in `survey_file`."""


def webhooks_of(path: Path) -> dict[str, MountedWebhook]:
    """Return the webhooks of a TOML file, by name; raises SettingsError naming the entry at fault."""
    table = toml_of(path, _WebhookTable)
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
        options = msgspec.convert(told, source.options, dec_hook=paths_beside(path))
    except msgspec.ValidationError as failure:
        raise SettingsError(f"{where}: {failure}") from None
    aside: list[BadLine] = []
    intake = Intake(aside.append)
    try:
        return MountedWebhook(name, source.webhook(options, intake), intake, aside)
    except SettingsError as failure:
        raise SettingsError(f"{where}: {failure}") from None
