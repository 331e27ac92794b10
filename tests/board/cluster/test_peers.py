"""What other workers answer is material: what is no part is refused, and nobody can hold up a board."""

import asyncio
import time
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from msgspec import msgpack

from stream.app.replay import replay
from stream.board.cluster import peers as module
from stream.board.cluster.merge import BoardReading
from stream.board.cluster.peers import share_url
from stream.board.cluster.share import PartitionBoard, ShareCodec
from stream.families.contacts.tally import Tally
from stream.families.registry import FAMILIES
from stream.status.feed import PartitionFeed
from tests.board.boards import a_queue
from tests.board.cluster.members import CONTACTS, Member, answering, contacts, part, whole_of
from tests.toy import family as toy
from tests.toy.test_toy import NOON, throws

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER", aiohttp.ClientTimeout(total=0.3))
    monkeypatch.setattr(module, "FIRST_SECONDS", 0.2)


def packed(body: bytes) -> web.Response:
    return web.Response(body=zlib.compress(body, wbits=31), headers={"Content-Encoding": "gzip"})


GOOD = msgpack.decode(
    zlib.decompress(ShareCodec(FAMILIES).encoded(part(contacts(1, a_queue("theirs", waited=5)))), wbits=31)
)


def spoilt(*path: str | int, value: object) -> bytes:
    """A good part with one value replaced."""
    told = msgpack.decode(msgpack.encode(GOOD))
    place = told
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return msgpack.encode(told)


NESTED: list[Any] = []
for _ in range(500):  # as deep as msgspec still writes it
    NESTED = [NESTED]


async def read_with(answer: Answer, *, expected: int = 1) -> BoardReading:
    """Read as a worker whose only peer gives this answer, until it has been given a few times."""
    given = 0

    async def counted(request: web.Request) -> web.StreamResponse:
        nonlocal given
        given += 1
        return await answer(request)

    async with answering(counted) as (address,):
        peer = Member(part(contacts(1)), address=address)
        async with whole_of(part(contacts(0)), [peer], declared=CONTACTS[:2]) as whole, asyncio.timeout(10):
            while given <= expected:
                began = time.monotonic()
                reading = await whole.read()
                assert time.monotonic() - began < 1
                await asyncio.sleep(0.01)
            return reading


async def test_a_part_is_taken() -> None:
    async def answer(_: web.Request) -> web.Response:
        return packed(msgpack.encode(GOOD))

    reading = await read_with(answer)

    assert [queue.queue for queue in reading.board.snapshots["contacts"]] == ["queue-0", "theirs"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"\x80",
        b"\x91" * 100_000,
        b"\xff\xfe",
        b"<html>",
        spoilt("shapes", "contacts", value=7),
        spoilt("at", value="2026-07-01T12:00:00"),
        spoilt("vitals", "newest_event", value="2026-07-01T12:00:00"),
        spoilt("vitals", "recovery", value="splendid"),
        spoilt("partitions", 0, "feed", "applied_at", value="2026-07-01T12:00:00"),
        spoilt("partitions", 0, "snapshots", 0, "oldest_enqueued_at", value="2026-07-01T12:00:00"),
        spoilt("partitions", 0, "snapshots", 0, "counted", "windows", value={}),
        spoilt("partitions", 0, "snapshots", 0, "counted", "windows", "30m", value=bytes(8)),
        spoilt("partitions", 0, "snapshots", 0, "counted", "running", value=b""),
        spoilt("partitions", 0, "snapshots", 0, "counted", "uncounted", value=b"7"),
        spoilt("partitions", 0, "snapshots", 0, "counted", "windows", "month", value=Tally().pack()),
        spoilt("partitions", 0, "snapshots", 0, "counted", "windows", "1h", value=Tally(offered=2**62).pack()),
        spoilt("partitions", 0, "snapshots", 0, "counted", "taken_back", value=Tally(handled=-(2**62)).pack()),
        spoilt("partitions", 0, "snapshots", value=NESTED),
        spoilt("partitions", 0, "snapshots", 0, "channel", value="smoke"),
        spoilt("partitions", 0, "snapshots", 0, "policy", "time_zone", value="Mars/Olympus"),
        spoilt("partitions", 0, "snapshots", 0, "policy", "time_zone", value="../../etc/passwd"),
        spoilt("partitions", 0, "snapshots", 0, "waiting", value="7"),
    ],
)
async def test_what_is_no_part_is_refused_and_the_board_says_that_one_is_missing(body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return packed(body)

    assert_missing(await read_with(answer))


async def test_an_answer_that_unpacks_to_more_than_a_board_can_be_is_refused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LARGEST", 2**16)
    bomb = zlib.compress(msgpack.encode(GOOD) + b" " * 2**24, wbits=31)

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=bomb, headers={"Content-Encoding": "gzip"})

    assert_missing(await read_with(answer))
    assert "Refused more than 65536 bytes" in caplog.text


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "deflate"}])
async def test_an_answer_that_is_not_packed_is_not_read(headers: dict[str, str]) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=msgpack.encode(GOOD), headers=headers)

    assert_missing(await read_with(answer))


