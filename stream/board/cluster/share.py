"""One worker's share of the board, as it tells it to the others: what each partition shows, and how its feed is.

All of it is on `/metrics` and the board already, so whoever may read those may read this.
"""

import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Executor
from datetime import datetime
from typing import Final

import msgspec
from aiohttp import web
from msgspec import Struct
from msgspec.structs import astuple

from stream.board.shared_reading import SharedRendering
from stream.core.time_zones import zone_name, zone_of
from stream.core.windows import TODAY, WINDOWS
from stream.families.boards import added_up, in_order
from stream.families.contacts.snapshot import AgentsSnapshot, Board, QueueSnapshot
from stream.families.contacts.tally import HANDLE_BOUNDS_SECONDS, WAIT_BOUNDS_SECONDS, Tally
from stream.status.feed import Feed, PartitionFeed, RecoveryState

__all__ = [
    "SHARE_PATH",
    "PartitionBoard",
    "SharePage",
    "Vitals",
    "WorkerShare",
    "board_of",
    "decoded",
    "encoded",
    "vitals_of",
]

SHARE_PATH: Final = "/part"
"""Where a worker tells its part."""

KEPT_SECONDS = 0.5
"""However many ask, a part is taken twice a second at most."""

SHAPE: Final = zlib.crc32(repr((Tally.__struct_fields__, WAIT_BOUNDS_SECONDS, HANDLE_BOUNDS_SECONDS)).encode())
"""Tallies are lists on the wire: a version with other fields would read them wrongly, and must not read them."""

_SHOWN = {*WINDOWS, TODAY}


class PartitionBoard(Struct, frozen=True, kw_only=True):
    """What one partition of a source topic shows."""

    feed: PartitionFeed
    queues: tuple[QueueSnapshot, ...] = ()
    agents: tuple[AgentsSnapshot, ...] = ()


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


class WorkerShare(Struct, frozen=True, kw_only=True):
    """What one worker shows at an instant, and in which generation of the group it owned that."""

    shape: int = SHAPE
    group: str
    generation: int
    at: datetime
    vitals: Vitals
    partitions: tuple[PartitionBoard, ...]


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
    )


def board_of(partitions: Iterable[PartitionBoard], at: datetime, *, whole: bool) -> Board:
    """Return the board of some partitions; *whole*: there are no others."""
    partitions = list(partitions)
    return Board(
        at=at,
        queues=in_order(queue for one in partitions for queue in one.queues),
        agents=added_up(agents for one in partitions for agents in one.agents),
        whole=whole,
    )


def encoded(part: WorkerShare) -> bytes:
    """Write a part as gzipped JSON."""
    return zlib.compress(msgspec.json.encode(part, enc_hook=zone_name), level=1, wbits=31)


def decoded(body: bytes) -> WorkerShare:
    """Read the JSON of a part; raises ValueError where it is none, or one of a version that counts otherwise."""
    try:
        part: WorkerShare = _decoder.decode(body)
    except KeyError as unknown:
        raise ValueError(f"no time zone of ours: {unknown}") from unknown
    if part.shape != SHAPE:
        raise ValueError("another version, with other tallies")
    if not all(at.tzinfo for at in _instants(part)):
        raise ValueError("an instant without a time zone")
    if any(one.windows.keys() != _SHOWN for board in part.partitions for one in board.queues):
        raise ValueError("another version, with other windows")
    return part


def _instants(part: WorkerShare) -> Iterator[datetime]:
    """Yield what will be compared with instants of ours."""
    yield part.at
    told: list[object] = [*astuple(part.vitals)]
    for board in part.partitions:
        told += [getattr(board.feed, name) for name in PartitionFeed.__slots__]
        told += [queue.oldest_enqueued_at for queue in board.queues]
    yield from (value for value in told if isinstance(value, datetime))


_decoder = msgspec.json.Decoder(WorkerShare, dec_hook=zone_of)


class SharePage:
    """Answers other workers: a share is rendered once for all who ask for it."""

    def __init__(self, take_share: Callable[[], Awaitable[WorkerShare]], executor: Executor) -> None:
        self._rendering = SharedRendering(take_share, lambda share, _: encoded(share), executor)

    async def answer(self, _: web.Request) -> web.Response:
        """Return the share of now, or of a second ago."""
        body = await self._rendering.body()
        return web.Response(body=body, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"})
