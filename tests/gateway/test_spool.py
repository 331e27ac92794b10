"""The spool: what was accepted is on the disk, in order, within its bounds, and arrives once the broker is back."""

import asyncio
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.broker.child import free_port
from stream.broker.embedded import EmbeddedBroker
from stream.errors import BrokerError, SettingsError
from stream.gateway.forwarder import Forwarder
from stream.gateway.spool import Spool, SpoolBroken, SpoolFull
from stream.sdk.producer import EncodedEvent
from tests.gateway.posting import (
    NOWHERE,
    Document,
    Posts,
    an_event,
    arrived,
    batch,
    create_topics,
    figures,
    running_gateway,
)

ROOT = Path(__file__).parents[2]
LARGE = 10_000_000


@asynccontextmanager
async def opened(path: Path, limit: int = LARGE) -> AsyncIterator[Spool]:
    spool = Spool(path, limit)
    try:
        yield spool
    finally:
        await spool.close()


def numbered(*numbers: int) -> list[EncodedEvent]:
    return [EncodedEvent("contacts", b"key", str(number).encode()) for number in numbers]


def numbers_in(events: list[EncodedEvent]) -> list[int]:
    return [int(event.value) for event in events]


async def emptied(spool: Spool) -> list[int]:
    found: list[int] = []
    while spool.events:
        first = await spool.first()
        found += numbers_in(first.events)
        await spool.remove(first)
    return found


async def test_what_was_appended_is_there_after_a_restart_in_the_order_in_which_it_came(tmp_path: Path) -> None:
    async with opened(tmp_path / "spool") as spool:
        await spool.append(numbered(1, 2))
        await spool.append(numbered(3))
        size, oldest = spool.bytes, spool.oldest
    async with opened(tmp_path / "spool") as spool:
        assert (spool.events, spool.bytes, spool.oldest) == (3, size, oldest)
        assert await emptied(spool) == [1, 2, 3]
        assert (spool.events, spool.bytes, spool.oldest) == (0, 0, None)


async def test_what_was_removed_does_not_come_back(tmp_path: Path) -> None:
    async with opened(tmp_path / "spool") as spool:
        await spool.append(numbered(*range(1500)))
        await spool.remove(await spool.first())
    async with opened(tmp_path / "spool") as spool:
        assert await emptied(spool) == [*range(1000, 1500)]


async def test_many_appends_at_a_time_are_all_kept(tmp_path: Path) -> None:
    async with opened(tmp_path / "spool") as spool:
        await asyncio.gather(*(spool.append(numbered(number)) for number in range(500)))

        assert await emptied(spool) == [*range(500)]


@given(sizes=st.lists(st.integers(0, 3000), max_size=12))
def test_it_never_holds_more_than_its_limit_and_an_append_is_kept_whole_or_not_at_all(sizes: list[int]) -> None:
    async def story(path: Path) -> None:
        async with opened(path, limit=5000) as spool:
            kept = []
            tasks = [spool.append([EncodedEvent("t", b"", b"x" * size)] * 2) for size in sizes]
            for size, result in zip(sizes, await asyncio.gather(*tasks, return_exceptions=True), strict=True):
                assert result is None or isinstance(result, SpoolFull)
                kept += [size] * 2 if result is None else []
            assert spool.bytes <= 5000
            found = []
            while spool.events:
                first = await spool.first()
                found += [len(event.value) for event in first.events]
                await spool.remove(first)
            assert found == kept

    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder) / "spool"))


async def test_a_second_gateway_on_the_same_file_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path / "spool"):
        with pytest.raises(SettingsError, match="another gateway may have it"):
            Spool(tmp_path / "spool", LARGE)


def test_what_is_no_spool_is_refused(tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"no database" * 100)

    with pytest.raises(SettingsError, match="cannot be opened"):
        Spool(tmp_path / "spool", LARGE)


