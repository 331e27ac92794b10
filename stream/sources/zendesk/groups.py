"""What groups of Zendesk are called: a file, since events and exports tell only their ids."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from stream.sources.queue_names import QueueNames

__all__ = ["names_of_groups"]


def names_of_groups(file: Path | None) -> QueueNames:
    """Return names by id, from what the API answered; raises SettingsError."""
    return QueueNames(file, _listed, "a list of groups, each with id and name, as `GET /api/v2/groups` answers")


class _Group(Struct):
    id: int
    name: str


class _GroupPage(Struct):
    groups: list[_Group]


def _listed(content: bytes) -> Mapping[str, str]:
    told = msgspec.json.decode(content, type=list[_Group] | _GroupPage)
    return {str(group.id): group.name for group in (told.groups if isinstance(told, _GroupPage) else told)}
