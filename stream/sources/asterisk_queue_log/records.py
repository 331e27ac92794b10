"""Lines of Asterisk's queue_log as records: `epoch|callid|queue|member|VERB|p1|p2|...`.

Pure. It knows the format, not what a verb means; what cannot be read becomes a `BadLine`. Rows of the realtime
table, which look otherwise, are read by `rows`.
"""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from stream.sources.asterisk_queue_log.rows import BadRow, Layout, RowReader, TableRow, is_rule
from stream.sources.lines import BadLine, Line, Location

__all__ = ["NOBODY", "LineReader", "ParsedLine"]

NOBODY = frozenset({"", "NONE"})
"""What stands in the fields of call, queue and member when there is none."""

NO_CALL = NOBODY | {"REALTIME", "CLI", "MANAGER"}
"""Who caused a line without a call: the realtime engine, a person at the console, the manager interface."""

EARLIEST_SECOND = 86_400  # 1970-01-02: before that a clock was never set
LATEST_SECOND = 4_133_980_800  # 2101-01-01: as for events

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""Editors put it at the begin of a file."""

# Whole seconds from Asterisk itself, a fraction where the log went through a database. Digits beyond
# microseconds are cut.
_TIME = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6})[0-9]*)?")
_VERB = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# The names become parts of events, so they keep to the limits of the contract. A subject may have 256
# characters: a call's is its id, `@` and the eight letters of its PBX.
_LONGEST = {"call": 200, "queue": 128, "member": 256}


class ParsedLine(Struct, frozen=True):
    """One line. `call`, `queue` and `member` are None where the line names none; trailing empty params are cut."""

    place: Location
    micros: int
    """When, in microseconds since 1970: exact, and the same each time the line is read."""
    call: str | None
    queue: str | None
    member: str | None
    verb: str
    params: tuple[str, ...]

    def number(self, index: int) -> int | None:
        """Return a parameter as a whole number, or None where it is missing or is none (old and odd lines)."""
        # Negative indexes count from the end, as those of a list do.
        text = self.params[index] if -len(self.params) <= index < len(self.params) else ""
        # `isdigit` alone is true of digits of other scripts, too. Twelve digits are more than any length or
        # position.
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


class LineReader:
    """Reads lines of a log, and rows of its table; the layout of the rows may come with their first line."""

    def __init__(self, rows: RowReader) -> None:
        self._rows = rows

    def parse(self, line: Line, layout: Layout | None, newest: int) -> ParsedLine | Layout | BadLine | None:
        """
        Read one line; None for an empty one. Any bytes will do: it never raises.

        *newest* is the time of the lines before, in microseconds: it tells the two hours apart that local
        clocks call by the same name.
        """
        if line.text is None:
            return BadLine(line.place, "too_long", "the line is too long for a queue_log")
        text = line.text.removeprefix(BYTE_ORDER_MARK) if line.place.offset == 0 else line.text
        if not text.strip():
            return None
        # Names of callers come in any encoding; ids are checked below, params are never passed on raw.
        decoded = text.decode("utf-8", errors="replace")
        fields = decoded.split("|")
        micros = _micros(fields[0])
        # Once a header has named the columns, a row is read by them: with bars and a time in seconds it looks
        # like a line of the log, but its cells may stand in another order.
        if layout is None and micros is not None and len(fields) >= 5:
            return _record(line.place, fields, micros)
        return None if is_rule(decoded) else self._row(line.place, decoded, layout, newest, len(fields))

    def parse_row(self, place: Location, columns: Mapping[str, str], newest: int) -> ParsedLine | BadLine:
        """Read a row that comes from the table itself, with none of the columns missing that are needed."""
        match self._rows.row(columns, newest):
            case TableRow(micros, cells):
                return _record(place, ["", *cells], micros)
            case BadRow(reason, detail):
                return BadLine(place, reason, detail)

    def _row(
        self, place: Location, text: str, layout: Layout | None, newest: int, fields: int
    ) -> ParsedLine | Layout | BadLine | None:
        match self._rows.read(text, layout, newest):
            case TableRow(micros, cells):
                return _record(place, ["", *cells], micros)
            case BadRow(reason, detail):
                return BadLine(place, reason, detail)
            case Layout() as found:
                return found
            case None if layout is None and fields < 5:
                return BadLine(place, "too_few_fields", "a queue_log line has at least five fields")
            case None if layout is None:
                return BadLine(place, "bad_time", "the first field is not a time in seconds since 1970")
            case _:
                return None


def _micros(text: str) -> int | None:
    """Return microseconds since 1970, or None where *text* is no such time."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    return int(match[1]) * 1_000_000 + (int(match[2].ljust(6, "0")) if match[2] else 0)


def _fault(fields: list[str], micros: int) -> tuple[str, str] | None:
    if not EARLIEST_SECOND <= micros // 1_000_000 < LATEST_SECOND:
        return "absurd_time", "the time is not between 1970 and 2100"
    for (name, longest), value in zip(_LONGEST.items(), fields[1:4], strict=True):
        if len(value) > longest or _CONTROL.search(value):
            return "bad_field", f"the {name} is longer than {longest} characters or has control characters"
    if not _VERB.fullmatch(fields[4]):
        return "bad_verb", "the fifth field is not a verb"
    return None


def _record(place: Location, fields: list[str], micros: int) -> ParsedLine | BadLine:
    fault = _fault(fields, micros)
    if fault is not None:
        return BadLine(place, *fault)
    params = fields[5:]
    # A row of the table always has five parameters, a line as many as its verb: cut like this, both read alike.
    while params and not params[-1]:
        params.pop()
    call, queue, member = fields[1:4]
    return ParsedLine(
        place=place,
        micros=micros,
        call=None if call in NO_CALL else call,
        queue=None if queue in NOBODY else queue,
        member=None if member in NOBODY else member,
        verb=fields[4],
        params=tuple(params),
    )
