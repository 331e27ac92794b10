"""What happens when partitions come and go; it decides in Faust's place where each is read from."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta

from faust.types import TP

from stream.runtime.checkpoint.checkpoint import Checkpoints
from stream.runtime.checkpoint.partitions import Ownership
from stream.runtime.kafka.transport import Start

__all__ = ["RebalanceListener"]


class RebalanceListener:
    """The app's assignment listener: see `transport.AssignmentListener`."""

    def __init__(self, ownership: Ownership, checkpoints: Checkpoints, *, last_within: timedelta) -> None:
        self._ownership = ownership
        self._checkpoints = checkpoints
        self._last_within = last_within
        self._expected_in = -1

    async def give_up(self, *, lost: bool) -> None:
        """Take a last checkpoint, unless others own the partitions already; then own nothing."""
        if not len(self._ownership):
            return
        # Frozen first: what was applied while the last checkpoint is written would not be in it.
        self._ownership.freeze(lost=lost)
        durable = await self._checkpoints.write_last(self._last_within)
        self._ownership.give_up(durable=() if lost else durable)

    def assign(self, partitions: Iterable[TP]) -> None:
        """Own the source partitions among *partitions*."""
        self._ownership.assign(partitions)

    def expect(self, partitions: Iterable[TP]) -> list[TP]:
        """Return the owned source partitions."""
        self._expected_in = self._ownership.epoch
        return [tp for tp in partitions if self._ownership.get(*tp) is not None]

    async def prepare(self) -> None:
        """Prepare the start, partition by partition: pages are served while a million rows are looked at."""
        for owned in list(self._ownership):
            # Another rebalance may come while this one recovers: its partitions are other objects.
            if self._expected_in == self._ownership.epoch:
                owned.rebuild_indexes()
                await asyncio.sleep(0)

    def start(self, starts: Mapping[TP, Start]) -> None:
        """Apply from now on, unless the partitions have been given up since they were expected."""
        if self._expected_in == self._ownership.epoch:
            self._ownership.start(starts)
