"""A family is its folder and one line of the registry: that is all the toy family has, and it is seen everywhere."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from faust.types import TP
from playwright.async_api import expect

from stream.app.replay import replay
from stream.app.topics import source_topics
from stream.board.view import panel_of
from stream.core.cloudevents import Event, encode, key_of
from stream.core.family import Board, Family, merged
from stream.core.policies import Policies
from stream.http.shown import Shown
from stream.runtime.routing.processor import home_of
from stream.settings import Settings
from tests.board.boards import a_queue
from tests.board.chromium import Visitor
from tests.board.conftest import Worker
from tests.brokers import Broker
from tests.running import running_service, scrape, send, until
from tests.runtime.fakes import Crash, FakeRecord, Fate, MemoryLog
from tests.runtime.members import Member
from tests.toy.events import ThrownData, ToyThrown
from tests.toy.family import FAMILY
from tests.toy.registry import FAMILIES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHOWN = Shown(families=FAMILIES, registry="tests.toy.registry:FAMILIES")


def throws() -> Iterator[ToyThrown]:
    """Forty rings in ten minutes, thrown at two stands: of every four at `red` three hit, of those at `blue` one."""
    for n in range(40):
        queue = ("red", "blue")[n % 2]
        yield ToyThrown(
            id=str(n),
            source="/fair",
            time=NOON - timedelta(seconds=15 * (40 - n)),
            subject=f"ring-{n}",
            specversion="1.0",
            data=ThrownData(queue=queue, hit=(n // 2 % 4 > 0) == (queue == "red")),
        )


def with_toy(*arguments: str, stdin: bytes = b"") -> str:
    """Run a command of the product whose registry has one line more."""
    command = [sys.executable, "-m", "tests.toy.with_toy", *arguments]
    run = subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, timeout=100, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode()


def test_replay_and_its_table_show_the_family() -> None:
    lines = b"".join(encode(event) + b"\n" for event in throws())

    stands = json.loads(with_toy("replay", "-", "--window", "all", "--json", stdin=lines))["stands"]
    table = with_toy("replay", "-", "--window", "all", stdin=lines)

    assert [(row["queue"], row["thrown"], row["hit_ratio"], row["state"]) for row in stands] == [
        ("blue", 20, 0.25, "breached"),
        ("red", 20, 0.75, "ok"),
    ]
    assert "25 %" in table


def test_the_schema_of_its_event_is_told() -> None:
    assert "toy.thrown" in with_toy("schema").split()
    assert '"hit"' in with_toy("schema", "toy.thrown")


async def test_a_worker_shows_it_on_metrics_and_on_the_board(fresh_broker: Broker) -> None:
    events = [*throws()]
    async with running_service(fresh_broker, at=NOON, shown=SHOWN) as service:
        await send(fresh_broker.address, events)
        await until(lambda: service.feed.events["toy.thrown"] == len(events))
        samples = await scrape(service)
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{service.address}/board.json?window=15m") as answer:
                panel = (await answer.json())["panels"]["toys"]
            async with session.get(f"{service.address}/detail.json?panel=toys&key=default/red") as answer:
                detail = (await answer.json())["windows"]
        shown = await service.board()

    red = (("queue", "red"), ("tenant", "default"))
    assert samples["toy_thrown_total", red] == 20
    assert samples["toy_hit_ratio", (*red, ("window", "15m"))] == 0.75
    assert samples["contact_section_success", (("section", "toys"),)] == 1
    assert [row["queue"] for row in panel["rows"]] == ["blue", "red"], "the worst first"
    assert [row["thrown"] for row in detail] == [10, 20, 20, 20, 20, 20], "in five minutes half of them"
    assert shown == replay(events, families=FAMILIES).board(NOON)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_person_sees_it_on_the_page_in_their_language(visitor: Visitor, served_toys: str) -> None:
    page = await visitor.open(f"{served_toys}/?view=list&lang=sl")

    table = page.locator("#list table")  # nothing else has rows: so the board is of rings
    await table.wait_for()

    assert await table.locator("thead th").all_inner_texts() == ["Vrsta", "Stanje", "Vrženi", "Delež zadetkov"]
    assert visitor.complaints == []


@pytest.mark.asyncio(loop_scope="session")
async def test_a_person_opens_one_of_its_rows_and_sees_it_in_every_window(visitor: Visitor, served_toys: str) -> None:
    page = await visitor.open(f"{served_toys}/?view=list")
    await page.get_by_role("link", name="red").click()
    line = page.locator("#figures tr", has=page.get_by_role("rowheader", name="Hit ratio"))

    await expect(page.locator("#queue-name")).to_have_text("red")
    await expect(page.locator("#queue-state")).to_have_text("▲ OK")
    assert await line.locator("td").all_inner_texts() == ["80%", "75%", "75%", "75%", "75%", "75%"]
    assert await page.title() == "▲ red 75%"
    await expect(page.locator("#now .hit_ratio")).to_have_text("Hit ratio75%of 20 rings · 30 min")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#queue-name")).to_have_text("blue")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name="blue")).to_be_focused()
    assert visitor.complaints == []


@pytest.mark.parametrize(
    ("own", "chosen", "shown"),
    [
        (("today", "7d"), "today", "today"),
        (("today", "7d"), "5m", "today"),
        (("today", "7d"), "90d", "7d"),
        (("5m", "7d"), "1h", "7d"),
        (("5m", "7d"), "all", "all"),
    ],
)
def test_a_family_without_the_window_that_is_chosen_is_shown_in_the_next_longer_one(
    own: tuple[str, ...], chosen: str, shown: str
) -> None:
    family = msgspec.structs.replace(FAMILY, windows=own)

    panel = panel_of(replay(throws(), families=(FAMILY,)).board(NOON), family, (family,), chosen)

    assert (panel.window, {row["window"] for row in panel.rows}) == (shown, {shown})


@pytest.mark.asyncio(loop_scope="session")
async def test_a_list_and_a_detail_say_in_which_other_window_they_are(
    visitor: Visitor, served: Callable[..., AbstractAsyncContextManager[str]]
) -> None:
    families = (*FAMILIES[:-1], msgspec.structs.replace(FAMILY, windows=("today", "7d")))
    shown = Shown(families=families, registry="tests.toy.registry:FAMILIES")
    rings = replay(throws(), families=FAMILIES).board(NOON)
    board = msgspec.structs.replace(rings, snapshots={**rings.snapshots, "contacts": (a_queue("sales", at=NOON),)})

    async with served(Worker(board=board, shown=shown)) as address:
        page = await visitor.open(f"{address}/?view=list&lang=sl")
        await expect(page.locator("#panels h2")).to_have_text("Obroči · danes")
        page = await visitor.open(f"{address}/?view=list&lang=en")
        title = page.locator("#panels h2")

        await expect(title).to_have_text("Rings · today")
        await page.get_by_role("link", name="red").click()
        await expect(page.locator("#now .hit_ratio .note")).to_have_text("of 20 rings · today")
        await expect(page.locator("#figure-head .chosen")).to_have_text("today")
        assert await page.locator("#figure-head th").all_inner_texts() == ["Figure", "today", "7 d"]
        await page.get_by_role("button", name="7 d").click()
        await expect(page.locator("#figure-head .chosen")).to_have_text("7 d")
        await page.keyboard.press("Escape")
        await expect(title).to_have_text("Rings · 7 d")
        await expect(page.locator("#updated")).to_contain_text("over today")  # of queues there is no longer one
        await page.get_by_role("button", name="today").click()
        await expect(title).to_have_text("Rings")
        assert visitor.complaints == []


@pytest.mark.asyncio(loop_scope="session")
async def test_the_first_family_has_tiles_and_the_head_of_the_page_by_its_values_alone(
    visitor: Visitor, served: Callable[..., AbstractAsyncContextManager[str]]
) -> None:
    alone = Worker(
        board=replay(throws(), families=(FAMILY,)).board(NOON),
        shown=Shown(families=(FAMILY,), registry="tests.toy.registry:FAMILIES"),
    )

    async with served(alone) as address:
        page = await visitor.open(address)
        worst = page.locator("#tiles li").first

        await expect(worst.locator(".large .hit_ratio dd")).to_have_text(["25%", "of 20 rings"])
        await expect(worst.locator(".small .thrown dd")).to_have_text("20")
        await expect(page.locator("#summary .thrown dd")).to_have_text("40")
        assert await page.title() == "▼ blue 25%"
        await worst.get_by_role("link", name="blue").click()
        await expect(page.locator("#now .hit_ratio .note")).to_have_text("of 20 rings · 30 min")
        assert "panel=" not in page.url, "that of the first family needs no name"
        assert visitor.complaints == []


# A worker that dies at any step of a checkpoint.

PARTITIONS = 2
SETTINGS = Settings(group="toy", partitions=PARTITIONS)
STEPS = ["begun", "cut", "written 0", "committed", "told"]


def topics_of(families: Sequence[Family[Any]]) -> dict[TP, list[FakeRecord]]:
    """The topics of families, with all that was thrown."""
    found: dict[TP, list[FakeRecord]] = {TP(family.name, n): [] for family in families for n in range(PARTITIONS)}
    for event in throws():
        topic = found[TP(event.topic, home_of(key_of(event), PARTITIONS))]
        topic.append(FakeRecord(len(topic), key_of(event), encode(event)))
    return found


def member(log: MemoryLog, families: Sequence[Family[Any]] = FAMILIES) -> Member:
    """A worker of these families that reads what was thrown."""
    sources = source_topics(
        Policies(),
        partitions=PARTITIONS,
        max_queues_per_tenant=100,
        max_queues=100,
        max_customers=100,
        future_tolerance=timedelta(hours=1),
        clock=lambda: NOON,
        families=families,
    )
    return Member(log, topics_of(families), sources, SETTINGS, NOON)


def board_of(worker: Member, families: Sequence[Family[Any]] = FAMILIES) -> Board:
    """What a worker shows of these families."""
    snapshots: dict[str, list[Any]] = {family.name: [] for family in families}
    for feed, fold in worker.ownership.shown():
        snapshots[feed.topic] += [snapshot for _, snapshot in fold.snapshots(NOON)]
    return Board(at=NOON, snapshots={name: merged(of) for name, of in snapshots.items()})


def die_at(worker: Member, step: str) -> None:
    if step in STEPS or step == "derived":
        worker.crash_at = step
    else:
        request, _, share = step.partition(" ")
        worker.log.fates[request, 0] = Fate(float(share), Crash(step))


@pytest.mark.parametrize("step", [*STEPS, "throws 0", "throws 0.5", "throws 1", "commit 0", "commit 1"])
async def test_a_worker_that_dies_at_any_step_of_a_checkpoint_changes_no_figure(step: str) -> None:
    events: list[Event] = [*throws()]
    expected = replay(events, families=FAMILIES).board(NOON)
    for checkpoints in range(4):
        worker = member(MemoryLog()).begin()
        for _ in range(checkpoints):
            await worker.apply(4)
            assert await worker.checkpoints.write()
        await worker.apply(4)
        die_at(worker, step)
        with pytest.raises(Crash):
            await worker.checkpoints.write()

        heir = member(worker.log.shared).begin()
        while not heir.done:
            await heir.apply(4)
            assert await heir.checkpoints.write()
        assert board_of(heir) == expected
        assert board_of(member(heir.log.shared).begin()) == expected
