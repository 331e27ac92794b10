"""What a page of 5,000 queues costs part by part, in processor time and in memory, while no events flow."""

import gc
import io
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from bench.judged import Judged
from bench.report import fact
from bench.scrape import QUEUES, tallies_of_an_hour
from stream.core.collector import FEW_SERIES
from stream.core.windows import minute_of
from stream.families.contacts.fold import ContactsFold
from stream.families.registry import FAMILIES
from stream.http.exposition import TextFormat
from stream.http.page_input import PageInput, PageWire, write_body

__all__ = ["measure"]

T = TypeVar("T")

RUNS = 5
"""The quickest of so many is told: the others were held up by something."""


def measure() -> list[Judged]:
    """Measure reading the queues, handing them to another process, and writing the page there."""
    at = datetime.now(UTC)
    fold = _an_hour_of(at)
    wire = PageWire(FAMILIES)
    gc.disable()
    reading, snapshots = _best(lambda: [snapshot for _, snapshot in fold.snapshots(at)])

    def page_input() -> PageInput:
        return PageInput(
            form=TextFormat.TEXT,
            packed=True,
            detail=FEW_SERIES,
            first={},
            at=at,
            snapshots={"contacts": [*snapshots], "agents": []},
            last={},
        )

    sending, sent = _best(lambda: _sent(wire, page_input()))
    receiving, _ = _best(lambda: wire.receive(io.BytesIO(sent)))
    writing, page = _best(lambda: write_body(page_input(), FAMILIES, time.perf_counter))
    gc.enable()
    parts = f"read {reading:.3f}, sent {sending:.3f}, received {receiving:.3f}, written and gzipped {writing:.3f}"
    return [
        fact(
            f"page of {QUEUES:,} queues, processor time of its parts, s",
            f"{reading + sending + receiving + writing:.3f} ({parts})",
        ),
        fact("… handed over, and gzipped, MB", f"{len(sent) / 1e6:.1f}, {len(page) / 1e6:.1f}"),
    ]


def _an_hour_of(at: datetime) -> ContactsFold:
    fold = ContactsFold(max_queues_per_tenant=2 * QUEUES, max_queues=2 * QUEUES)
    chance = random.Random(1)
    for number in range(QUEUES):
        for key, row in tallies_of_an_hour(chance, f"queue-{number:05}", minute_of(at)):
            fold.tallies.load(key, row)
    fold.recovered()
    return fold


def _sent(wire: PageWire, page_input: PageInput) -> bytes:
    stream = io.BytesIO()
    wire.send(page_input, stream)
    return stream.getvalue()


def _best(work: Callable[[], T]) -> tuple[float, T]:
    seconds = []
    for _ in range(RUNS):
        began = time.process_time()
        result = work()
        seconds.append(time.process_time() - began)
    return min(seconds), result