async def test_a_disk_that_refuses_is_told_of_and_the_next_append_tries_again(tmp_path: Path) -> None:
    async with opened(tmp_path / "spool") as spool:
        db = spool._connection
        await spool.append(numbered(1))
        # As a full disk: not one page more.
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages}")
        large = [EncodedEvent("contacts", b"", b"x" * 100_000)]
        with pytest.raises(SpoolBroken, match="full"):
            await spool.append(large)
        broken = spool.broken
        db.execute("PRAGMA max_page_count=100000")
        await spool.append(numbered(2))

        assert (broken is None, spool.broken) == (False, None)
        assert await emptied(spool) == [1, 2]


@contextmanager
def full_disk(after: int) -> Iterator[None]:
    """Have no file grow beyond so many bytes, as on a disk that is full; reads, and writes in what there is, go on."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_of_appends_that_share_a_commit_only_the_one_without_room_is_refused(tmp_path: Path) -> None:
    async with opened(tmp_path / "spool") as spool:
        large = [EncodedEvent("contacts", b"", b"x" * 200_000)]
        with full_disk(after=100_000):
            results = await asyncio.gather(
                *(spool.append(events) for events in (numbered(1), large, numbered(2))), return_exceptions=True
            )
            assert [type(result) for result in results] == [type(None), SpoolBroken, type(None)]
            assert await emptied(spool) == [1, 2]


async def accepted_until_refused(forwarder: Forwarder) -> list[int]:
    accepted: list[int] = []
    with suppress(SpoolBroken):
        for number in count(step=100):
            events = numbered(*range(number, number + 100))
            await forwarder.accept(events)
            accepted += numbers_in(events)
    return accepted


async def test_a_full_disk_repeats_nothing_and_holds_up_nothing_once_the_broker_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.gateway.forwarder.SPOOL_RETRY_SECONDS", 0.001)
    sink = Sink()
    async with opened(tmp_path / "spool") as spool, asyncio.timeout(30):
        forwarder = Forwarder(sink, spool)  # type: ignore[arg-type]  # it takes lists
        with full_disk(after=1_000_000):
            accepted = await accepted_until_refused(forwarder)
            sink.away = False
            running = asyncio.create_task(forwarder.run())
            while spool.events:
                await asyncio.sleep(0.001)
            # The disk still has what it cannot forget: others do not wait for that.
            await forwarder.accept(numbered(-1))
            assert (sink.got, spool.broken is None) == ([*accepted, -1], False)
            assert len(accepted) > 2000
        while spool.broken:
            await asyncio.sleep(0.001)
        assert (spool.events, spool.bytes) == (0, 0)
        running.cancel()
    async with opened(tmp_path / "spool") as spool:
        assert spool.events == 0


async def test_a_disk_that_was_full_for_a_while_is_tried_again_though_nothing_is_to_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.gateway.forwarder.SPOOL_RETRY_SECONDS", 0.001)
    body = batch(an_event(f"caller-{number}") for number in range(500))
    async with running_gateway(patience=0.1, gateway_spool=tmp_path / "spool") as posts, asyncio.timeout(30):
        with full_disk(after=4096):  # not even for the write by which it is tried again
            refused = await posts(body, "batch")
            not_ready, _ = await posts.get("/readyz")
        while (await posts.get("/readyz"))[0] != 200:
            await asyncio.sleep(0.01)
        kept = (await figures(posts))["contact_gateway_spool_events", ()]

        assert (refused[0], refused[1]["reason"], not_ready, kept) == (503, "spool_broken", 503, 0)


async def test_under_load_no_append_fails(tmp_path: Path) -> None:
    async def append(spool: Spool) -> None:
        for number in range(100):
            await spool.append(numbered(*range(50)))
            if number % 10 == 0:
                await spool.first()

    async with opened(tmp_path / "spool", limit=100 * LARGE) as spool:
        await asyncio.gather(*(append(spool) for _ in range(16)))

        assert spool.events == 16 * 100 * 50


class Sink:
    """A broker that is away, or not."""

    def __init__(self) -> None:
        self.away = True
        self.got: list[int] = []

    async def send_encoded(self, events: list[EncodedEvent]) -> int:
        if self.away:
            raise BrokerError("away")
        self.got += numbers_in(events)
        return len(events)


async def test_what_waits_goes_before_what_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.gateway.forwarder.SPOOL_RETRY_SECONDS", 0.001)
    sink = Sink()
    async with opened(tmp_path / "spool") as spool:
        forwarder = Forwarder(sink, spool)  # type: ignore[arg-type]  # it takes lists
        await forwarder.accept(numbered(1))
        sink.away = False
        await forwarder.accept(numbered(2))
        running = asyncio.create_task(forwarder.run())
        async with asyncio.timeout(10):
            while spool.events:
                await asyncio.sleep(0.001)
        await forwarder.accept(numbered(3))
        running.cancel()

    assert sink.got == [1, 2, 3]


async def test_while_the_broker_is_away_posts_are_accepted_until_the_spool_is_full(tmp_path: Path) -> None:
    async with running_gateway(patience=0.2, gateway_spool=tmp_path / "spool", gateway_spool_bytes=1_000_000) as posts:
        body = batch(an_event(f"caller-{number}") for number in range(500))
        answers: list[tuple[int, Document]] = []
        while not answers or answers[-1][0] == 202:
            answers.append(await posts(body, "batch"))
        told = await figures(posts)

        assert len(answers) > 2
        assert (answers[-1][0], answers[-1][1]["reason"], answers[-1][1]["retry_after"]) == (503, "spool_full", "5")
        assert told["contact_gateway_spool_events", ()] == 500 * (len(answers) - 1)
        assert told["contact_gateway_spool_bytes", ()] <= told["contact_gateway_spool_limit_bytes", ()] == 1_000_000
        assert ("contact_gateway_spool_oldest_timestamp_seconds", ()) in told


@asynccontextmanager
async def process(brokers: str, spool: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A gateway as an operator runs it; killed at the end."""
    command = ("gateway", "--broker", f"embedded:{brokers}", "--spool", str(spool), "--port", str(port))
    running = await asyncio.create_subprocess_exec(sys.executable, "-m", "stream", *command, cwd=ROOT)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def alive(posts: Posts) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                if (await posts.get("/healthz"))[0] == 200:
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)


