"""`/metrics`: the board is taken and the feed rendered on the worker's loop, the page is written elsewhere.

In a thread when it is small, which is quick, in a process of its own when it is large, which delays no event.
The thread is for scrapes alone: however long a page takes, the board does not wait for it. Who asks for a page
that is being made gets that one, so two Prometheus servers that ask at the same time cost one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from aiohttp import web

from stream.board.shared_reading import SharedReading
from stream.core.cloudevents import tag_of
from stream.core.family import Board
from stream.http.build import build_families
from stream.http.client_library import ProcessPage
from stream.http.exposition import Piece, SectionWriter, TextFormat, rendered, section_writer
from stream.http.negotiation import accepts_gzip, format_for
from stream.http.page_input import PageInput, write_body
from stream.http.page_writer import PageWriter
from stream.http.shown import Shown
from stream.status.feed import Feed
from stream.status.metrics import feed_families

__all__ = ["LARGE", "MetricsPage"]

# Below that a page takes less than 50 ms, and to hand it to another process would only make it later (decision
# 0004).
LARGE: Final = 500
"""Queues from which on a page is large."""


class MetricsPage:
    """Answers scrapes. One broken part, be it the board itself, never blanks the page."""

    def __init__(
        self, shown: Shown, *, read_board: Callable[[], Awaitable[Board]], feed: Feed, timer: Callable[[], float]
    ) -> None:
        self._families, self._detail = shown.families, shown.detail
        self._event_types = [tag_of(kind) for family in shown.families for kind in family.events]
        # Nothing is kept: what Prometheus writes down is to be of the instant at which it asked (decision 0008).
        self._boards = SharedReading(read_board)
        # One in the making for each format and encoding: whoever asks meanwhile gets the same bytes.
        self._pages = {
            (form, packed): SharedReading(partial(self._page, form, packed=packed))
            for form in TextFormat
            for packed in (False, True)
        }
        self._feed = feed
        self._timer = timer
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="metrics")
        self._process = ProcessPage()
        self._page_writer = PageWriter(shown.families, shown.registry)

    async def answer(self, request: web.Request) -> web.Response:
        """Return the page in the format and encoding that the client likes best."""
        form = format_for(request.headers.get("Accept", ""))
        packed = accepts_gzip(request.headers.get("Accept-Encoding", ""))
        body = await self._pages[form, packed].read()
        # A cache on the way must not give gzip, or OpenMetrics, to a client that has not asked for it.
        headers = {"Content-Type": form.value, "Vary": "Accept, Accept-Encoding"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    def stop(self) -> None:
        """End what writes large pages."""
        self._page_writer.stop()
        # The thread is not waited for: the page that it writes would reach nobody any more.
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _page(self, form: TextFormat, *, packed: bool) -> bytes:
        page_input = await self._page_input(form, packed=packed)
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._written, page_input)

    async def _page_input(self, form: TextFormat, *, packed: bool) -> PageInput:
        tell = partial(rendered, form=form, timer=self._timer)
        first = {"build": tell("build", section_writer(build_families))}
        board = None
        try:
            board = await self._boards.read()
        except Exception as error:  # noqa: BLE001 - rendered by the page as a section that failed, and logged there
            # The page goes out without the board: the feed on it says more about the trouble than an error 500
            # would.
            first["board"] = tell("board", _failing(error))
        # On the loop, which changes what they read.
        feed = tell("feed", section_writer(partial(feed_families, self._feed, self._event_types)))
        last = {"feed": feed, "process": tell("process", self._process.written)}
        return PageInput(
            form=form,
            packed=packed,
            detail=self._detail,
            first=first,
            at=None if board is None else board.at,
            # Lists of our own: `let_go` empties them, and the board may be shared with another scrape.
            snapshots={} if board is None else {name: [*of] for name, of in board.snapshots.items()},
            last=last,
        )

    def _written(self, page_input: PageInput) -> bytes:
        page = self._page_writer.written(page_input) if page_input.size >= LARGE else None
        # Also where the process has failed: slower for the events, but there is a page.
        if page is None:
            page = write_body(page_input, self._families, self._timer)
        # Before the input goes out of scope, which would free all of it at once.
        page_input.let_go()
        return page


def _failing(error: Exception) -> SectionWriter:
    def fail(_: TextFormat) -> list[Piece]:
        raise error

    return fail
