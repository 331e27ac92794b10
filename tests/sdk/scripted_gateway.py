"""A gateway that answers as a test tells it to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

__all__ = ["ScriptedGateway", "scripted_gateway"]


class ScriptedGateway:
    """Gives one answer after the other, and accepts everything when it has no more."""

    def __init__(self) -> None:
        self.answers: list[web.Response] = []
        self.requests: list[tuple[list[dict[str, Any]], web.BaseRequest]] = []
        """The events of each request, and the request."""
        self.times: list[float] = []
        self.address = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.times.append(asyncio.get_running_loop().time())
        body = await request.read()  # aiohttp has unpacked it
        events = msgspec.json.decode(body)
        self.requests.append((events, request))
        return self.answers.pop(0) if self.answers else web.json_response({"accepted": len(events)}, status=202)

    @property
    def subjects(self) -> list[list[str]]:
        return [[event["subject"] for event in events] for events, _ in self.requests]


@asynccontextmanager
async def scripted_gateway() -> AsyncIterator[ScriptedGateway]:
    """Run one on a free port."""
    scripted = ScriptedGateway()
    application = web.Application(client_max_size=2**24)
    application.router.add_route("*", "/{tail:.*}", scripted.handle)
    async with TestServer(application) as server:
        scripted.address = str(server.make_url("/")).rstrip("/")
        yield scripted
