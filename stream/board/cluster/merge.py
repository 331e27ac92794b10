"""The board of the whole group: this worker's share and the others', each partition once, and what is missing.

A queue is whole on one partition, and agents add up over partitions, so the union is exact. Who may speak for
a partition is decided by the group, not by who answers.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from stream.board.cluster.peers import Peers
from stream.board.cluster.share import PartitionBoard, ShareCodec, Vitals, WorkerShare, board_of
from stream.board.shared_reading import EVERY_SECONDS, SharedReading
from stream.core.family import Board, Family
from stream.status.feed import CheckpointFigures, Feed
from stream.status.freshness import Limits, Notice, notices_of, worst_notices_first
from stream.status.source_feed import SourceFeed

__all__ = ["BoardReading", "ClusterBoard", "Partition"]

Partition = tuple[str, int]
"""A source topic and the number of its partition."""

FRESH_SECONDS = 5.0
"""What was told longer ago is old, and the board says so: a few missed answers are no news."""

KEPT_SECONDS = 60.0
"""What is older is shown no more: nobody steers a centre by the figures of a minute ago."""

MOST_NAMED = 6
"""Of partitions, or of rows of them: the banner is one line."""

_WORST_LAST: Final = ("ready", "recovering", "rebalancing", "starting", "stopped")


class BoardReading(NamedTuple):
    """A board, and what is wrong with it."""

    board: Board
    notices: tuple[Notice, ...]


class LastShare(NamedTuple):
    """What was told of a partition last: in which generation of the group, and when on the loop's clock."""

    generation: int
    at: float
    board: PartitionBoard


class _Reading(NamedTuple):
    """What this worker shows, and the board of all, which is merged when somebody asks for it."""

    share: WorkerShare
    board: SharedReading[BoardReading]


class ClusterBoard:
    """
    Reads the board of the whole group, and this worker's share of it, once for all who ask within a second.

    *group* is its name. *read_share* returns this worker's share; *others* what the group has given to each other
    worker, by address; *declared* are all partitions there are; *every* is how often anything is read at most.
    """

    def __init__(
        self,
        group: str,
        families: Sequence[Family[Any]],
        *,
        read_share: Callable[[], Awaitable[WorkerShare]],
        others: Callable[[], Mapping[str, frozenset[Partition]]],
        declared: Iterable[Partition],
        clock: Callable[[], datetime],
        limits: Limits,
        every: timedelta = timedelta(seconds=EVERY_SECONDS),
    ) -> None:
        self._group = group
        self._families = families
        self._read_share = read_share
        self._readings = SharedReading(self._read_own, keep_seconds=every.total_seconds())
        self._others = others
        self._declared = frozenset(declared)
        self._clock = clock
        self._limits = limits
        self._last_shares: dict[Partition, LastShare] = {}
        self._vitals: dict[str, tuple[float, Vitals]] = {}
        self._peers = Peers(addresses=self._addresses, heard=self._hear, codec=ShareCodec(families), every=every)

    async def read(self) -> BoardReading:
        """Return the board of all workers, a second old at most; what another worker shows may be two seconds older."""
        # Before the own share is read: the first who looks waits here for the others, and is not shown a part of the
        # centre.
        await self._peers.want()
        return await (await self._readings.read()).board.read()

    async def share(self) -> WorkerShare:
        """Return what this worker shows, a second old at most."""
        return (await self._readings.read()).share

    async def _read_own(self) -> _Reading:
        share = await self._read_share()
        # Merged only when somebody asks for the board: other workers ask for the share alone.
        return _Reading(share, SharedReading(partial(self._merged, share), keep_seconds=math.inf))

    async def _merged(self, share: WorkerShare) -> BoardReading:
        now = asyncio.get_running_loop().time()
        # The own share speaks for whatever it owns; other workers only for what the group has given them.
        self._keep_newest(share, now, self._declared)
        # Of what is kept the board is made; only what is fresh speaks for the feed.
        self._last_shares = {key: last for key, last in self._last_shares.items() if now - last.at <= KEPT_SECONDS}
        fresh = {key: last for key, last in self._last_shares.items() if now - last.at <= FRESH_SECONDS}
        known, whole = [last.board for last in self._last_shares.values()], self._last_shares.keys() >= self._declared
        feed = _feed_of([share.vitals, *self._vitals_at(now)], fresh.values())
        notices = notices_of(feed, self._clock(), self._limits)
        if self._addresses() or feed.ready:  # a worker that is alone, and not ready, has said so by that
            notices = worst_notices_first([*notices, *self._gaps(fresh.keys(), now)])
        # In a thread: agents of 5,000 queues on eight partitions would hold up the events for 60 ms.
        board = await asyncio.to_thread(board_of, known, self._families, share.at, whole=whole)
        return BoardReading(board, notices)

    async def close(self) -> None:
        """Ask nobody any more."""
        await self._peers.close()

    def _addresses(self) -> list[str]:
        return [address for address, given in self._others().items() if given]

    def _hear(self, address: str, share: WorkerShare, asked_at: float) -> None:
        """Take what another worker has been given by the group, and nothing else."""
        given = self._others().get(address, frozenset())
        if share.group == self._group:
            # As of the question, not of the answer: one that was long on its way is old.
            self._keep_newest(share, asked_at, given)
            self._vitals[address] = (asked_at, share.vitals)

    def _keep_newest(self, share: WorkerShare, at: float, given: frozenset[Partition]) -> None:
        for board in share.partitions:
            key = (board.feed.topic, board.feed.partition)
            known = self._last_shares.get(key)
            # The generation first: a worker that has lost a partition may answer later than its new owner.
            if key in given & self._declared and (known is None or (share.generation, at) >= known[:2]):
                self._last_shares[key] = LastShare(share.generation, at, board)

    def _vitals_at(self, now: float) -> list[Vitals]:
        members = self._addresses()
        self._vitals = {
            address: (at, vitals)
            for address, (at, vitals) in self._vitals.items()
            if address in members and now - at <= FRESH_SECONDS
        }
        return [vitals for _, vitals in self._vitals.values()]

    def _gaps(self, fresh: Iterable[Partition], now: float) -> list[Notice]:
        """Say of which partitions nothing new is known: a part must not look like the whole."""
        silent = self._declared.difference(fresh)
        if not silent:
            return []
        known = [self._last_shares[key].at for key in silent if key in self._last_shares]
        missing = f", {len(silent) - len(known)} of them missing" if len(known) < len(silent) else ""
        text = f"No new figures of {len(silent)} of {len(self._declared)} partitions{missing}: {_named(silent)}"
        since = self._clock() - timedelta(seconds=now - min(known)) if known else None
        return [Notice(code="partial", severity="stale", text=text, since=since)]


