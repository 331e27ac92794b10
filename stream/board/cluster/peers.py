"""Asks other workers for their shares of the board, each once a second, while somebody looks at a board.

An answer is material, not truth: it has a time limit and a size limit, and what is no share is refused.
"""

import asyncio
import logging
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import aiohttp
from yarl import URL

from stream.board.cluster.share import SHARE_PATH, ShareCodec, WorkerShare

__all__ = ["Peers", "share_url"]

ANSWER: Final = aiohttp.ClientTimeout(total=3, connect=1)
"""A worker that takes longer counts as one that does not answer; a share of 1,000 queues takes a tenth of a second."""

FIRST_SECONDS = 1.0
"""So long the first look waits for first answers; later ones show what is there."""

LINGER_SECONDS = 5.0
"""So long after the last look the others are still asked."""

LARGEST = 2**27
"""Bytes of a share, packed or not: 30,000 queues of one worker have 129 MB."""

_log = logging.getLogger(__name__)


class Refused(Exception):
    """An answer that is no share."""


def share_url(address: str) -> URL | None:
    """Return where the worker at an address tells its share; None for what is not plain `http://host:port`."""
    with suppress(ValueError):
        url = URL(address)
        # An address comes from another member of the group, by way of Kafka: a path, a user or another scheme
        # in it could lead elsewhere.
        if url.scheme == "http" and url.host and url.user is None and url == url.origin():
            return url.with_path(SHARE_PATH)
    return None


class Peers:
    """
    The other workers of the group.

    *addresses* tells where they are now; *heard* is told each answer: address, share, and the loop's time
    when it was asked for. `want` as often as somebody looks; `close` at the end.
    """

    def __init__(
        self,
        *,
        addresses: Callable[[], Iterable[str]],
        heard: Callable[[str, WorkerShare, float], None],
        codec: ShareCodec,
        every: timedelta = timedelta(seconds=1),
    ) -> None:
        self._addresses = addresses
        self._heard = heard
        self._codec = codec
        self._every = every.total_seconds()
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._first: dict[str, asyncio.Event] = {}
        self._wanted_until = self._patient_until = 0.0
        self._session: aiohttp.ClientSession | None = None

    async def want(self) -> None:
        """Have the others asked from now on for a while; the first time wait for their answers, but not for long."""
        loop = asyncio.get_running_loop()
        self._wanted_until = loop.time() + LINGER_SECONDS
        for address in self._addresses():
            if address not in self._asking and (url := share_url(address)) is not None:
                self._first[address] = asyncio.Event()
                self._patient_until = loop.time() + FIRST_SECONDS
                self._asking[address] = asyncio.create_task(self._ask_again(address, url), name=f"asks {address}")
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._patient_until):
                for first in [*self._first.values()]:
                    await first.wait()

    async def close(self) -> None:
        """Ask nobody any more."""
        tasks = [*self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def _ask_again(self, address: str, url: URL) -> None:
        """Ask one worker again and again, until nobody looks or it has left the group."""
        loop = asyncio.get_running_loop()
        said = ""
        try:
            while loop.time() < self._wanted_until and address in self._addresses():
                asked_at = loop.time()
                try:
                    share = await self._fetch(url)
                except (aiohttp.ClientError, TimeoutError, OSError, ValueError, Refused, zlib.error) as failure:
                    # Once per cause: a worker that is down is asked every second.
                    if (why := f"{type(failure).__name__} {failure}") != said:
                        _log.warning("no share of the board from %s: %s", url, why)
                        said = why
                else:
                    said = ""
                    self._heard(address, share, asked_at)
                self._first[address].set()
                # From question to question, however long the answer took; less than 0 is at once.
                await asyncio.sleep(asked_at + self._every - loop.time())
        finally:
            del self._asking[address]
            # Also where no answer came: whoever waits for the first one is not to wait any longer.
            self._first.pop(address).set()

    async def _fetch(self, url: URL) -> WorkerShare:
        if self._session is None:
            # Nothing is taken from the environment, kept, or followed. Unpacking is ours: it has a limit.
            self._session = aiohttp.ClientSession(
                timeout=ANSWER, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        async with self._session.get(url, allow_redirects=False, headers={"Accept-Encoding": "gzip"}) as answer:
            if answer.status != 200 or answer.headers.get("Content-Encoding") != "gzip":
                raise Refused(f"status {answer.status}, {answer.headers.get('Content-Encoding', 'not packed')}")
            packed = bytearray()
            async for chunk in answer.content.iter_any():
                packed += chunk
                if len(packed) > LARGEST:
                    raise Refused(f"more than {LARGEST} bytes")
        # In a thread: to unpack a large share takes a fifth of a second, and events would wait.
        return await asyncio.to_thread(lambda: self._codec.decoded(_unpacked(packed)))


def _unpacked(packed: bytes | bytearray) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    # With a limit: a few kilobytes of gzip can unpack to gigabytes.
    body = unpacker.decompress(packed, LARGEST + 1)
    # Behind a first gzip member there may be another one, which would be read by nobody: refused as well.
    if len(body) > LARGEST or unpacker.unused_data:
        raise Refused(f"more than {LARGEST} bytes")
    if not unpacker.eof:
        raise Refused("cut off")
    return body
