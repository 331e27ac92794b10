"""`/metrics`: the board is taken and the feed read on the worker's loop, everything is written in a thread."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from functools import partial

from aiohttp import web

from stream.domain.snapshot import Board
from stream.metrics.adapter import ProcessPage
from stream.metrics.body import Body, GzippedBody
from stream.metrics.build import build_families
from stream.metrics.collector import board_sections
from stream.metrics.exposition import Format, Part, page, part_of
from stream.metrics.family import Family
from stream.metrics.feed import Feed
from stream.metrics.feed_collector import feed_families
from stream.metrics.negotiation import accepts_gzip, format_for

__all__ = ["MetricsPage"]


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

    async def answer(self, request: web.Request) -> web.Response:
        """Return the page in the format and encoding that the client likes best."""
        form = format_for(request.headers.get("Accept", ""))
        packed = accepts_gzip(request.headers.get("Accept-Encoding", ""))
        parts = await self._parts()
        loop = asyncio.get_running_loop()
        body = await loop.run_in_executor(self._executor, partial(self._written, parts, form, packed=packed))
        headers = {"Content-Type": form.value, "Vary": "Accept, Accept-Encoding"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    async def _parts(self) -> dict[str, Part]:
        parts: dict[str, Part] = {"build": part_of(build_families)}
        try:
            board = await self._take_board()
        except Exception as error:  # noqa: BLE001 - told by the page as a section that failed, and logged there
            parts["board"] = _failing(error)
        else:
            sections = board_sections(board)
            parts |= {name: part_of(section) for name, section in sections.items()}
        parts["feed"] = _settled(partial(feed_families, self._feed))
        parts["process"] = self._process.written
        return parts

    def _written(self, parts: dict[str, Part], form: Format, *, packed: bool) -> bytes:
        body = GzippedBody() if packed else Body()
        page(parts, form, body, timer=self._timer)
        return body.end()


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
