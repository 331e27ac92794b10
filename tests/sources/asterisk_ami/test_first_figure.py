"""The page for strangers: its commands, as they stand there, lead from a PBX to the board."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.house.tree import ROOT
from tests.sources.manager_messages import WELCOME, messages_of, serving

COMMANDS = re.findall(r"^```\n(.*?)^```", (ROOT / "docs/sources/asterisk.md").read_text(), re.MULTILINE | re.DOTALL)
WAITS = messages_of(
    "QueueParams Queue=sales Calls=1\n QueueEntry Queue=sales Uniqueid=c1 Position=1 Wait=7\n QueueStatusComplete"
)


@asynccontextmanager
async def running(command: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = await asyncio.create_subprocess_shell(
        f"exec {command}",
        cwd=folder,
        env=os.environ | {"PATH": path, "CONTACT_STREAM_HTTP_PORT": "0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.terminate()
        await process.communicate()


async def said(process: asyncio.subprocess.Process, pattern: str) -> str:
    assert process.stdout is not None
    async for line in process.stdout:
        if found := re.search(pattern, line.decode()):
            return found[1]
    raise AssertionError(f"it never said {pattern}")


async def test_five_commands_lead_from_a_pbx_to_the_board(tmp_path: Path) -> None:
    on_the_pbx, install, table, worker, source = (command.strip() for command in COMMANDS)
    assert "[contact-stream]" in on_the_pbx
    assert install.startswith("make install")
    async with asyncio.timeout(100), serving(WELCOME + WAITS) as pbx:
        written = await asyncio.create_subprocess_shell(
            table.replace('"192.0.2.1"\\n', f'"127.0.0.1"\\nport = {pbx.port}\\n'), cwd=tmp_path
        )
        assert await written.wait() == 0
        assert (tmp_path / "pbx.secret").stat().st_mode & 0o077 == 0
        async with running(worker, tmp_path) as begun:
            broker = await said(begun, r"(embedded:[\d.:]+)")
            board = await said(begun, r"(http://[\d.:]+)")
            command = re.sub(r"embedded:[\d.:]+", broker, source)
            async with running(command, tmp_path), aiohttp.ClientSession() as session:
                while not await waiting(session, board):
                    await asyncio.sleep(0.1)


async def waiting(session: aiohttp.ClientSession, board: str) -> bool:
    async with session.get(f"{board}/metrics") as answer:
        return bool(re.search(r'^contact_open_cases\{.*queue="sales".*\} 1$', await answer.text(), re.MULTILINE))
