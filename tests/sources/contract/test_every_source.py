"""Every source of the registry is tried by the contract of each thing that it can do; who adds one is told where."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec import Struct

from stream.sources.intake import Intake
from stream.sources.registry import SOURCES
from stream.sources.source import Source, UnreadablePosition
from tests.sources.contract.callers import CALLERS
from tests.sources.contract.live import LIVE
from tests.sources.contract.polled import POLLED
from tests.sources.contract.recorded import RECORDED, options_of
from tests.sources.contract.stories import STORIES
from tests.sources.new_sources import DESK, LEDGER, PAGER


class ContractTable(Struct, frozen=True):
    """The systems that one contract is tried on, and where a further one is added."""

    entries: Mapping[str, object]
    place: str


READS: Final = ContractTable(RECORDED, "RECORDED in recorded.py")
ASKS: Final = ContractTable(POLLED, "POLLED in polled.py")
TELLS: Final = ContractTable(STORIES, "STORIES in stories.py")
LISTENS: Final = ContractTable(LIVE, "LIVE in live.py")
CALLED: Final = ContractTable(
    {name: entry for name, entry in CALLERS.items() if name != DESK.name}, "CALLERS in callers.py"
)


def tables_of(source: Source) -> list[ContractTable]:
    """Return where a source has to be: once for each thing that it can do."""
    pulls = [LISTENS] if hasattr(source.pull, "finish") or source.name in LIVE else [ASKS, TELLS]
    able = ((source.read, [READS]), (source.pull, pulls), (source.webhook, [CALLED]))
    return [table for ability, tables in able if ability for table in tables]


def missing(sources: Collection[Source]) -> list[str]:
    return [
        f"{source.name}: add an entry to {table.place} (tests/sources/contract)"
        for source in sources
        for table in tables_of(source)
        if source.name not in table.entries
    ]


def test_every_source_is_in_the_table_of_each_thing_that_it_can_do() -> None:
    assert missing(SOURCES.values()) == []


@pytest.mark.parametrize("table", [READS, ASKS, TELLS, LISTENS, CALLED], ids=lambda table: table.place)
def test_a_table_has_no_source_that_cannot_do_that(table: ContractTable) -> None:
    assert {name for name in table.entries if name not in SOURCES or table not in tables_of(SOURCES[name])} == set()


def test_whoever_adds_a_source_is_told_where_its_entry_goes() -> None:
    assert missing([DESK, LEDGER, PAGER]) == [
        "desk: add an entry to CALLERS in callers.py (tests/sources/contract)",
        "ledger: add an entry to RECORDED in recorded.py (tests/sources/contract)",
        "pager: add an entry to POLLED in polled.py (tests/sources/contract)",
        "pager: add an entry to STORIES in stories.py (tests/sources/contract)",
    ]


@pytest.mark.parametrize("name", [*POLLED, *LIVE])
def test_among_what_is_of_no_use_there_is_garbage_and_what_nobody_knows(name: str) -> None:
    entry = POLLED.get(name) or LIVE[name]

    garbage, _, unknown = entry.counted
    assert garbage
    assert unknown


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_source_says_what_it_is_and_can_do_something(source: Source) -> None:
    assert source.about.endswith(".")
    assert source.read or source.pull or source.webhook
    assert source.position or not source.pull
    for field in msgspec.structs.fields(source.options):
        assert any(isinstance(part, msgspec.Meta) and part.description for part in field.type.__metadata__)


@pytest.mark.parametrize("source", [source for source in SOURCES.values() if source.pull], ids=lambda each: each.name)
async def test_every_puller_refuses_a_position_that_is_none(source: Source, tmp_path: Path) -> None:
    assert source.pull is not None

    with pytest.raises(UnreadablePosition):
        await anext(aiter(source.pull(options_of(source, tmp_path / "none"), Intake()).batches(b"page four")))
