"""Lines of a file with their place in it, cut from chunks in constant memory; and lines that are of no use.

A bad line is a value, not an exception: it is set aside and the next one is read. It never quotes what it
found, since that may be a phone number.
"""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from msgspec import Struct

from stream.errors import SourceError

__all__ = [
    "CHUNK_BYTES",
    "MAX_LINE_BYTES",
    "BadLine",
    "Line",
    "LineSplitter",
    "Location",
    "SetAside",
    "forget",
    "read_lines",
]

MAX_LINE_BYTES = 64 * 1024
"""More than any sane queue_log line; longer ones are dropped while they are read."""

CHUNK_BYTES = 256 * 1024


class Location(Struct, frozen=True):
    """Where a line was found; `line` counts from 1."""

    file: str
    line: int
    offset: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Line(Struct, frozen=True):
    """One line without its newline; `text` is None when it was too long to keep."""

    place: Location
    text: bytes | None


class BadLine(Struct, frozen=True):
    """A line that is no event: where it is, a stable code, and a sentence without its content."""

    place: Location
    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.detail}"

    def error(self) -> SourceError:
        """Return the error for callers that want to stop at the first bad line."""
        return SourceError(str(self))


SetAside = Callable[[BadLine], None]
"""Takes the lines that are of no use, one by one."""


def forget(_: BadLine) -> None:
    """Set a bad line aside without keeping it; it is counted all the same."""


class LineSplitter:
    """
    Cuts chunks into lines; keeps at most one unfinished line, and of that at most *limit* bytes.

    `offset` and `lines` tell where the next line begins: feeding the same file from there
    to a new splitter goes on without a gap or a repeat.
    """

    def __init__(self, file: str, *, offset: int = 0, lines: int = 0, limit: int = MAX_LINE_BYTES) -> None:
        self.offset = offset
        self.lines = lines
        self._file = file
        self._limit = limit
        self._rest = b""
        self._length = 0

    @property
    def seen(self) -> int:
        """The offset behind the last byte that was fed, finished line or not."""
        return self.offset + self._length

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """Yield the lines that *chunk* finishes."""
        begin = 0
        while (end := chunk.find(b"\n", begin)) >= 0:
            yield self._finish(chunk[begin:end], newline=1)
            begin = end + 1
        self._length += len(chunk) - begin
        # Of a line that is too long one byte more than the limit is kept, and no more: its length tells
        # `_finish` the rest.
        room = self._limit + 1 - len(self._rest)
        self._rest += chunk[begin : begin + room]

    def end(self) -> Iterator[Line]:
        """Yield what is left without a newline: the file will not grow any more."""
        if self._length:
            yield self._finish(b"", newline=0)

    def _finish(self, tail: bytes, newline: int) -> Line:
        length = self._length + len(tail)
        text = self._rest + tail if length <= self._limit else None
        self.lines += 1
        line = Line(Location(self._file, self.lines, self.offset), None if text is None else text.removesuffix(b"\r"))
        # The whole length, also of what was dropped: places behind a line that was too long stay true.
        self.offset += length + newline
        self._rest, self._length = b"", 0
        return line


def read_lines(stream: BinaryIO, file: str, *, limit: int = MAX_LINE_BYTES) -> Iterator[Line]:
    """Yield every line of *stream* to its end; *file* is the name that errors give it."""
    splitter = LineSplitter(file, limit=limit)
    while chunk := stream.read(CHUNK_BYTES):
        yield from splitter.feed(chunk)
    yield from splitter.end()
