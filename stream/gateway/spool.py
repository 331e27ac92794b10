"""What was accepted while the broker was away: on the disk before its sender is told, in the order in which it came.

An SQLite file with one thread to write it. Requests that come while the disk is busy share the next commit.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from stream.errors import ContactStreamError, SettingsError
from stream.sdk.producer import EncodedEvent

__all__ = ["Spool", "SpoolBroken", "SpoolFull", "SpooledBatch", "open_spool_file"]

ROW_BYTES: Final = 64
"""About what a record costs on the disk beside its key and value."""

BATCH_EVENTS: Final = 1000
BATCH_BYTES: Final = 2_000_000
"""So much is read at a time to be sent."""

LAYOUT: Final = 2
"""Version of the tables; the first had no headers, and nothing aside."""

COLUMNS: Final = "at REAL, topic TEXT, key BLOB, value BLOB, headers BLOB"
INSERT: Final = "INSERT INTO events(at, topic, key, value, headers) VALUES(?, ?, ?, ?, ?)"
ASIDE: Final = "INSERT INTO aside(at, topic, key, value, headers, reason) VALUES(?, ?, ?, ?, ?, ?)"

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]
Job = tuple[Work, "asyncio.Future[Any]", asyncio.AbstractEventLoop]


class SpoolFull(ContactStreamError):
    """There is no room for the events: none of them was kept."""


class SpoolBroken(ContactStreamError):
    """The disk does not take what it is given: none of it was kept; the message names the file."""


class SpooledBatch(NamedTuple):
    """The oldest events; `last` is to be given to `remove` once they have arrived."""

    last: int
    events: list[EncodedEvent]


class Spool:
    """
    A queue of events in the file *path*, of at most *limit_bytes*; one process at a time may have it open.

    An append returns when its events are on the disk, all of them or none, and would survive a power cut. Use it on
    one event loop.
    """

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self.path = path
        self.limit_bytes = limit_bytes
        self.broken: str | None = None
        """Why the disk refused the latest write; None if it did not."""
        self._connection = open_spool_file(path)
        self.events, self.bytes, self._oldest = _standing(self._connection)
        self._arrived = 0
        """The last that has arrived and that the disk could not forget yet: it is not read again."""
        self._arrived_bytes = 0
        """What these take until it does."""
        self.aside: int = self._connection.execute("SELECT count(*) FROM aside").fetchone()[0]
        """Events that the broker will not have, and for which there was no other place."""
        self._filled = asyncio.Event()
        if self.events:
            self._filled.set()
        self._reserved = 0
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="spool", daemon=True)
        self._thread.start()

    @property
    def oldest(self) -> float | None:
        """When the oldest event came, since 1970; None where there is none."""
        return self._oldest if self.events else None

    @property
    def is_full(self) -> bool:
        """Whether an event of usual size would find no room."""
        return self.bytes + self._reserved + 1000 > self.limit_bytes

    async def append(self, events: Sequence[EncodedEvent]) -> None:
        """Return when all of them are on the disk; raises SpoolFull or SpoolBroken, and then none is."""
        size, now = sum(map(_size, events)), time.time()
        # Reserved before the first await: those who ask at the same time share the room that is left.
        if self.bytes + self._reserved + size > self.limit_bytes:
            raise SpoolFull(f"the spool {self.path} has no room for {len(events)} more events")
        self._reserved += size
        rows = [_row(event, now) for event in events]
        written = self._write(lambda db: _insert(db, rows))
        # By the future and not after it: who is cancelled meanwhile has its events on the disk all the same.
        written.add_done_callback(lambda done: self._appended(len(events), size, now, failed=bool(done.exception())))
        await asyncio.shield(written)

    def _appended(self, count: int, size: int, at: float, *, failed: bool) -> None:
        self._reserved -= size
        if failed:
            return
        if not self.events:
            self._oldest = at
        self.events += count
        self.bytes += size
        self._filled.set()

    async def wait(self) -> None:
        """Return when there is something to be sent, or a disk that refuses is to be tried again."""
        await self._filled.wait()

    async def first(self) -> SpooledBatch:
        """Return the oldest events, as many as are sent at a time."""
        after = self._arrived
        batch, self._oldest = await self._do(lambda db: _first(db, after))
        return batch

    async def remove(self, batch: SpooledBatch) -> None:
        """Forget events that have arrived; raises SpoolBroken where the disk cannot, and they are not read again."""
        self._arrived = batch.last
        self._arrived_bytes += sum(map(_size, batch.events))
        self.events -= len(batch.events)
        await self.try_again()

    async def try_again(self) -> None:
        """Forget what has arrived, and see whether the disk takes that; raises SpoolBroken."""
        last = self._arrived
        await self._write(lambda db: _remove(db, last))
        self.bytes -= self._arrived_bytes
        # SQLite counts from 1 again once there are no rows.
        self._arrived = self._arrived_bytes = 0

    async def keep_aside(self, event: EncodedEvent, reason: str) -> None:
        """Return when an event that goes nowhere is on the disk, out of the queue; raises SpoolBroken."""
        row = (*_row(event, time.time()), reason)
        await self._write(lambda db: db.execute(ASIDE, row).close())
        # Beyond its limit, if need be: it was in the queue before, or is refused by everybody else.
        self.aside += 1
        self.bytes += _size(event)

    async def close(self) -> None:
        """Write what is under way, and close the file."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _write(self, work: Callable[[sqlite3.Connection], T]) -> "asyncio.Future[T]":
        written = self._do(work)
        # What only reads says nothing of a disk that is full.
        written.add_done_callback(self._heard)
        return written

    def _heard(self, written: "asyncio.Future[Any]") -> None:
        if written.cancelled():
            return
        self.broken = None if written.exception() is None else str(written.exception())
        if self.broken or self.events:
            self._filled.set()
        else:
            self._filled.clear()

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put((work, future, loop))
        return future

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            jobs: list[Job] = [job]
            ends = False
            # Whatever has come meanwhile is written with it: one wait for the disk for all of them.
            while not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    ends = True
                    break
                jobs.append(following)
            self._commit(jobs)
            if ends:
                return

    def _commit(self, jobs: Sequence[Job]) -> None:
        db = self._connection
        try:
            db.execute("BEGIN IMMEDIATE")
            results = [work(db) for work, _, _ in jobs]
            db.execute("COMMIT")
        except sqlite3.Error as failure:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if len(jobs) > 1:
                # Each by itself: what reads, or makes room, does not fail with what finds none.
                for job in jobs:
                    self._commit([job])
                return
            [(_, future, loop)] = jobs
            error = SpoolBroken(f"the spool {self.path} cannot be written: {failure}")
            loop.call_soon_threadsafe(_settle, future, None, error)
            return
        for (_, future, loop), result in zip(jobs, results, strict=True):
            loop.call_soon_threadsafe(_settle, future, result, None)


