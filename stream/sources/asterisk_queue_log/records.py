"""Lines of Asterisk's queue_log as records: `epoch|callid|queue|member|VERB|p1|p2|...`.

Pure. It knows the format, not what a verb means; what cannot be read becomes a `BadLine`.
"""

import re
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from stream.sources.lines import BadLine, Line, Place

__all__ = ["NOBODY", "Record", "parse"]

NOBODY = frozenset({"", "NONE"})
"""What stands in the fields of call, queue and member when there is none."""

NO_CALL = NOBODY | {"REALTIME", "CLI", "MANAGER"}
"""Who caused a line without a call: the realtime engine, a person at the console, the manager interface."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_SECOND = 946_684_800  # 2000-01-01
LATEST_SECOND = 4_102_444_800  # 2100-01-01

_TIME = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,6})[0-9]*)?")
_VERB = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST = {"call": 256, "queue": 128, "member": 256}


class Record(Struct, frozen=True):
    """One line. `call`, `queue` and `member` are None where the line names none; trailing empty params are cut."""

    place: Place
    micros: int
    """When, in microseconds since 1970: exact, and the same each time the line is read."""
    call: str | None
    queue: str | None
    member: str | None
    verb: str
    params: tuple[str, ...]

    @property
    def time(self) -> datetime:
        """When it happened."""
        return EPOCH + timedelta(microseconds=self.micros)

    def number(self, index: int) -> int | None:
        """Return a parameter as a whole number, or None where it is missing or is none (old and odd lines)."""
        text = self.params[index] if -len(self.params) <= index < len(self.params) else ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


def parse(line: Line) -> Record | BadLine | None:
    """Read one line; None for an empty one. Any bytes will do: it never raises."""
    if line.text is None:
        return BadLine(line.place, "too_long", "the line is too long for a queue_log")
    if not line.text.strip():
        return None
    # Names of callers come in any encoding; ids are checked below, params are never passed on raw.
    fields = line.text.decode("utf-8", errors="replace").split("|")
    if len(fields) < 5:
        return BadLine(line.place, "too_few_fields", "a queue_log line has at least five fields")
    micros = _micros(fields[0])
    fault = _fault(fields, micros)
    if fault is not None:
        return BadLine(line.place, *fault)
    return _record(line.place, fields, micros)


def _micros(text: str) -> int:
    """Return microseconds since 1970, or -1 where *text* is no time."""
    match = _TIME.fullmatch(text)
    if match is None:
        return -1
    return int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0"))


def _fault(fields: list[str], micros: int) -> tuple[str, str] | None:
    if micros < 0:
        return "bad_time", "the first field is not a time in seconds since 1970"
    if not EARLIEST_SECOND <= micros // 1_000_000 < LATEST_SECOND:
        return "absurd_time", "the time is before the year 2000 or after 2100"
    for (name, longest), value in zip(_LONGEST.items(), fields[1:4], strict=True):
        if len(value) > longest or _CONTROL.search(value):
            return "bad_field", f"the {name} is longer than {longest} characters or has control characters"
    if not _VERB.fullmatch(fields[4]):
        return "bad_verb", "the fifth field is not a verb"
    return None


def _record(place: Place, fields: list[str], micros: int) -> Record:
    params = fields[5:]
    while params and not params[-1]:
        params.pop()
    call, queue, member = fields[1:4]
    return Record(
        place=place,
        micros=micros,
        call=None if call in NO_CALL else call,
        queue=None if queue in NOBODY else queue,
        member=None if member in NOBODY else member,
        verb=fields[4],
        params=tuple(params),
    )
