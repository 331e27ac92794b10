"""Many bombs and huge bodies at a time: the gateway's memory stays within what all bodies together may take."""

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from stream.broker.child import free_port
from stream.core.cloudevents import encode
from stream.gateway.application import BODIES_BYTES
from tests.gateway.posting import NOWHERE, Posts, an_event
from tests.gateway.test_spool import alive, process

AT_A_TIME = 40
BOMB = gzip.compress(bytes(500_000_000), 9)
HUNDRED_MEGABYTES = 100_000_000


def most_megabytes(pid: int) -> float:
    """Return the most memory that a process has had."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM"))


async def chunked() -> AsyncIterator[bytes]:
    """Give a hundred megabytes without saying so before."""
    for _ in range(HUNDRED_MEGABYTES // 100_000):
        yield bytes(100_000)


async def flood(posts: Posts, statuses: "Counter[int | str]") -> None:
    for _ in range(3):
        for body, headers in ((BOMB, {"content_encoding": "gzip"}), (chunked(), {})):
            try:
                statuses[(await posts(body, "batch", **headers))[0]] += 1
            except aiohttp.ClientError:
                statuses["cut off"] += 1  # in the middle of what it would not read


@pytest.mark.slow
async def test_a_flood_of_bombs_and_of_huge_bodies_leaves_memory_flat(tmp_path: Path) -> None:
    port = free_port()
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
        process(NOWHERE, tmp_path / "spool", port) as gateway,
    ):
        posts = Posts(f"http://127.0.0.1:{port}", session)
        await alive(posts)
        before = most_megabytes(gateway.pid)
        statuses: Counter[int | str] = Counter()
        await asyncio.gather(*(flood(posts, statuses) for _ in range(AT_A_TIME)))
        once = most_megabytes(gateway.pid)
        await asyncio.gather(*(flood(posts, statuses) for _ in range(AT_A_TIME)))
        twice = most_megabytes(gateway.pid)
        accepted = (await posts(encode(an_event())))[0]

    print(f"{dict(statuses)}: {before:.0f} MB before, {once:.0f} MB at most, {twice:.0f} MB after as much again")
    assert set(statuses) <= {413, 429, 408, "cut off"}
    # Twice: a body is copied when it grows and once it is whole, and the allocator keeps some. Nothing adds up.
    assert once - before < 2 * BODIES_BYTES / 1e6
    assert twice < 1.2 * once
    assert accepted == 202
