"""Rows of Asterisk's realtime table `queue_log`, exported as text or CSV: the same fields, and a local time.

A first line may name the columns; without one they are those of Asterisk's own table. Cells are separated by a bar, a
tab, a comma or a semicolon, as database clients do.
"""

import csv
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from stream.core.windows import EPOCH

__all__ = ["NEEDED_COLUMNS", "BadRow", "Layout", "RowReader", "TableRow", "is_rule"]

TABLE_COLUMNS: Final = ("time", "callid", "queuename", "agent", "event", "data1", "data2", "data3", "data4", "data5")
NEEDED_COLUMNS: Final = frozenset(TABLE_COLUMNS[:5])
# How clients of MySQL and PostgreSQL write a missing value.
_NULLS: Final = frozenset({"NULL", r"\N"})

_SEPARATOR = re.compile(r'\s*[|]?\s*"?[\w:.+ -]+?"?\s*([|,;\t])')
"""A first cell, and what separates it from the second."""
_LOCAL = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:)(\d\d)(\.\d{1,9})?([+-]\d\d(?::?\d\d)?|Z)?")
_EPOCH = re.compile(r"\d{1,12}(?:\.\d{1,6})?")
_RULE = re.compile(r"[-+|\s]+|\(\d+ rows?\)")
"""What clients print around a table."""

# Several processes write the table, so a time may lie a little before the newest one. Only what lies further
# back is taken for the second of two hours that clocks call by the same name.
_SLACK_MICROS = 60 * 1_000_000


class Layout(Struct, frozen=True, array_like=True):
    """How the rows of a file are to be read, as its first line says."""

    separator: str
    columns: tuple[str, ...]


class TableRow(Struct, frozen=True):
    """One row: microseconds since 1970, and the cells behind the time as in a line of the log."""

    micros: int
    cells: list[str]


class BadRow(Struct, frozen=True):
    """A row of no use: a stable code, and a sentence."""

    reason: str
    detail: str


class RowReader:
    """Reads rows whose times are those of *zone*."""

    def __init__(self, zone: ZoneInfo | None) -> None:
        self._zone = zone

    def read(self, text: str, layout: Layout | None, newest: int) -> TableRow | BadRow | Layout | None:
        """Read a row, or the layout that a first line tells; None where *text* is neither."""
        separator = layout.separator if layout else _separator_of(text)
        if separator is None:
            return None
        cells = _cells(text, separator)
        named = tuple(cell.lower() for cell in cells)
        # Looked for in every row and not only in the first: exports that were put together into one file have a
        # header each.
        if set(named) >= NEEDED_COLUMNS:
            return Layout(separator, named)
        columns = dict(zip(layout.columns if layout else TABLE_COLUMNS, cells, strict=False))
        if not set(columns) >= NEEDED_COLUMNS:
            return BadRow("too_few_fields", "a row of the table has at least five cells") if layout else None
        row = self.row(columns, newest)
        # Without a header that promised rows, a text without a time is none.
        return None if layout is None and isinstance(row, BadRow) and row.reason == "bad_time" else row

    def row(self, columns: Mapping[str, str], newest: int) -> TableRow | BadRow:
        """Return the row that has these columns, of which none that is needed is missing."""
        micros = self._micros(columns["time"], newest)
        if isinstance(micros, int):
            return TableRow(micros, [columns[name] for name in TABLE_COLUMNS[1:5]] + _params(columns))
        return micros or BadRow("bad_time", "the time of the row is none")

    def _micros(self, text: str, newest: int) -> int | BadRow | None:
        if _EPOCH.fullmatch(text):
            # Times of today have sixteen digits in microseconds: a float holds them exactly enough to be
            # rounded.
            return round(float(text) * 1_000_000)
        match = _LOCAL.fullmatch(text)
        if match is None:
            return None
        begin, second, fraction, offset = match.groups()
        # A leap second: no clock counts it, and databases show it all the same. It is the next minute's first.
        leap = second == "60"
        try:
            local = datetime.fromisoformat(f"{begin}{'59' if leap else second}{(fraction or '')[:7]}{offset or ''}")
            at = local if local.tzinfo else self._in_zone(local, newest)
        except (ValueError, OverflowError):
            return None
        if at is None:
            return BadRow("no_time_zone", "the time is a local one: name its zone, such as --time-zone Europe/Berlin")
        return (at - EPOCH) // timedelta(microseconds=1) + (1_000_000 if leap else 0)

    def _in_zone(self, local: datetime, newest: int) -> datetime | None:
        """Return the instant; in the hour that comes twice the second time, where the first would lead back."""
        if self._zone is None:
            return None
        first = local.replace(tzinfo=self._zone).astimezone(UTC)
        second = local.replace(tzinfo=self._zone, fold=1).astimezone(UTC)
        leads_back = (first - EPOCH) // timedelta(microseconds=1) < newest - _SLACK_MICROS
        return second if second > first and leads_back else first


def is_rule(text: str) -> bool:
    """Tell whether a line only frames a table, as clients of databases print it."""
    return _RULE.fullmatch(text.strip()) is not None


def _separator_of(text: str) -> str | None:
    match = _SEPARATOR.match(text)
    return match[1] if match else None


def _cells(text: str, separator: str) -> list[str]:
    if separator == "|":
        cells = [cell.strip() for cell in text.split("|")]
        cells = cells[1:] if cells and not cells[0] else cells  # MySQL frames its rows
    else:
        try:
            cells = [cell.strip() for cell in next(csv.reader([text], delimiter=separator), [])]
        except csv.Error:
            # A line break within the line: a lone carriage return, as old systems end their lines.
            return []
    return ["" if cell in _NULLS else cell for cell in cells]


def _params(columns: Mapping[str, str]) -> list[str]:
    """Return the parameters: five columns, or one that holds them all."""
    five = [columns.get(name, "") for name in TABLE_COLUMNS[5:]]
    # Tables that have been through several versions have both, of which one is filled.
    return five if any(five) else columns.get("data", "").split("|")
