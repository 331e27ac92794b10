"""How people use the live board: by keyboard, in their language, by ear, in the dark, from a phone to a wall."""

import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.async_api import Page, expect

from stream.core.family import Board
from stream.core.windows import LIVE_WINDOWS
from stream.languages.words import LANGUAGES, Language, words
from tests.board.boards import a_board, a_queue, a_tally, wall
from tests.board.chromium import INSTALL, Visitor, found
from tests.board.conftest import Worker

Served = Callable[..., AbstractAsyncContextManager[str]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(found() is None, reason=INSTALL),
]

FOCUSED = "document.activeElement.dataset.queue ?? document.activeElement.id"
VIEWS = ("", "?view=list", "?view=wall", "?queue=acme/support/voice")


CHOOSE = "(select, value) => { select.value = value; select.dispatchEvent(new Event('change')); }"
"""What a hand does, without waiting for the screen each time."""

LOOKS = (Path(__file__).parent / "looks.js").read_text()


async def look(page: Page, question: str) -> Any:
    """Ask `looks.js` what is wrong with the looks of a page."""
    return await page.evaluate(f"{LOOKS}.{question}()")


async def opened(visitor: Visitor, address: str, **how: Any) -> Page:
    """Open a page, and wait until it shows figures."""
    page = await visitor.open(address, **how)
    await shown(page)
    return page


async def shown(page: Page) -> None:
    """Wait until there are figures."""
    await page.locator("#tiles li:visible, #rows tr:visible, #figures tr:visible").first.wait_for()


async def in_each_language(page: Page, sizes: Sequence[tuple[int, int]]) -> AsyncIterator[str]:
    """Show a page on screens of these sizes, in each language; yield which it is."""
    for width, height in sizes:
        await page.set_viewport_size({"width": width, "height": height})
        for language in LANGUAGES:
            await page.locator("#language").evaluate(CHOOSE, language)
            await shown(page)
            yield f"{language}, {width} x {height}"


# --- the keyboard -----------------------------------------------------------------------------------


