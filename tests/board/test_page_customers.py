"""Customers on the page: rows of plans, groups and queues have names, and show only the figures that are theirs."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from msgspec.structs import replace
from playwright.async_api import Locator, Page, expect

from stream.core.format import NO_SAMPLE, level, share
from stream.languages.words import LANGUAGES
from tests.board.chromium import INSTALL, Visitor, found
from tests.board.conftest import Worker
from tests.board.customers import ALL_CUSTOMERS, a_customer_board, a_row_of
from tests.board.test_page_use import CHOOSE, look

Served = Callable[..., AbstractAsyncContextManager[str]]

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(found() is None, reason=INSTALL),
]

VOICE = "default/support/voice//"
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


def percent(text: str) -> str:
    """As a page in English writes it."""
    return text.replace(" ", "")


def tile_of(page: Page, name: str) -> Locator:
    return page.locator("#tiles li").filter(has=page.get_by_role("link", name=name, exact=True))


async def heads_of(tile: Locator) -> list[str]:
    await tile.wait_for()
    return await tile.locator("dl:not(.agents) dt").all_inner_texts()


def line_of(page: Page, title: str) -> Locator:
    return page.locator("#figures tr").filter(has=page.get_by_role("rowheader", name=title, exact=True)).locator("td")


async def test_all_customers_come_first_then_plans_and_groups_by_their_names(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_customer_board())) as address:
        page = await visitor.open(f"{address}/?view=list&window=30d")
        await page.locator("#rows tr").first.wait_for()

        names = await page.locator("#rows .name").all_inner_texts()
        assert names[0] == "All customers"
        assert {"Plan: basic", "Plan: premium", "Group: business", "support", "support-chat"} <= set(names)
        queue = page.locator("#rows tr").filter(has=page.get_by_role("link", name="support", exact=True))
        await expect(queue.locator("th small.channel")).to_have_text("voice")
        assert await page.locator("#rows th small.plan").all_inner_texts() == [""] * len(names)
        assert visitor.complaints == []


async def test_a_list_leaves_empty_what_rows_of_a_kind_never_have(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_customer_board())) as address:
        page = await visitor.open(f"{address}/?view=list&window=30d")
        await page.locator("#rows tr").first.wait_for()
        heads = await page.locator("#list thead th").all_inner_texts()
        rows = {
            await row.locator(".name").inner_text(): dict(
                zip(heads, await row.locator("th, td").all_inner_texts(), strict=True)
            )
            for row in await page.locator("#rows tr").all()
        }

        assert rows["All customers"]["FCR"] == rows["support"]["Churn"] == ""
        assert "%" in rows["All customers"]["Churn"]
        assert "%" in rows["support"]["FCR"]
        assert rows["Plan: plus"]["CLV"] == NO_SAMPLE, "nobody was lost, so it is not known; that is no empty cell"
        assert rows["All customers"]["CLV"].startswith("€")


async def test_a_tile_shows_the_figures_of_its_kind_and_the_line_that_studies_draw(
    served: Served, visitor: Visitor
) -> None:
    async with served(Worker(board=a_customer_board())) as address:
        page = await visitor.open(f"{address}/?window=30d")

        everybody, queue = tile_of(page, "All customers"), tile_of(page, "support")
        row, voice = a_row_of(ALL_CUSTOMERS, "30d"), a_row_of(VOICE, "30d")
        assert await heads_of(everybody) == ["Churn", "Carts abandoned", "CLV", "Customers", "Retention", "Referral"]
        assert await heads_of(queue) == ["FCR", "Repeats", "To a solution", "Contacts", "Contacts / solution"]
        await expect(everybody.locator(".cart_abandonment .note")).to_have_text("studies: 63%")
        await expect(everybody.locator(".churn .note")).to_contain_text(
            f"{row['lost']} of {row['customers_at_start']} lost"
        )
        await expect(queue.locator(".fcr .note")).to_contain_text(f"so far {percent(level(voice['fcr_so_far']))}")
        # Colour is not all that tells the verdict: the sign stands above the digits.
        await expect(everybody.locator(".churn")).to_have_class("churn signed")
        assert visitor.complaints == []


async def test_the_churn_that_is_judged_is_named_where_the_window_shows_another(
    served: Served, visitor: Visitor
) -> None:
    async with served(Worker(board=a_customer_board())) as address:
        page = await visitor.open(f"{address}/?window=7d")

        churn = percent(share(a_row_of(ALL_CUSTOMERS, "30d")["churn"]))
        note = tile_of(page, "All customers").locator(".churn .note .signed")
        await expect(note).to_have_text(f"▼ {churn} in 30 days")


async def test_a_detail_tells_contacts_before_and_after_a_purchase_and_what_changed(
    served: Served, visitor: Visitor
) -> None:
    async with served(Worker(board=a_customer_board())) as address:
        page = await visitor.open(f"{address}/?panel=customers&view=queue&queue={ALL_CUSTOMERS}&window=90d")

        await expect(page.locator("#queue-name")).to_have_text("All customers")
        in_90_days = [await line_of(page, f"30 days {when}: chat").nth(3).inner_text() for when in ("before", "after")]
        assert float(in_90_days[1]) > float(in_90_days[0]), "who has bought something asks by chat"
        await expect(line_of(page, "Usual in 30 days: chat").nth(3)).not_to_have_text(NO_SAMPLE)
        await expect(line_of(page, "What changed: chat").nth(3)).to_contain_text("±")
        await expect(line_of(page, "What changed: chat").nth(0)).to_have_text(NO_SAMPLE)
        await expect(line_of(page, "Revenue").nth(3)).to_contain_text("€")
        await expect(page.locator("#figures")).not_to_contain_text("First-contact resolution")
        assert visitor.complaints == []


async def test_a_queue_tells_what_is_final_beside_what_is_provisional(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_customer_board())) as address:
        page = await visitor.open(f"{address}/?panel=customers&view=queue&queue={VOICE}&window=30d")

        row = a_row_of(VOICE, "30d")
        final, so_far = (percent(level(row[name])) for name in ("fcr", "fcr_so_far"))
        note = f"so far {so_far} · of {row['first_decided']} decided · 30 d"
        await expect(page.locator("#now .fcr .note")).to_have_text(note)
        await expect(line_of(page, "First-contact resolution").nth(2)).to_have_text(f"▼ {final}")
        await expect(line_of(page, "First-contact resolution so far").nth(2)).to_have_text(so_far)
        await expect(page.locator("#figures")).not_to_contain_text("Cart")
        assert await page.locator("#now dt").all_inner_texts() == [
            *("First-contact resolution", "Repeat contacts", "Time to a solution", "Contacts per solution"),
        ]


async def test_the_head_of_the_page_counts_each_customer_once_over_all_tenants(
    served: Served, visitor: Visitor
) -> None:
    board = a_customer_board()
    rows = board.snapshots["customers"]
    second = tuple(replace(row, tenant="globex") for row in rows)
    async with served(Worker(board=replace(board, snapshots={"customers": (*rows, *second)}))) as address:
        page = await visitor.open(f"{address}/")

        await expect(page.locator("#summary .customers dd")).to_have_text(
            f"{2 * a_row_of(ALL_CUSTOMERS, 'today')['customers']}"
        )
        names = page.locator("#tiles li").filter(has=page.get_by_role("link", name="All customers", exact=True))
        await expect(names.locator(".where")).to_have_text(["default", "globex"])


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)], ids=str)
@pytest.mark.parametrize(
    "asked",
    [
        "?view=list&window=30d",
        f"?panel=customers&view=queue&queue={ALL_CUSTOMERS}&window=90d",
        f"?panel=customers&view=queue&queue={VOICE}&window=30d",
    ],
    ids=["list", "all customers", "queue"],
)
async def test_lists_and_details_fit_in_each_language(
    served: Served, visitor: Visitor, asked: str, size: tuple[int, int]
) -> None:
    async with served(Worker(board=a_customer_board())) as address:
        page = await visitor.open(f"{address}/{asked}")
        await page.set_viewport_size({"width": size[0], "height": size[1]})
        for language in LANGUAGES:
            await page.locator("#language").evaluate(CHOOSE, language)
            await page.locator("#rows tr:visible, #figures tr:visible").first.wait_for()

            assert await page.evaluate(OVERFLOW) <= 0, language
            assert await look(page, "illPlaced") == [], language
            assert await look(page, "broken") == [], language
