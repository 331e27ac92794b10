"""One event of FreeSWITCH as a record: which, when, and its headers. Plain events and JSON read alike."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from stream.sources.freeswitch.frames import EslFrame, headers_of
from stream.sources.lines import BadLine, Location

__all__ = ["EVENT_KINDS", "EslRecord", "record_of"]

EVENT_KINDS: Final = frozenset({"text/event-plain", "text/event-json"})

_FIRST_MICROS: Final = 86_400 * 1_000_000
_LAST_MICROS: Final = 4_133_980_800 * 1_000_000
"""From the second day of 1970 to the year 2101: outside of it a clock was never set."""

LONGEST_SWITCH_ID: Final = 128


class EslRecord(Struct, frozen=True):
    """One event; its `id` is the same whenever FreeSWITCH tells it."""

    place: Location
    id: str
    core: str
    """The run of FreeSWITCH that told it: another after each restart."""
    micros: int
    """When it happened, after 1970."""
    name: str
    """`Event-Name`, or for one of mod_callcenter its `CC-Action`."""
    headers: Mapping[str, str]

    def get(self, header: str) -> str:
        """Return a header; empty if it is missing."""
        return self.headers.get(header, "")

    def seconds(self, header: str) -> int | None:
        """Return a header that is a time in whole seconds, as microseconds; None where there is none."""
        told = self.get(header)
        if not (told.isascii() and told.isdigit() and len(told) <= 12):
            return None
        micros = int(told) * 1_000_000
        return micros if _FIRST_MICROS <= micros < _LAST_MICROS else None


def record_of(frame: EslFrame) -> EslRecord | BadLine:
    """Read a message that is an event; what is none is a bad line with the reason, and never raises."""
    headers = _json_headers(frame.body) if frame.kind == "text/event-json" else _plain_headers(frame.body)
    if headers is None:
        return BadLine(frame.place, "not_json", "the event is no JSON object")
    name = headers.get("Event-Name", "")
    if name == "CUSTOM" and headers.get("Event-Subclass") == "callcenter::info":
        name = headers.get("CC-Action", "")
    if not name:
        return BadLine(frame.place, "no_name", "the event does not say what happened")
    core, number = headers.get("Core-UUID", ""), headers.get("Event-Sequence", "")
    if not (core and number) or len(core) + len(number) > LONGEST_SWITCH_ID:
        return BadLine(frame.place, "no_id", "the event has no Core-UUID and Event-Sequence to be told apart by")
    told = headers.get("Event-Date-Timestamp", "")
    micros = int(told) if told.isascii() and told.isdigit() and len(told) <= 18 else 0
    if not _FIRST_MICROS <= micros < _LAST_MICROS:
        return BadLine(frame.place, "no_time", "the event has no Event-Date-Timestamp in microseconds")
    return EslRecord(frame.place, f"{core}-{number}", core, micros, name, headers)


def _plain_headers(body: bytes) -> dict[str, str]:
    # An event may have a body of its own behind the empty line.
    block = body.partition(b"\n\n")[0]
    return {name: unquote(value) for name, value in headers_of(block).items()}


def _json_headers(body: bytes) -> dict[str, str] | None:
    try:
        found = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    # Variables that were pushed several times are lists; none of ours is.
    return {name: value for name, value in found.items() if isinstance(value, str)}
