"""Checkpoints: what has been applied becomes durable, in the order that makes replays harmless.

Rows of the table named first, acknowledged; rows of the next, acknowledged; events for other families that follow
from what was applied, acknowledged; then the source offsets. A crash between any two steps leaves rows ahead of
offsets, never behind, and their applied offsets skip the replay; events that follow are then written once more.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faust.types import TP

from stream.runtime.checkpoint.partitions import DerivedRecord, OwnedPartition, Ownership
from stream.runtime.checkpoint.policy import Backlog, CheckpointPolicy, CheckpointState
from stream.runtime.checkpoint.tables import ChangelogRecord, RowTable
from stream.security.refusals import in_words
from stream.status.feed import Feed

__all__ = ["Checkpoints", "FaultPoint", "Log"]

logger = logging.getLogger(__name__)

CHANGELOGS_CHECKED_EVERY_SECONDS = 60.0
"""Far less than the ten minutes for which changelogs are not compacted: a stale row is overwritten long before."""

FaultPoint = Callable[[str], Awaitable[None]]
"""Called between any two steps with the name of the step that is done; a test makes it crash there."""


class Log(Protocol):
    """Where a checkpoint writes: changelogs and committed offsets."""

    def pack(self, records: Iterable[ChangelogRecord]) -> Sequence[Any]:
        """Make of *records* what `append` takes; synchronously, it is part of the cut."""
        ...

    async def append(self, topic: str, partition: int, packed: Sequence[Any]) -> Sequence[range]:
        """Write and await the acknowledgement; returns the offsets of each batch, between which others may write."""
        ...

    async def keys(self, changelog: TP, offsets: range) -> Sequence[bytes]:
        """Return the keys of the records that a changelog partition has at *offsets*."""
        ...

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        """Commit source offsets; raises CommitFailedError if the partitions are not ours any more."""
        ...

    async def ends(self, partitions: Collection[TP]) -> Mapping[TP, int]:
        """Return the offset after the last record of each changelog partition."""
        ...

    async def abandon(self) -> None:
        """Have nothing written any more that is not acknowledged by now; what is under way may still arrive."""
        ...


@dataclass(slots=True)
class Write:
    """Rows of one table and partition as of the cut."""

    table: RowTable
    name: str
    owned: OwnedPartition
    keys: list[Any]
    packed: Sequence[Any]

    def undo(self) -> None:
        """Have the next checkpoint write these rows, in whatever state they are then."""
        self.owned.rows(self.name).write_again(self.keys)


@dataclass(slots=True)
class Derived:
    """Events for other families that follow from what one partition had applied at the cut."""

    owned: OwnedPartition
    records: dict[TP, list[DerivedRecord]]

    def undo(self) -> None:
        """Have the next checkpoint write these events, before those that came since."""
        for tp, records in self.records.items():
            self.owned.derived[tp] = records + self.owned.derived.get(tp, [])


async def no_fault(_: str) -> None:
    """Do nothing between steps."""


class Checkpoints:
    """Takes checkpoints of the owned partitions, one at a time; records may be applied meanwhile."""

    def __init__(
        self,
        ownership: Ownership,
        tables: Mapping[str, RowTable],
        log: Log,
        *,
        lease: timedelta = timedelta(seconds=5),
        fault: FaultPoint = no_fault,
    ) -> None:
        self._lease_seconds = lease.total_seconds()
        self._member_at = float("-inf")
        self._ownership = ownership
        self._tables = tables
        self._log = log
        self._fault = fault
        self._running = asyncio.Lock()
        self._changelogs_checked_at = time.monotonic()

    @property
    def _feed(self) -> Feed:
        return self._ownership.feed

    async def run(self, policy: CheckpointPolicy) -> None:
        """Write a checkpoint whenever one is due, for ever; failures of the broker are counted and tried again."""
        clock = self._ownership.clock
        state, backlog = CheckpointState(policy, clock() + policy.interval), Backlog(self._ownership)
        while True:
            await asyncio.sleep(state.wait(clock()).total_seconds())
            if backlog.is_long() and state.put_off(clock()):
                continue
            started = clock()
            if await self.write() and await self._check_changelogs_now_and_then():
                state.finished(started, clock())
            else:
                state.failed(clock())

    async def write(self) -> bool:
        """Make durable what has been applied so far; False if the broker failed, and it is to be tried again."""
        async with self._running:
            return await self._write([owned for owned in self._ownership if owned.live and owned.dirty])

    async def write_last(self, within: timedelta) -> Collection[TP]:
        """
        Write the checkpoint before the partitions are given up, waiting for one that runs.

        Returns the partitions of which everything is durable; gives up after *within*.
        """
        try:
            async with asyncio.timeout(within.total_seconds()):
                await self.write()
        except TimeoutError:
            self._failed("the broker did not answer in time")
            await self._log.abandon()
        if self._running.locked():
            return []  # rows of a checkpoint that will fail, but has not yet
        return [owned.tp for owned in self._ownership if owned.live and owned.position == owned.committed]

    async def _write(self, partitions: Sequence[OwnedPartition]) -> bool:
        if not partitions:
            return True
        started = time.perf_counter()
        pending: list[Write | Derived] = []
        try:
            await self._verify_membership(partitions)
            # First: rows marked here are written by this very checkpoint.
            await self._rewrite_overwritten(partitions)
            await self._fault("begun")
            cut_at = self._ownership.clock()
            offsets, writes = await self._cut(partitions, pending)
            await self._fault("cut")
            # Table by table, each acknowledged before the next: a crash leaves segments behind tallies, never ahead.
            for rank, name in enumerate(dict.fromkeys(write.name for write in writes)):
                await self._verify_membership(partitions)
                self._check_owned(partitions)
                await self._write_table([write for write in writes if write.name == name], pending)
                await self._fault(f"written {rank}")
            await self._write_derived(partitions, pending)
            await self._commit(partitions, offsets, cut_at)
        except (CommitFailedError, IllegalStateError) as lost:
            # The group gave the partitions to others; Faust is told in a moment. Not our failure.
            logger.warning("Checkpoint given up, the partitions are not ours any more: %s", type(lost).__name__)
            return False
        except (KafkaError, OSError) as failure:
            self._failed(in_words(failure))
            if pending:
                # The client would send what it still has whenever the broker is back, over what comes after it.
                await self._log.abandon()
            return False
        finally:
            # After any failure, even a cancelled task, the rows that were not acknowledged count as changed again.
            for write in pending:
                write.undo()
        self._succeeded(time.perf_counter() - started, sum(len(write.keys) for write in writes))
        return True

    async def _verify_membership(self, partitions: Sequence[OwnedPartition]) -> None:
        """
        Ask the group whether we still belong to it, if that is not known from a recent commit.

        A process that was stopped for longer than the session lasts would otherwise write rows of
        partitions that others own by now: so this comes before every table.
        """
        if time.monotonic() - self._member_at > self._lease_seconds:
            await self._log.commit({owned.tp: owned.committed for owned in partitions})
            self._member_at = time.monotonic()

    async def _cut(
        self, partitions: Sequence[OwnedPartition], pending: list[Write | Derived]
    ) -> tuple[dict[TP, int], list[Write]]:
        """Encode what changed. Each partition is a consistent cut in itself; between two, others may run."""
        offsets: dict[TP, int] = {}
        for owned in partitions:
            # No await from here until the rows are packed: offset, rows and events must be of the same moment.
            offsets[owned.tp] = owned.position
            if owned.derived:
                pending.append(Derived(owned, owned.derived))
                owned.derived = {}
            owned.fold.settle()
            for name in owned.fold.tables:
                table = self._tables[name]
                keys, records = table.cut(owned)
                if keys:
                    pending.append(Write(table, name, owned, keys, self._log.pack(records)))
            await asyncio.sleep(0)  # a cut of 100,000 rows takes long; fetches get their turn between partitions
        order = {name: rank for owned in partitions for rank, name in enumerate(owned.fold.tables)}
        writes = [write for write in pending if isinstance(write, Write)]
        return offsets, sorted(writes, key=lambda write: order[write.name])

    def _check_owned(self, partitions: Sequence[OwnedPartition]) -> None:
        # A partition that came back is another one: it was recovered without what is being written here.
        if self._ownership.lost or any(self._ownership.get(*owned.tp) is not owned for owned in partitions):
            raise CommitFailedError("the group has given the partitions out anew")

    async def _write_table(self, writes: Sequence[Write], pending: list[Write | Derived]) -> None:
        """Write one table of all partitions, and wait until all of it is acknowledged."""
        await _all([self._append(write) for write in writes])
        for write in writes:
            pending.remove(write)

    async def _write_derived(self, partitions: Sequence[OwnedPartition], pending: list[Write | Derived]) -> None:
        """Write the events that follow, acknowledged: once the offsets are committed nobody makes them again."""
        derived = [one for one in pending if isinstance(one, Derived)]
        if not derived:
            return
        self._check_owned(partitions)
        await _all([self._append_derived(tp, records) for one in derived for tp, records in one.records.items()])
        for one in derived:
            pending.remove(one)
            one.owned.derived_unwritten -= sum(map(len, one.records.values()))
        await self._fault("derived")

    async def _append(self, write: Write) -> None:
        owned = write.owned
        ours = await self._log.append(write.table.changelog_topic_name, owned.tp.partition, write.packed)
        self._note_foreign(write.name, owned, write.table.written(owned, ours))

    async def _append_derived(self, tp: TP, records: Sequence[DerivedRecord]) -> None:
        await asyncio.sleep(0)  # packing 100,000 takes a tenth of a second: fetches get their turn between topics
        await self._log.append(tp.topic, tp.partition, self._log.pack(records))

    def _note_foreign(self, name: str, owned: OwnedPartition, foreign: Sequence[range]) -> None:
        for offsets in foreign:
            self._feed.foreign_writes += 1
            owned.foreign.append((name, offsets))
            where = (self._tables[name].changelog_topic_name, owned.tp.partition, offsets[0], offsets[-1])
            logger.warning("%s, partition %d: offsets %d to %d are not ours; ours will be written after them", *where)

    async def _rewrite_overwritten(self, partitions: Sequence[OwnedPartition]) -> None:
        """Rewrite rows that another worker overwrote."""
        for owned in partitions:
            while owned.foreign:
                name, offsets = owned.foreign[0]
                table = self._tables[name]
                changelog = TP(table.changelog_topic_name, owned.tp.partition)
                table.rewrite(owned, await self._log.keys(changelog, offsets))
                owned.foreign.pop(0)

    async def _check_changelogs_now_and_then(self) -> bool:
        """Look from time to time for records of others, also where we write nothing; False if the broker failed."""
        if time.monotonic() - self._changelogs_checked_at < CHANGELOGS_CHECKED_EVERY_SECONDS:
            return True
        try:
            await self.check_changelogs()
        except (KafkaError, OSError) as failure:
            logger.warning("The ends of the changelogs are not known: %r", failure)
            return False
        self._changelogs_checked_at = time.monotonic()
        return True

    async def check_changelogs(self) -> None:
        """Have rows written again where somebody else has written into a changelog of ours."""
        async with self._running:  # our own writes are no strangers'
            ours = {
                TP(self._tables[name].changelog_topic_name, owned.tp.partition): (name, owned)
                for owned in self._ownership
                if owned.live
                for name in owned.fold.tables
            }
            for changelog, end in (await self._log.ends(ours.keys())).items():
                name, owned = ours[changelog]
                if end > owned.changelog_ends.get(name, 0):
                    self._note_foreign(name, owned, self._tables[name].written(owned, [range(end, end)]))

    async def _commit(self, partitions: Sequence[OwnedPartition], offsets: Mapping[TP, int], cut_at: datetime) -> None:
        # A commit of what is committed already says nothing, and costs the coordinator a record.
        moved = {owned.tp: offsets[owned.tp] for owned in partitions if offsets[owned.tp] != owned.committed}
        if moved:
            self._check_owned(partitions)
            await self._log.commit(moved)
            self._member_at = time.monotonic()
            await self._fault("committed")
        now = self._ownership.clock()
        for owned in partitions:
            owned.committed = owned.feed.committed = offsets[owned.tp]
            owned.feed.committed_at = now
            owned.feed.uncommitted_since = None if owned.position == owned.committed else cut_at
            owned.fold.committed(owned.committed)
        await self._fault("told")

    def _succeeded(self, seconds: float, rows: int) -> None:
        figures = self._feed.checkpoints
        figures.count += 1
        figures.seconds_last = seconds
        figures.seconds_sum += seconds
        figures.rows += rows
        figures.finished_at = self._ownership.clock()
        figures.failing_since = None

    def _failed(self, why: str) -> None:
        figures = self._feed.checkpoints
        figures.failures += 1
        if figures.failing_since is None:
            figures.failing_since = self._ownership.clock()
        logger.error("Checkpoint failed, nothing was committed; it will be tried again: %s", why)


async def _all(appends: Sequence[Awaitable[Any]]) -> None:
    # All are awaited, also where one fails: a write that goes on in the background could overtake the next try.
    for result in await asyncio.gather(*appends, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