async def post_until_killed(posts: Posts, numbers: "count[int]", acknowledged: set[str]) -> None:
    while True:
        events = [an_event(f"caller-{next(numbers)}", tenant="killed") for _ in range(20)]
        try:
            status, _ = await posts(batch(events), "batch")
        except aiohttp.ClientError:
            return
        if status == 202:
            acknowledged.update(event.id for event in events)


@pytest.mark.slow
async def test_every_event_that_was_acknowledged_arrives_though_the_gateway_is_killed_under_load(
    tmp_path: Path,
) -> None:
    acknowledged: set[str] = set()
    numbers, port = count(), free_port()
    spool = tmp_path / "spool"
    async with aiohttp.ClientSession() as session:
        posts = Posts(f"http://127.0.0.1:{port}", session)
        for _ in range(3):
            async with process(NOWHERE, spool, port) as gateway:
                await alive(posts)
                posting = [asyncio.create_task(post_until_killed(posts, numbers, acknowledged)) for _ in range(8)]
                before = len(acknowledged)
                async with asyncio.timeout(60):
                    while len(acknowledged) < before + 2000:
                        await asyncio.sleep(0.01)
                os.kill(gateway.pid, signal.SIGKILL)
                await asyncio.gather(*posting)
        async with EmbeddedBroker() as broker:
            await create_topics(broker.address)
            async with process(broker.address, spool, port):
                await alive(posts)
                async with asyncio.timeout(60):
                    while (await figures(posts))["contact_gateway_spool_events", ()]:
                        await asyncio.sleep(0.05)
                found = {event.id for event in await arrived(broker.address, "killed")}

    assert len(acknowledged) >= 6000
    assert acknowledged <= found
