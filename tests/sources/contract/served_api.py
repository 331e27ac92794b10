"""An API over HTTP that keeps records and answers for them page by page, for entries of `POLLED`."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from stream.sources.intake import Intake
from stream.sources.source import Puller
from tests.sources.contract.kept import AWAY_FOR, Kept

__all__ = ["served_api"]

AnswerPage = Callable[[Sequence[bytes], web.Request], web.Response]
"""Returns what the API answers to a request when it keeps these records."""

PullerAt = Callable[[str, Path, Intake], Puller]
"""Returns what asks an API at an address, without long pauses; the folder is for its files."""


class _ServedApi:
    def __init__(self, answer: AnswerPage, puller_at: PullerAt, folder: Path) -> None:
        self.address = ""
        self._answer = answer
        self._puller_at = puller_at
        self._folder = folder
        self._records: list[bytes] = []
        self._away = 0

    async def add(self, records: Iterable[bytes]) -> None:
        self._records += records

    def puller(self, intake: Intake) -> Puller:
        return self._puller_at(self.address, self._folder, intake)

    async def goes_away(self) -> None:
        self._away = AWAY_FOR

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self._away:
            self._away -= 1
            return web.Response(status=503)
        return self._answer(self._records, request)


def served_api(answer: AnswerPage, puller_at: PullerAt) -> Callable[[Path], AbstractAsyncContextManager[Kept]]:
    """Return how an API is begun that keeps nothing yet; whatever is asked for goes to *answer*."""

    @asynccontextmanager
    async def kept(folder: Path) -> AsyncIterator[Kept]:
        api, app = _ServedApi(answer, puller_at, folder), web.Application()
        app.router.add_route("*", "/{path:.*}", api.handle)
        async with TestServer(app) as server:
            api.address = str(server.make_url("/"))
            yield api

    return kept
