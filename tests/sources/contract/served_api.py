"""An API over HTTP that keeps records and answers for them page by page, for entries of `POLLED` and `STORIES`."""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestServer

from stream.sources.intake import Intake
from stream.sources.source import Puller
from tests.brokers import Broker
from tests.sources.contract.kept import AWAY_FOR, Kept
from tests.sources.contract.told_story import StorySystem

__all__ = ["latest_by_id", "records_since", "served_api", "told_by_api"]

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


def told_by_api(
    answer: AnswerPage, halves: tuple[Sequence[bytes], Sequence[bytes]], arguments: Callable[[str, Path], Sequence[str]]
) -> Callable[[Path, Broker], AbstractAsyncContextManager[StorySystem]]:
    """Return how the API of a story is begun; *arguments* are for its address, with files in a folder."""

    @asynccontextmanager
    async def begun(folder: Path, _: Broker) -> AsyncIterator[StorySystem]:
        records: list[bytes] = []

        async def handle(request: web.Request) -> web.StreamResponse:
            return answer(records, request)

        async def goes_on(half: int) -> None:
            records.extend(halves[half])

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        async with TestServer(app) as server:
            yield StorySystem(arguments(str(server.make_url("/")), folder), goes_on)

    return begun


def latest_by_id(records: Sequence[bytes], time_field: str) -> list[bytes]:
    """Return of each thing the record that was stored last, the earliest first."""
    latest = {json.loads(record)["id"]: record for record in records}
    return sorted(latest.values(), key=lambda record: str(json.loads(record)[time_field]))


def records_since(records: Sequence[bytes], time_field: str, since: datetime) -> list[bytes]:
    """Return the records of that instant or later in the order of the field; what has none comes first, always."""
    found = [_with_its_time(record, place, time_field) for place, record in enumerate(records)]
    dated = [(at, record) for record, at in found if at is not None and at >= since]
    return [
        *(record for record, at in found if at is None),
        *(record for _, record in sorted(dated, key=lambda one: one[0])),
    ]


def _with_its_time(record: bytes, place: int, time_field: str) -> tuple[bytes, datetime | None]:
    # No list has the same record twice, so that noise is told apart by its place.
    if not record.startswith(b"{"):
        return record.replace(b'1"', b'1 %d"' % place), None
    told = re.search(rb'"%s": "([^"]*)"' % time_field.encode(), record)
    assert told is not None
    return record.replace(b"noise", b"noise-%d" % place), datetime.fromisoformat(told[1].decode())
