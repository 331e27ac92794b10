"""
Decodes and folds a quarter of a year of customers, and tells how fast beside contacts, and what a million of them keep.

`python -m bench.customers_once [HUNDRED_THOUSANDS]`: how many customers are kept, ten by default. Carts are left out.
"""

import gc
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from msgspec.structs import replace

from bench.cases_once import resident
from bench.material import material
from stream.core.cloudevents import Event, encode
from stream.core.family import Fold
from stream.families.contacts.fold import ContactsFold
from stream.families.customers.events import CartEvent
from stream.families.customers.fold import CustomersFold
from stream.families.customers.tables import CUSTOMER_COUNTS, CUSTOMER_ROWS
from stream.families.registry import DECODER
from stream.simulator.customers.quarter import simulated_quarter

FIRST = datetime(2026, 6, 1, tzinfo=UTC)
SIMULATED = 10_000
BATCH = 2000
ALIKE = 200
SETTLED_AFTER = 10
TURNS = 5


def told(customers: int) -> Iterator[Event]:
    """Yield what happens to customers in a quarter of a year, but for their carts."""
    return (event for event in simulated_quarter(1, customers, FIRST) if not isinstance(event, CartEvent))


def costs(new_fold: Callable[[], Fold[Any]], records: Sequence[bytes]) -> list[float]:
    """Return the processor time in which each batch is decoded and folded, with a checkpoint after every ten."""
    fold, took = new_fold(), []
    for number, start in enumerate(range(0, len(records), BATCH)):
        begin = time.process_time()
        events = [DECODER.decode(record) for record in records[start : start + BATCH]]
        fold.apply(events, range(start, start + len(events)))
        if number % SETTLED_AFTER == SETTLED_AFTER - 1:
            _checkpoint(fold, start)
        took.append(time.process_time() - begin)
    return took


def _checkpoint(fold: Fold[Any], offset: int) -> None:
    fold.settle()
    fold.committed(offset)
    for rows in fold.tables.values():
        rows.drain_changed()


def speed() -> None:
    """Say what an event costs beside one of contacts, in turns: of each batch the best, since machines have hours."""
    records = [encode(event) for event in told(SIMULATED)]
    contacts = [sent.value for share in material(30_000, 200, 16).by_partition[:4] for sent in share]
    turns: list[tuple[list[float], list[float]]] = []
    gc.disable()
    for _ in range(TURNS):
        of_contacts = [costs(ContactsFold, contacts) for _ in range(3)]
        turns.append((_best(of_contacts), costs(CustomersFold, records)))
    gc.enable()
    contact, customer = (
        sum(_best([turn[which] for turn in turns])) / len(of) * 1e6 for which, of in enumerate((contacts, records))
    )
    print(
        f"{len(records)} events of {SIMULATED:,} customers: {customer:.1f} us, {1e6 / customer:,.0f} events/s", end=""
    )
    print(f"; a contact {contact:.1f} us, so {customer / contact:.1f} : contacts")


def _best(turns: Sequence[Sequence[float]]) -> list[float]:
    return [min(of) for of in zip(*turns, strict=True)]


def many(copies: int) -> Iterator[Event]:
    """Yield the same quarter for so many times as many customers, who do the same at about the same time."""
    events = told(SIMULATED)
    while some := list(islice(events, ALIKE)):
        yield from some
        # One after the other, not all copies of an event at once: a processor is faster at what it has just done.
        for number in range(1, copies):
            yield from (replace(event, subject=f"{number}/{event.subject}") for event in some)


def size(copies: int) -> float:
    """Say what customers keep and how long a restart takes; return what one event costs the fold, in us."""
    gc.collect()
    gc.disable()
    before, fold, events, took, position = resident(), CustomersFold(), many(copies), 0.0, 0
    for number in range(sys.maxsize):
        batch = list(islice(events, BATCH))
        if not batch:
            break
        begin = time.process_time()
        fold.apply(batch, range(position, position := position + len(batch)))
        took += time.process_time() - begin
        if number % SETTLED_AFTER == SETTLED_AFTER - 1:
            _checkpoint(fold, position)
    _checkpoint(fold, position)
    del batch, events
    gc.enable()
    gc.collect()
    known = len(fold.customers)
    print(f"{known:,} customers: {(resident() - before) / known:.0f} bytes each", end="")
    print(f", {took / position * 1e6:.1f} us for each of {position:,} events")
    restart(fold)
    return took / position * 1e6


def restart(fold: CustomersFold) -> None:
    """Say how long it takes to read all rows, as a restart does once it has them."""
    customers = [(CUSTOMER_ROWS.encode_key(key), CUSTOMER_ROWS.encode_row(row)) for key, row in fold.customers.items()]
    counts = [(CUSTOMER_COUNTS.encode_key(key), CUSTOMER_COUNTS.encode_row(row)) for key, row in fold.counts.items()]  # type: ignore[arg-type]
    fold.customers.clear()
    gc.collect()
    begin, again = time.perf_counter(), CustomersFold()
    for name, codec, rows in (("customer_counts", CUSTOMER_COUNTS, counts), ("customers", CUSTOMER_ROWS, customers)):
        for start in range(0, len(rows), BATCH):
            keys, values = zip(*rows[start : start + BATCH], strict=True)
            for key, row in zip(codec.decode_keys(keys), codec.decode_rows(values), strict=True):
                again.tables[name].load(key, row)
    again.recovered()
    seconds = time.perf_counter() - begin
    print(f"  restarted from {len(customers) + len(counts):,} rows in {seconds:.1f} s", end="")
    print(f"; in a changelog {sum(len(key) + len(row) for key, row in customers) / len(customers):.0f} bytes each")


def main(copies: int) -> None:
    """Say all of it; what is kept first, since what was freed before would be used again and not be seen."""
    at_many = size(copies)
    print(f"growth: {at_many / size(1):.2f}")
    speed()


if __name__ == "__main__":
    main(10 * int(sys.argv[1] if len(sys.argv) > 1 else 10))
