import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stream.board.format import NO_SAMPLE
from stream.board.server import Listen
from tests.board.boards import a_board, a_queue, a_tally
from tests.board.chromium import INSTALL, Page, browser, found
from tests.board.conftest import Worker

Served = Callable[..., AbstractAsyncContextManager[str]]

pytestmark = pytest.mark.skipif(found() is None, reason=INSTALL)

FIRST_TILE = "document.querySelector('#tiles li')"


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with browser(tmp_path / "profile") as tab:
        yield tab
    shutil.rmtree(tmp_path / "profile", ignore_errors=True)


async def test_a_supervisor_sees_the_worst_queue_first_with_colour_and_sign(served: Served, page: Page) -> None:
    async with served(Worker()) as address:
        await page.go(f"{address}/")
        await page.until("document.querySelectorAll('#tiles li').length === 8")

        tile = await page.look(f"{FIRST_TILE}.innerText")
        assert all(
            text in tile for text in ("support", "▼ BREACH", "58", "target 80 % in 20 s", "17 %", "▼ 5 past 20 s")
        )
        assert await page.look("document.title") == "▼ support 58 %"
        assert await page.look("document.querySelector('#tiles li:last-child .level dd').innerText") == NO_SAMPLE
        assert await page.look("document.documentElement.scrollHeight <= innerHeight"), "eight queues fit on the wall"
        assert await page.look("document.documentElement.scrollWidth <= innerWidth")
        assert await page.look("document.getElementById('banner').innerText") == ""
        assert page.errors == []


async def test_the_longest_wait_ticks_although_nothing_happens(served: Served, page: Page) -> None:
    now = datetime.now(UTC)
    wait = "document.querySelector('#tiles li .wait dd')?.innerText"

    async with served(Worker(board=a_board(a_queue(waited=40, at=now)), moving=True)) as address:
        await page.go(f"{address}/")
        for text in ("0:40", "0:41", "0:42"):
            await page.until(f"{wait} === '{text}'")


async def test_another_window_can_be_chosen(served: Served, page: Page) -> None:
    async with served(Worker()) as address:
        await page.go(f"{address}/")
        await page.until("document.querySelectorAll('#windows button').length === 5")
        await page.look("[...document.querySelectorAll('#windows button')].at(-1).click()")
        await page.until("document.querySelector('#windows [aria-pressed=true]').textContent === 'today'")

        assert "window=today" in await page.look("location.search")


async def test_a_queue_name_is_text_and_never_markup(served: Served, page: Page) -> None:
    name = "<img src=x onerror=alert(1)>"

    async with served(Worker(board=a_board(a_queue(name, tally=a_tally(in_target=1))))) as address:
        await page.go(f"{address}/")
        await page.until("document.querySelectorAll('#tiles li').length === 1")

        assert await page.look(f"{FIRST_TILE}.querySelector('.name').textContent") == name
        assert await page.look("document.querySelectorAll('#tiles img').length") == 0


async def test_a_lost_connection_is_told_and_heals_without_a_reload(served: Served, page: Page) -> None:
    async with served(Worker()) as address:
        await page.go(f"{address}/")
        await page.until("document.querySelectorAll('#tiles li').length === 8")
    await page.until("document.getElementById('banner').innerText.includes('Connection to the worker is lost')")
    banner = await page.look("document.getElementById('banner').innerText")
    title = await page.look("document.title")
    async with served(Worker(), Listen(port=int(address.rpartition(":")[2]))):
        await page.until("document.getElementById('banner')?.innerText === ''", seconds=20)

    assert ", since " in banner
    assert title.startswith("⚠ STALE")


async def test_an_empty_centre_says_what_it_waits_for(served: Served, page: Page) -> None:
    async with served(Worker(board=a_board())) as address:
        await page.go(f"{address}/")
        await page.until("document.getElementById('empty')?.innerText.startsWith('No queue yet')")
