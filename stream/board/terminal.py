"""The board in a terminal: colour and sign, as wide as the terminal is; once for `replay`, or live from a worker."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec
from aiohttp import ClientError, ClientSession, ClientTimeout
from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stream.board.document import Document
from stream.board.view import Panel
from stream.core.family import Family
from stream.core.figure import Row, Show, ShownColumn
from stream.core.format import (
    amount,
    change,
    count,
    duration,
    elapsed,
    level,
    limit,
    moment,
    printable,
    rate,
    score,
    share,
)
from stream.core.judgement import State
from stream.core.windows import DEFAULT_WINDOW
from stream.status.freshness import Notice

__all__ = ["follow", "print_board", "screen_of", "table_of"]

_STATES: Final = {
    State.BREACHED: ("▼ breach", "bold red"),
    State.AT_RISK: ("● at risk", "bold yellow"),
    State.OK: ("▲ OK", "green"),
    State.NO_SAMPLE: ("– no sample", "dim"),
}

_STYLES: Final = {State.BREACHED: "bold red", State.AT_RISK: "bold yellow", State.OK: "green"}

TIMEOUT = ClientTimeout(total=10)


class _Column(Struct, frozen=True):
    """A column of the table. Rank 0 is always shown, others as long as there is room, low ranks first."""

    title: str
    rank: int
    cell: Callable[[Row], Text]
    justify: Literal["left", "right"] = "right"


_WRITERS: Final[dict[str, Callable[[Any], str]]] = {
    "level": level,
    "share": share,
    "duration": duration,
    "elapsed": elapsed,
    "limit": limit,
    "count": count,
    "score": score,
    "rate": rate,
    "change": change,
    "moment": moment,
    "agents": lambda states: count(states.get("available")),
    "text": lambda value: printable(str(value)),
}

_RANK_OF_LABEL: Final = {"channel": 3}
"""Labels that give way where there is little room; late, if rows cannot be told apart without them."""


def _columns(panel: Panel, families: Sequence[Family[Any]]) -> list[_Column]:
    """Return the labels that tell rows apart (that of the tenant only where there are several), state and figures."""
    several = len({row.get("tenant") for row in panel.rows}) > 1
    first, *others = _labels_but_tenant(panel)
    told = [label for label in others if any(row[label] and _named_by(row, panel) != label for row in panel.rows)]
    labels = [*(["tenant"] if several else ()), first, *told]
    rest = [label for label in panel.labels if label not in _RANK_OF_LABEL]
    alike = len({tuple(row[label] for label in rest) for row in panel.rows}) < len(panel.rows)
    most = 1 if alike else max(_RANK_OF_LABEL.values())
    # A worker tells columns without these: they are functions, and do not travel. The families of this process have
    # them.
    written = {show.name: show.text for show in _all_shows(families) if show.text is not None}
    return [
        *(_Column(name, min(_RANK_OF_LABEL.get(name, 0), most), _label_cell(name, panel), "left") for name in labels),
        _Column("state", 0, _state, "left"),
        *(_Column(one.title, one.rank, _cell(one, written.get(one.name))) for one in panel.columns if one.title),
    ]


def _all_shows(families: Sequence[Family[Any]]) -> Iterator[Show[Any]]:
    for family in families:
        yield from (figure.show for figure in family.figures if figure.show is not None)
        yield from family.beside.shows if family.beside is not None else ()


def _labels_but_tenant(panel: Panel) -> list[str]:
    return [label for label in panel.labels if label != "tenant"]


def _named_by(row: Row, panel: Panel) -> str | None:
    """Return the label that names a row: the first that it has, but for its tenant; None where it is of all of that."""
    return next((label for label in _labels_but_tenant(panel) if row[label]), None)


def _name(row: Row, panel: Panel) -> str:
    by = _named_by(row, panel)
    if by is None:
        return "(all)"
    return str(row[by]) if by == _labels_but_tenant(panel)[0] else f"{by} {row[by]}"


def _label_cell(name: str, panel: Panel) -> Callable[[Row], Text]:
    # A producer chooses the names: control characters in them could drive the terminal of whoever looks.
    if name == _labels_but_tenant(panel)[0]:
        return lambda row: Text(printable(_name(row, panel)))
    return lambda row: Text(printable(row[name] or "" if _named_by(row, panel) != name else ""))


def _state(row: Row) -> Text:
    word, style = _STATES[row["state"]]
    return Text(word, style)


def _cell(column: ShownColumn, text: Callable[[Row], str] | None) -> Callable[[Row], Text]:
    write = text or (lambda row: _written(column, row))

    def cell(row: Row) -> Text:
        # Not a dash, which would say that it has no sample: rows of this kind never have the figure.
        if not column.is_of(row):
            return Text()
        return Text(write(row), _STYLES.get(row["judged"].get(column.judged_as, ""), ""))

    return cell


def _written(column: ShownColumn, row: Row) -> str:
    value = row.get(column.name)
    return amount(value, row.get("currency") or "") if column.format == "amount" else _WRITERS[column.format](value)


_NAMES = frozenset(("queue", "tenant"))

_NAME_WIDTH = 14
"""Room kept for the names of queues; longer ones are cut. Figures never are."""


def table_of(panel: Panel, families: Sequence[Family[Any]], *, width: int) -> Table:
    """Return a panel as a table for a terminal of *width* characters, in the order of its rows."""
    columns = _columns(panel, families)
    cells = {column.title: [column.cell(row) for row in panel.rows] for column in columns}
    widths = {title: max([len(title), *(cell.cell_len for cell in of)]) for title, of in cells.items()}
    shown = _fitting(columns, widths, width)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in shown:
        table.add_column(
            column.title, justify=column.justify, no_wrap=True, overflow="ellipsis", width=widths[column.title]
        )
    for number in range(len(panel.rows)):
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
        # Not a narrower one of a lower rank in its place: which columns there are must not depend on chance.
        if column.rank > 0 and needed > left:
            break
        left -= needed
        chosen.add(column.title)
    for name in sorted(_NAMES & widths.keys()):
        # What no column took is given back to the names, in an order that does not depend on the rows.
        kept = min(widths[name], _NAME_WIDTH)
        given = max(4, min(widths[name], kept + left))
        widths[name], left = given, left - (given - kept)
    return [column for column in columns if column.title in chosen]


def print_board(panels: Mapping[str, Panel], families: Sequence[Family[Any]], window: str, console: Console) -> None:
    """Print the board once: a table for each family that has something to show, the worst rows first."""
    tables = _tables(panels, families, console.width)
    if not tables:
        console.print("No queue: no event of a contact was read.")
        return
    for table in tables:
        console.print(table)
    console.print(Text(f"window: {printable(window)}", "dim"))


def _tables(panels: Mapping[str, Panel], families: Sequence[Family[Any]], width: int) -> list[RenderableType]:
    # A family without columns of its own, such as agents, is shown beside the rows of another one.
    shown = [panel for panel in panels.values() if panel.rows and panel.columns]
    return [table_of(panel, families, width=width) for panel in shown]


def screen_of(
    document: Document,
    families: Sequence[Family[Any]],
    notices: Sequence[Notice],
    *,
    now: datetime,
    width: int,
) -> RenderableType:
    """Return the live board: what is wrong, the panels, and when they were last updated."""
    lines: list[RenderableType] = [_notice(one, now) for one in notices]
    lines += _tables(document.panels, families, width) or [Text("No queue yet.")]
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
    families: Sequence[Family[Any]],
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
        # Drawn by us after each answer, not by a thread of Rich's; on the alternate screen, so that the shell's text
        # is back afterwards.
        with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
            while True:
                answer = await _asked(session, f"{address.rstrip('/')}/board.json?window={window}")
                if isinstance(answer, Document):
                    document, lost = answer, None
                else:
                    # The first failure stands: it says since when.
                    lost = lost or _lost(address, answer, document, clock())
                live.update(_picture(document, families, lost, clock(), console.width), refresh=True)
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
        # Caught first: some timeouts of aiohttp are client errors, too.
        return "no answer in time"
    except (ClientError, msgspec.DecodeError) as error:
        return str(error) or type(error).__name__


def _lost(address: str, why: str, document: Document | None, now: datetime) -> Notice:
    text = f"No board from {printable(address)} ({printable(why)})"
    return Notice(code="connection", severity="stale", text=text, since=document.at if document else now)


def _picture(
    document: Document | None, families: Sequence[Family[Any]], lost: Notice | None, now: datetime, width: int
) -> RenderableType:
    if document is None:
        return _notice(lost, now) if lost else Text("Connecting …")
    return screen_of(document, families, (lost,) if lost else document.notices, now=now, width=width)
