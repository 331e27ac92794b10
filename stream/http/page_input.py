"""All that a page of metrics is written from; it can be handed to another process, and says the same there."""

from collections.abc import Callable
from typing import IO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from stream.core.time_zones import zone_name, zone_of
from stream.families.collector import board_sections
from stream.families.contacts.snapshot import Board, QueueSnapshot
from stream.http.body import Body, GzippedBody
from stream.http.exposition import Format, RenderedSection, page, section_writer

__all__ = ["SHARE", "PageInput", "get", "put", "receive", "send", "write"]

SHARE = 50
"""Queues that are encoded, or let go, at a time: the events wait meanwhile, a third of a millisecond."""

_LENGTH_BYTES = 8


class PageInput(Struct, frozen=True, kw_only=True):
    """What a page tells, the board not yet in words."""

    form: Format
    packed: bool
    """Whether the page is to be gzipped."""
    first: dict[str, RenderedSection]
    """Parts of the page that come before the board, by name."""
    board: Board | None
    """Without its queues; None when there is none to be had."""
    queues: list[QueueSnapshot]
    last: dict[str, RenderedSection]


def write(page_input: PageInput, timer: Callable[[], float]) -> bytes:
    """Return the body of the answer; *timer* counts seconds."""
    body = GzippedBody() if page_input.packed else Body()
    board = None if page_input.board is None else replace(page_input.board, queues=tuple(page_input.queues))
    sections = {} if board is None else board_sections(board)
    parts = {name: section_writer(section) for name, section in sections.items()}
    page({**page_input.first, **parts, **page_input.last}, page_input.form, body, timer=timer)
    return body.end()


def send(page_input: PageInput, stream: IO[bytes]) -> None:
    """Hand a page_input over to who receives it from the other end of *stream*."""
    put(_encoder.encode(replace(page_input, queues=[])), stream)
    for first in range(0, len(page_input.queues), SHARE):
        put(_encoder.encode(page_input.queues[first : first + SHARE]), stream)
    put(b"", stream)
    stream.flush()


def receive(stream: IO[bytes]) -> PageInput:
    """Return the next page_input that is sent; EOFError when no more come."""
    page_input = _page_inputs.decode(get(stream))
    while share := get(stream):
        page_input.queues.extend(_shares.decode(share))
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
        raise EOFError
    return message


_encoder = msgspec.msgpack.Encoder(enc_hook=zone_name)
_page_inputs = msgspec.msgpack.Decoder(PageInput, dec_hook=zone_of)
_shares = msgspec.msgpack.Decoder(list[QueueSnapshot], dec_hook=zone_of)