def _settle(future: "asyncio.Future[Any]", result: object, error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _size(event: EncodedEvent) -> int:
    return len(event.key) + len(event.value) + len(_packed(event) or b"") + ROW_BYTES


def _row(event: EncodedEvent, at: float) -> tuple[Any, ...]:
    return (at, event.topic, event.key, event.value, _packed(event))


def _packed(event: EncodedEvent) -> bytes | None:
    return msgspec.msgpack.encode(event.headers) if event.headers else None


_unpacked: Final = msgspec.msgpack.Decoder(tuple[tuple[str, bytes], ...]).decode


def open_spool_file(path: Path) -> sqlite3.Connection:
    """Return the file for nobody but us, with its tables of this version; raises SettingsError naming it."""
    try:
        # `isolation_level=None`: transactions begin and end where this module says so.
        db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        # Exclusive, so that a second gateway on the same file fails at once instead of sending all of it again.
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA journal_mode=WAL")
        # FULL: each commit is an fsync of the log; NORMAL would lose the latest commits with the power.
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN IMMEDIATE")
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > LAYOUT:
            raise SettingsError(f"the spool {path} is of a newer version: start the version that wrote it")
        if version == 1:
            db.execute("ALTER TABLE events ADD COLUMN headers BLOB")
        db.execute(f"CREATE TABLE IF NOT EXISTS events(id INTEGER PRIMARY KEY, {COLUMNS})")
        db.execute(f"CREATE TABLE IF NOT EXISTS aside(id INTEGER PRIMARY KEY, {COLUMNS}, reason TEXT)")
        db.execute(f"PRAGMA user_version={LAYOUT}")
        db.execute("COMMIT")
    except sqlite3.Error as failure:
        raise SettingsError(
            f"the spool {path} cannot be opened: {failure}; another gateway may have it, or choose another with --spool"
        ) from None
    return db


def _standing(db: sqlite3.Connection) -> tuple[int, int, float | None]:
    size = f"coalesce(sum(length(key) + length(value) + coalesce(length(headers), 0) + {ROW_BYTES}), 0)"
    # Constants, and nothing that came from anybody.
    count, queued, oldest = db.execute(f"SELECT count(*), {size}, min(at) FROM events").fetchone()  # noqa: S608
    [aside] = db.execute(f"SELECT {size} FROM aside").fetchone()  # noqa: S608
    return count, queued + aside, oldest


def _insert(db: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    # Closed here and not returned: a cursor that another thread lets go disturbs what this one is doing.
    db.executemany(INSERT, rows).close()


def _first(db: sqlite3.Connection, after: int) -> tuple[SpooledBatch, float | None]:
    events: list[EncodedEvent] = []
    size, last, oldest = 0, after, None
    query = "SELECT id, at, topic, key, value, headers FROM events WHERE id > ? ORDER BY id LIMIT ?"
    rows = db.execute(query, (after, BATCH_EVENTS))
    for number, at, topic, key, value, headers in rows:
        event = EncodedEvent(topic, key, value, _unpacked(headers) if headers else ())
        size += _size(event)
        if events and size > BATCH_BYTES:
            break
        events.append(event)
        last, oldest = number, at if oldest is None else oldest
    rows.close()
    return SpooledBatch(last, events), oldest


def _remove(db: sqlite3.Connection, last: int) -> None:
    db.execute("DELETE FROM events WHERE id <= ?", (last,)).close()
    # Written in any case, so that a disk is tried where there is nothing to remove.
    db.execute(f"PRAGMA user_version={LAYOUT}").close()
