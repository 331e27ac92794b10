"""One worker's share of the board, as it tells it to the others: what each partition shows, and how its feed is.

All of it is on `/metrics` and the board already, so whoever may read those may read this.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import Struct
from msgspec.structs import astuple
from zlib_ng import zlib_ng

from stream.board.shared_reading import SharedRendering
from stream.core.counts import lengths_of
from stream.core.family import Board, Family, merged
from stream.core.time_zones import zone_name, zone_of
from stream.status.feed import Feed, PartitionFeed, RecoveryState

__all__ = [
    "SHARE_PATH",
    "PartitionBoard",
    "ShareCodec",
    "SharePage",
    "Vitals",
    "WorkerShare",
    "board_of",
    "vitals_of",
]

SHARE_PATH: Final = "/part"
"""Where a worker tells its share."""


class PartitionBoard(Struct, frozen=True, kw_only=True):
    """What one partition of a source topic shows: the snapshots of its family."""

    feed: PartitionFeed
    snapshots: tuple[Any, ...] = ()


class Vitals(Struct, frozen=True, kw_only=True):
    """What is to be told of a worker's feed beside its partitions; the names are those of `Feed`."""

    recovery: RecoveryState
    failure: str | None = None
    progress_at: datetime | None = None
    broker_silent_since: datetime | None = None
    letters_on_their_way: int = 0
    newest_event: datetime | None = None
    unsaved_since: datetime | None = None
    """Since when checkpoints fail; None while they succeed."""
    least_latencies: Mapping[str, Mapping[int, timedelta]] = {}
    """By source and minute, as `SourceFeed` has them."""


class WorkerShare(Struct, frozen=True, kw_only=True):
    """What one worker shows at an instant, and in which generation of the group it owned that."""

    group: str
    generation: int
    at: datetime
    vitals: Vitals
    partitions: tuple[PartitionBoard, ...]
    unknown: frozenset[str] = frozenset()
    """Topics that a worker of another version has told about in words that this one does not know."""


def vitals_of(feed: Feed) -> Vitals:
    """Return what is to be told of a worker's feed beside its partitions."""
    return Vitals(
        recovery=feed.recovery,
        failure=feed.failure,
        progress_at=feed.progress_at,
        broker_silent_since=feed.broker_silent_since,
        letters_on_their_way=feed.letters_on_their_way,
        newest_event=feed.newest_event,
        unsaved_since=feed.checkpoints.failing_since,
        # Copies, since the worker goes on changing its own.
        least_latencies={name: {**one.least_by_minute} for name, one in feed.sources.items()},
    )


def board_of(
    partitions: Iterable[PartitionBoard], families: Sequence[Family[Any]], at: datetime, *, whole: bool
) -> Board:
    """Return the board of some partitions; *whole*: there are no others."""
    by_topic: dict[str, list[Any]] = {family.name: [] for family in families}
    for one in partitions:
        by_topic[one.feed.topic].extend(one.snapshots)
    return Board(at=at, snapshots={name: merged(snapshots) for name, snapshots in by_topic.items()}, whole=whole)


class _PartitionOnWire(Struct, frozen=True):
    feed: PartitionFeed
    # Bytes, until it is known that this version has snapshots of the same shape.
    snapshots: msgspec.Raw


class _ShareOnWire(Struct, frozen=True, kw_only=True):
    shapes: dict[str, int]
    """By family: counts are packed on the wire, and a version with other fields would read them wrongly."""
    group: str
    generation: int
    at: datetime
    vitals: Vitals
    partitions: list[_PartitionOnWire]


