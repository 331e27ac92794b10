"""Take the pictures in `docs/images` from a live board: `contact-stream demo`, then this with its address."""

import re
import shutil
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, expect, sync_playwright

__all__ = ["PICTURES", "main"]

IMAGES = Path(__file__).parents[1] / "docs" / "images"

DESK, PHONE = (1920, 1080), (390, 844)
PICTURES: Final = {
    "board": ("?theme=dark", DESK),
    "board-light": ("?theme=light&lang=sl", DESK),
    "wall": ("?theme=dark&view=wall", DESK),
    "queue": ("?theme=dark&queue={worst}", DESK),
    "customers": ("?theme=light&panel=customers&window=30d", DESK),
    "phone": ("?theme=light&lang=hr", PHONE),
}
"""What is looked at, and the size of the screen in pixels."""


def main(address: str) -> None:
    """Write all pictures of the board at *address*."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"))
        worst = _worst(browser, address)
        for name, (query, (width, height)) in PICTURES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(f"{address.rstrip('/')}/{query.format(worst=worst)}")
            page.locator("#tiles li:visible, #figures tr:visible").first.wait_for()
            # Somebody should wait: a picture of a calm moment says little.
            if "panel=" not in query:
                expect(page.locator("#summary .open_cases dd")).not_to_have_text(re.compile("^[01]$"), timeout=300_000)
            page.screenshot(path=IMAGES / f"{name}.png")
            page.close()
        browser.close()


def _worst(browser: Browser, address: str) -> str:
    page = browser.new_page()
    page.goto(address)
    worst = page.locator("#tiles .name").first.get_attribute("data-queue")
    page.close()
    assert worst, "no queue yet"
    return worst


if __name__ == "__main__":
    main(sys.argv[1])
