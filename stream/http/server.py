"""The worker's pages: `/metrics`, `/healthz`, `/readyz`, the live board and its events. Knows no Faust.

Boards are read on the worker's loop, once for all who ask; whatever takes long is done in a thread.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from stream.board.broadcast import Broadcast, Frame
from stream.board.cluster.merge import BoardReading
from stream.board.cluster.share import SHARE_PATH, ShareCodec, SharePage, WorkerShare
from stream.board.document import Beat, detail_of, document_of, picture_of
from stream.board.files import files_of
from stream.board.shared_reading import EVERY_SECONDS, SharedRendering
from stream.core.family import Board, windows_of
from stream.core.windows import DEFAULT_WINDOW, WINDOWS
from stream.http.guard import HEADERS, STREAMED, guard
from stream.http.metrics_page import MetricsPage
from stream.http.shown import Shown
from stream.status.feed import Feed
from stream.status.freshness import Notice
from stream.status.health import Health

__all__ = ["DEFAULT_PORT", "BoardServer", "Listen"]

DEFAULT_PORT: Final = 9108

ANSWER_SECONDS = 15.0
"""Longer than this no page takes; Prometheus gives up after 10 s by default."""

_log = logging.getLogger(__name__)
# A logger of its own for aiohttp, so that a filter can be put on it alone.
_http_log = logging.getLogger(f"{__name__}.http")


def _is_ours(record: logging.LogRecord) -> bool:
    """Tell whether a failure may be a defect of ours: a request that is no HTTP is answered 400, and that is all."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


# Port scanners, and clients that speak TLS to this port, would else fill the log with tracebacks.
_http_log.addFilter(_is_ours)