class ShareCodec:
    """A share as gzipped MessagePack; workers of different versions agree family by family."""

    def __init__(self, families: Sequence[Family[Any]]) -> None:
        self._counts = {family.name: (family.counts, family.counted_in) for family in families}
        self._shapes = {family.name: _shape_of(family) for family in families}
        self._readers: dict[str, msgspec.msgpack.Decoder[tuple[Any, ...]]] = {
            family.name: msgspec.msgpack.Decoder(tuple[family.snapshot, ...], dec_hook=zone_of)  # type: ignore[name-defined]  # a type by value
            for family in families
        }
        # Time zones travel as their names: msgspec has no form for them.
        self._writer = msgspec.msgpack.Encoder(enc_hook=zone_name)

    def encoded(self, share: WorkerShare) -> bytes:
        """Write a share."""
        wire = _ShareOnWire(
            shapes=self._shapes,
            group=share.group,
            generation=share.generation,
            at=share.at,
            vitals=share.vitals,
            partitions=[
                _PartitionOnWire(one.feed, msgspec.Raw(self._writer.encode(one.snapshots))) for one in share.partitions
            ],
        )
        # Fast rather than small: it is written every second, for workers near by.
        return zlib_ng.compress(self._writer.encode(wire), level=1, wbits=31)

    def decoded(self, body: bytes) -> WorkerShare:
        """Read an unpacked share; raises ValueError where it is none."""
        wire = _wire.decode(body)
        # Comparing it with an instant of ours would raise much later, in the middle of a board.
        if not all(at.tzinfo for at in _instants(wire)):
            raise ValueError("an instant without a time zone")
        known = {name for name, shape in self._shapes.items() if wire.shapes.get(name) == shape}
        try:
            partitions = tuple(self._partition(one) for one in wire.partitions if one.feed.topic in known)
        except KeyError as unknown:
            raise ValueError(f"no time zone of ours: {unknown}") from unknown
        except RecursionError as deep:
            raise ValueError("nested too deeply") from deep
        return WorkerShare(
            group=wire.group,
            generation=wire.generation,
            at=wire.at,
            vitals=wire.vitals,
            partitions=partitions,
            unknown=frozenset(one.feed.topic for one in wire.partitions) - known,
        )

    def _partition(self, told: _PartitionOnWire) -> PartitionBoard:
        snapshots = self._readers[told.feed.topic].decode(told.snapshots)
        kind, windows = self._counts[told.feed.topic]
        # Whoever reads counts takes them for whole, in every window, and adds them up.
        if kind is not None and not all(one.counted.is_of(kind, windows) for one in snapshots):
            raise ValueError("other windows or counts than those of this version")
        return PartitionBoard(feed=told.feed, snapshots=snapshots)


_wire = msgspec.msgpack.Decoder(_ShareOnWire)


def _shape_of(family: Family[Any]) -> int:
    """Return a number that differs where snapshots of a family have other fields, windows or buckets."""
    # Types that JSON schema does not know, such as time zones, count as text: that is what they are on the
    # wire.
    schema = msgspec.json.schema(family.snapshot, schema_hook=lambda _: {"type": "string"})
    buckets = [figure.metric.buckets for figure in family.figures if figure.metric is not None]
    # Not Python's `hash`, which differs from process to process.
    fields = lengths_of(family.counts) if family.counts else {}
    return zlib_ng.crc32(repr((msgspec.json.encode(schema), fields, family.counted_in, buckets)).encode())


def _instants(wire: _ShareOnWire) -> Iterator[datetime]:
    """Yield what will be compared with instants of ours."""
    yield wire.at
    values: list[object] = [*astuple(wire.vitals)]
    for partition in wire.partitions:
        values += [getattr(partition.feed, name) for name in PartitionFeed.__slots__]
    yield from (value for value in values if isinstance(value, datetime))


class SharePage:
    """Answers other workers: a share is rendered once for all who ask for it."""

    def __init__(self, read_share: Callable[[], Awaitable[WorkerShare]], codec: ShareCodec, executor: Executor) -> None:
        self._rendering = SharedRendering(read_share, lambda share, _: codec.encoded(share), executor)

    async def answer(self, _: web.Request) -> web.Response:
        """Return the share of now, or of a second ago."""
        body = await self._rendering.body()
        return web.Response(body=body, headers={"Content-Type": "application/vnd.msgpack", "Content-Encoding": "gzip"})
