"""The pages of a source that runs in a process of its own: `/metrics`, and `/healthz`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Final

from aiohttp import web

from stream.errors import SettingsError
from stream.http.body import Body
from stream.http.build import build_families
from stream.http.exposition import page, section_writer
from stream.http.guard import guard
from stream.http.negotiation import format_for
from stream.sources.intake import Intake
from stream.sources.intake_metrics import puller_families
from stream.sources.pulling.shipping import PositionFile

__all__ = ["source_page"]

SCRAPE_SECONDS: Final = 10.0
"""Longer than this no page takes; Prometheus gives up then."""


@asynccontextmanager
async def source_page(source: str, intake: Intake, position: PositionFile, host: str, port: int) -> AsyncIterator[str]:
    """Serve the pages, and give their address; port 0 takes a free one. Raises SettingsError where it is taken."""

    async def metrics(request: web.Request) -> web.Response:
        form, body = format_for(request.headers.get("Accept", "")), Body()
        told = section_writer(lambda: puller_families(source, intake, position.failures))
        page({"build": section_writer(build_families), "source": told}, form, body, timer=perf_counter)
        return web.Response(body=body.end(), headers={"Content-Type": form.value, "Vary": "Accept"})

    async def alive(_: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    application = web.Application(middlewares=[guard(host, (), SCRAPE_SECONDS)], client_max_size=1024)
    application.add_routes([web.get("/metrics", metrics), web.get("/healthz", alive)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as failure:
        await runner.cleanup()
        raise SettingsError(f"--metrics-port {port}: {failure.strerror}; 0 takes a free one") from failure
    try:
        yield f"http://{runner.addresses[0][0]}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
