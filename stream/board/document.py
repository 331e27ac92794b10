"""What the live page and the terminal are told: a panel for each family, and what is wrong."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from stream.board.view import DetailSection, Panel, detail_sections_of, large_of, panel_of, panels_of
from stream.core.family import Board, Family
from stream.core.figure import Row, ShownColumn
from stream.status.freshness import Notice

__all__ = ["Beat", "Detail", "Document", "Picture", "detail_of", "document_of", "picture_of"]


class Picture(Struct, frozen=True, kw_only=True):
    """What a board shows in one window; the same as long as nothing happens."""

    window: str
    panels: Mapping[str, Panel]
    """By family."""


class Beat(Struct, frozen=True, kw_only=True):
    """When the board was taken, and what is wrong with it."""

    at: datetime
    notices: tuple[Notice, ...]


class Document(Picture, frozen=True, kw_only=True):
    """Both at once: what `/board.json` answers."""

    at: datetime
    notices: tuple[Notice, ...]


class Detail(Struct, frozen=True, kw_only=True):
    """One row of a panel in every window: what `/detail.json` answers."""

    at: datetime
    panel: str
    labels: tuple[str, ...]
    now: tuple[ShownColumn, ...]
    """What is shown large."""
    sections: tuple[DetailSection, ...]
    """What is shown in every window."""
    windows: tuple[Row, ...]
    """In the order of the windows, with all that is known; empty where nothing of that name is."""


def picture_of(board: Board, families: Sequence[Family[Any]], window: str, *, ticking: bool = False) -> Picture:
    """Return the board in one window; *ticking* as in `panel_of`."""
    return Picture(window=window, panels=panels_of(board, families, window, ticking=ticking))


def document_of(board: Board, families: Sequence[Family[Any]], window: str, notices: tuple[Notice, ...]) -> Document:
    """Return the board in one window with all there is to say about it."""
    return Document(window=window, panels=panels_of(board, families, window), at=board.at, notices=notices)


def detail_of(board: Board, families: Sequence[Family[Any]], panel: str, name: str) -> Detail:
    """Return what is known of one row of a panel; *name* is its key with slashes between."""
    family = next((one for one in families if one.name == panel), None)
    # No error: an address that somebody kept may name a family that this worker does not have.
    if family is None:
        return Detail(at=board.at, panel=panel, labels=(), now=(), sections=(), windows=())
    return Detail(
        at=board.at,
        panel=panel,
        labels=family.labels,
        now=large_of(family),
        sections=detail_sections_of(family),
        windows=tuple(_details(board, family, families, name)),
    )


def _details(board: Board, family: Family[Any], families: Sequence[Family[Any]], name: str) -> list[Row]:
    # Joined and compared as a whole: names may have slashes in them, so the key that is asked for cannot be split.
    chosen = tuple(
        one for one in board.snapshots.get(family.name, ()) if "/".join(part or "" for part in one.key) == name
    )
    # The other families stay: a row also has what stands beside it, such as the agents of a queue.
    alone = replace(board, snapshots={**board.snapshots, family.name: chosen})
    panels = (panel_of(alone, family, families, window, ticking=True, detailed=True) for window in family.windows)
    return [row for panel in panels for row in panel.rows]
