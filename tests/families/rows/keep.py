"""
Keeps what tables of this version write, for versions to come.

`python -m tests.families.rows.keep`, when the version of a table has been raised. What is kept already stays as
it is: a file of a version that no release has written may be deleted first.
"""

import asyncio
import gzip
import json
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from faust.types import TP
from msgspec import Struct
from msgspec.structs import asdict

from stream.core.cloudevents import encode, key_of
from stream.runtime.routing.processor import home_of
from stream.simulator import demo_centre, simulate
from tests.e2e.test_crash_points import NOON, PARTITIONS, member
from tests.families.rows.examples import examples
from tests.runtime.fakes import Crash, FakeRecord, MemoryLog
from tests.runtime.members import Topics

HERE = Path(__file__).parent


def named(value: Any) -> Any:
    """Return a row as JSON would have it, structs by the names of their fields: so it reads the same in any layout."""
    if isinstance(value, Struct):
        return {name: named(field) for name, field in asdict(value).items()}
    if isinstance(value, tuple | list):
        return [named(one) for one in value]
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, datetime) else value


def keep_rows() -> Iterator[str]:
    """Write a file for each table whose version has none, and yield its name."""
    for table, rows in examples().items():
        lines = []
        for codec, key, row in rows:
            encoded = codec.encode_row(row)
            kept = {"key": codec.encode_key(key).hex(), "row": encoded.hex(), "is": named(row)}
            lines.append(json.dumps({"named": key, **kept}))
        path = HERE / f"{table}-{encoded[0]}.jsonl"
        if not path.exists():
            path.write_text("\n".join(lines) + "\n")
            yield path.name


async def keep_worker(name: str) -> str:
    """Write the topics of a day, and what a worker leaves that is killed when half of its tallies are written."""
    day = simulate(demo_centre(), start=NOON - timedelta(minutes=12), end=NOON, seed=1)
    topics: Topics = {TP(topic, n): [] for topic in ("contacts", "agents", "cases") for n in range(PARTITIONS)}
    for event in day:
        topic = topics[TP(event.topic, home_of(key_of(event), PARTITIONS))]
        topic.append(FakeRecord(len(topic), key_of(event), encode(event)))
    worker = member(MemoryLog(), topics).begin()
    for _ in range(3):
        await worker.apply(60)
        assert await worker.checkpoints.write()
    await worker.apply(60)
    worker.log.shared.crash_in_append = 1
    try:
        await worker.checkpoints.write()
    except Crash:
        path = HERE / name
        path.write_bytes(gzip.compress(json.dumps(left_by(worker.log.shared, topics)).encode(), mtime=0))
        return path.name
    raise AssertionError("it was to be killed")


def left_by(log: MemoryLog, topics: Topics) -> Any:
    """Return topics, changelogs and committed offsets as JSON."""
    return {
        "topics": [[*tp, [_texts(one) for one in records]] for tp, records in topics.items()],
        "changelogs": [[*key, [_texts(one) for one in records]] for key, records in log.changelogs.items()],
        "committed": [[*tp, offset] for tp, offset in log.committed.items()],
    }


def read_worker(name: str) -> tuple[MemoryLog, Topics]:
    """Return what `keep_worker` has written."""
    kept = json.loads(gzip.decompress((HERE / name).read_bytes()))
    log = MemoryLog()
    for topic, partition, records in kept["changelogs"]:
        log.changelogs[topic, partition] = [*map(_record, records)]
    log.committed = {TP(topic, partition): offset for topic, partition, offset in kept["committed"]}
    return log, {TP(topic, partition): [*map(_record, records)] for topic, partition, records in kept["topics"]}


def _texts(record: FakeRecord) -> Any:
    key, value = (None if one is None else one.hex() for one in (record.key, record.value))
    return [record.offset, key, value, [[name, text.decode()] for name, text in record.headers]]


def _record(texts: Any) -> FakeRecord:
    offset, *pair, headers = texts
    key, value = (None if one is None else bytes.fromhex(one) for one in pair)
    return FakeRecord(offset, key, value, [(name, text.encode()) for name, text in headers])


if __name__ == "__main__":
    print(*keep_rows())
    if len(sys.argv) > 1:  # the name of a file, when a release is made
        print(asyncio.run(keep_worker(sys.argv[1])))
