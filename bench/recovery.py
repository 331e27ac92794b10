"""How long a restarted worker takes to be ready with a million rows in its changelogs.

The rows are those of a day of the simulator, half of whose contacts are still open; or those of customers after a
quarter of a year. Contacts and customers are copied under other names until there are enough. The worker is a process
of its own.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from resource import getpagesize
from time import monotonic
from typing import Any, Final
from zlib import crc32

from msgspec import Struct

from bench.customers_once import told
from bench.judged import Judged
from bench.material import Material, Sent, fill, material
from stream.app.service import Service
from stream.broker.embedded import EmbeddedBroker
from stream.core.cloudevents import Event
from stream.core.family import Fold
from stream.families.contacts.events import (
    ContactAbandoned,
    ContactEnded,
    ContactTransferred,
    ContactWrapupEnded,
    ContactWrapupStarted,
)
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.tables import SEGMENTS, TALLIES
from stream.families.customers.fold import CustomersFold
from stream.families.customers.tables import CUSTOMER_COUNTS, CUSTOMER_ROWS
from stream.families.registry import DECODER
from stream.runtime.kafka.topics import ensure_topics
from stream.settings import Settings

__all__ = ["LONGEST_SECONDS", "Recovery", "measure", "recover"]

ROWS = 1_000_000
QUEUES = 200
PARTITIONS = 16
EVENTS = 300_000
LONGEST_SECONDS = 15.0
LONGEST_SECONDS_OF_CUSTOMERS = 20.0
CUSTOMERS = 10_000

_OF_THE_END = (ContactAbandoned, ContactEnded, ContactTransferred, ContactWrapupStarted, ContactWrapupEnded)


class Changelogs(Struct, frozen=True):
    """What the changelogs of a family hold, by table and partition, and what a board made of it must say."""

    family: str
    tables: Mapping[str, Material]
    counted: int

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(len(table.records) for table in self.tables.values())


class Recovery(Struct, frozen=True):
    """One restart; seconds from the start of the process."""

    rows: int
    assigned_seconds: float
    """Until the group has shared out the partitions, imports included."""
    ready_seconds: float
    longest_hold_seconds: float
    """The longest time in which the worker's loop did nothing else."""
    rss_bytes: int


def measure(*, rows: int = ROWS, address: str | None = None) -> list[Judged]:
    """Measure one restart on the brokers at *address*, else on the embedded one."""
    return [
        _judged(changelogs(rows), address, LONGEST_SECONDS),
        _judged(customer_changelogs(rows), address, LONGEST_SECONDS_OF_CUSTOMERS),
    ]


def _judged(what: Changelogs, address: str | None, longest_seconds: float) -> Judged:
    found = asyncio.run(recover(what, address))
    where = "embedded broker" if address is None else "Apache Kafka"
    parts = f"group {found.assigned_seconds:.1f} s, then rows {found.ready_seconds - found.assigned_seconds:.1f} s"
    return Judged(
        f"restart with {found.rows:,} rows of {what.family} in the changelogs, process to ready ({where})",
        f"{found.ready_seconds:.1f} s ({parts}; {found.rss_bytes / 2**20:.0f} MiB)",
        f"{longest_seconds:.0f} s",
        found.ready_seconds <= longest_seconds,
    )


