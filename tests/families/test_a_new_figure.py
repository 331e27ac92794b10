"""
A figure is added to a family as CONTRIBUTING says: a field of its counts, and one `Figure`.

The family is the toy, as it stands in `tests/toy/`; nothing else is touched, and rows of before are read. On the page
contacts have most to show, so there the figure is one of theirs: what draws the page hears of it by the worker alone.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from msgspec import field
from msgspec.structs import replace
from playwright.async_api import expect

from stream.app.replay import replay
from stream.board.view import panel_of
from stream.core.collector import PageDetail, metric_families
from stream.core.counted import counted_in
from stream.core.counts import CountsRow
from stream.core.figure import Bars, Figure, Parts, Reading, Show
from stream.core.metric import gauge
from stream.core.row_codec import RowCodec
from stream.families.agents.family import FAMILY as AGENTS
from stream.families.contacts.columns import CONTACTS as COLUMNS
from stream.families.contacts.family import FAMILY as CONTACTS
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import HANDLE_BOUNDS_SECONDS
from stream.http.exposition import TextFormat, written
from stream.http.shown import Shown
from tests.board.chromium import INSTALL, Visitor, found
from tests.board.conftest import Worker
from tests.toy import family as toy
from tests.toy.fold import RowKey, Stand, Thrown, Throws, ThrowsRow, ToyFold
from tests.toy.test_toy import NOON, throws

# The field: at the end of the counts, with a default, and what counts it.


class ThrowsAndMisses(Throws, array_like=True, gc=False):
    misses: int = 0


class MissesRow(CountsRow[ThrowsAndMisses], array_like=True, gc=False):
    applied_offset: int = -1
    tally: ThrowsAndMisses = field(default_factory=ThrowsAndMisses)


class ThrownOrMissed(Thrown, frozen=True):
    def count(self, tallies: Iterable[Any], sign: int, /) -> None:
        super().count(tallies, sign)
        for tally in tallies:
            tally.misses += sign * (not self.hit)


class MissesFold(ToyFold):
    contribution = ThrownOrMissed

    def new_row(self) -> CountsRow[Any]:
        return MissesRow()


# The figure.


def misses(reading: Reading[Stand], window: str) -> Sequence[int]:
    counts: Sequence[int] = counted_in(reading, ThrowsAndMisses, window).misses
    return counts


MISSES: Figure[Stand] = Figure(
    metric=gauge("toy_window_misses", "rings", ("tenant", "queue", "window"), "Rings that missed; in the window."),
    section="toys",
    column=misses,
    show=Show(name="misses", format="count", title="missed"),
)

ROWS: RowCodec[RowKey, MissesRow] = RowCodec(RowKey, MissesRow, version=2, oldest=1)

FAMILY = replace(
    toy.FAMILY,
    tables={"throws": ROWS},
    new_fold=lambda _: MissesFold(),
    figures=(*toy.FAMILY.figures, MISSES),
    columns=(*toy.FAMILY.columns, "misses"),
)


def test_a_new_figure_is_on_the_page_of_metrics() -> None:
    board = replay(throws(), families=(FAMILY,)).board(NOON)

    page = written(metric_families(board, (FAMILY,), PageDetail()), TextFormat.TEXT).decode()

    assert 'toy_window_misses{tenant="default",queue="red",window="15m"} 5' in page
    assert 'toy_window_misses{tenant="default",queue="blue",window="15m"} 15' in page


def test_a_new_figure_is_in_the_rows_of_the_board_and_of_replay() -> None:
    board = replay(throws(), families=(FAMILY,)).board(NOON)

    panel = panel_of(board, FAMILY, (FAMILY,), "15m")

    assert [column.name for column in panel.columns] == ["thrown", "hit_ratio", "misses"]
    assert {row["queue"]: row["misses"] for row in panel.rows} == {"red": 5, "blue": 15}


def test_rows_that_were_written_before_the_figure_are_read() -> None:
    before = ThrowsRow(applied_offset=7, tally=Throws(thrown=4, hits=3))

    row = ROWS.decode_row(toy.THROWS.encode_row(before))

    assert row == MissesRow(applied_offset=7, tally=ThrowsAndMisses(thrown=4, hits=3, misses=0))


TALK: Figure[QueueSnapshot] = Figure(
    metric=gauge("contact_talk_seconds", "seconds", ("tenant", "queue", "channel", "window"), "Talk; in the window."),
    section="windows",
    column=COLUMNS.seconds("talk_ms"),
    show=Show(name="talk_seconds", format="duration", title="talk", rank=3, tile="small"),
)

WITH_TALK = Shown(
    families=(
        replace(CONTACTS, figures=(*CONTACTS.figures, TALK), columns=(*CONTACTS.columns, "talk_seconds")),
        AGENTS,
    ),
    registry="stream.families.registry:FAMILIES",
)


def handles(reading: Reading[QueueSnapshot], window: str) -> Sequence[Any]:
    tallies = [one.windows[window] for one in reading.snapshots]
    return [{"bounds": HANDLE_BOUNDS_SECONDS, "counts": tally.handles, "p50": 250} for tally in tallies]


WITH_HANDLES = Shown(
    families=(
        replace(
            CONTACTS,
            details={**CONTACTS.details, "handles": handles},
            shows=(
                *CONTACTS.shows,
                Show(name="handles", format="duration", title="Handle times", parts=Parts(names=("p50",)), bars=Bars()),
            ),
            sections={**CONTACTS.sections, "handling": ("handles",)},
        ),
    ),
    registry="stream.families.registry:FAMILIES",
)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.skipif(found() is None, reason=INSTALL)
async def test_a_new_distribution_is_drawn_in_the_detail(
    served: Callable[..., AbstractAsyncContextManager[str]], visitor: Visitor
) -> None:
    async with served(Worker(shown=WITH_HANDLES)) as address:
        page = await visitor.open(f"{address}/?queue=acme/support/voice")
        drawn = page.get_by_role("region", name="Handle times · 30 min")

        await expect(drawn.locator(".parts dd")).to_have_text("4:10")
        await expect(drawn.locator(".bars div")).to_have_count(len(HANDLE_BOUNDS_SECONDS) + 1)
        await expect(page.get_by_role("region", name="Waits of the answered · 30 min")).to_be_visible()
        assert visitor.complaints == []


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.skipif(found() is None, reason=INSTALL)
async def test_a_new_figure_of_contacts_is_on_the_page_in_their_list_the_detail_and_on_tiles(
    served: Callable[..., AbstractAsyncContextManager[str]], visitor: Visitor
) -> None:
    async with served(Worker(shown=WITH_TALK)) as address:
        page = await visitor.open(f"{address}/?view=list")
        support = page.locator("#rows tr", has=page.get_by_role("rowheader", name="support voice"))

        await expect(page.locator("#list thead th").nth(-2)).to_have_text("talk")
        await expect(support.locator("td").nth(-2)).to_have_text("2h 30")
        await support.get_by_role("link").click()
        line = page.locator("#figures tr", has=page.get_by_role("rowheader", name="talk", exact=True))
        await expect(line.locator("td")).to_have_text(["2h 30"] * 5)
        await page.goto(address)
        await expect(page.locator("#tiles li").first.locator(".talk_seconds")).to_have_text("talk2h 30")
        assert visitor.complaints == []