def _named(partitions: Iterable[Partition]) -> str:
    """Write `agents 0-2, 5; contacts 7`, and not all of it where it is long."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for topic, number in sorted(partitions):
        numbers[topic].append(number)
    return "; ".join(f"{topic} {', '.join(_ranges(of))}" for topic, of in numbers.items())


def _ranges(numbers: list[int]) -> list[str]:
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    named = [str(first) if first == last else f"{first}-{last}" for first, last in ranges]
    return named if len(named) <= MOST_NAMED else [*named[:MOST_NAMED], "…"]


def _feed_of(workers: list[Vitals], last_shares: Iterable[LastShare]) -> Feed:
    """Return the feed of all workers as if they were one: the worst of each, and all partitions."""
    # One feed as all are: whoever looks at a board asks whether the centre is well, not which worker is.
    worst = max(workers, key=lambda one: _WORST_LAST.index(one.recovery))
    boards = [one.board.feed for one in last_shares]
    return Feed(
        recovery=worst.recovery,
        failure=worst.failure,
        progress_at=worst.progress_at,
        # The earliest of all workers: since then something is wrong with the board as a whole.
        broker_silent_since=min(filter(None, (one.broker_silent_since for one in workers)), default=None),
        partitions={(one.topic, one.partition): one for one in boards},
        letters_on_their_way=sum(one.letters_on_their_way for one in workers),
        newest_event=max(filter(None, (one.newest_event for one in workers)), default=None),
        checkpoints=CheckpointFigures(
            failing_since=min(filter(None, (one.unsaved_since for one in workers)), default=None)
        ),
        sources=_sources_of(workers),
    )


def _sources_of(workers: Iterable[Vitals]) -> dict[str, SourceFeed]:
    """Return the clocks of all sources: of each minute by the worker that heard first."""
    sources: defaultdict[str, SourceFeed] = defaultdict(SourceFeed)
    for worker in workers:
        for name, told in worker.least_latencies.items():
            least = sources[name].least_by_minute
            for minute, latency in told.items():
                least[minute] = min(latency, least.get(minute, latency))
    return sources
