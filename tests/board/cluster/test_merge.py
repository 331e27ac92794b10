"""One board for several workers: the union of their parts, and what it says where one is missing."""

import asyncio
import zlib
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from stream.board.cluster import merge as module
from stream.board.cluster.merge import BoardReading, ClusterBoard
from stream.board.cluster.share import ShareCodec, Vitals, WorkerShare
from stream.core.calendar import Span
from stream.families.agents import family as agents_family
from stream.families.agents.snapshot import AgentsSnapshot
from stream.families.contacts import family as contacts_family
from stream.families.contacts.rules import Policy
from stream.families.registry import FAMILIES
from tests.board.boards import NOON, a_queue, a_tally, agents, wall
from tests.board.cluster.members import CONTACTS, EVERY, Member, contacts, part, staff, telling, whole_of

CODEC = ShareCodec(FAMILIES)


def queues_of(reading: BoardReading) -> list[str]:
    return [queue.queue for queue in reading.board.snapshots["contacts"]]


async def until_it_says(whole: ClusterBoard, code: str | None) -> BoardReading:
    """Read until that is the worst there is to say (None: nothing)."""
    async with asyncio.timeout(5):
        while True:
            reading = await whole.read()
            if [one.code for one in reading.notices[:1]] == ([] if code is None else [code]):
                return reading
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", 0.3)


async def test_the_first_look_already_shows_the_queues_of_all_workers() -> None:
    async with (
        telling(part(contacts(1)), part(contacts(2), contacts(3))) as others,
        whole_of(part(contacts(0)), others) as whole,
    ):
        reading = await whole.read()

    assert queues_of(reading) == ["queue-0", "queue-1", "queue-2", "queue-3"]
    assert reading.board.whole
    assert reading.notices == ()


async def test_a_worker_that_owns_nothing_shows_all_the_same() -> None:
    async with telling(part(*map(contacts, range(4)))) as others, whole_of(part(), others) as whole:
        assert len((await whole.read()).board.snapshots["contacts"]) == 4


async def test_agents_add_up_over_workers() -> None:
    mine = staff(0, agents("sales", available=1), agents(None, available=2))
    theirs = staff(1, agents("sales", available=3, acw=1), agents("night", acw=1), agents(None, available=3, acw=2))
    async with (
        telling(part(theirs)) as others,
        whole_of(part(mine), others, declared=[("agents", 0), ("agents", 1)]) as whole,
    ):
        reading = await whole.read()

    assert reading.board.snapshots["agents"] == (
        agents(None, available=5, acw=2),
        agents("night", acw=1),
        agents("sales", available=4, acw=1),
    )


async def test_the_series_of_what_is_beyond_the_limit_adds_up_over_workers() -> None:
    beyond = a_queue("other", tally=a_tally(in_target=3, too_late=1), waited=5)
    longer = a_queue("other", tally=a_tally(in_target=1), waited=9)
    async with (
        telling(part(contacts(1, longer))) as others,
        whole_of(part(contacts(0, beyond)), others, declared=CONTACTS[:2]) as whole,
    ):
        (queue,) = (await whole.read()).board.snapshots["contacts"]

    assert queue.windows["30m"].answered_in_target == 4
    assert queue.longest_wait == timedelta(seconds=9)


async def test_a_worker_that_does_not_answer_is_missed_and_its_partitions_are_named() -> None:
    nobody = Member(part(contacts(1), contacts(2)), address="http://127.0.0.1:9")
    async with whole_of(part(contacts(0), contacts(3)), [nobody]) as whole:
        reading = await whole.read()

    (notice,) = reading.notices
    assert (notice.code, notice.severity, notice.since) == ("partial", "stale", None)
    assert notice.text == "No new figures of 2 of 4 partitions, 2 of them missing: contacts 1-2"
    assert not reading.board.whole
    assert queues_of(reading) == ["queue-0", "queue-3"]


async def test_what_a_worker_has_told_stays_until_it_is_too_old_and_then_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with whole_of(part(contacts(0)), others := [], declared=CONTACTS[:2]) as whole:
        async with telling(part(contacts(1))) as members:
            others += members
            await until_it_says(whole, None)
        old = await until_it_says(whole, "partial")
        monkeypatch.setattr(module, "KEPT_SECONDS", 0.0)
        async with asyncio.timeout(5):
            while queues_of(gone := await whole.read()) != ["queue-0"]:
                await asyncio.sleep(EVERY.total_seconds())

    assert queues_of(old) == ["queue-0", "queue-1"]
    assert old.notices[0].text == "No new figures of 1 of 2 partitions: contacts 1"
    assert old.notices[0].since is not None
    assert old.notices[0].since < NOON
    assert not gone.board.whole


async def test_a_board_is_whole_again_as_soon_as_the_worker_answers() -> None:
    async with whole_of(part(contacts(0)), others := [], declared=CONTACTS[:2]) as whole:
        await until_it_says(whole, "partial")
        async with telling(part(contacts(1))) as members:
            others += members
            await until_it_says(whole, None)


