"""An API over HTTP that keeps records and answers for them page by page, for entries of `POLLED`."""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from stream.sources.intake import Intake
from stream.sources.source import Puller
from tests.sources.contract.kept import AWAY_FOR, Kept

__all__ = ["records_since", "served_api"]

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


def records_since(records: Sequence[bytes], time_field: str, since: datetime) -> list[bytes]:
    """Return the records whose field tells that instant or a later one; what has no such field is always there."""
    found = [_with_its_time(record, place, time_field) for place, record in enumerate(records)]
    return [record for record, at in found if at is None or at >= since]


def _with_its_time(record: bytes, place: int, time_field: str) -> tuple[bytes, datetime | None]:
    # No list has the same record twice, so that noise is told apart by its place.
    if not record.startswith(b"{"):
        return record.replace(b'1"', b'1 %d"' % place), None
    told = re.search(rb'"%s": "([^"]*)"' % time_field.encode(), record)
    assert told is not None
    return record.replace(b"noise", b"noise-%d" % place), datetime.fromisoformat(told[1].decode())
