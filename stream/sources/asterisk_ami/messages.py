"""Messages of Asterisk's manager interface (AMI): lines of `Name: value`, ended by an empty one.

It knows the format, not what a message means. Any bytes will do: what is no header is set aside by itself.
"""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from stream.sources.lines import BadLine, Line, LineSplitter, Location

__all__ = ["Message", "MessageReader", "encoded_action"]

HEADERS_KEPT: Final = 500
"""More than any message has; the rest of a longer one is dropped while it is read."""

BANNER: Final = b"Asterisk Call Manager/"
_NAME = re.compile(r"[A-Za-z][\w().-]{0,79}", re.ASCII)
_TIME = re.compile(r"([0-9]{6,10})(?:\.([0-9]{1,6})[0-9]*)?")


class Message(Struct, frozen=True):
    """One message; headers by lower-case name, since versions of Asterisk differ in that."""

    place: Location
    headers: dict[str, str]
    received: int
    """When it was read, in microseconds since 1970, by the clock of this machine."""

    @property
    def name(self) -> str:
        """What the message is: the name of an event, or `Response`."""
        return self.headers.get("event") or ("Response" if "response" in self.headers else "")

    @property
    def stamped(self) -> int | None:
        """When it happened by the clock of the PBX, in microseconds; None without `timestampevents`."""
        match = _TIME.fullmatch(self.headers.get("timestamp", ""))
        if match is None:
            return None
        return int(match[1]) * 1_000_000 + int((match[2] or "").ljust(6, "0"))

    def first(self, *names: str) -> str:
        """Return the first of these headers that says something."""
        return next((value for name in names if (value := self.headers.get(name, ""))), "")

    def number(self, *names: str) -> int | None:
        """Return a header as a whole number, or None where it is missing or is none."""
        text = self.first(*names)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else None


class MessageReader:
    """Cuts what comes through a connection into messages, wherever the network has split it."""

    def __init__(self, name: str) -> None:
        self._lines = LineSplitter(name)
        self._headers: dict[str, str] = {}

    def feed(self, chunk: bytes, received: int) -> Iterator[Message | BadLine]:
        """Yield the messages that *chunk* finishes, and the lines in it that are of no use."""
        for line in self._lines.feed(chunk):
            if line.text == b"":
                if self._headers:
                    yield Message(line.place, self._headers, received)
                    self._headers = {}
            elif (bad := self._header(line)) is not None:
                yield bad

    def _header(self, line: Line) -> BadLine | None:
        if line.text is None:
            return BadLine(line.place, "too_long", "the line is too long for a manager message")
        if line.text.startswith(BANNER):
            return None
        name, colon, value = line.text.decode("utf-8", errors="replace").partition(":")
        if not colon or not _NAME.fullmatch(name):
            return BadLine(line.place, "not_a_header", "a line of a manager message is a name, a colon and a value")
        if len(self._headers) < HEADERS_KEPT:
            self._headers.setdefault(name.lower(), value.strip())
        return None


def encoded_action(**headers: str) -> bytes:
    """Return an action as it is sent."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n"