async def test_in_a_handover_a_queue_is_never_there_twice_and_the_newer_generation_stands() -> None:
    before = a_queue("moving", tally=a_tally(in_target=1))
    after = a_queue("moving", tally=a_tally(in_target=2))
    async with (
        telling(part(contacts(0, before)), part()) as (leaving, coming),
        whole_of(part(), [leaving, coming], declared=CONTACTS[:1]) as whole,
    ):
        assert (await whole.read()).board.snapshots["contacts"] == (before,)
        coming.given = leaving.owns  # the group has decided, and the leaving worker does not know it yet
        coming.gives(contacts(0, after), generation=6)
        async with asyncio.timeout(5):
            while (await whole.read()).board.snapshots["contacts"] == (before,):
                await asyncio.sleep(0.01)
        coming.gives(generation=6)  # what it has told must stand against what the other still tells
        asked = leaving.asked
        async with asyncio.timeout(5):
            while leaving.asked < asked + 3:
                assert (await whole.read()).board.snapshots["contacts"] == (after,)
                await asyncio.sleep(0.01)


async def test_a_worker_speaks_only_for_what_the_group_has_given_to_it() -> None:
    liar = part(contacts(0, a_queue("lie")), contacts(1), contacts(7), generation=9)
    async with telling(liar) as (member,), whole_of(part(contacts(0)), [member], declared=CONTACTS[:2]) as whole:
        member.given = frozenset({("contacts", 1), ("contacts", 7)})

        assert queues_of(await until_it_says(whole, None)) == ["queue-0", "queue-1"]


async def test_a_worker_of_another_group_is_not_believed() -> None:
    async with (
        telling(part(contacts(1), group="other")) as others,
        whole_of(part(contacts(0)), others, declared=CONTACTS[:2]) as whole,
    ):
        assert queues_of(await until_it_says(whole, "partial")) == ["queue-0"]


async def test_the_feed_of_the_whole_is_that_of_its_worst_part() -> None:
    recovering = Vitals(recovery="recovering", progress_at=NOON, unsaved_since=NOON - timedelta(seconds=90))
    silent = contacts(1)
    silent.feed.applied_at = NOON - timedelta(hours=1)
    async with (
        telling(part(silent, vitals=recovering)) as others,
        whole_of(part(contacts(0)), others, declared=CONTACTS[:2]) as whole,
    ):
        reading = await whole.read()

    assert [one.code for one in reading.notices] == ["recovering", "unsaved"]


def hearing(*ahead: int | None) -> Vitals:
    """A worker that hears of one source; by minute, how many seconds ahead, or nothing."""
    heard = {minute: -timedelta(seconds=by) for minute, by in enumerate(ahead) if by is not None}
    return Vitals(recovery="ready", newest_event=NOON, least_latencies={"/pbx": heard})


async def test_the_clock_of_a_source_is_judged_by_what_all_workers_hear() -> None:
    async with (
        telling(part(contacts(1), vitals=hearing(None, 60, 90))) as others,
        whole_of(part(contacts(0), vitals=hearing(70, None, 0)), others, declared=CONTACTS[:2]) as whole,
    ):
        reading = await whole.read()

    # Neither of them has heard enough to be sure.
    assert [one.text for one in reading.notices] == ["The clock of /pbx is ahead by 60 s: waits look too short"]


async def test_a_quiet_worker_beside_a_busy_one_is_no_silent_feed() -> None:
    quiet = contacts(1)
    quiet.feed.applied_at = NOON - timedelta(hours=1)
    async with (
        telling(part(quiet)) as others,
        whole_of(part(contacts(0)), others, declared=CONTACTS[:2]) as whole,
    ):
        assert (await whole.read()).notices == ()


async def test_a_worker_that_is_alone_and_starts_says_that_and_nothing_else() -> None:
    async with whole_of(part(vitals=Vitals(recovery="starting")), []) as whole:
        assert [one.code for one in (await whole.read()).notices] == ["starting"]


async def test_nobody_is_asked_while_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.board.cluster.peers.LINGER_SECONDS", 0.5)
    async with telling(part(contacts(1))) as (member,), whole_of(part(contacts(0)), [member]) as whole:
        await whole.read()
        tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("asks ")]
        async with asyncio.timeout(5):
            await asyncio.wait(tasks)
        asked = member.asked
        await whole.read()

    assert tasks
    assert member.asked > asked


def test_a_part_comes_out_of_the_wire_as_it_went_in() -> None:
    board = wall()
    night = Span(days=frozenset({5, 6}), opens=time(22), closes=time(2))
    judged = Policy(time_zone=ZoneInfo("Europe/Ljubljana"), opening_hours=(night,))
    whole = part(
        contacts(0, replace(a_queue(), policy=judged), *board.snapshots["contacts"]),
        staff(1, *board.snapshots["agents"]),
    )

    assert _over_the_wire(whole) == whole


def test_partitions_are_named_in_ranges_and_not_all_where_they_are_many() -> None:
    many = [("contacts", number) for number in range(0, 40, 2)] + [("agents", 0), ("agents", 1), ("agents", 3)]

    assert module._named(many) == "agents 0-1, 3; contacts 0, 2, 4, 6, 8, 10, …"


def test_of_a_version_that_counts_otherwise_only_what_is_counted_alike_is_read() -> None:
    told = part(contacts(0), staff(1))
    theirs = ShareCodec(
        [msgspec.structs.replace(contacts_family.FAMILY, snapshot=AgentsSnapshot), agents_family.FAMILY]
    )

    read = theirs.decoded(zlib.decompress(CODEC.encoded(told), wbits=31))

    assert [one.feed.topic for one in read.partitions] == ["agents"]
    assert read.unknown == {"contacts"}


def _over_the_wire(told: WorkerShare) -> WorkerShare:
    return CODEC.decoded(zlib.decompress(CODEC.encoded(told), wbits=31))
