"""Whom a source asks goes through its command, broker and worker, and gives the figures counted by hand."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from stream.app.service import Service
from tests.brokers import Broker
from tests.e2e.test_stories_of_sources import on_the_page
from tests.house.tree import ROOT
from tests.running import Figures, parsed, running_service, scrape, until
from tests.sources.contract.stories import STORIES

pytestmark = pytest.mark.slow


@asynccontextmanager
async def killed_behind(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a source, which has no time to say goodbye."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "stream", "source", *arguments, cwd=ROOT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def told_by_sources(service: Service) -> int:
    """Return how many events have come of what was asked, again and again: of cases the worker tells some itself."""
    return sum(count for name, count in service.feed.events.items() if not name.startswith("customer."))


async def comes(process: asyncio.subprocess.Process, service: Service, count: int) -> None:
    """Wait until so many events have come."""

    def has_come() -> bool:
        assert process.returncode is None, "it has ended by itself"
        return told_by_sources(service) >= count

    await until(has_come)


async def shows(service: Service, wanted: Figures) -> None:
    """Wait until the page shows these figures; who waits in vain is told which it does not."""
    for _ in range(1000):
        page = on_the_page(wanted, await scrape(service))
        if page == wanted:
            return
        await asyncio.sleep(0.05)  # figures tell nobody when they change
    assert page == wanted


@pytest.mark.parametrize("name", STORIES)
async def test_what_is_asked_for_gives_the_figures_counted_by_hand_whoever_is_killed_on_the_way(
    fresh_broker: Broker, name: str, tmp_path: Path
) -> None:
    story = STORIES[name]
    wanted = parsed(story.figures)
    assert wanted, "count by hand what the story gives"
    position = tmp_path / "position"
    async with story.begun(tmp_path, fresh_broker) as system, running_service(fresh_broker, at=story.at) as service:
        command = (name, *system.arguments, "--state", str(position), "--broker", fresh_broker.setting)
        await system.goes_on(0)
        async with killed_behind(*command) as source:
            await comes(source, service, story.told)
        await system.goes_on(1)
        async with killed_behind(*command):
            await shows(service, wanted)
        # Who has lost the position as well tells all of it once more.
        position.unlink(missing_ok=True)
        again = told_by_sources(service) + story.afresh
        async with killed_behind(*command) as source:
            await comes(source, service, again)
            await shows(service, wanted)

    assert service.feed.invalid.total() == 0
