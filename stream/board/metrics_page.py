"""`/metrics`: the board is taken and the feed told on the worker's loop, the page is written elsewhere.

In a thread when it is small, which is quick, in a process of its own when it is large, which delays no event.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from functools import partial
from typing import Final

from aiohttp import web
from msgspec.structs import replace

from stream.board.draft import SHARE, Draft, write
from stream.board.scribe import Scribe
from stream.domain.snapshot import Board
from stream.metrics.adapter import ProcessPage
from stream.metrics.build import build_families
from stream.metrics.exposition import Format, Part, part_of, told
from stream.metrics.feed import Feed
from stream.metrics.feed_collector import feed_families
from stream.metrics.negotiation import accepts_gzip, format_for

__all__ = ["LARGE", "MetricsPage"]

LARGE: Final = 500
"""Queues from which on a page is large."""


class MetricsPage:
    """Answers scrapes. One broken part, be it the board itself, never blanks the page."""

    def __init__(
        self, *, take_board: Callable[[], Awaitable[Board]], feed: Feed, timer: Callable[[], float], executor: Executor
    ) -> None:
        self._take_board = take_board
        self._feed = feed
        self._timer = timer
        self._executor = executor
        self._process = ProcessPage()
        self._scribe = Scribe()

    async def answer(self, request: web.Request) -> web.Response:
        """Return the page in the format and encoding that the client likes best."""
        form = format_for(request.headers.get("Accept", ""))
        packed = accepts_gzip(request.headers.get("Accept-Encoding", ""))
        draft = await self._draft(form, packed=packed)
        body = await asyncio.get_running_loop().run_in_executor(self._executor, self._written, draft)
        headers = {"Content-Type": form.value, "Vary": "Accept, Accept-Encoding"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    def stop(self) -> None:
        """End what writes large pages."""
        self._scribe.stop()

    async def _draft(self, form: Format, *, packed: bool) -> Draft:
        tell = partial(told, form=form, timer=self._timer)
        first = {"build": tell("build", part_of(build_families))}
        board = None
        try:
            board = await self._take_board()
        except Exception as error:  # noqa: BLE001 - told by the page as a section that failed, and logged there
            first["board"] = tell("board", _failing(error))
        # On the loop, which changes what they read.
        feed = tell("feed", part_of(partial(feed_families, self._feed)))
        last = {"feed": feed, "process": tell("process", self._process.written)}
        queues = [] if board is None else [*board.queues]
        board = None if board is None else replace(board, queues=())
        return Draft(form=form, packed=packed, first=first, board=board, queues=queues, last=last)

    def _written(self, draft: Draft) -> bytes:
        page = self._scribe.written(draft) if len(draft.queues) >= LARGE else None
        if page is None:
            page = write(draft, self._timer)
        # While queues are let go nobody else gets a turn: that of thousands at once would take 15 ms.
        while draft.queues:
            del draft.queues[-SHARE:]
        return page


def _failing(error: Exception) -> Part:
    def fail(_: Format) -> list[bytes]:
        raise error

    return fail
