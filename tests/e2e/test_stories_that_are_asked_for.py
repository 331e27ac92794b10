"""Whom a source asks goes through its command, broker and worker, and gives the figures counted by hand."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from stream.app.service import Service
from tests.brokers import Broker
from tests.e2e.test_stories_of_sources import on_the_page
from tests.house.tree import ROOT
from tests.running import Figures, parsed, records_on, running_service, scrape, until
from tests.sources.contract.stories import FOREIGN_TOPIC, STORIES

pytestmark = pytest.mark.slow

PERSONAL: Final = (b"arked", b"nvented", b"Customer One", b"@example.com", b"38640")
"""Names, subjects, texts, addresses and numbers as they stand in the stories, or the beginning of them."""


@asynccontextmanager
async def killed_behind(log: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a source, which has no time to say goodbye; what it says goes to *log*."""
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream", "source", *arguments),
            cwd=ROOT,
            env=os.environ | {"CONTACT_STREAM_LOG_LEVEL": "DEBUG"},
            stdout=file,
            stderr=file,
        )
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
        assert process.returncode is None, "it has ended by itself: its log says why"
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
    position, log = tmp_path / "position", tmp_path / "log"
    async with story.begun(tmp_path, fresh_broker) as system, running_service(fresh_broker, at=story.at) as service:
        command = (name, *system.arguments, "--state", str(position), "--broker", fresh_broker.setting)
        await system.goes_on(0)
        async with killed_behind(log, *command) as source:
            await comes(source, service, story.told)
        await system.goes_on(1)
        async with killed_behind(log, *command):
            await shows(service, wanted)
        # Who has lost the position as well tells all of it once more.
        position.unlink(missing_ok=True)
        again = told_by_sources(service) + story.afresh
        async with killed_behind(log, *command) as source:
            await comes(source, service, again)
            await shows(service, wanted)

    assert service.feed.invalid.total() == 0
    # Topics, dead letters, changelogs: all that there is, but for what the other side has.
    records = await records_on(fresh_broker.address, FOREIGN_TOPIC)
    assert b"-changelog " in records
    seen = records + b"".join(file.read_bytes() for file in (log, position) if file.exists())
    assert [text for text in PERSONAL if text in seen] == []
