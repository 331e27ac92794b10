"""What a supervisor sees on the live board, in a real browser."""

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, time, timedelta

import pytest
from aiohttp import ClientSession
from msgspec.structs import replace
from playwright.async_api import Page, expect

from stream.core.calendar import Span
from stream.core.format import NO_SAMPLE
from stream.families.contacts.rules import Policy
from stream.families.contacts.tally import WAIT_BOUNDS_SECONDS, Tally
from stream.http.server import Listen
from stream.status.freshness import Limits
from tests.board.boards import SHOWN, a_board, a_queue, a_tally, agents, showing
from tests.board.chromium import INSTALL, Visitor, found
from tests.board.conftest import Worker

Served = Callable[..., AbstractAsyncContextManager[str]]

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(found() is None, reason=INSTALL),
]

SUPPORT = "?queue=acme/support/voice"


async def texts(page: Page, selector: str) -> list[str]:
    return await page.locator(selector).all_inner_texts()


async def test_the_worst_queue_comes_first_with_colour_and_sign(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await visitor.open(f"{address}/")
        await expect(page.locator("#tiles li")).to_have_count(8)

        tile = await page.locator("#tiles li").first.inner_text()
        assert all(text in tile for text in ("support", "▼ BREACH", "58", "target 80% in 20s", "● 17%", "● 5 past 20s"))
        assert await page.title() == "▼ support 58%"
        assert await texts(page, "#tiles li:last-child .service_level dd:not(.note)") == [NO_SAMPLE]
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight"), "eight fit on a screen"
        assert await page.locator("#banner").inner_text() == ""


async def test_each_figure_is_judged_by_the_policy(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await visitor.open(f"{address}/")
        worst = page.locator("#tiles li").first

        await expect(worst.locator(".service_level")).to_have_attribute("data-judged", "breached")
        await expect(worst.locator(".longest_wait")).to_have_attribute("data-judged", "at_risk")
        await expect(worst.locator(".blocking")).to_have_attribute("data-judged", "ok")


async def test_the_longest_wait_ticks_although_nothing_happens(served: Served, visitor: Visitor) -> None:
    listen = """(wait) => new Promise((done) => {
      const told = [];
      new MutationObserver(() => told.push(wait.textContent) > 3 && done(told))
        .observe(wait, { subtree: true, childList: true, characterData: true });
    })"""
    now = datetime.now(UTC)

    async with served(Worker(board=a_board(a_queue(waited=40, at=now)), moving=True, speed=10)) as address:
        page = await visitor.open(f"{address}/")
        told = await page.locator("#tiles .longest_wait dd:not(.note)").evaluate(listen)

        minutes_and_seconds = [text.split(":") for text in told]
        passed = [int(minutes) * 60 + int(seconds) for minutes, seconds in minutes_and_seconds]
        # A browser that has much else to do may leave out a second, but never go back.
        assert passed == sorted(set(passed))
        assert 40 < passed[0] < passed[-1] < 100


@pytest.mark.parametrize("language", ["en", "sl", "hr", "ro", "et"])
async def test_a_queue_that_is_closed_says_when_it_opens(served: Served, visitor: Visitor, language: str) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    hours = (Span(frozenset({tomorrow.weekday()}), time(8), time(16)),)
    closed = replace(a_queue("night", callbacks=2), policy=Policy(opening_hours=hours))

    async with served(Worker(board=a_board(*(a_queue(f"open-{number}") for number in range(5)), closed))) as address:
        page = await visitor.open(f"{address}/?lang={language}")
        told = page.locator("#tiles li .service_level .note").filter(has_text="08:00")

        await expect(told).to_have_count(1)
        await expect(page.locator("#tiles li", has=page.locator("h2 .name", has_text="night"))).to_contain_text("08:00")
        assert language != "en" or f"closed, opens {tomorrow:%a} 08:00" in await told.inner_text()
        assert await told.evaluate("(note) => note.scrollWidth <= note.clientWidth"), "nothing of it is cut off"
        assert await page.evaluate(
            "[...document.querySelectorAll('.large')].every((one) => one.scrollHeight <= one.clientHeight + 1)"
        )


async def test_another_window_can_be_chosen_and_shared(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await visitor.open(f"{address}/")
        await page.get_by_role("button", name="today").click()
        await expect(page.locator("#updated")).to_contain_text("over today")
        shared = page.url
        again = await visitor.open(shared)

        assert "window=today" in shared
        await expect(again.get_by_role("button", name="today")).to_have_attribute("aria-pressed", "true")


HOSTILE = ("<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "a/b?c=d&e#f %2F {count}", "' onfocus='x")


@pytest.mark.parametrize("view", ["board", "list", "wall"])
async def test_a_queue_name_is_text_and_never_markup(served: Served, visitor: Visitor, view: str) -> None:
    queues = [a_queue(name, tenant='<b onclick="x">', tally=a_tally(in_target=1)) for name in HOSTILE]

    async with served(Worker(board=a_board(*queues))) as address:
        page = await visitor.open(f"{address}/?view={view}")
        for name in HOSTILE:
            await page.locator("a.name:visible").filter(has_text=name).click()

            await expect(page.locator("#queue-name")).to_have_text(name)
            await expect(page.locator("#queue-state")).to_have_text("▲ OK")
            assert await page.locator("main img, main script, main b[onclick]").count() == 0
            await page.go_back()


async def test_a_lost_connection_is_told_and_heals_without_a_reload(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await visitor.open(f"{address}/", clock=True)
        await expect(page.locator("#tiles li")).to_have_count(8)
    await page.clock.run_for(6000)
    await expect(page.locator("#banner")).to_contain_text("Connection to the worker is lost")
    banner, title = await page.locator("#banner").inner_text(), await page.title()
    async with served(Worker(), Listen(port=int(address.rpartition(":")[2]))):
        await expect(page.locator("#banner")).to_be_empty(timeout=20_000)

    assert ", since " in banner
    assert title.startswith("⚠ STALE")


@pytest.mark.parametrize("view", ["", "?view=list", "?view=wall", SUPPORT])
async def test_a_worker_that_hangs_is_told_in_each_view_and_heals_without_a_reload(
    served: Served, visitor: Visitor, view: str
) -> None:
    worker = Worker()

    async with served(worker) as address:
        page = await visitor.open(f"{address}/{view}", clock=True)
        await expect(page.locator("#updated")).not_to_be_empty()
        await page.evaluate("window.same = true")
        worker.goes_on.clear()
        await page.clock.run_for(10_000)
        await expect(page.locator("#banner .stale")).to_contain_text("Connection to the worker is lost")
        await expect(page.locator("body")).to_have_class(re.compile("frozen"))
        worker.goes_on.set()
        await expect(page.locator("#banner")).to_be_empty()

        assert await page.evaluate("window.same")


async def test_a_worker_that_hangs_before_its_first_word_is_told_too(served: Served, visitor: Visitor) -> None:
    worker = Worker()
    worker.goes_on.clear()

    async with served(worker) as address:
        page = await visitor.open(f"{address}/", clock=True)
        await page.clock.run_for(6000)
        await expect(page.locator("#banner .stale")).to_contain_text("Connection to the worker is lost")
        worker.goes_on.set()
        await page.clock.run_for(20_000)
        await expect(page.locator("#tiles li")).to_have_count(8)
        await expect(page.locator("#banner")).to_be_empty()


async def test_figures_are_called_stale_when_the_server_says_so_and_not_by_a_limit_of_the_page(
    served: Served, visitor: Visitor
) -> None:
    worker = Worker(limits=Limits(silent=timedelta(hours=2)))
    [partition] = worker.feed.partitions.values()
    partition.applied_at = worker.clock() - timedelta(hours=1)

    async with served(worker) as address:
        page = await visitor.open(f"{address}/")
        await expect(page.locator("#tiles li")).to_have_count(8)
        before = await page.locator("#banner").inner_text()
        worker.limits = Limits(silent=timedelta(minutes=59))
        await expect(page.locator("#banner .stale")).to_contain_text("No event has come, since")

        assert before == ""
        await expect(page.locator("body")).to_have_class(re.compile("frozen"))


async def test_an_empty_centre_says_what_it_waits_for(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_board())) as address:
        page = await visitor.open(f"{address}/")

        await expect(page.locator("#empty")).to_contain_text("No queue yet")


# --- one queue --------------------------------------------------------------------------------------


async def line(page: Page, title: str) -> list[str]:
    """The cells of a line of the table of figures, window by window."""
    found_line = page.locator("#figures tr", has=page.get_by_role("rowheader", name=title, exact=True))
    return await found_line.locator("td").all_inner_texts()


async def test_one_queue_shows_every_window(served: Served, visitor: Visitor) -> None:
    calm, busy = a_tally(in_target=9, too_late=1), a_tally(in_target=31, too_late=14, abandoned=9, blocked=2)
    empty = Tally()
    windows = {"5m": empty, "15m": calm, "30m": calm, "1h": busy, "today": busy}
    queue = showing(a_queue("support", callbacks=3), windows)

    async with served(Worker(board=a_board(queue, staff=(agents("support", available=4),)))) as address:
        page = await visitor.open(f"{address}/{SUPPORT}")
        await expect(page.locator("#queue-name")).to_have_text("support")
        await expect(page.locator("#figures tr").first).to_be_visible()

        assert await texts(page, "#figure-head th") == ["Figure", "5 min", "15 min", "30 min", "1 h", "today"]
        assert await line(page, "Service level") == [NO_SAMPLE, "90%", "90%", "▼ 57%", "▼ 57%"]
        assert await line(page, "Average speed of answer") == [NO_SAMPLE, "0:10", "0:10", "0:10", "0:10"]
        assert await line(page, "Offered") == ["0", "10", "10", "54", "54"]
        assert await line(page, "Blocked: queue full") == ["0", "0", "0", "2", "2"]
        assert await line(page, "Formula C (own)") == [NO_SAMPLE, "90%", "90%", "57%", "57%"]
        assert (await texts(page, "#agents-now div"))[0].split() == ["Available", "4"]
        assert "3" in await page.locator("#now .callbacks_waiting").inner_text()


async def test_one_queue_shows_how_long_the_answered_had_waited(served: Served, visitor: Visitor) -> None:
    quick, slow = a_tally(in_target=9, wait_seconds=8), a_tally(too_late=3, wait_seconds=3600)
    queue = showing(a_queue("support"), {**dict.fromkeys(SHOWN, quick), "1h": quick + slow, "5m": Tally()})

    async with served(Worker(board=a_board(queue))) as address:
        page = await visitor.open(f"{address}/{SUPPORT}")
        told, drawn = page.locator(".parts dd"), page.locator(".bars div")
        await expect(told).to_have_text(["0:08", "0:10", "0:10"])
        await expect(page.locator("#distributions h3")).to_have_text("Waits of the answered · 30 min")
        await page.get_by_role("button", name="1 h").click()
        await expect(told).to_have_text(["0:08", "≥ 30:00", "≥ 30:00"])
        heights = await drawn.evaluate_all("(all) => all.map((one) => one.querySelector('i').offsetHeight)")

        await expect(drawn).to_have_count(len(WAIT_BOUNDS_SECONDS) + 1)
        assert [text.split() for text in await texts(page, ".bars div")][2] == ["≤", "10s", "9"]
        assert heights[2] == pytest.approx(3 * heights[-1], abs=2)
        assert sum(height > 0 for height in heights) == 2
        assert await line(page, "Waits of the answered: p90") == [NO_SAMPLE, "0:10", "0:10", "≥ 30:00", "0:10"]


async def test_one_queue_is_told_of_news(served: Served, visitor: Visitor) -> None:
    worker = Worker(board=a_board(a_queue("support", waiting=1)))

    async with served(worker) as address:
        page = await visitor.open(f"{address}/{SUPPORT}")
        await expect(page.locator("#now .open_cases dd").first).to_have_text("1")
        worker.board = a_board(a_queue("support", waiting=9))

        await expect(page.locator("#now .open_cases dd").first).to_have_text("9")


async def test_where_nothing_is_known_of_agents_the_queue_says_so(served: Served, visitor: Visitor) -> None:
    async with served(Worker(board=a_board(a_queue("support")))) as address:
        page = await visitor.open(f"{address}/{SUPPORT}")

        await expect(page.locator("#agents-unknown")).to_have_text("Nothing is known of agents here.")


async def test_an_unknown_queue_is_said_to_be_unknown(served: Served, visitor: Visitor) -> None:
    async with served(Worker()) as address:
        page = await visitor.open(f"{address}/?queue=acme/nobody/voice")

        await expect(page.locator("#gone")).to_have_text("Nothing is known of this queue.")


# --- security ---------------------------------------------------------------------------------------


async def test_the_policy_of_the_page_allows_nothing_inline_and_nothing_from_elsewhere(
    served: Served, visitor: Visitor
) -> None:
    async with served(Worker()) as address, ClientSession() as session, session.get(address) as answer:
        policy = answer.headers["Content-Security-Policy"]
        page = await visitor.open(f"{address}/")
        await expect(page.locator("#tiles li")).to_have_count(8)
        await page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), { text: 'window.ran = 1' }))"
        )

        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert await page.evaluate("window.ran === undefined")
        assert len(visitor.complaints) == 1, "that one script, and nothing of the page itself"
        visitor.complaints.clear()
