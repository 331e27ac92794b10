"""The Prometheus of our tests itself: it scrapes, it answers, and it says what is wrong."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.monitoring import configuration, prometheus


async def test_it_scrapes_what_it_is_told_and_answers(tmp_path: Path) -> None:
    async with prometheus(tmp_path / "1", configuration({})) as other:
        config = configuration({"itself": [other.address]}, interval=timedelta(milliseconds=200))
        async with prometheus(tmp_path / "2", config) as watching:
            (up,) = await watching.wait_for("up == 1")
            now = datetime.now(UTC)
            span = timedelta(seconds=5)
            (past,) = await watching.query_range("up", start=now - span, end=now, step=span / 50)

    assert up.labels == {"__name__": "up", "job": "itself", "instance": other.address.removeprefix("http://")}
    assert past.points[-1][1] == 1


async def test_it_may_know_of_last_week(tmp_path: Path) -> None:
    last_week = datetime.now(UTC) - timedelta(days=7)
    told = f"# TYPE visits gauge\nvisits 7 {last_week.timestamp():.3f}\n# EOF\n"

    async with prometheus(tmp_path, configuration({}), history=told) as watching:
        assert [sample.value for sample in await watching.query("visits offset 1w")] == [7]


async def test_a_query_it_cannot_read_is_refused_with_its_reason(tmp_path: Path) -> None:
    async with prometheus(tmp_path, configuration({})) as watching:
        with pytest.raises(AssertionError, match=re.escape("unclosed left parenthesis")):
            await watching.query("sum(up")


async def test_a_configuration_it_cannot_read_is_refused_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="scrap_configs"):
        async with prometheus(tmp_path, '{"scrap_configs": []}'):
            pass