async def test_an_answer_that_is_cut_off_or_followed_by_more_is_refused() -> None:
    whole = zlib.compress(msgpack.encode(GOOD), wbits=31)
    for body in (whole[:-4], whole + whole):

        async def answer(_: web.Request, body: bytes = body) -> web.Response:
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})

        assert_missing(await read_with(answer))


async def test_nobody_is_followed_elsewhere() -> None:
    visited = 0

    async def elsewhere(_: web.Request) -> web.Response:
        nonlocal visited
        visited += 1
        return packed(msgpack.encode(GOOD))

    async with answering(elsewhere) as (address,):

        async def answer(_: web.Request) -> web.Response:
            raise web.HTTPFound(f"{address}/part")

        assert_missing(await read_with(answer))

    assert visited == 0


async def test_a_slow_drip_ends_with_the_time_there_is_for_an_answer() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Encoding": "gzip"})
        await response.prepare(request)
        while True:
            await response.write(b"\x1f")
            await asyncio.sleep(0.01)

    assert_missing(await read_with(answer))


async def test_who_takes_the_call_and_says_nothing_holds_up_no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER", aiohttp.ClientTimeout(total=60))

    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async with answering(answer) as (address,):
        peer = Member(part(contacts(1)), address=address)
        async with whole_of(part(contacts(0)), [peer], declared=CONTACTS[:2]) as whole, asyncio.timeout(10):
            assert_missing(await whole.read())
            assert_missing(await whole.read())


def assert_missing(reading: BoardReading) -> None:
    assert [queue.queue for queue in reading.board.snapshots["contacts"]] == ["queue-0"]
    assert [(one.code, one.severity) for one in reading.notices] == [("partial", "stale")]


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("http://10.0.0.7:9108", "http://10.0.0.7:9108/part"),
        ("http://worker-1:80", "http://worker-1/part"),
        ("http://[::1]:9108", "http://[::1]:9108/part"),
        ("https://worker-1:9108", None),
        ("file:///etc/passwd", None),
        ("http://worker-1:9108/admin", None),
        ("http://worker-1:9108?delete=all", None),
        ("http://worker-1:9108#x", None),
        ("http://name:word@worker-1:9108", None),
        ("http://:9108", None),
        ("http://worker-1:99999", None),
        ("", None),
    ],
)
def test_an_address_leads_to_one_page_of_a_worker_and_nowhere_else(address: str, asked: str | None) -> None:
    url = share_url(address)

    assert (url and str(url)) == asked


@pytest.mark.parametrize(
    "spoil",
    [
        lambda told: told["windows"].pop("30m"),
        lambda told: told["windows"].update({"90d": b""}),
        lambda told: told["windows"].update(all=b""),
        lambda told: told["windows"].update({"5m": bytes(7)}),
        lambda told: told["running"].pop("day"),
        lambda told: told["running"].update(hour=told["running"]["day"]),
        lambda told: told["running"].update(minute=bytes(7)),
    ],
)
def test_counts_of_every_family_are_held_to_their_kind(spoil: Callable[[dict[str, Any]], object]) -> None:
    codec = ShareCodec((toy.FAMILY,))
    stands = replay(throws(), families=(toy.FAMILY,)).board(NOON).snapshots["toys"]
    told = msgpack.decode(
        zlib.decompress(codec.encoded(part(PartitionBoard(feed=PartitionFeed("toys", 0), snapshots=stands))), wbits=31)
    )
    assert codec.decoded(msgpack.encode(told)).partitions[0].snapshots == stands

    spoil(told["partitions"][0]["snapshots"][0]["counted"])

    with pytest.raises(ValueError, match="other windows or counts"):
        codec.decoded(msgpack.encode(told))
