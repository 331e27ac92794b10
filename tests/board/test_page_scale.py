"""The live board with a thousand queues, and left alone: what it costs the browser, and how views turn."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from stream.core.family import Board
from tests.board.boards import a_board, a_queue, a_tally
from tests.board.chromium import INSTALL, Visitor, found
from tests.board.conftest import Worker

Served = Callable[..., AbstractAsyncContextManager[str]]

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(found() is None, reason=INSTALL),
]

MANY = 1000
SECOND = timedelta(seconds=1)


def a_thousand(answered: int = 90) -> Board:
    """A thousand queues in which somebody waits; *answered* in time in the first of them, 50 in the others."""
    tallies = (a_tally(in_target=answered if number == 0 else 50, too_late=10) for number in range(MANY))
    at = datetime.now(UTC)
    return a_board(
        *(a_queue(f"queue {number:04}", tally=tally, waited=5, at=at) for number, tally in enumerate(tallies))
    )


WATCH = """() => {
  window.changes = 0;
  window.long = [];
  new MutationObserver((all) => window.changes += all.length)
    .observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
  new PerformanceObserver((all) => window.long.push(...all.getEntries().map((one) => Math.round(one.duration))))
    .observe({ type: "longtask" });
}"""


@pytest.mark.parametrize(("view", "shown"), [("board", 24), ("list", 100), ("wall", 6)])
async def test_of_a_thousand_queues_only_what_changed_is_drawn(
    served: Served, visitor: Visitor, view: str, shown: int
) -> None:
    worker = Worker(board=a_thousand(), moving=True)

    async with served(worker) as address:
        page = await visitor.open(f"{address}/?view={view}&page=2")
        tiles = page.locator("#tiles li:visible, #rows tr:visible")
        await expect(tiles).to_have_count(shown)
        await page.evaluate(WATCH)
        ticks = await page.locator("#clock").inner_text()
        worker.board = a_thousand(answered=9)
        await expect(page.locator("#sum-breached")).to_have_text("1")
        await expect(page.locator("#clock")).not_to_have_text(ticks)
        changes, long = await page.evaluate("[window.changes, window.long]")
        print(f"{view}: {changes} changes of the document, long tasks of {long} ms")

        assert await page.evaluate("document.querySelectorAll('*').length") < 3000
        # Each second at most the longest wait of each queue on the page (text, perhaps its size) and the head.
        assert changes <= 3 * (2 * shown + 40)


async def test_one_of_a_thousand_queues_is_found_by_its_name(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_thousand(), every=SECOND)) as address:
        page = await visitor.open(f"{address}/")
        await page.get_by_role("searchbox", name="Find a queue").fill("queue 0777")

        await expect(page.locator("#tiles .name")).to_have_text(["queue 0777"])
        assert "find=queue+0777" in page.url


async def test_pages_follow_each_other_and_stand_in_the_address(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_thousand(), every=SECOND)) as address:
        page = await visitor.open(f"{address}/?view=list")
        await expect(page.locator("#page")).to_have_text("Page 1 of 10")
        await page.get_by_role("button", name="Previous").click()
        await expect(page.locator("#page")).to_have_text("Page 10 of 10")

        assert "page=10" in page.url


# --- rotation ---------------------------------------------------------------------------------------


async def turned(page: Page, seconds: int) -> None:
    """Let so many seconds go by on the clock of the page."""
    await page.clock.run_for(seconds * 1000)


async def test_pages_turn_by_themselves_and_stand_still_when_paused(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_thousand(), every=SECOND)) as address:
        page = await visitor.open(f"{address}/?view=wall&rotate=15", clock=True)
        where = page.locator("#page")
        await expect(page.locator("#tiles li")).to_have_count(6)
        await turned(page, 14)
        before = await where.text_content()
        await turned(page, 2)
        after = await where.text_content()
        await page.keyboard.press("Space")
        await turned(page, 60)
        paused = await where.text_content()
        await page.keyboard.press("Space")
        await turned(page, 16)

        assert (before, after, paused) == ("Page 1 of 167", "Page 2 of 167", "Page 2 of 167")
        await expect(where).to_have_text("Page 3 of 167")


async def test_where_there_is_one_page_the_windows_turn(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await visitor.open(f"{address}/?rotate=15", clock=True)
        await expect(page.locator("#tiles li")).to_have_count(8)
        await turned(page, 16)

        await expect(page.get_by_role("button", name="1 h")).to_have_attribute("aria-pressed", "true")


async def test_one_queue_follows_the_other(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await visitor.open(f"{address}/?queue=acme/support/voice&rotate=15", clock=True)
        await expect(page.locator("#figures tr").first).to_be_visible()
        # The detail may come before the board, which knows what is beside it.
        await expect(page.locator("#updated")).to_contain_text("Last update")
        await turned(page, 16)

        await expect(page.locator("#queue-name")).to_have_text("vip")


async def test_who_uses_the_board_is_not_interrupted(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_thousand(), every=SECOND)) as address:
        page = await visitor.open(f"{address}/?rotate=15", clock=True)
        await expect(page.locator("#tiles li")).to_have_count(24)
        await page.keyboard.press("ArrowRight")
        await turned(page, 28)

        await expect(page.locator("#page")).to_have_text("Page 1 of 42")
