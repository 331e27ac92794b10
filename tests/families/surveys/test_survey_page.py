"""What a person sees of surveys: a list below the queues, and one row in every window, in words of their language."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from stream.core.family import Board
from stream.families.registry import FAMILIES
from stream.http.shown import Shown
from tests.board.chromium import Visitor
from tests.board.conftest import Worker
from tests.families.surveys.busy import a_busy_survey
from tests.families.surveys.told import snapshots_of, survey_event, surveys_fold_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SHOWN = Shown(families=FAMILIES, registry="stream.families.registry:FAMILIES")

Served = Callable[..., AbstractAsyncContextManager[str]]


@pytest.mark.asyncio(loop_scope="session")
async def test_a_list_names_queue_channel_and_group_and_its_figures(visitor: Visitor, served: Served) -> None:
    board = Board(at=NOON, snapshots={"surveys": a_busy_survey(NOON)})
    async with served(Worker(board=board, shown=SHOWN)) as address:
        page = await visitor.open(f"{address}/?view=list&lang=sl")
        await page.get_by_role("button", name="7 d").click()

        heads = await page.locator("#list thead th").all_inner_texts()
        assert heads[2:6] == ["CSAT", "NPS", "CES", "IQS"]
        rows = await page.locator("#list tbody th").all_inner_texts()
        assert sorted("".join(row.split()) for row in rows) == ["salesklepet", "salesklepetvip"]
        assert visitor.complaints == []


@pytest.mark.asyncio(loop_scope="session")
async def test_a_detail_says_between_what_a_figure_is_and_how_many_answers_are_missing(
    visitor: Visitor, served: Served
) -> None:
    answers = [survey_event("answered", f"s{n}", NOON.replace(hour=9), score=5 - n // 3) for n in range(4)]
    board = Board(at=NOON, snapshots={"surveys": tuple(snapshots_of(surveys_fold_of(answers), NOON))})
    async with served(Worker(board=board, shown=SHOWN)) as address:
        page = await visitor.open(f"{address}/?view=list&window=7d")
        await page.get_by_role("link", name="sales").click()

        await expect(page.locator("#queue-where")).to_have_text("chat · acme")
        note = page.locator("#now .csat .note")
        await expect(note).to_have_text("between 51% and 100% (4 answers) · too few to judge: 6 more needed · 7 d")
        lines = await page.locator("#figures tr th[scope=row]").all_inner_texts()
        assert "CSAT: at least" in lines
        assert not [line for line in lines if line.startswith("NPS: at")], "nobody was asked"
        assert visitor.complaints == []
