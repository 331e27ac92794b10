"""The file of webhooks: a table for each, with the source whose payloads it takes and that source's own options."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from stream.errors import SettingsError
from stream.security.watched_file import WatchedFile
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.registry import SOURCES
from stream.sources.source import Webhook
from stream.sources.toml_file import paths_beside, toml_of

__all__ = ["MountedWebhook", "WebhookName", "mounted_webhook", "webhooks_of"]

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


class _WatchedWebhooks(Mapping[str, MountedWebhook]):
    """
    What the file says now: it is read again within a second after it has changed.

    All of its webhooks are made anew then, which lose nothing by it, since they keep nothing. Counts go on.
    """

    def __init__(self, path: Path) -> None:
        self._counted: dict[str, MountedWebhook] = {}
        self._file = WatchedFile(path, self._read)

    def __getitem__(self, name: str) -> MountedWebhook:
        return self._file.content()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.content())

    def __len__(self) -> int:
        return len(self._file.content())

    def _read(self, path: Path) -> dict[str, MountedWebhook]:
        table = toml_of(path, _WebhookTable)
        found = {
            name: mounted_webhook(path, name, told, self._counted.get(name)) for name, told in table.webhooks.items()
        }
        # One that is taken away and comes back goes on counting, too.
        self._counted |= found
        return found


def webhooks_of(path: Path) -> Mapping[str, MountedWebhook]:
    """
    Return the webhooks of a TOML file, by name, always as it says them now.

    Raises SettingsError naming the entry at fault. A later change that is at fault is logged, and changes nothing.
    """
    return _WatchedWebhooks(path)


def mounted_webhook(
    path: Path, name: str, table: Mapping[str, Any], before: MountedWebhook | None = None
) -> MountedWebhook:
    """
    Return what a table of the file at *path* says, which goes on with the counts of the one *before*.

    Raises SettingsError naming what is at fault.
    """
    where = f"{path}: webhooks.{name}"
    told = dict(table)
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
    aside: list[BadLine] = [] if before is None else before.aside
    intake = Intake(aside.append) if before is None else before.intake
    try:
        return MountedWebhook(name, source.webhook(options, intake), intake, aside)
    except SettingsError as failure:
        raise SettingsError(f"{where}: {failure}") from None
