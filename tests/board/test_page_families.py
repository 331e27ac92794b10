"""A board is of one family at a time: contacts first; cases or satisfaction where somebody wants, or has no other."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from msgspec.structs import replace
from playwright.async_api import Page, expect

from stream.core.family import Board
from stream.languages.words import LANGUAGES
from tests.board.boards import NOON, a_queue, wall
from tests.board.chromium import INSTALL, Visitor, found
from tests.board.conftest import Worker
from tests.board.customers import ALL_CUSTOMERS, a_customer_board
from tests.board.test_page_use import CHOOSE, LAPTOP, in_each_language, look
from tests.families.everything import cases
from tests.families.surveys.busy import a_busy_survey

Served = Callable[..., AbstractAsyncContextManager[str]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(found() is None, reason=INSTALL),
]

PRESSED = "#windows button[aria-pressed=true]"
DESK = (cases("help desk", 3), cases("returns", 1))


def a_mixed_board() -> Board:
    """Contacts, cases, surveys and customers."""
    board = wall(NOON)
    others = {"cases": DESK, "surveys": a_busy_survey(NOON), "customers": a_customer_board().snapshots["customers"]}
    return replace(board, snapshots={**board.snapshots, **others})


async def windows_offered(page: Page) -> list[str]:
    return [await one.get_attribute("data-window") or "" for one in await page.locator("#windows button").all()]


async def names_of_tiles(page: Page) -> set[str]:
    await page.locator("#tiles li:visible").first.wait_for()
    return set(await page.locator("#tiles .name").all_inner_texts())


async def test_a_help_desk_that_reports_no_contacts_has_tiles_of_its_cases(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=Board(at=NOON, snapshots={"cases": DESK}))) as address:
        page = await visitor.open(f"{address}/")

        assert await names_of_tiles(page) == {"help desk", "returns"}
        await expect(page.locator("#families")).to_be_hidden()
        await expect(page.locator("#summary")).to_contain_text("waiting", ignore_case=True)
        assert visitor.complaints == []


async def test_a_person_chooses_of_what_the_board_is_and_the_address_keeps_it(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_mixed_board())) as address:
        page = await visitor.open(f"{address}/")
        assert "support" in await names_of_tiles(page)

        await page.get_by_role("group", name="Figures of").get_by_role("button", name="Cases").click()
        await expect(page.locator("#tiles .name").first).to_have_text("help desk")
        assert await names_of_tiles(page) == {"help desk", "returns"}
        assert set(await page.locator("#panels h2").all_inner_texts()) >= {"Contacts · 30 min"}
        await page.reload()
        assert await names_of_tiles(page) == {"help desk", "returns"}

        # A row of another family opens, and what was there before comes back.
        await page.locator("#panels").get_by_role("link", name="billing").click()
        await expect(page.locator("#queue-name")).to_have_text("billing")
        await page.keyboard.press("Escape")
        assert await names_of_tiles(page) == {"help desk", "returns"}
        await page.get_by_role("link", name="List").click()
        await expect(page.locator("#list tbody tr")).to_have_count(2)
        assert visitor.complaints == []


async def test_a_wall_shows_cases_and_turns_to_what_else_there_is(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_mixed_board())) as address:
        page = await visitor.open(f"{address}/?view=wall&panel=cases&window=today")
        assert await names_of_tiles(page) == {"help desk", "returns"}
        await expect(page.locator("#shown")).to_have_text("Cases · today")

        shown = []
        for _ in range(6):
            await page.keyboard.press("n")
            shown.append(await page.locator("#shown").inner_text())

        assert shown == [
            "Satisfaction and quality · today",
            *("Customers · today · Page 1 of 2", "Customers · today · Page 2 of 2"),
            *("Contacts · today · Page 1 of 2", "Contacts · today · Page 2 of 2"),
            "Cases · today",
        ]
        assert visitor.complaints == []


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("", "5m 15m 30m 1h today"),
        ("?panel=cases", "today 7d 30d 90d"),
        ("?view=list&panel=surveys", "today 7d 30d 90d"),
        ("?panel=customers", "today 7d 30d 90d month quarter"),
        ("?queue=acme/support/voice", "5m 15m 30m 1h today"),
        (f"?panel=customers&queue={ALL_CUSTOMERS}", "today 7d 30d 90d month quarter"),
    ],
)
async def test_a_board_offers_the_windows_of_what_it_is_of(
    served: Served, visitor: Visitor, asked: str, offered: str
) -> None:
    async with served(Worker(board=a_mixed_board())) as address:
        page = await visitor.open(f"{address}/{asked}")
        await page.locator(PRESSED).wait_for()
        *_, longest = windows = await windows_offered(page)
        await page.keyboard.press(str(len(windows)))

        assert windows == offered.split()
        await expect(page.locator(PRESSED)).to_have_attribute("data-window", longest)
        await expect(page).to_have_url(re.compile(f"window={longest}"))
        assert visitor.complaints == []


async def test_a_window_that_a_family_lacks_stays_chosen_for_those_that_have_it(
    served: Served, visitor: Visitor
) -> None:
    async with served(Worker(board=a_mixed_board())) as address:
        page = await visitor.open(f"{address}/?window=15m&panel=cases")
        await names_of_tiles(page)
        pressed = page.locator(PRESSED)

        await expect(pressed).to_have_text("today")
        await expect(page.locator("#updated")).to_contain_text("over today")
        await pressed.focus()
        for name, window in (("Satisfaction and quality", "today"), ("Customers", "today"), ("Contacts", "15 min")):
            await page.keyboard.press("f")
            await expect(page.locator("#families button[aria-pressed=true]")).to_have_text(name)
            await expect(pressed).to_have_text(window)
        await expect(page.locator("#windows button:focus")).to_have_text("today")


async def test_a_wall_that_turns_through_all_keeps_its_window(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_mixed_board())) as address:
        page = await visitor.open(f"{address}/?view=wall&panel=cases&window=1h")
        await names_of_tiles(page)
        turned = []
        for _ in range(7):
            turned.append(await page.locator("#shown").inner_text())
            await page.keyboard.press("n")

        assert turned == [
            *("Cases · today", "Satisfaction and quality · today"),
            *("Customers · today · Page 1 of 2", "Customers · today · Page 2 of 2"),
            *("Contacts · 1 h · Page 1 of 2", "Contacts · 1 h · Page 2 of 2"),
            "Cases · today",
        ]


async def test_on_a_laptop_the_controls_of_all_families_stand_in_two_lines(served: Served, visitor: Visitor) -> None:
    mixed = a_mixed_board()
    queues = tuple(a_queue(f"queue {number:02}", at=NOON) for number in range(30))  # more than a page
    board = replace(mixed, snapshots={**mixed.snapshots, "contacts": queues})
    async with served(Worker(board=board)) as address:
        for panel in ("contacts", "cases", "surveys", "customers"):
            page = await visitor.open(f"{address}/?panel={panel}")
            async for where in in_each_language(page, [LAPTOP]):
                assert await look(page, "lines") <= 2, (panel, where)


async def test_a_key_goes_to_the_next_figures(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_mixed_board())) as address:
        page = await visitor.open(f"{address}/")
        await names_of_tiles(page)
        await page.keyboard.press("f")

        assert await names_of_tiles(page) == {"help desk", "returns"}


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (390, 844)], ids=str)
@pytest.mark.parametrize(
    "asked",
    [f"?{view}panel={panel}" for panel in ("cases", "surveys", "customers&window=30d") for view in ("", "view=wall&")],
)
async def test_tiles_of_each_family_fit_in_each_language(
    served: Served, visitor: Visitor, asked: str, size: tuple[int, int]
) -> None:
    async with served(Worker(board=a_mixed_board())) as address:
        page = await visitor.open(f"{address}/{asked}")
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        for language in LANGUAGES:
            await page.locator("#language").evaluate(CHOOSE, language)
            await names_of_tiles(page)

            assert await look(page, "illPlaced") == [], language
            assert await look(page, "broken") == [], language
