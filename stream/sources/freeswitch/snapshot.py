"""What FreeSWITCH answers when it is asked who is where: the tables of `callcenter_config`, read as rows."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

__all__ = [
    "LIST_AGENTS",
    "LIST_MEMBERS",
    "LIST_QUEUES",
    "LIST_TIERS",
    "CallcenterSnapshot",
    "NoTable",
    "queue_names",
    "table_rows",
]

LIST_QUEUES: Final = "callcenter_config queue list"
LIST_AGENTS: Final = "callcenter_config agent list"
LIST_TIERS: Final = "callcenter_config tier list"
LIST_MEMBERS: Final = "callcenter_config queue list members"

_FREE: Final = frozenset({"contact", "cid_name", "record_template", "moh_sound"})
"""Columns that may hold bars of their own, such as `user/1001|user/1002`; at most one has them in a row."""

_Row = Mapping[str, str]


class NoTable(Exception):
    """FreeSWITCH has answered with an error: mod_callcenter may not be loaded, or not yet."""


class CallcenterSnapshot(Struct, frozen=True, kw_only=True):
    """Everything at one time_at, in microseconds after 1970, as rows by the names of their columns."""

    at: int
    core: str = ""
    """The run of FreeSWITCH; empty if it does not say."""
    queues: Sequence[_Row] = ()
    agents: Sequence[_Row] = ()
    tiers: Sequence[_Row] = ()
    members: Sequence[_Row] = ()


def table_rows(body: bytes) -> list[_Row]:
    """Return the rows of an answer; raises NoTable. Rows that do not fit their heads are left out."""
    lines = body.decode(errors="replace").splitlines()
    if body.startswith(b"-"):
        raise NoTable("callcenter_config is answered with an error")
    heads = lines[0].split("|") if lines else []
    rows = [_cells(line.split("|"), heads) for line in lines[1:] if not line.startswith("+OK")]
    return [dict(zip(heads, cells, strict=True)) for cells in rows if len(cells) == len(heads)]


def _cells(cells: list[str], heads: Sequence[str]) -> list[str]:
    surplus = len(cells) - len(heads)
    free = [place for place, head in enumerate(heads) if head in _FREE]
    if surplus > 0 and free:
        place = free[0]
        cells[place : place + surplus + 1] = ["|".join(cells[place : place + surplus + 1])]
    return cells


def queue_names(queues: Sequence[_Row]) -> list[str]:
    """Return the queues that can be asked about: a name with a space or a control would be another command."""
    names = [row.get("name", "") for row in queues]
    return [name for name in names if name and name.isprintable() and " " not in name]
