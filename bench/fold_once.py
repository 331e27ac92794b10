"""
Decodes records and folds them, so many times each, as whichever checkout this runs in does: for `bench.beside`.

Its arguments: a file with a line for each record, its partition and a tab before it; how often to decode, and to fold.
"""

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stream.core.cloudevents import Event
from stream.core.family import Fold
from stream.families.contacts.fold import ContactsFold
from stream.families.registry import DECODER

BATCH = 2000


def main() -> None:
    """Do it, and say nothing."""
    place, decodings, folds = sys.argv[1:]
    records: dict[bytes, list[bytes]] = {}
    for line in Path(place).read_bytes().splitlines():
        partition, _, record = line.partition(b"\t")
        records.setdefault(partition, []).append(record)
    gc.disable()
    for _ in range(int(decodings)):
        events = [[DECODER.decode(record) for record in of] for of in records.values()]
    for _ in range(int(folds)):
        for of in events:
            folded(ContactsFold(), of)


def folded(fold: Fold[Any], events: Sequence[Event]) -> None:
    """Fold events in batches, as one checkpoint takes them."""
    for start in range(0, len(events), BATCH):
        batch = events[start : start + BATCH]
        fold.apply(batch, range(start, start + len(batch)))
    fold.settle()
    for rows in fold.tables.values():
        rows.drain_changed()


if __name__ == "__main__":
    main()
