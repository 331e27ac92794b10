"""What the live page and the terminal are told: rows worst first, agents of each tenant, and what is wrong."""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from stream.board.view import SHOWN_WINDOWS, QueueRow, queue_rows, worst_first
from stream.board.waits import waits_of
from stream.families.contacts.snapshot import Board
from stream.status.freshness import Notice

__all__ = ["AgentsRow", "Beat", "Detail", "Document", "Picture", "detail_of", "document_of", "picture_of"]


class AgentsRow(Struct, frozen=True, kw_only=True):
    """Agents of a tenant by state, each counted once."""

    tenant: str
    states: dict[str, int]


class Picture(Struct, frozen=True, kw_only=True):
    """What a board shows in one window; the same as long as nothing happens."""

    window: str
    windows: tuple[str, ...]
    queues: tuple[QueueRow, ...]
    agents: tuple[AgentsRow, ...]


class Beat(Struct, frozen=True, kw_only=True):
    """When the board was taken, and what is wrong with it."""

    at: datetime
    notices: tuple[Notice, ...]


class Document(Picture, frozen=True, kw_only=True):
    """Both at once: what `/board.json` answers."""

    at: datetime
    notices: tuple[Notice, ...]


class Detail(Struct, frozen=True, kw_only=True):
    """One queue and channel in every window: what `/queue.json` answers."""

    at: datetime
    windows: tuple[QueueRow, ...]
    """In the order of `SHOWN_WINDOWS`, with all formulas and waits; empty where no such queue is known."""


def picture_of(board: Board, window: str, *, ticking: bool = False) -> Picture:
    """Return the board in one window; *ticking* as in `queue_rows`."""
    return Picture(
        window=window,
        windows=SHOWN_WINDOWS,
        queues=worst_first(queue_rows(board, window, every_formula=False, ticking=ticking).queues),
        agents=tuple(
            AgentsRow(tenant=one.tenant, states=dict(one.states))
            for one in board.agents
            if one.queue is None and board.whole
        ),
    )


def document_of(board: Board, window: str, notices: tuple[Notice, ...]) -> Document:
    """Return the board in one window with all there is to say about it."""
    picture = picture_of(board, window)
    return Document(
        window=window,
        windows=picture.windows,
        queues=picture.queues,
        agents=picture.agents,
        at=board.at,
        notices=notices,
    )


def detail_of(board: Board, name: str) -> Detail:
    """Return what is known of the queue *name*: tenant, queue and channel with slashes between."""
    alone = replace(
        board, queues=tuple(one for one in board.queues if f"{one.tenant}/{one.queue}/{one.channel}" == name)
    )
    rows = (
        replace(row, waits=waits_of(queue.windows[window]))
        for window in SHOWN_WINDOWS
        for queue, row in zip(alone.queues, queue_rows(alone, window, ticking=True).queues, strict=True)
    )
    return Detail(at=board.at, windows=tuple(rows))
