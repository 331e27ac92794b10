"""Rows that a released version wrote are read for ever: its bytes are kept here, and what they mean."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import asdict, fields

from stream.app.replay import replay
from stream.core.row_codec import RowFormatError
from stream.families.contacts.tally import Tally
from stream.families.registry import DECODER
from tests.e2e.test_crash_points import NOON, board, member
from tests.families.rows.examples import examples
from tests.families.rows.keep import HERE, named, read_worker

KEPT = sorted(HERE.glob("*.jsonl"))
WORKERS = sorted(HERE.glob("worker-*.json.gz"))


def lines_of(path: Path) -> Iterator[tuple[Any, bytes, bytes, Any]]:
    for line in path.read_text().splitlines():
        kept = json.loads(line)
        name = kept["named"]
        yield (
            tuple(name) if isinstance(name, list) else name,
            bytes.fromhex(kept["key"]),
            bytes.fromhex(kept["row"]),
            kept["is"],
        )


def holds(known: Any, was: Any) -> bool:
    """Tell whether a row has every field that it had then, with the same value."""
    if isinstance(was, dict):
        return all(holds(known[name], value) for name, value in was.items())
    if isinstance(was, list):
        return len(known) == len(was) and all(map(holds, known, was))
    return bool(known == was)


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_row_of_a_released_version_means_what_it_meant(path: Path) -> None:
    (codec, *_), *_ = examples()[path.stem.rpartition("-")[0]]
    names, keys, rows, meant = zip(*lines_of(path), strict=True)

    assert tuple(codec.decode_keys(keys)) == names
    assert tuple(map(codec.encode_key, names)) == keys
    for row, was in zip(codec.decode_rows(rows), meant, strict=True):
        assert holds(named(row), was)
        assert codec.decode_row(codec.encode_row(row)) == row  # and is the same once it is written anew


@pytest.mark.parametrize("table", examples())
def test_whoever_changes_what_a_table_writes_raises_its_version_and_keeps_its_rows(table: str) -> None:
    """If this fails: raise the version in the family's `tables.py`, then `python -m tests.families.rows.keep`."""
    rows = examples()[table]
    version = rows[0][0].version
    kept = [row for _, _, row, _ in lines_of(HERE / f"{table}-{version}.jsonl")]

    assert [codec.encode_row(row) for codec, _, row in rows] == kept


@pytest.mark.parametrize("table", examples())
def test_the_rows_that_are_kept_have_something_in_every_field(table: str) -> None:
    rows = [row for _, _, row in examples()[table]]
    for kind in {type(row) for row in rows}:
        plain = kind()
        for field in fields(kind):
            assert any(getattr(row, field.name) != getattr(plain, field.name) for row in rows if type(row) is kind)


@pytest.mark.parametrize("table", examples())
def test_a_row_of_a_later_version_is_refused_in_words(table: str) -> None:
    ((codec, _, row), *_) = examples()[table]
    encoded = codec.encode_row(row)
    later = bytes([codec.version + 1])

    with pytest.raises(RowFormatError, match=f"row format {later.hex()}, this version reads 0[12]"):
        codec.decode_rows([encoded, later + encoded[1:]])


@pytest.mark.parametrize("path", WORKERS, ids=lambda path: path.name.partition(".")[0])
async def test_figures_are_kept_when_this_version_takes_over_from_one_that_was_killed(path: Path) -> None:
    log, topics = read_worker(path.name)
    worker = member(log, topics).begin()
    while not worker.done:
        await worker.apply(60)
        assert await worker.checkpoints.write()

    events = [DECODER.decode(record.value) for records in topics.values() for record in records]
    expected = replay(sorted(events, key=lambda event: event.time)).board(NOON)
    counted = [*next(lines_of(HERE / path.name.replace("worker", "tallies").replace("json.gz", "jsonl")))[3]["tally"]]
    assert as_counted_then(board(worker), counted) == as_counted_then(expected, counted)
    log.compact()
    assert board(member(log, topics).begin()) == board(worker)


def as_counted_then(shown: Any, counted: Sequence[str]) -> Any:
    """Leave out what is counted only since then: of what had passed by, nobody had counted it."""
    if isinstance(shown, Tally):
        return [getattr(shown, name) for name in counted]
    if isinstance(shown, Struct):
        return [as_counted_then(value, counted) for value in asdict(shown).values()]
    if isinstance(shown, Mapping):
        return {name: as_counted_then(value, counted) for name, value in shown.items()}
    return [as_counted_then(value, counted) for value in shown] if isinstance(shown, tuple) else shown
