"""The page of a survey in Chromium: with scripts and without, on a phone, by keyboard, in every language."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from stream.languages.words import LANGUAGES, Language, name_of, words
from tests.board.chromium import INSTALL, browser, found
from tests.gateway.surveys.asked import Asked, asking

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(found() is None, reason=INSTALL),
]

LOOKS = (Path(__file__).parents[2] / "board" / "looks.js").read_text()

WELL_MADE = """() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const ids = all("[id]").map((one) => one.id);
    const described = all("[aria-describedby]").flatMap((one) => one.getAttribute("aria-describedby").split(" "));
    const fields = all("input:not([type=hidden]), textarea");
    const wrong = {
        title: document.title === "",
        main: all("main").length !== 1,
        heading: all("h1").length !== 1,
        question: all("fieldset").some((one) => one.firstElementChild.localName !== "legend"),
        label: fields.some((one) => one.labels.length !== 1 || !one.labels[0].innerText.trim()),
        description: described.some((id) => !ids.includes(id)),
        id: new Set(ids).size !== ids.length,
        small: all(".scores label, button, nav a").some((one) => one.getBoundingClientRect().height < 44),
        motion: document.getAnimations().length > 0,
        script: document.scripts.length > 0,
        unnamed: all("button, a").some((one) => !one.innerText.trim()),
    };
    return Object.fromEntries(Object.entries(wrong).filter(([, is]) => is));
}"""
"""What is wrong with the structure of a page, of what readers aloud and fingers need."""

OUTLINED = """() => {
    const focused = document.activeElement;
    return getComputedStyle(focused.closest("label") ?? focused).outlineStyle === "solid";
}"""

OPTIONS = 'company = "Acme"\ncomments = "counted"\nprivacy_url = "https://example.org/privacy"'

KINDS = ["csat", "ces", "nps"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as running:
        yield running


class Customer:
    """Opens pages, each in a browser that has never been here, and in the end has nothing to complain of."""

    def __init__(self, running: Browser) -> None:
        self._browser = running
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.requested: set[str] = set()

    async def open(
        self, address: str, *, width: int = 320, height: int = 640, dark: bool = False, scripts: bool = True
    ) -> Page:
        context = await self._browser.new_context(
            viewport={"width": width, "height": height},
            locale="en-GB",
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        page = await context.new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requested.add(request.url))
        await page.goto(address)
        return page

    async def leave(self) -> None:
        for context in self._contexts:
            assert await context.cookies() == []
            await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def customer(chromium: Browser) -> AsyncIterator[Customer]:
    person = Customer(chromium)
    yield person
    await person.leave()
    # What was answered with 4xx on purpose is told by the status alone.
    assert [said for said in person.complaints if "status of 4" not in said and "favicon" not in said] == []


async def look(page: Page, question: str) -> object:
    return await page.evaluate(f"{LOOKS}.{question}()")


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_rating_of_the_message_is_sent_by_one_more_click_and_can_be_changed(
    tmp_path: Path, customer: Customer, *, scripts: bool
) -> None:
    async with asking(tmp_path, OPTIONS) as asked:
        page = await customer.open(asked.link().address(csat=4), scripts=scripts)
        await expect(page.get_by_role("radio", name="4")).to_be_checked()
        await page.get_by_role("textbox").fill("well done")
        await page.get_by_role("button").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for your answer")
        await page.reload()
        assert len(asked.broker.events) == 1
        await expect(page.get_by_role("radio", name="4")).to_be_checked()
        await page.get_by_role("radio", name="2").check()
        await page.get_by_role("button", name="Change answer").click()
        await expect(page.get_by_text("Your answer: 2")).to_be_visible()
        # The same answer of a browser's history is no other one than it was.
        await page.go_back()
        await page.go_back()
        assert [(type(one).__name__, one.data.score) for one in asked.broker.events] == [
            ("SurveyAnswered", 4),
            ("SurveyChanged", 2),
        ]
        assert all(url.startswith(asked.address) for url in customer.requested)


async def test_two_clicks_are_one_answer(tmp_path: Path, customer: Customer) -> None:
    async with asking(tmp_path) as asked:
        page = await customer.open(asked.link().address(csat=4))
        await page.get_by_role("button").dblclick()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for your answer")
        assert len({one.id for one in asked.broker.events}) == 1


async def test_the_keyboard_is_enough(tmp_path: Path, customer: Customer) -> None:
    async with asking(tmp_path, OPTIONS) as asked:
        page = await customer.open(asked.link(kinds=["csat", "nps"]).address())
        walked = []
        for keys in (["Tab", "ArrowRight", "ArrowRight"], ["Tab", "ArrowLeft"], ["Tab"], ["Tab"]):
            for key in keys:
                await page.keyboard.press(key)
            walked.append(
                await page.evaluate(
                    "[document.activeElement.name, document.activeElement.value, document.activeElement.type].join(' ')"
                )
            )
            # Where the keyboard is can be seen.
            assert await page.evaluate(OUTLINED)
        assert walked == ["csat 3 radio", "nps 10 radio", "comment  textarea", "  submit"]
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for your answer")
    assert [one.data.score for one in asked.broker.events] == [3, 10]


Way = Callable[[Asked], str]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_is_well_laid_out_on_a_small_phone_in_every_language(
    tmp_path: Path, customer: Customer, language: Language, *, dark: bool
) -> None:
    async with asking(tmp_path, OPTIONS) as asked:
        link = asked.link(kinds=KINDS, scales=["smileys", "1-10", "0-10"])
        page = await customer.open(link.address(language, csat=2), dark=dark)
        await well_made(page, language)
        await page.get_by_role("button").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(words(language)["web_survey"]["thanks"])
        await well_made(page, language)
        await page.goto(f"{asked.page}/nothing?language={language}")
        await well_made(page, language)
        await page.goto(asked.link(kinds=["csat"], scales=["thumbs"]).address(language))
        # As a browser would that does not know `required`.
        await page.evaluate("document.forms[0].noValidate = true")
        await page.get_by_role("button").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await well_made(page, language)


async def well_made(page: Page, language: Language) -> None:
    assert await page.evaluate("document.documentElement.lang") == language
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for question in ("pale", "illPlaced", "broken"):
        assert await look(page, question) == []
    assert await page.evaluate(WELL_MADE) == {}


async def test_the_language_is_switched_and_what_was_chosen_stays(tmp_path: Path, customer: Customer) -> None:
    async with asking(tmp_path) as asked:
        page = await customer.open(asked.link().address(csat=4))
        for language in reversed(LANGUAGES):
            await page.get_by_role("link", name=name_of(language)).click()
            await expect(page.get_by_role("heading", level=1)).to_have_text(words(language)["web_survey"]["title"])
            await expect(page.get_by_role("radio", name="4")).to_be_checked()


async def test_nothing_is_to_be_framed_and_no_script_of_a_comment_runs(tmp_path: Path, customer: Customer) -> None:
    async with asking(tmp_path, 'comments = "told"') as asked:
        asked.broker.is_away = True
        link = asked.link()
        page = await customer.open(link.address(csat=4))
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        evil = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>"
        await page.get_by_role("textbox").fill(evil)
        await page.get_by_role("button").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await expect(page.get_by_role("textbox")).to_have_value(evil)
        await page.set_content(f'<iframe src="{link.address()}"></iframe>')
        frame = page.frames[-1]
        assert await frame.locator("form").count() == 0
        assert dialogs == []
    # The 503, and that a frame was refused, is what the test is about.
    customer.complaints.clear()
