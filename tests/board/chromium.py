"""A real Chromium, driven by Playwright: one browser for all tests."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Literal

from playwright.async_api import Browser, ConsoleMessage, Error, Page, ViewportSize, async_playwright, expect

__all__ = ["INSTALL", "Visitor", "browser", "found", "new_page"]

INSTALL = "no Chromium: apt-get install -y --no-install-recommends chromium"

SCREEN: Final[ViewportSize] = {"width": 1920, "height": 1080}
LOCALE: Final = "en-GB"

expect.set_options(timeout=10_000)


def found() -> str | None:
    """The browser's program, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """Start a browser, and end it."""
    async with async_playwright() as driver:
        running = await driver.chromium.launch(executable_path=found())
        try:
            yield running
        finally:
            await running.close()


async def new_page(running: Browser, *, locale: str = LOCALE) -> Page:
    """Open an empty page in a new profile."""
    context = await running.new_context(viewport=SCREEN, locale=locale)
    return await context.new_page()


class Visitor:
    """
    A person with a browser: opens pages, and keeps what they complain of.

    The first page is *desk*, which all tests share, as it was when it was new: a profile of its own costs a second
    of a processor. Who needs one, or a second page, gets one.
    """

    def __init__(self, running: Browser, desk: Page) -> None:
        self._browser = running
        self._desk = desk
        self._opened: list[Page] = []
        self.complaints: list[str] = []
        """Exceptions, and what the console calls an error: also what the security policy refused."""

    async def open(
        self,
        address: str,
        *,
        scheme: Literal["dark", "light"] = "dark",
        locale: str = "",
        clock: bool = False,
    ) -> Page:
        """Open a page; with *clock*, its time stands still until the test moves it."""
        own = bool(self._opened or locale or clock)
        page = await new_page(self._browser, locale=locale or LOCALE) if own else self._desk
        self._opened.append(page)
        page.on("pageerror", self._fail)
        page.on("console", self._note)
        await page.emulate_media(color_scheme=scheme)
        if clock:
            await page.clock.install()
        await page.goto(address)
        return page

    def _fail(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _note(self, said: ConsoleMessage) -> None:
        # Tests stop servers on purpose; what a page says of that is no defect.
        if said.type == "error" and "net::ERR" not in said.text:
            self.complaints.append(said.text)

    async def leave(self) -> None:
        """Close all pages, and leave the desk as it was."""
        for page in self._opened:
            page.remove_listener("pageerror", self._fail)
            page.remove_listener("console", self._note)
            if page is not self._desk:
                await page.context.close()
                continue
            await page.evaluate("localStorage.clear()")
            await page.goto("about:blank")
            await page.set_viewport_size(SCREEN)
