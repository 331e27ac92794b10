"""Drives a real Chromium over its DevTools protocol: no driver package, just the browser and a web socket."""

import asyncio
import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import ClientWebSocketResponse

__all__ = ["INSTALL", "Page", "browser", "found"]

INSTALL = "no Chromium: apt-get install -y --no-install-recommends chromium"


def found() -> str | None:
    """The browser's program, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """One tab."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self.errors: list[str] = []
        """What the page complained of: exceptions, console errors, refused by the security policy."""

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            self._note(message)
            if message.get("id") == self._number:
                assert "error" not in message, message["error"]
                result: dict[str, Any] = message["result"]
                return result

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(message["params"]["exceptionDetails"]))
        if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.errors.append(message["params"]["entry"]["text"])

    async def look(self, expression: str) -> Any:
        """Evaluate JavaScript and return its value."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def until(self, expression: str, *, seconds: float = 10) -> None:
        """Wait until JavaScript is true."""
        try:
            async with asyncio.timeout(seconds):
                while not await self.look(expression):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"never true: {expression}") from None

    async def go(self, address: str, *, width: int = 1920, height: int = 1080) -> None:
        """Open a page in a window of that size."""
        await self.call("Runtime.enable")
        await self.call("Log.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await self.call("Page.navigate", url=address)

    async def screenshot(self, path: Path) -> None:
        """Write what one sees as PNG."""
        picture = await self.call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(picture["data"]))


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Page]:
    """Start a browser with a profile of its own, and end it."""
    program = found()
    assert program is not None, INSTALL
    process = await asyncio.create_subprocess_exec(
        program,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession() as session, session.ws_connect(await _tab(session, profile)) as socket:
            yield Page(socket)
    finally:
        process.terminate()
        await process.wait()


async def _tab(session: aiohttp.ClientSession, profile: Path) -> str:
    """Return the address of the first tab, once the browser tells its port."""
    async with asyncio.timeout(20):
        while not (port := await asyncio.to_thread(_port, profile)):
            await asyncio.sleep(0.05)
        while True:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = [tab for tab in await answer.json() if tab["type"] == "page"]
            if tabs:
                return str(tabs[0]["webSocketDebuggerUrl"])
            await asyncio.sleep(0.05)


def _port(profile: Path) -> str:
    """Return the port that the browser wrote down, or nothing while it has not."""
    written = profile / "DevToolsActivePort"
    return (written.read_text() if written.exists() else "").partition("\n")[0]