async def test_the_board_can_be_walked_by_keyboard(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/")
        walked = []
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft", "Home", "End", "ArrowUp"):
            await page.keyboard.press(key)
            walked.append(await page.evaluate(FOCUSED))
        await page.keyboard.press("Enter")
        await expect(page.locator("#queue-name")).to_be_focused()
        opened_queue = page.url
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#queue-name")).to_have_text("claims-and-complaints")
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("Escape")

        assert walked == [
            f"acme/{one}"
            for one in (
                *("support/voice", "vip/voice", "support/chat", "claims-and-complaints/email"),
                *("support/voice", "night line/voice", "billing/voice"),
            )
        ]
        assert "queue=acme%2Fbilling%2Fvoice" in opened_queue
        await expect(page.get_by_role("link", name="billing")).to_be_focused()


async def test_tab_reaches_everything_once_and_shows_where_it_is(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/")
        stops, unseen = [], []
        for _ in range(40):
            await page.keyboard.press("Tab")
            stop = await page.evaluate("document.activeElement.id || document.activeElement.textContent")
            if stop in stops or stop == await page.evaluate("document.body.textContent"):
                break
            stops.append(stop)
            shown = "getComputedStyle(document.activeElement.closest('article') ?? document.activeElement).outlineStyle"
            if await page.evaluate(shown) == "none":
                unseen.append(stop)

        assert stops[0] == "skip"
        assert stops[1:9] == ["Board", "List", "Wall", "5 min", "15 min", "30 min", "1 h", "today"]
        assert stops[9:] == ["rotate", "find", "language", "theme", "help-button", "support", "metrics", "JSON"]
        assert unseen == []


async def test_single_keys_are_shortcuts_that_can_be_turned_off(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/")
        await page.keyboard.press("l")
        await expect(page.locator("#list")).to_be_visible()
        await page.keyboard.press("1")
        await expect(page.get_by_role("button", name="5 min", exact=True)).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("/")
        await page.keyboard.type("bill")
        await expect(page.locator("#rows tr")).to_have_count(1)
        await page.keyboard.press("Escape")
        await expect(page.locator("#tiles li")).to_have_count(8)
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        await page.locator("#single-keys").uncheck()
        await page.keyboard.press("Escape")
        await page.keyboard.press("w")

        await expect(page.locator("body.view-board")).to_be_visible()


async def test_focus_stays_with_its_queue_when_the_order_changes(served: Served, visitor: Visitor) -> None:
    well, badly = a_tally(in_target=9), a_tally(too_late=9)
    worker = Worker(board=a_board(a_queue("a", tally=badly), a_queue("b", tally=well)))

    async with served(worker) as address:
        page = await opened(visitor, f"{address}/")
        await page.keyboard.press("ArrowRight")
        worker.board = a_board(a_queue("a", tally=well), a_queue("b", tally=badly))
        await expect(page.locator("#tiles .name").first).to_have_text("b")

        await expect(page.get_by_role("link", name="a", exact=True)).to_be_focused()


# --- languages --------------------------------------------------------------------------------------

WRITTEN: dict[Language, tuple[str, str]] = {
    "en": ("3.6%", "1h 31"),
    "sl": ("3,6 %", "1 h 31"),
    "hr": ("3,6 %", "1 h 31"),
    "ro": ("3,6 %", "1 h 31"),
    "et": ("3,6%", "1 t 31"),
}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_board_speaks_each_language(served: Served, visitor: Visitor, language: Language) -> None:
    board = words(language)["board"]

    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/?lang={language}")
        tile = page.locator("#tiles li").first
        share = (await tile.locator(".blocking dd").inner_text()).replace("\N{NO-BREAK SPACE}", " ")
        longest = (await page.locator("#summary .longest_wait dd").inner_text()).replace("\N{NO-BREAK SPACE}", " ")

        assert await page.evaluate("document.documentElement.lang") == language
        assert board["short_service_level"] in await tile.inner_text()
        assert board["state_breached"] in await tile.inner_text()
        assert (share, longest) == WRITTEN[language]


@pytest.mark.parametrize("view", VIEWS)
async def test_no_word_is_missing(served: Served, visitor: Visitor, view: str) -> None:
    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/{view}")
        await page.keyboard.press("?")
        said = ""
        for language in LANGUAGES:
            await page.locator("#language").select_option(language, force=True)
            await shown(page)
            said += await page.locator("body").inner_text()

        assert re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b|\{\w+\}|undefined|NaN|null", said) == []


async def test_the_language_is_the_browsers_until_one_is_chosen(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/", locale="hr-HR")
        first = await page.evaluate("document.documentElement.lang")
        await page.locator("#language").select_option("et")
        await page.goto(f"{address}/")
        await expect(page.locator("html")).to_have_attribute("lang", "et")

        assert first == "hr"


async def test_what_is_wrong_is_said_in_the_language_of_the_board(served: Served, visitor: Visitor) -> None:
    worker = Worker()
    worker.feed.recovery = "recovering"

    async with served(worker) as address:
        page = await opened(visitor, f"{address}/?lang=sl")

        await expect(page.locator("#banner")).to_contain_text(words("sl")["board"]["notice_recovering"])


# --- screen readers ---------------------------------------------------------------------------------


async def test_a_screen_reader_finds_landmarks_and_names(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/")
        for landmark in ("banner", "main", "contentinfo", "search"):
            await expect(page.get_by_role(landmark)).to_have_count(1)
        await expect(page.get_by_role("navigation", name="Views")).to_be_visible()
        await expect(page.get_by_role("list", name="Queues, worst first").get_by_role("listitem")).to_have_count(8)
        tile = await page.get_by_role("article").first.aria_snapshot()

        assert 'heading "support voice ▼ BREACH" [level=2]' in tile
        assert "term: Service level" in tile
        assert await look(page, "unnamed") == []


async def test_the_list_is_a_table_with_heads_of_lines_and_columns(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/?view=list")
        table = page.get_by_role("table", name="Queues, worst first")

        await expect(table.get_by_role("rowheader")).to_have_count(8)
        await expect(table.get_by_role("columnheader")).to_have_count(14)


async def test_what_ticks_is_not_read_out(served: Served, visitor: Visitor) -> None:
    listen = """(wait) => new Promise((done) => {
      let [told, ticks] = [0, 0];
      const all = { subtree: true, childList: true, characterData: true };
      for (const live of document.querySelectorAll("[aria-live]"))
        new MutationObserver(() => told += 1).observe(live, all);
      new MutationObserver(() => (ticks += 1) > 3 && done(told)).observe(wait, all);
    })"""
    board = a_board(a_queue("support", waited=40, at=datetime.now(UTC)))

    async with served(Worker(board=board, moving=True, speed=10)) as address:
        page = await opened(visitor, f"{address}/")

        assert await page.locator("#tiles .longest_wait dd:not(.note)").evaluate(listen) == 0


async def test_a_change_of_state_is_announced(served: Served, visitor: Visitor) -> None:
    worker = Worker(board=a_board(a_queue("support", tally=a_tally(in_target=9))))

    async with served(worker) as address:
        page = await opened(visitor, f"{address}/")
        worker.board = a_board(a_queue("support", tally=a_tally(too_late=9)))

        await expect(page.locator("#announcer")).to_have_text("support, voice: breach")


# --- colours and sizes ------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
async def test_text_stands_out_from_its_ground(served: Served, visitor: Visitor, view: str) -> None:
    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/{view}")
        for theme in ("dark", "light"):
            await page.locator("#theme").select_option(theme, force=True)

            assert await look(page, "pale") == [], f"{theme}: WCAG AA asks for 4.5 : 1"


async def test_colours_are_the_systems_until_others_are_chosen(served: Served, visitor: Visitor) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"

    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/", scheme="light")
        light = await page.evaluate(ground)
        await page.locator("#theme").select_option("dark")
        dark = await page.evaluate(ground)
        await page.goto(f"{address}/")
        await expect(page.locator("html")).to_have_attribute("data-theme", "dark")

        assert (light, dark) == ("rgb(233, 238, 243)", "rgb(10, 14, 19)")


def extremes(at: datetime) -> Board:
    """What needs most room: all of a hundred, days of waiting, thousands of cases, several tenants, long names."""
    crowd = a_tally(too_late=4_000, abandoned=9_999, wait_seconds=3_700, blocked=9_000)
    queues = (
        a_queue("crowd", tally=crowd, waited=183_600, waiting=12_345, past=12_345, at=at, callbacks=34),
        a_queue("a name that nobody could ever find room for", tally=a_tally(in_target=7), waited=3_720, past=1, at=at),
        a_queue("vip", tenant="another tenant", tally=a_tally(in_target=100), waited=725, past=1, at=at),
    )
    board = wall(at)
    return replace(board, snapshots={**board.snapshots, "contacts": (*queues, *board.snapshots["contacts"][:3])})


SECOND = timedelta(seconds=1)
PHONE, TABLET, LAPTOP, DESK = (360, 740), (768, 1024), (1280, 720), (1920, 1080)


@pytest.mark.parametrize("view", [*VIEWS, "?queue=acme/crowd/voice"])
async def test_from_phone_to_wall_everything_has_its_place(served: Served, visitor: Visitor, view: str) -> None:
    async with served(Worker(board=extremes(datetime.now(UTC)), every=SECOND)) as address:
        page = await opened(visitor, f"{address}/{view}")
        async for where in in_each_language(page, [PHONE, TABLET, LAPTOP, DESK, (3840, 2160)]):
            assert await look(page, "illPlaced") == [], where
            assert await look(page, "broken") == [], where
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where


@pytest.mark.parametrize("view", ["", "?view=wall"])
async def test_a_long_name_stands_on_two_lines_rather_than_end_in_dots(
    served: Served, visitor: Visitor, view: str
) -> None:
    names = ("claims-and-complaints", "customer_service_north", "billing and invoices")
    board = a_board(*(a_queue(name, tally=a_tally(too_late=9)) for name in names))

    async with served(Worker(board=board, every=SECOND)) as address:
        page = await opened(visitor, f"{address}/{view}")
        async for where in in_each_language(page, [PHONE, TABLET, LAPTOP, DESK]):
            assert await look(page, "cut") == [], where


async def test_on_a_laptop_all_controls_stand_in_one_line(served: Served, visitor: Visitor) -> None:
    async with served(Worker(every=SECOND)) as address:
        page = await opened(visitor, f"{address}/")
        async for where in in_each_language(page, [LAPTOP, (1366, 768)]):
            assert await look(page, "lines") == 1, where


async def test_a_queue_on_the_wall_is_read_from_four_metres(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/?view=wall")
        sizes = await look(page, "sizes")

        # A 65-inch screen is 0.81 m high, and capitals are 0.72 of their font: 17 mm for labels, 84 mm for the level.
        assert sizes[0] >= 1 / 34
        assert sizes[-1] >= 1 / 7
        assert await page.locator("#tiles li").count() == 6


async def test_a_wall_says_of_how_many_pages_it_is_one_and_over_what_its_figures_are(
    served: Served, visitor: Visitor
) -> None:
    async with served(Worker()) as address:  # eight queues: six on a screen, three on a phone
        page = await opened(visitor, f"{address}/?view=wall&window=1h")
        for (width, height), pages in ((DESK, 2), (PHONE, 3)):
            await page.set_viewport_size({"width": width, "height": height})

            await expect(page.locator("#shown")).to_be_visible()
            await expect(page.locator("#shown")).to_have_text(f"1 h · Page 1 of {pages}")


async def test_queues_of_one_name_are_told_apart_on_every_screen(served: Served, visitor: Visitor) -> None:
    board = a_board(a_queue("billing"), a_queue("billing", channel="chat"))
    async with served(Worker(board=board)) as address:
        page = await opened(visitor, f"{address}/?view=list")
        for width, height in (PHONE, LAPTOP, DESK):
            await page.set_viewport_size({"width": width, "height": height})
            rows = await page.locator("#rows tr").all_inner_texts()

            assert sorted(("chat" in row, "voice" in row) for row in rows) == [(False, True), (True, False)]


async def test_the_page_knows_the_windows_that_there_are(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await opened(visitor, f"{address}/")
        offered = "[...document.querySelectorAll('#windows button')].map((one) => one.dataset.window)"

        assert json.dumps(await page.evaluate(offered)) == json.dumps(LIVE_WINDOWS)


async def test_the_page_offers_just_the_windows_of_the_worker(served: Served, visitor: Visitor) -> None:
    async with served(Worker(windows=("5m", "today"))) as address:
        page = await opened(visitor, f"{address}/?window=1h")
        buttons = page.locator("#windows button")
        pressed = page.locator("#windows button[aria-pressed=true]")

        await expect(buttons).to_have_count(2)
        await expect(pressed).to_have_attribute("data-window", "5m")
        await page.keyboard.press("2")
        await expect(pressed).to_have_attribute("data-window", "today")
        await page.keyboard.press("5")
        await expect(pressed).to_have_attribute("data-window", "today")
