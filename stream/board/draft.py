"""All that a page of metrics is written from; it can be handed to another process, and says the same there."""

from collections.abc import Callable
from typing import IO
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from stream.domain.snapshot import Board, QueueSnapshot
from stream.metrics.body import Body, GzippedBody
from stream.metrics.collector import board_sections
from stream.metrics.exposition import Format, Told, page, part_of

__all__ = ["SHARE", "Draft", "get", "put", "receive", "send", "write", "zone_name", "zone_of"]

SHARE = 50
"""Queues that are encoded, or let go, at a time: the events wait meanwhile, a third of a millisecond."""

_LENGTH_BYTES = 8


class Draft(Struct, frozen=True, kw_only=True):
    """What a page tells, the board not yet in words."""

    form: Format
    packed: bool
    """Whether the page is to be gzipped."""
    first: dict[str, Told]
    """Parts of the page that come before the board, by name."""
    board: Board | None
    """Without its queues; None when there is none to be had."""
    queues: list[QueueSnapshot]
    last: dict[str, Told]


def write(draft: Draft, timer: Callable[[], float]) -> bytes:
    """Return the body of the answer; *timer* counts seconds."""
    body = GzippedBody() if draft.packed else Body()
    board = None if draft.board is None else replace(draft.board, queues=tuple(draft.queues))
    sections = {} if board is None else board_sections(board)
    parts = {name: part_of(section) for name, section in sections.items()}
    page({**draft.first, **parts, **draft.last}, draft.form, body, timer=timer)
    return body.end()


def send(draft: Draft, stream: IO[bytes]) -> None:
    """Hand a draft over to who receives it from the other end of *stream*."""
    put(_encoder.encode(replace(draft, queues=[])), stream)
    for first in range(0, len(draft.queues), SHARE):
        put(_encoder.encode(draft.queues[first : first + SHARE]), stream)
    put(b"", stream)
    stream.flush()


def receive(stream: IO[bytes]) -> Draft:
    """Return the next draft that is sent; EOFError when no more come."""
    draft = _drafts.decode(get(stream))
    while share := get(stream):
        draft.queues.extend(_shares.decode(share))
    return draft


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


def zone_name(value: object) -> str:
    """Return what a time zone is on the wire, where no other type is without a word of its own."""
    if isinstance(value, ZoneInfo):
        return value.key
    raise NotImplementedError(type(value).__name__)  # how a hook tells msgspec that it knows no such type


def zone_of(_: type, name: str) -> ZoneInfo:
    """Return the time zone of a name; KeyError where this machine knows none."""
    return ZoneInfo(name)


_encoder = msgspec.msgpack.Encoder(enc_hook=zone_name)
_drafts = msgspec.msgpack.Decoder(Draft, dec_hook=zone_of)
_shares = msgspec.msgpack.Decoder(list[QueueSnapshot], dec_hook=zone_of)
