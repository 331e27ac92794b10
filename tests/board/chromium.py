"""A real Chromium, driven by Playwright: one browser for all tests, and a profile of its own for each page."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright, expect

__all__ = ["INSTALL", "Visitor", "browser", "found"]

INSTALL = "no Chromium: apt-get install -y --no-install-recommends chromium"

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


class Visitor:
    """A person with a browser: opens pages, and keeps what they complain of."""

    def __init__(self, running: Browser) -> None:
        self._browser = running
        self.complaints: list[str] = []
        """Exceptions, and what the console calls an error: also what the security policy refused."""

    async def open(
        self,
        address: str,
        *,
        size: tuple[int, int] = (1920, 1080),
        scheme: Literal["dark", "light"] = "dark",
        locale: str = "en-GB",
        clock: bool = False,
    ) -> Page:
        """Open a page in a new profile; with *clock*, its time stands still until the test moves it."""
        width, height = size
        context = await self._browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._note(said.type, said.text))
        if clock:
            await page.clock.install()
        await page.goto(address)
        return page

    def _note(self, kind: str, text: str) -> None:
        # Tests stop servers on purpose; what a page says of that is no defect.
        if kind == "error" and "net::ERR" not in text:
            self.complaints.append(text)

    async def leave(self) -> None:
        """Close all pages."""
        for context in self._browser.contexts:
            await context.close()
