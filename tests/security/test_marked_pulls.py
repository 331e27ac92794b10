"""Personal data in what systems answer when they are asked: in no event, position, dead letter or line of a log."""

import asyncio
import logging
import re
from contextlib import aclosing
from pathlib import Path
from typing import Final

import pytest

from stream.core.cloudevents import encode
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from tests.sources.contract.kept import PolledSystem
from tests.sources.contract.marks import ALTERED
from tests.sources.contract.polled import POLLED
from tests.sources.contract.polled_contract import batches_of

MARKS: Final = ("ann.marked", "38640777123", "Ann Marked", "38640000001")
"""Of customers: what is put into records, and what stands in the noise of every system."""

MOST_ALTERED: Final = 60
DAY: Final = re.compile(rb"\d{4}-\d\d-\d\d")
CALLS: Final = range(1000, 1020)


def records_of(system: PolledSystem) -> list[bytes]:
    """Return what is of no use, what has a value that is another, and at last calls of somebody with a name."""
    calls = [system.call(number) for number in CALLS]
    # Some of the systems of the tests look for what is new by its time.
    times = DAY.findall(calls[0])
    altered = [record for record in system.altered(calls[0]) if DAY.findall(record) == times]
    return [*map(system.marked, system.noise), *altered[:MOST_ALTERED], *map(system.marked, calls)]


@pytest.mark.parametrize("system", POLLED.values(), ids=POLLED)
async def test_what_is_asked_for_gets_no_further(
    system: PolledSystem, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    aside: list[BadLine] = []
    shown: list[bytes] = []
    plain, all_of_it = tmp_path / "plain", tmp_path / "all"
    for folder in (plain, all_of_it):
        folder.mkdir()
    async with system.kept(plain) as kept, asyncio.timeout(100):
        await kept.add([system.call(CALLS[-1])])
        async with aclosing(batches_of(kept, None, None)) as batches:
            last = (await anext(batches)).events[-1].subject
    with caplog.at_level(logging.DEBUG):
        async with system.kept(all_of_it) as kept, asyncio.timeout(100):
            await kept.add(records_of(system))
            async with aclosing(batches_of(kept, None, Intake(aside.append))) as batches:
                async for batch in batches:
                    shown += [batch.position, *map(encode, batch.events)]
                    if any(event.subject == last for event in batch.events):
                        break

    assert aside
    said = f"{aside} {[str(bad) for bad in aside]} {caplog.text}"
    assert [mark for mark in (*MARKS, ALTERED) if mark in said] == []
    assert [line for line in shown for mark in MARKS if mark.encode() in line] == []