def changelogs(rows: int) -> Changelogs:
    """Fold a day, and copy its contacts until there are *rows* rows."""
    day = material(EVENTS, QUEUES, PARTITIONS)
    folds = [ContactsFold() for _ in day.by_partition]
    for fold, records in zip(folds, day.by_partition, strict=True):
        events = [event for event in (DECODER.decode(record.value) for record in records) if _is_told(event)]
        applied = fold.apply(events, range(len(events)))
        assert not applied.failed
        fold.settle()
    tallies = [
        [Sent(TALLIES.encode_key(key), TALLIES.encode_row(row)) for key, row in f.tallies.items()] for f in folds
    ]
    wanted = rows - sum(map(len, tallies))
    share = -(-wanted // sum(len(fold.segments) for fold in folds))
    segments = [_copies(fold, share) for fold in folds]
    return Changelogs("contacts", {"tallies": _of(tallies), "segments": _of(segments)}, _offered(folds))


def customer_changelogs(rows: int) -> Changelogs:
    """Fold a quarter of a year, and copy its customers until there are *rows* of them."""
    events: list[list[Event]] = [[] for _ in range(PARTITIONS)]
    for event in told(CUSTOMERS):
        events[crc32(event.subject.encode()) % PARTITIONS].append(event)
    folds = [CustomersFold() for _ in events]
    for fold, some in zip(folds, events, strict=True):
        assert not fold.apply(some, range(len(some))).failed
        fold.settle()
    copies = -(-rows // sum(len(fold.customers) for fold in folds))
    counts = [
        [Sent(CUSTOMER_COUNTS.encode_key(key), CUSTOMER_COUNTS.encode_row(row)) for key, row in fold.counts.items()]  # type: ignore[arg-type]
        for fold in folds
    ]
    customers = [
        [
            Sent(CUSTOMER_ROWS.encode_key(key ^ copy), CUSTOMER_ROWS.encode_row(row))
            for key, row in fold.customers.items()
            for copy in range(copies)
        ]
        for fold in folds
    ]
    return Changelogs(
        "customers", {"customer_counts": _of(counts), "customers": _of(customers)}, _present(folds) * copies
    )


def _present(folds: Iterable[Fold[Any]]) -> int:
    """Return how many are customers now: what is derived from every row."""
    customers = (fold for fold in folds if isinstance(fold, CustomersFold))
    return sum(members.standing.present for fold in customers for members in fold.parts.all_members())


def _offered(folds: Iterable[Fold[Any]]) -> int:
    """Return the sum of all totals: a board does not show queues of a day that is long over."""
    queues = (queue for fold in folds if isinstance(fold, ContactsFold) for queue in fold.queues.values())
    return sum(queue.counts.totals.counted.tally.offered for queue in queues)


def _is_told(event: Event) -> bool:
    """Of every second contact the end is not told."""
    return crc32(event.subject.encode()) % 2 == 0 or not isinstance(event, _OF_THE_END)


def _copies(fold: ContactsFold, copies: int) -> list[Sent]:
    return [
        Sent(SEGMENTS.encode_key((*key[:3], f"{key[3]}-{copy}", key[4])), SEGMENTS.encode_row(row))
        for key, row in fold.segments.items()
        for copy in range(copies)
    ]


def _of(by_partition: Sequence[list[Sent]]) -> Material:
    return Material([sent for records in by_partition for sent in records], list(by_partition))


_COUNTED: Final[dict[str, Callable[[Iterable[Fold[Any]]], int]]] = {"contacts": _offered, "customers": _present}


async def recover(what: Changelogs, address: str | None = None) -> Recovery:
    """Fill the changelogs on the brokers at *address* (None: an embedded one), and start a worker on them."""
    if address is not None:
        return await _recover(what, address, idempotent=True)
    async with EmbeddedBroker() as broker:
        return await _recover(what, broker.address, idempotent=False)


async def _recover(what: Changelogs, address: str, *, idempotent: bool) -> Recovery:
    settings = _settings(what.family)
    service = Service(settings, brokers=address, idempotent=idempotent)
    await ensure_topics([address], service.worker.topics, replication=1)
    for table, material_of_it in what.tables.items():
        await fill(address, f"{settings.group}-{table}-changelog", material_of_it)
    arguments = ("-m", "bench.recovery", address, str(int(idempotent)), what.family, str(monotonic()))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE)
    out, _ = await process.communicate()
    said = json.loads(out)
    assert (said["rows"], said["counted"]) == (what.rows, what.counted), said
    return Recovery(what.rows, said["assigned"], said["ready"], said["hold"], said["rss"])


def _settings(family: str) -> Settings:
    return Settings(partitions=PARTITIONS, http_port=0, group=f"recovery-{family}")


async def _restart(address: str, family: str, began: float, *, idempotent: bool) -> None:
    """Run the worker until it is ready, and tell how that went."""
    service = Service(_settings(family), brokers=address, idempotent=idempotent)
    starting = asyncio.create_task(service.start())
    assigned, hold, last = 0.0, 0.0, monotonic()
    while not starting.done():
        await asyncio.sleep(0.001)
        now = monotonic()
        hold, last = max(hold, now - last), now
        if not assigned and service.feed.recovery == "recovering":
            assigned = now - began
    await starting
    ready = monotonic() - began
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    said = {
        "assigned": assigned,
        "ready": ready,
        "hold": hold,
        "rss": pages * getpagesize(),
        "rows": service.feed.recovered_rows,
        "counted": _COUNTED[family](service.worker.folds()),
    }
    print(json.dumps(said))
    await service.stop()


if __name__ == "__main__":
    asyncio.run(_restart(sys.argv[1], sys.argv[3], float(sys.argv[4]), idempotent=sys.argv[2] == "1"))
