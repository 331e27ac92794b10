"""The board in a terminal: colour and sign, as wide as the terminal is; once for `replay`, or live from a worker."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout
from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stream.board.document import Document
from stream.board.format import count, duration, elapsed, level, limit, printable, share
from stream.board.view import DEFAULT_WINDOW, QueueRow, State, worst_first
from stream.status.freshness import Notice

__all__ = ["board_of", "follow", "print_rows", "table_of"]

_STATES: Final = {
    State.BREACHED: ("▼ breach", "bold red"),
    State.AT_RISK: ("● at risk", "bold yellow"),
    State.OK: ("▲ OK", "green"),
    State.NO_SAMPLE: ("– no sample", "dim"),
}

TIMEOUT = ClientTimeout(total=10)


class _Column(Struct, frozen=True):
    """A column of the table. Rank 0 is always shown, others as long as there is room, low ranks first."""

    title: str
    rank: int
    cell: Callable[[QueueRow], Text]
    justify: Literal["left", "right"] = "right"


def _state(row: QueueRow) -> Text:
    word, style = _STATES[row.state]
    return Text(word, style)


def _level(row: QueueRow) -> Text:
    return Text(level(row.service_level), _STATES[row.state][1])


def _target(row: QueueRow) -> Text:
    return Text(f"{level(row.target)} in {limit(row.threshold_seconds)} {printable(row.formula)}")


def _longest(row: QueueRow) -> Text:
    wait = row.longest_wait_seconds
    known = wait if isinstance(wait, int | float) else None
    return Text(elapsed(known), "bold yellow" if row.waiting_past_threshold else "")


def _staff(row: QueueRow) -> Text:
    if not row.agents:
        return Text()
    return Text(f"{row.agents.get('available', 0)}/{row.agents.get('on_contact', 0)}")


_COLUMNS: Final = (
    _Column("queue", 0, lambda row: Text(printable(row.queue)), "left"),
    _Column("channel", 3, lambda row: Text(printable(row.channel)), "left"),
    _Column("state", 0, _state, "left"),
    _Column("SL", 0, _level),
    _Column("target", 6, _target),
    _Column("open", 0, lambda row: Text(count(row.open_cases))),
    _Column("longest", 0, _longest),
    _Column("ASA", 1, lambda row: Text(duration(row.asa_seconds))),
    _Column("aband.", 2, lambda row: Text(share(row.abandonment_ratio))),
    _Column("blocked", 4, lambda row: Text(share(row.blocking_ratio))),
    _Column("AHT", 5, lambda row: Text(duration(row.aht_seconds))),
    _Column("offered", 7, lambda row: Text(count(row.offered))),
    _Column("answered", 8, lambda row: Text(count(row.answered))),
    _Column("free/busy", 9, _staff),
)

_TENANT = _Column("tenant", 0, lambda row: Text(printable(row.tenant)), "left")

_NAMES = frozenset(("queue", "tenant"))

_NAME_WIDTH = 14
"""Room kept for the names of queues; longer ones are cut. Figures never are."""


def table_of(rows: Iterable[QueueRow], *, width: int) -> Table:
    """Return the board as a table for a terminal of *width* characters, in the order of *rows*."""
    rows = list(rows)
    several = len({row.tenant for row in rows}) > 1
    columns = (_TENANT, *_COLUMNS) if several else _COLUMNS
    cells = {column.title: [column.cell(row) for row in rows] for column in columns}
    widths = {title: max([len(title), *(cell.cell_len for cell in of)]) for title, of in cells.items()}
    shown = _fitting(columns, widths, width)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in shown:
        table.add_column(
            column.title, justify=column.justify, no_wrap=True, overflow="ellipsis", width=widths[column.title]
        )
    for number in range(len(rows)):
        table.add_row(*(cells[column.title][number] for column in shown))
    return table


def _fitting(columns: Sequence[_Column], widths: dict[str, int], width: int) -> list[_Column]:
    """
    Return the columns that fit beside each other, in their order.

    Cuts the width of names to what is left for them.
    """
    left = width + 2  # two between columns, and the last one needs none
    chosen = set()
    for column in sorted(columns, key=lambda one: one.rank):
        wanted = widths[column.title]
        needed = 2 + (min(wanted, _NAME_WIDTH) if column.title in _NAMES else wanted)
        if column.rank > 0 and needed > left:
            break
        left -= needed
        chosen.add(column.title)
    for name in sorted(_NAMES & widths.keys()):
        kept = min(widths[name], _NAME_WIDTH)
        given = max(4, min(widths[name], kept + left))
        widths[name], left = given, left - (given - kept)
    return [column for column in columns if column.title in chosen]


def print_rows(rows: Iterable[QueueRow], console: Console) -> None:
    """Print the board once, worst queue first."""
    ordered = worst_first(rows)
    if not ordered:
        console.print("No queue: no event of a contact was read.")
        return
    console.print(table_of(ordered, width=console.width))
    console.print(Text(f"window: {printable(ordered[0].window)}", "dim"))


def board_of(document: Document, notices: Sequence[Notice], *, now: datetime, width: int) -> RenderableType:
    """Return the live board: what is wrong, the queues, and when they were last updated."""
    lines: list[RenderableType] = [_notice(one, now) for one in notices]
    lines.append(table_of(document.queues, width=width) if document.queues else Text("No queue yet."))
    at = document.at.astimezone().strftime("%H:%M:%S")
    lines.append(Text(f"last update {at} · window {printable(document.window)}", "dim"))
    return Group(*lines)


def _notice(notice: Notice, now: datetime) -> Text:
    style = "bold white on red" if notice.severity == "stale" else "black on yellow"
    text = f" ! {printable(notice.text)}"
    if notice.since is not None:
        ago = elapsed((now - notice.since).total_seconds())
        text += f", since {notice.since.astimezone().strftime('%H:%M:%S')} ({ago} ago)"
    return Text(f"{text} ", style)


async def follow(
    address: str,
    console: Console,
    *,
    clock: Callable[[], datetime],
    window: str = DEFAULT_WINDOW,
    every: timedelta = timedelta(seconds=1),
) -> None:
    """
    Show the board of a worker until cancelled.

    While the worker does not answer, its last board stays, under a line that says since when; it is
    asked again every *every*.
    """
    document: Document | None = None
    lost: Notice | None = None
    async with ClientSession(timeout=TIMEOUT) as session:
        with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
            while True:
                answer = await _asked(session, f"{address.rstrip('/')}/board.json?window={window}")
                if isinstance(answer, Document):
                    document, lost = answer, None
                else:
                    lost = lost or _lost(address, answer, document, clock())
                live.update(_picture(document, lost, clock(), console.width), refresh=True)
                await asyncio.sleep(every.total_seconds())


async def _asked(session: ClientSession, url: str) -> Document | str:
    """Return the board, or why there is none."""
    try:
        async with session.get(url) as answer:
            body = await answer.read()
            if answer.status != 200:
                return f"{answer.status} {answer.reason}"
            return msgspec.json.decode(body, type=Document)
    except TimeoutError:
        return "no answer in time"
    except (ClientError, msgspec.DecodeError) as error:
        return str(error) or type(error).__name__


def _lost(address: str, why: str, document: Document | None, now: datetime) -> Notice:
    text = f"No board from {printable(address)} ({printable(why)})"
    return Notice(code="connection", severity="stale", text=text, since=document.at if document else now)


def _picture(document: Document | None, lost: Notice | None, now: datetime, width: int) -> RenderableType:
    if document is None:
        return _notice(lost, now) if lost else Text("Connecting …")
    return board_of(document, (lost,) if lost else document.notices, now=now, width=width)
