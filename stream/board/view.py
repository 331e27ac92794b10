"""From a board to the rows that the page, the terminal and `replay --json` share. Pure: no clock, no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, convert
from msgspec.structs import replace

from stream.core.family import Board, Family, worst
from stream.core.figure import Reading, Row, Show, ShownColumn
from stream.core.judgement import State

__all__ = [
    "DetailSection",
    "Panel",
    "detail_sections_of",
    "large_of",
    "panel_of",
    "panels_of",
    "shows_of",
    "worst_first",
]


class DetailSection(Struct, frozen=True, kw_only=True):
    """Some lines of a detail, and the word above them."""

    name: str
    lines: tuple[ShownColumn, ...]


class Panel(Struct, frozen=True, kw_only=True):
    """One family on a board: what its rows are of, its columns, and a row for each snapshot, worst first."""

    window: str
    """In which its rows are: the one that is asked for, or the next longer one of the family."""
    windows: tuple[str, ...]
    """In which its rows can be had."""
    labels: tuple[str, ...]
    columns: tuple[ShownColumn, ...]
    rows: tuple[Row, ...]


def panels_of(
    board: Board, families: Sequence[Family[Any]], window: str, *, ticking: bool = False, detailed: bool = False
) -> dict[str, Panel]:
    """Return what each family shows in a window, by its name; *ticking* and *detailed* as in `panel_of`."""
    return {
        family.name: panel_of(board, family, families, window, ticking=ticking, detailed=detailed)
        for family in families
    }


def panel_of(
    board: Board,
    family: Family[Any],
    families: Sequence[Family[Any]],
    window: str,
    *,
    ticking: bool = False,
    detailed: bool = False,
) -> Panel:
    """
    Return what one of *families* shows in a window (one of those shown, or `ALL`), or in its own if it lacks that one.

    *ticking* rows tell when something began instead of how long it lasts, so that they only change when
    something happened. *detailed* ones tell what only the detail of one row shows.
    """
    window = family.window_for(window)
    beside = [other for other in families if family.staffed and other.beside is not None and other is not family]
    # No row rather than a wrong one: agents of some partitions would look like all there are.
    rows = [] if _is_a_part(board, family) else _rows(board, family, beside, window, detailed=detailed)
    if ticking:
        rows = [_without(row, _ticking(family)) for row in rows]
    # A column that would be empty in every row is left out: many call systems tell nothing of agents.
    told = [other for other in beside if any(row[other.name] for row in rows)]
    own = (shows_of(family)[name] for name in family.columns)
    shows = (*own, *(show for other in told if other.beside for show in other.beside.shows))
    return Panel(
        window=window,
        windows=family.windows,
        labels=family.labels,
        columns=tuple(map(_column, shows)),
        rows=worst_first(rows, family),
    )


def worst_first(rows: Iterable[Row], family: Family[Any]) -> tuple[Row, ...]:
    """Order for the wall: by state, then as the family says, then by key."""

    def place(row: Row) -> tuple[Any, ...]:
        # The key comes last, so that rows that are alike keep their places from one second to the next.
        key = tuple(row[label] or "" for label in family.labels)
        return list(State).index(row["state"]), *family.urgency(row), *key

    return tuple(sorted(rows, key=place))


def _is_a_part(board: Board, family: Family[Any]) -> bool:
    """Tell whether what a board has of a family would look like the whole, and is not."""
    return family.parts and not board.whole


def shows_of(family: Family[Any]) -> dict[str, Show[Any]]:
    """Return how each figure and fact of a family is shown, by its name."""
    figures = (figure.show for figure in family.figures if figure.show is not None)
    return {show.name: show for show in (*figures, *family.shows)}


def large_of(family: Family[Any]) -> tuple[ShownColumn, ...]:
    """Return what the detail of a row shows large."""
    windowed = _windowed(family)
    return tuple(replace(line, windowed=line.name in windowed) for line in _lines(family, family.now))


def detail_sections_of(family: Family[Any]) -> tuple[DetailSection, ...]:
    """Return what the detail of a row shows in every window."""
    placed = {name for names in family.sections.values() for name in names}
    sections = {"": [name for name in _windowed(family) if name not in placed], **family.sections}
    return tuple(DetailSection(name=name, lines=_lines(family, names)) for name, names in sections.items())


def _windowed(family: Family[Any]) -> list[str]:
    return [figure.show.name for figure in family.figures if figure.show is not None and figure.windowed]


def _lines(family: Family[Any], names: Iterable[str]) -> tuple[ShownColumn, ...]:
    shows = [shows_of(family)[name] for name in names]
    # In a list a figure may stand for another one that is judged; a detail has both, and only that one has a sign.
    return tuple(replace(_column(one), judged_as=one.judged_as if one.judge else "") for one in shows)


def _ticking(family: Family[Any]) -> frozenset[str]:
    return frozenset(figure.show.name for figure in family.figures if figure.show is not None and figure.show.since)


def _without(row: Row, names: frozenset[str]) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def _column(show: Show[Any]) -> ShownColumn:
    return convert(show, ShownColumn, from_attributes=True)


def _rows(
    board: Board, family: Family[Any], beside: Sequence[Family[Any]], window: str, *, detailed: bool
) -> list[Row]:
    reading = board.reading(family)
    # By columns, and only then by rows: what several figures compute of a snapshot is computed once for all of them.
    columns, judged = _figures(family, reading, window)
    told = {**family.facts, **family.details} if detailed else family.facts
    columns |= {name: column(reading, window) for name, column in told.items()}
    fields = {other.name: _beside(board, other) for other in beside}
    states = None if family.state is None else family.state(reading, window)
    rows = []
    for place, snapshot in enumerate(reading.snapshots):
        row: Row = dict(zip(family.labels, snapshot.key, strict=True))
        row["window"] = window
        # Whoever reads a row takes a verdict that is missing for one without a sample.
        row["judged"] = verdicts = {name: of[place] for name, of in judged.items() if of[place] != State.NO_SAMPLE}
        row["state"] = worst(verdicts.values()) if states is None else states[place]
        row |= {name: column[place] for name, column in columns.items()}
        # Empty where nothing is known, and never missing: readers need not ask whether a family is there.
        row |= {name: dict(known.get(_queue_of(row), {})) for name, known in fields.items()}
        rows.append(row)
    return rows


def _figures(
    family: Family[Any], reading: Reading[Any], window: str
) -> tuple[dict[str, Sequence[Any]], dict[str, Sequence[State]]]:
    columns: dict[str, Sequence[Any]] = {}
    judged: dict[str, Sequence[State]] = {}
    for figure in family.figures:
        if figure.show is not None and figure.column is not None:
            columns[figure.show.name] = column = figure.column(reading, window)
            if figure.show.judge is not None:
                judged[figure.show.judged_as] = figure.show.judge(reading, column)
    return columns, judged


def _queue_of(row: Row) -> tuple[str, str]:
    return row.get("tenant", ""), row.get("queue", "")


def _beside(board: Board, family: Family[Any]) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """Return what rows of the same tenant and queue show of another family."""
    if family.beside is None or _is_a_part(board, family):
        return {}
    return dict(filter(None, map(family.beside.field, board.snapshots.get(family.name, ()))))
