"""
Decodes and folds cases, and tells how fast, what an open case keeps, and what a restart and a page of them cost.

`python -m bench.cases_once [HUNDRED_THOUSANDS]`: how many open cases, ten by default. Half of them have been answered.
"""

import gc
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from stream.core.cloudevents import Event, encode
from stream.core.collector import PageDetail, metric_families
from stream.core.family import Board, merged
from stream.families.cases.events import CaseEvent, CaseOpened, CaseResolved, MessageReceived, MessageSent
from stream.families.cases.family import FAMILY
from stream.families.cases.fold import CasesFold
from stream.families.cases.payloads import OpenedData, ReceivedData, SentData
from stream.families.cases.tables import CASES, COUNTS
from stream.families.registry import DECODER
from stream.http.exposition import TextFormat, written
from stream.simulator import demo_centre, simulate

FIRST = datetime(2026, 6, 1, tzinfo=UTC)
QUEUES = 1000
DAYS = 20
BATCH = 2000


def folded(events: Iterator[Event]) -> CasesFold:
    """Fold them in batches, with a checkpoint after every fifty."""
    fold, begun = CasesFold(), 0
    for number in range(sys.maxsize):
        batch = list(islice(events, BATCH))
        if not batch:
            break
        fold.apply(batch, range(begun, begun := begun + len(batch)))
        if number % 50 == 49:
            fold.settle()
            for rows in fold.tables.values():
                rows.drain_changed()
    fold.settle()
    for rows in fold.tables.values():
        rows.drain_changed()
    return fold


def speed() -> None:
    """Say how fast one processor decodes and folds a week of the simulated help desk."""
    week = simulate(demo_centre(), start=FIRST, end=FIRST + timedelta(days=7), seed=1)
    records = [encode(event) for event in week if isinstance(event, CaseEvent)]
    decoding, folding = [], []
    gc.disable()
    for _ in range(5):
        begin = time.perf_counter()
        events = [DECODER.decode(record) for record in records]
        middle = time.perf_counter()
        folded(iter(events))
        decoding.append(middle - begin)
        folding.append(time.perf_counter() - middle)
    gc.enable()
    decode, fold = (min(of) / len(records) * 1e6 for of in (decoding, folding))
    print(f"{len(records)} events: decode {decode:.2f} us, fold {fold:.2f} us, {1e6 / (decode + fold):,.0f} events/s")


def opened(number: int) -> Iterator[Event]:
    """Yield open cases over some days, as a worker reads them: half of them were answered."""
    for n in range(number):
        at = FIRST + timedelta(days=DAYS) * n / number
        told = {"source": "/desk", "subject": f"01HZX3V6K4M9Q2{n:012}", "specversion": "1.0", "tenantid": "acme"}
        events: list[CaseEvent] = [
            CaseOpened(id=f"o{n}", time=at, data=OpenedData(queue=f"queue-{n % QUEUES}"), **told),
            MessageReceived(id=f"r{n}", time=at, data=ReceivedData(message=f"m{n}"), **told),
        ]
        if n % 2:
            later = at + timedelta(minutes=40)
            events.append(MessageSent(id=f"s{n}", time=later, data=SentData(message=f"a{n}"), **told))
        yield from (DECODER.decode(encode(event)) for event in events)


def resident() -> int:
    """Return how many bytes this process has in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def size(number: int) -> None:
    """Say what open cases keep, how long a page takes, and a restart."""
    before = resident()
    fold = folded(opened(number))
    gc.collect()
    print(f"{number:,} open cases in {QUEUES} queues: {(resident() - before) / number:.0f} bytes each")
    at = FIRST + timedelta(days=DAYS, hours=1)
    for _ in range(2):
        begin = time.perf_counter()
        board = Board(at=at, snapshots={"cases": merged(one for _, one in fold.snapshots(at))})
        middle = time.perf_counter()
        page = written(metric_families(board, (FAMILY,), PageDetail()), TextFormat.TEXT)
        end = time.perf_counter()
        print(f"  read in {middle - begin:.2f} s, written in {end - middle:.2f} s: {len(page.splitlines()):,} lines")
    cases = [(CASES.encode_key(key), CASES.encode_row(row)) for key, row in fold.cases.items()]
    counts = [(COUNTS.encode_key(key), COUNTS.encode_row(row)) for key, row in fold.counts.items()]  # type: ignore[arg-type]
    del fold, board
    restarted(cases, counts)


def a_quarter() -> None:
    """Say what ninety days of queues keep that have had one case a day each, answered and solved."""
    gc.collect()
    before = resident()
    fold = folded(DECODER.decode(encode(event)) for event in _daily())
    gc.collect()
    held = (resident() - before) / 1e6
    sizes = {
        name: sum(len(codec.encode_key(key)) + len(codec.encode_row(row)) for key, row in rows.items())  # type: ignore[attr-defined]
        for name, codec, rows in (("counts", COUNTS, fold.counts), ("cases", CASES, fold.cases))
    }
    told = ", ".join(
        f"{len(rows):,} rows of {name}, {sizes[name] / 1e6:.0f} MB in a changelog" for name, rows in fold.tables.items()
    )
    print(f"90 days of {QUEUES} queues: {held:.0f} MB of memory; {told}")


def _daily() -> Iterator[Event]:
    for day in range(90):
        for number in range(QUEUES):
            at = FIRST + timedelta(days=day, hours=9, seconds=number)
            told = {"source": "/desk", "subject": f"{day}-{number}", "specversion": "1.0", "tenantid": "acme"}
            yield CaseOpened(id=f"o{day}-{number}", time=at, data=OpenedData(queue=f"queue-{number}"), **told)
            yield MessageSent(id=f"s{day}-{number}", time=at + timedelta(hours=1), data=SentData(), **told)
            yield CaseResolved(id=f"r{day}-{number}", time=at + timedelta(hours=2), **told)


def restarted(cases: Sequence[tuple[bytes, bytes]], counts: Sequence[tuple[bytes, bytes]]) -> None:
    """Say how long it takes to read rows, as a restart does once it has them, and what they keep then."""
    gc.collect()
    before, begin, fold = resident(), time.perf_counter(), CasesFold()
    for rows, codec, told in ((fold.counts, COUNTS, counts), (fold.cases, CASES, cases)):
        for start in range(0, len(told), BATCH):
            keys, values = zip(*told[start : start + BATCH], strict=True)
            for key, row in zip(codec.decode_keys(keys), codec.decode_rows(values), strict=True):  # type: ignore[attr-defined]
                rows.load(key, row)  # type: ignore[attr-defined]
    fold.recovered()
    seconds = time.perf_counter() - begin
    gc.collect()
    print(f"  restarted from {len(cases) + len(counts):,} rows in {seconds:.1f} s", end="")
    print(f": {(resident() - before) / len(cases):.0f} bytes each")


if __name__ == "__main__":
    speed()
    a_quarter()
    size(100_000 * int(sys.argv[1] if len(sys.argv) > 1 else 10))
