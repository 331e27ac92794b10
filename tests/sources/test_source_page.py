"""What a source that runs in a process of its own says of itself, while it runs."""

import asyncio
import re
import sys
from pathlib import Path

import aiohttp
import pytest

from stream.errors import SettingsError
from stream.sources.intake import Intake
from stream.sources.intake_metrics import SOURCE_METRICS
from stream.sources.pulling.shipping import PositionFile
from stream.sources.pulling.source_page import source_page
from tests.house.tree import ROOT
from tests.running import Figures, parsed
from tests.sources.contract.live import LIVE
from tests.sources.manager_messages import WELCOME, serving

NOISY = LIVE["asterisk-ami"]


async def figures(address: str) -> Figures:
    async with aiohttp.ClientSession() as session, session.get(f"{address}/metrics") as answer:
        assert answer.status == 200
        return parsed(await answer.text())


def of(shown: Figures, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    return {labels: value for (named, labels), value in shown.items() if named == name}


async def test_what_was_left_out_and_why_is_to_be_seen_while_it_happens(tmp_path: Path) -> None:
    said = NOISY.noise + NOISY.call(1)
    async with serving(WELCOME + said) as pbx:
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream", "source", "asterisk-ami", str(pbx.write_file(tmp_path)), "--dry-run"),
            *("--metrics-port", "0"),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert run.stdout is not None
        assert run.stderr is not None
        while not (found := re.search(r"(http://\S+)/metrics", (await run.stderr.readline()).decode())):
            pass
        await run.stdout.readline()
        await run.stdout.readline()
        async with asyncio.timeout(60):
            while of(shown := await figures(found[1]), "contact_source_events_total") != {
                (("source", "asterisk-ami"),): 2
            }:
                await asyncio.sleep(0.02)
        run.terminate()
        await run.communicate()

    kinds = {
        (labels["outcome"], labels["kind"]): value
        for labels, value in ((dict(each), value) for each, value in of(shown, "contact_source_inputs_total").items())
    }
    assert kinds["unknown", "Rumour"] == kinds["ignored", "Newexten"] == kinds["used", "QueueCallerJoin"] == 1
    assert [value for (outcome, _), value in kinds.items() if outcome == "refused"] == [1]
    assert of(shown, "contact_source_connected") == {(("source", "asterisk-ami"), ("system", "berlin")): 1}
    assert len(of(shown, "contact_source_newest_event_timestamp_seconds")) == 1
    assert "38640000001" not in str(shown)


async def test_before_the_first_event_there_is_no_time_of_the_newest(tmp_path: Path) -> None:
    position = PositionFile(tmp_path / "position")
    async with source_page("pager", Intake(connected={"tower": False}), position, "127.0.0.1", 0) as address:
        shown = await figures(address)

    assert of(shown, "contact_source_connected") == {(("source", "pager"), ("system", "tower")): 0}
    assert of(shown, "contact_source_newest_event_timestamp_seconds") == {}
    assert all(one.name.startswith("contact_source_") for one in SOURCE_METRICS)


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    position = PositionFile(tmp_path / "position")
    async with source_page("pager", Intake(), position, "127.0.0.1", 0) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(SettingsError, match=f"--metrics-port {port}"):
            async with source_page("pager", Intake(), position, "127.0.0.1", port):
                pass
