"""`/metrics`: the board is taken and the feed read on the worker's loop, the page is written elsewhere.

In a thread when it is small, which is quick, in a process of its own when it is large, which delays no event.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from functools import partial
from typing import Final

from aiohttp import web

from stream.board.draft import Draft, write
from stream.board.scribe import Scribe
from stream.domain.snapshot import Board
from stream.metrics.adapter import ProcessPage
from stream.metrics.build import build_families
from stream.metrics.exposition import Format, Part, part_of, told
from stream.metrics.family import Family
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
        parts: dict[str, Part] = {"feed": _settled(partial(feed_families, self._feed))}
        board = None
        try:
            board = await self._take_board()
        except Exception as error:  # noqa: BLE001 - told by the page as a section that failed, and logged there
            parts = {"board": _failing(error), **parts}
        loop = asyncio.get_running_loop()
        body = await loop.run_in_executor(self._executor, partial(self._written, board, parts, form, packed=packed))
        headers = {"Content-Type": form.value, "Vary": "Accept, Accept-Encoding"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    def stop(self) -> None:
        """End what writes large pages."""
        self._scribe.stop()

    def _written(self, board: Board | None, parts: dict[str, Part], form: Format, *, packed: bool) -> bytes:
        build: dict[str, Part] = {"build": part_of(build_families)}
        first, last = (
            {name: told(name, part, form, timer=self._timer) for name, part in some.items()}
            for some in (build, {**parts, "process": self._process.written})
        )
        draft = Draft(form=form, packed=packed, first=first, board=board, last=last)
        if board is not None and len(board.queues) >= LARGE:
            page = self._scribe.written(draft)
            if page is not None:
                return page
        return write(draft, self._timer)


def _settled(section: Callable[[], Iterable[Family]]) -> Part:
    """Compute a section now, on the loop that changes what it reads; a failure comes up when it is written."""
    try:
        families = list(section())
    except Exception as error:  # noqa: BLE001 - as above
        return _failing(error)
    return part_of(lambda: families)


def _failing(error: Exception) -> Part:
    def fail(_: Format) -> list[bytes]:
        raise error

    return fail
