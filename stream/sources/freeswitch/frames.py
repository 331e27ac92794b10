"""Messages of FreeSWITCH's event socket, cut from a stream of bytes wherever it was split; knows nothing of calls."""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from stream.sources.lines import Location

__all__ = ["MAX_FRAME_BYTES", "BrokenFraming", "EslFrame", "EslFrames", "headers_of"]

MAX_FRAME_BYTES: Final = 4 * 1024 * 1024
"""An event with all variables of its channel has some kilobytes, a list of thousands of members some hundred."""

_END: Final = b"\n\n"


class BrokenFraming(Exception):
    """Where the next message begins is not known any more: only a new connection helps."""


class EslFrame(Struct, frozen=True):
    """One message: its own headers, and the body as it came."""

    place: Location
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """Its `Content-Type`; empty if it says none."""
        return self.headers.get("Content-Type", "")

    @property
    def reply(self) -> str:
        """What a command was answered; empty if it is no answer."""
        return self.headers.get("Reply-Text", "")


def headers_of(block: bytes) -> dict[str, str]:
    """Return the headers of a block of lines, of two that are alike the last; other lines are left out."""
    found: dict[str, str] = {}
    for line in block.decode(errors="replace").split("\n"):
        name, colon, value = line.removesuffix("\r").partition(":")
        if colon:
            found[name.strip()] = value.strip()
    return found


class EslFrames:
    """Cuts chunks into messages; keeps at most one unfinished message, of at most `MAX_FRAME_BYTES`."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._rest = bytearray()
        self._offset = 0
        self._count = 0
        self._searched = 0

    def feed(self, chunk: bytes) -> Iterator[EslFrame]:
        """Yield the messages that *chunk* finishes; raises BrokenFraming behind which nothing can be read."""
        self._rest += chunk
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> EslFrame | None:
        self._skip_newlines()
        end = self._rest.find(_END, self._searched)
        if end < 0:
            # One byte less than all: the other newline may be the first byte of the next chunk.
            self._searched = max(len(self._rest) - 1, 0)
            self._check(len(self._rest))
            return None
        headers = headers_of(bytes(self._rest[:end]))
        begin = end + len(_END)
        length = self._length(headers)
        if len(self._rest) < begin + length:
            self._searched = end
            return None
        self._count += 1
        place = Location(self._peer, self._count, self._offset)
        frame = EslFrame(place, headers, bytes(self._rest[begin : begin + length]))
        self._drop(begin + length)
        return frame

    def _skip_newlines(self) -> None:
        """Between two messages there may be more empty lines than one."""
        count = len(self._rest) - len(self._rest.lstrip(b"\r\n"))
        if count:
            self._drop(count)

    def _drop(self, count: int) -> None:
        del self._rest[:count]
        self._offset += count
        self._searched = 0

    def _length(self, headers: Mapping[str, str]) -> int:
        told = headers.get("Content-Length", "0")
        if not (told.isascii() and told.isdigit()):
            raise BrokenFraming("a message does not say how long it is")
        length = int(told) if len(told) <= 12 else MAX_FRAME_BYTES + 1
        self._check(length)
        return length

    def _check(self, length: int) -> None:
        if length > MAX_FRAME_BYTES:
            raise BrokenFraming(f"a message has more than {MAX_FRAME_BYTES} bytes")
