"""`/events`: one rendering a second for each window that somebody looks at, shared by all who look at it.

A board is sent when something changed; a beat, with the time of the board and what is wrong with it, every
second. So the page can tell a calm centre from a dead connection.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta

from aiohttp import web
from msgspec import Struct

__all__ = ["Broadcast", "Frame"]

# How long a browser waits before it connects again, in ms: left to itself each kind of browser chooses its own.
RETRY = b"retry: 2000\n\n"


class Frame(Struct, frozen=True):
    """One rendering: what the board shows, and the beat that tells its time and what is wrong with it."""

    board: bytes
    """Empty when there is none: viewers keep what they have."""
    beat: bytes


class Viewer:
    """One client: what it saw last, and what waits to be sent. Only the newest waits, however slow it is."""

    def __init__(self) -> None:
        self._seen = b""
        self._board = b""
        self._beat = b""
        self._closed = False
        self._news = asyncio.Event()

    def offer(self, frame: Frame) -> None:
        """Replace what waits."""
        # Compared as bytes: rows that tick are rendered without what ticks, so a quiet second gives the same.
        if frame.board and frame.board != self._seen:
            self._board = self._seen = frame.board
        self._beat = frame.beat
        self._news.set()

    def close(self) -> None:
        """Let `next` end."""
        self._closed = True
        self._news.set()

    async def next(self) -> bytes | None:
        """Wait for news, and return it as server-sent events; None when there will be no more."""
        await self._news.wait()
        self._news.clear()
        if self._closed:
            return None
        board, self._board = self._board, b""
        return (_event("board", board) if board else b"") + _event("beat", self._beat)


def _event(name: str, data: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


class Broadcast:
    """Sends frames to all viewers. Start `run` as a task; it renders nothing while nobody looks."""

    def __init__(
        self,
        render: Callable[[str], Awaitable[Frame]],
        *,
        every: timedelta = timedelta(seconds=1),
        patience: timedelta = timedelta(seconds=10),
        limit: int = 500,
    ) -> None:
        """*patience*: a client that does not take its news for so long is dropped; *limit*: of viewers."""
        self._render = render
        self._every = every.total_seconds()
        self._patience = patience.total_seconds()
        self._limit = limit
        self._viewers: defaultdict[str, set[Viewer]] = defaultdict(set)
        self._arrived = asyncio.Event()

    @property
    def viewers(self) -> int:
        """How many clients look now."""
        return sum(map(len, self._viewers.values()))

    async def run(self) -> None:
        """Render and send until cancelled."""
        while True:
            if not self.viewers:
                self._arrived.clear()
                await self._arrived.wait()
            await self._send_all()
            self._arrived.clear()
            with suppress(TimeoutError):
                # Who has just come does not wait for the next second. No `wait_for`: that of Python 3.11 loses a
                # cancellation where somebody comes at the same moment, and a server that stops would wait for ever.
                async with asyncio.timeout(self._every):
                    await self._arrived.wait()

    async def _send_all(self) -> None:
        # A copy: viewers of other windows may come while this one is rendered.
        for window in [window for window, viewers in self._viewers.items() if viewers]:
            frame = await self._render(window)
            for viewer in self._viewers[window]:
                viewer.offer(frame)

    async def answer(self, request: web.Request, window: str, headers: Mapping[str, str]) -> web.StreamResponse:
        """Stream to one client until it leaves, is too slow, or the server stops."""
        if self.viewers >= self._limit:
            return web.Response(status=503, text="Too many viewers.\n")
        response = web.StreamResponse(headers={**headers, "Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        viewer = Viewer()
        self._viewers[window].add(viewer)
        self._arrived.set()
        # A client that went away is no error: the next write says so.
        with suppress(ConnectionError):
            try:
                await self._stream(viewer, request, response)
            finally:
                self._viewers[window].discard(viewer)
        return response

    async def _stream(self, viewer: Viewer, request: web.Request, response: web.StreamResponse) -> None:
        await response.write(RETRY)
        while (news := await viewer.next()) is not None:
            try:
                async with asyncio.timeout(self._patience):
                    await response.write(news)
            except TimeoutError:
                # Not closed: that would first wait for the very bytes that the client does not take.
                if request.transport is not None:
                    request.transport.abort()
                return

    def close(self) -> None:
        """End all streams: the server stops."""
        for viewer in [viewer for viewers in self._viewers.values() for viewer in viewers]:
            viewer.close()
