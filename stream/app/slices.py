"""Reads what a worker owns in slices, so that events go on meanwhile."""

import asyncio
from collections.abc import Iterable
from copy import copy
from datetime import datetime
from typing import Any, Final

from stream.board.cluster.share import PartitionBoard
from stream.core.family import Fold
from stream.status.feed import PartitionFeed

__all__ = ["SLICE", "read_in_slices"]

SLICE: Final = 100
"""So much is read (a queue costs 1) before others get their turn: two or three milliseconds."""

BREATH_SECONDS = 0.006
"""
`sleep(0)` is not enough: one fetch needs the GIL about 20 times, and lost it each time to the next slice. This is
the time of a whole fetch.
"""


async def read_in_slices(shown: Iterable[tuple[PartitionFeed, Fold[Any]]], at: datetime) -> tuple[PartitionBoard, ...]:
    """Return what some partitions show at the instant *at*: each snapshot in one go, others come between two."""
    partitions: list[PartitionBoard] = []
    work = 0
    for feed, fold in shown:
        snapshots: list[Any] = []
        for cost, snapshot in fold.snapshots(at):
            if snapshot is not None:
                snapshots.append(snapshot)
            work += cost
            if work >= SLICE:
                work = 0
                await asyncio.sleep(BREATH_SECONDS)
        # A copy: the feed of a partition moves on while other partitions are read.
        partitions.append(PartitionBoard(feed=copy(feed), snapshots=tuple(snapshots)))
    return tuple(partitions)
