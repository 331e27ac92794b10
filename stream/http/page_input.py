"""Inputs of a metrics page before rendering; they can be handed to another process, and give the same page there."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import IO, Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from stream.core.collector import PageDetail, family_of_section, sections_of
from stream.core.family import Board, Family
from stream.core.time_zones import zone_name, zone_of
from stream.http.body import Body, GzippedBody
from stream.http.exposition import RenderedSection, TextFormat, page, section_writer

__all__ = ["SLICE", "PageInput", "PageWire", "get", "put", "write_body"]

SLICE = 250
"""Snapshots that are encoded, or let go, at a time: the events wait meanwhile, one or two milliseconds."""

_LENGTH_BYTES = 8


class PageInput(Struct, frozen=True, kw_only=True):
    """Inputs of a metrics page before rendering."""

    form: TextFormat
    packed: bool
    """Whether the page is to be gzipped."""
    detail: PageDetail
    """How much of the board it tells."""
    first: dict[str, RenderedSection]
    """Sections of the page that come before the board, by name."""
    at: datetime | None
    """The instant of the board; None when there is none to be had."""
    snapshots: dict[str, list[Any]]
    """By family."""
    last: dict[str, RenderedSection]

    @property
    def size(self) -> int:
        """How many snapshots there are."""
        return sum(map(len, self.snapshots.values()))

    def let_go(self) -> None:
        """Forget the snapshots slice by slice: that of thousands at once would hold up everybody else for 15 ms."""
        for snapshots in self.snapshots.values():
            while snapshots:
                del snapshots[-SLICE:]


def write_body(page_input: PageInput, families: Sequence[Family[Any]], timer: Callable[[], float]) -> bytes:
    """Return the body of the answer; *timer* counts seconds."""
    body = GzippedBody() if page_input.packed else Body()
    sections = {}
    if page_input.at is not None:
        snapshots = {name: tuple(of) for name, of in page_input.snapshots.items()}
        sections = sections_of(Board(at=page_input.at, snapshots=snapshots), families, page_input.detail)
    writers = {name: section_writer(section) for name, section in sections.items()}
    page(
        {**page_input.first, **writers, **page_input.last},
        page_input.form,
        body,
        timer=timer,
        family_of=family_of_section(families),
    )
    return body.end()


class PageWire:
    """Hands the input of a page from one process to another: first all but the snapshots, then these in slices."""

    def __init__(self, families: Sequence[Family[Any]]) -> None:
        self._readers: dict[str, msgspec.msgpack.Decoder[list[Any]]] = {
            family.name: msgspec.msgpack.Decoder(list[family.snapshot], dec_hook=zone_of)  # type: ignore[name-defined]  # a type by value
            for family in families
        }
        self._inputs = msgspec.msgpack.Decoder(PageInput)
        self._writer = msgspec.msgpack.Encoder(enc_hook=zone_name)

    def send(self, page_input: PageInput, stream: IO[bytes]) -> None:
        """Hand an input over to who receives it from the other end of *stream*."""
        # In slices, since encoding holds the GIL: in one piece 5,000 queues would stop the events for 20 ms.
        put(self._writer.encode(replace(page_input, snapshots={})), stream)
        for name, snapshots in page_input.snapshots.items():
            for first in range(0, len(snapshots), SLICE):
                put(name.encode(), stream)
                put(self._writer.encode(snapshots[first : first + SLICE]), stream)
        # An empty name ends the list: no family is called that.
        put(b"", stream)
        stream.flush()

    def receive(self, stream: IO[bytes]) -> PageInput:
        """Return the next input that is sent; EOFError when no more come."""
        page_input = self._inputs.decode(get(stream))
        while name := get(stream).decode():
            page_input.snapshots.setdefault(name, []).extend(self._readers[name].decode(get(stream)))
        return page_input


def put(message: bytes, stream: IO[bytes]) -> None:
    """Write bytes such that `get` knows where they end."""
    stream.write(len(message).to_bytes(_LENGTH_BYTES, "big"))
    stream.write(message)


def get(stream: IO[bytes]) -> bytes:
    """Return what was put; EOFError when the other end is closed before that."""
    return _exactly(int.from_bytes(_exactly(_LENGTH_BYTES, stream), "big"), stream)


def _exactly(size: int, stream: IO[bytes]) -> bytes:
    message = stream.read(size)
    if len(message) < size:
        # Less than was promised comes only from a pipe that was closed.
        raise EOFError
    return message