class Listen(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen. There is no authentication: other addresses than loopback need a proxy before them."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0 takes a free one."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names to answer to, beside loopback ones; see `stream.http.guard`."""


class BoardServer:
    """
    Serves one worker's figures, and the board of its whole group.

    *shown* says what is served. *read_board* returns what this worker owns, for `/metrics`;
    *read_share* the same, for the other workers;
    *read* the board of all workers, with what is wrong with it. The last two return the same object to all who
    ask while there is nothing newer. *clock* tells now; *health* judges the worker; *every* is how often the
    wall is told. `address` is known after `start`.
    """

    def __init__(  # noqa: PLR0913  # each part of a worker that a page shows
        self,
        shown: Shown,
        *,
        read_board: Callable[[], Awaitable[Board]],
        read_share: Callable[[], Awaitable[WorkerShare]],
        read: Callable[[], Awaitable[BoardReading]],
        feed: Feed,
        clock: Callable[[], datetime],
        health: Callable[[], Health],
        listen: Listen | None = None,
        every: timedelta = timedelta(seconds=EVERY_SECONDS),
    ) -> None:
        self._families = shown.on_the_board()
        self._windows = windows_of(self._families)
        self._files = files_of(shown.families)
        self._read = read
        self._clock = clock
        self._health = health
        self._listen = listen or Listen()
        self._broken_since: datetime | None = None
        # Two, so that a long rendering does not hold up another window; metrics have a thread of their own.
        self._executor = ThreadPoolExecutor(2, thread_name_prefix="board")
        self._metrics = MetricsPage(shown, read_board=read_board, feed=feed, timer=perf_counter)
        self._documents = SharedRendering(read, self._document_of, self._executor)
        self._share_page = SharePage(read_share, ShareCodec(shown.families), self._executor)
        self._broadcast = Broadcast(self._frame, every=every)
        # No log of requests: each scrape and each page that asks would be a line. And at the end not a minute, as
        # aiohttp has it, for what is still being answered: an orchestrator kills before that.
        self._runner = web.AppRunner(self._application(), access_log=None, logger=_http_log, shutdown_timeout=2)
        self._sending: asyncio.Task[None] | None = None

    def _application(self) -> web.Application:
        # Nothing here takes a body: 1 KiB is for clients that send one all the same.
        app = web.Application(
            middlewares=[guard(self._listen.host, self._listen.allowed_hosts, ANSWER_SECONDS)], client_max_size=1024
        )
        app.add_routes(
            [
                web.get("/metrics", self._metrics.answer),
                web.get("/healthz", self._alive),
                web.get("/readyz", self._ready),
                web.get(SHARE_PATH, self._share_page.answer),
                web.get("/board.json", self._document),
                web.get("/detail.json", self._detail),
                web.get(STREAMED, self._events),
                web.get("/", self._page),
                web.get("/static/{name}", self._page),
            ]
        )
        return app

    @property
    def address(self) -> str:
        """Where the board is, once started: `http://127.0.0.1:9108`."""
        host, port = self._runner.addresses[0][:2]
        # An IPv6 address stands in brackets in a URL.
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def viewers(self) -> int:
        """How many pages follow the board now."""
        return self._broadcast.viewers

    async def start(self) -> None:
        """Listen; OSError when the port is taken."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._listen.host, self._listen.port).start()
        except OSError:
            await self.stop()
            raise
        self._sending = asyncio.create_task(self._broadcast.run(), name="board broadcast")

    async def stop(self) -> None:
        """End the streams, finish what is being answered, and close the port. Safe to call twice."""
        # First: streams never end by themselves, and `cleanup` waits for whatever is being answered.
        self._broadcast.close()
        if self._sending is not None:
            self._sending.cancel()
            with suppress(asyncio.CancelledError):
                await self._sending
            self._sending = None
        await self._runner.cleanup()
        self._metrics.stop()
        # Not waited for: a rendering that hangs would keep the process from ending.
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _alive(self, _: web.Request) -> web.Response:
        return _verdict("alive", self._health().dead)

    async def _ready(self, _: web.Request) -> web.Response:
        return _verdict("ready", self._health().unready)

    async def _page(self, request: web.Request) -> web.Response:
        name = request.match_info.get("name", "board.html")
        # A dictionary of what there is, not a path on the disk: no name leads out of it.
        if name not in self._files:
            raise web.HTTPNotFound
        content_type, body = self._files[name]
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _document(self, request: web.Request) -> web.Response:
        body = await self._documents.body(self._window_of(request))
        return web.Response(body=body, headers={"Content-Type": "application/json"})

    def _document_of(self, reading: BoardReading, window: str) -> bytes:
        return msgspec.json.encode(document_of(reading.board, self._families, window, reading.notices))

    async def _detail(self, request: web.Request) -> web.Response:
        board = (await self._read()).board
        # Without a panel the first family is meant, whose rows the page shows as tiles.
        panel, key = request.query.get("panel") or self._families[0].name, request.query.get("key", "")
        detail = partial(detail_of, board, self._families, panel, key)
        body = await self._in_thread(lambda: msgspec.json.encode(detail()))
        return web.Response(body=body, headers={"Content-Type": "application/json"})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        return await self._broadcast.answer(request, self._window_of(request), HEADERS)

    async def _frame(self, window: str) -> Frame:
        """Render for the wall. When no board can be had the wall keeps the last one, and says so."""
        try:
            # The stream has no limit of its own (see `guard`), so each picture for it has one.
            async with asyncio.timeout(ANSWER_SECONDS):
                board, notices = await self._read()
                body = await self._in_thread(
                    lambda: msgspec.json.encode(picture_of(board, self._families, window, ticking=True))
                )
        except Exception:  # noqa: BLE001 - whatever it is, the wall must learn that its figures stand still
            if self._broken_since is None:
                _log.exception("no board for the wall; this is logged once, until there is one again")
            # No board and a beat all the same: the page keeps its figures, and says since when they stand still.
            return Frame(b"", msgspec.json.encode(self._broken_beat()))
        self._broken_since = None
        return Frame(body, msgspec.json.encode(Beat(at=board.at, notices=notices)))

    def _broken_beat(self) -> Beat:
        now = self._clock()
        self._broken_since = self._broken_since or now
        text = "The worker cannot compute its board: the log says why"
        notice = Notice(code="broken", severity="stale", text=text, since=self._broken_since)
        return Beat(at=now, notices=(notice,))

    def _window_of(self, request: web.Request) -> str:
        """Return the window that is asked for; where none is, or one that is not shown, the usual or the first one."""
        usual = DEFAULT_WINDOW if DEFAULT_WINDOW in self._windows else self._windows[0]
        window = request.query.get("window", usual)
        if window not in WINDOWS:
            raise web.HTTPBadRequest
        # Addresses that were shared before a window was taken away still lead to a board, which says its window.
        return window if window in self._windows else usual

    async def _in_thread(self, work: Callable[[], bytes]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _verdict(question: str, reasons: tuple[str, ...]) -> web.Response:
    """Answer 200 when there is no reason against it, else 503."""
    body = msgspec.json.encode({question: not reasons, "reasons": reasons})
    # 503, which orchestrators and load balancers take for a probe that failed.
    return web.Response(status=503 if reasons else 200, body=body, headers={"Content-Type": "application/json"})
