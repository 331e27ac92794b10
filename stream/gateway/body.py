"""Bodies of requests, as they come and unpacked: never more in memory than is allowed, and never for longer."""

import asyncio
import sys
import zlib
from collections.abc import AsyncIterable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from stream.gateway.refusals import RequestRefused

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["ENCODINGS", "MAX_BODY_BYTES", "BodyBudget", "read_body"]

MAX_BODY_BYTES: Final = 8_000_000
"""Of one request, unpacked."""

PACKED_PIECE: Final = 65_536

# A frame may ask for a window of gigabytes; 8 MiB is what RFC 9659 lets a sender ask for in HTTP.
ZSTD_WINDOW_LOG: Final = 23


HURRIED_SECONDS: Final = 3.0
"""So long a body may be under way while more than half of the room is taken."""


class BodyBudget:
    """The bytes that all requests together may hold; who is slow does not keep it from others."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._arriving: dict[asyncio.Timeout, float] = {}

    def reserve(self, size: int) -> None:
        """Reserve room; raises RequestRefused, with 429, if there is none."""
        if self.held + size > self.limit:
            raise RequestRefused(429, "busy", "the gateway is busy with other requests", retry_after=1)
        self.held += size
        if self.held > self.limit / 2:
            self._hurry()

    @contextmanager
    def hurrying(self, patience: asyncio.Timeout) -> Iterator[None]:
        """End the *patience* with a body sooner, if others need the room."""
        self._arriving[patience] = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            del self._arriving[patience]

    def _hurry(self) -> None:
        now = asyncio.get_running_loop().time()
        oldest = next(iter(self._arriving), None)
        if oldest and not oldest.expired() and now - self._arriving[oldest] > HURRIED_SECONDS:
            oldest.reschedule(now)

    def free(self, size: int) -> None:
        """Give room back."""
        self.held -= size


class _Unpacker(Protocol):
    """What the decompressors of the libraries have in common here."""

    @property
    def at_end(self) -> bool:
        """Whether the packed data is complete."""

    def unpack(self, data: bytes, limit: int) -> bytes:
        """Return at most *limit* bytes of what *data* stands for; what is over stays for the next call."""
        ...


class _Plain:
    at_end = True

    def unpack(self, data: bytes, limit: int) -> bytes:
        return data[:limit]


class _Gzip:
    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(wbits=31)

    @property
    def at_end(self) -> bool:
        return self._unpacker.eof and not self._unpacker.unused_data

    def unpack(self, data: bytes, limit: int) -> bytes:
        return self._unpacker.decompress(data, limit)


class _Zstd:
    def __init__(self) -> None:
        options = {zstd.DecompressionParameter.window_log_max.value: ZSTD_WINDOW_LOG}
        self._unpacker = zstd.ZstdDecompressor(options=options)

    @property
    def at_end(self) -> bool:
        return self._unpacker.eof and not self._unpacker.unused_data

    def unpack(self, data: bytes, limit: int) -> bytes:
        return self._unpacker.decompress(data, limit)


ENCODINGS: Final[dict[str, Callable[[], _Unpacker]]] = {
    "identity": _Plain,
    "gzip": _Gzip,
    "zstd": _Zstd,
}
"""By the header `Content-Encoding`."""

_BROKEN = (zlib.error, zstd.ZstdError, EOFError)


async def read_body(
    chunks: AsyncIterable[bytes], encoding: str, budget: BodyBudget, *, seconds: float, most: int = MAX_BODY_BYTES
) -> bytes:
    """
    Return the unpacked body, of at most so many bytes; its room stays reserved, and is the caller's to free.

    Raises RequestRefused for what is too large, too slow, packed in an unknown way or broken: then nothing is reserved.
    """
    make = ENCODINGS.get(encoding.strip().lower())
    if make is None:
        raise RequestRefused(415, "unknown_encoding", "Content-Encoding must be gzip, zstd or identity")
    body = bytearray()
    try:
        async with asyncio.timeout(seconds) as patience:
            with budget.hurrying(patience):
                await _fill(body, make(), chunks, budget, most)
    except BaseException as failure:
        budget.free(len(body))
        if isinstance(failure, TimeoutError):
            raise RequestRefused(408, "too_slow", "the body did not come in time") from None
        if isinstance(failure, _BROKEN):
            raise RequestRefused(400, "broken_body", f"the body is no {encoding}") from None
        raise
    return bytes(body)


async def _fill(
    body: bytearray, unpacker: _Unpacker, chunks: AsyncIterable[bytes], budget: BodyBudget, most: int
) -> None:
    async for chunk in chunks:
        _add(unpacker, chunk, body, budget, most)
    if not unpacker.at_end:
        raise RequestRefused(400, "broken_body", "the packed body does not end where it should")


def _add(unpacker: _Unpacker, chunk: bytes, body: bytearray, budget: BodyBudget, most: int) -> None:
    for begin in range(0, len(chunk), PACKED_PIECE):
        # One byte more than is allowed is enough to know: a bomb is not unpacked further.
        piece = unpacker.unpack(chunk[begin : begin + PACKED_PIECE], most + 1 - len(body))
        if len(body) + len(piece) > most:
            raise RequestRefused(413, "too_large", f"a body may have {most} bytes, unpacked")
        budget.reserve(len(piece))
        body += piece
