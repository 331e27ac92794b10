"""Keeps the offsets in Faust's place: what happens when partitions come and go."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from faust.types import TP

from stream.processing.checkpoint import Checkpoints
from stream.processing.partitions import Ownership
from stream.processing.transport import Start

__all__ = ["Keeper"]


class Keeper:
    """The app's offset keeper: see `transport.OffsetKeeper`."""

    def __init__(self, ownership: Ownership, checkpoints: Checkpoints, *, last_within: timedelta) -> None:
        self._ownership = ownership
        self._checkpoints = checkpoints
        self._last_within = last_within

    async def give_up(self, *, lost: bool) -> None:
        """Take a last checkpoint, unless others own the partitions already; then own nothing."""
        if not len(self._ownership):
            return
        self._ownership.freeze(lost=lost)
        durable = await self._checkpoints.take_last(self._last_within)
        self._ownership.give_up(durable=() if lost else durable)

    def assign(self, partitions: Iterable[TP]) -> None:
        """Own the source partitions among *partitions*."""
        self._ownership.assign(partitions)

    def expect(self, partitions: Iterable[TP]) -> list[TP]:
        """Return the owned source partitions."""
        return [tp for tp in partitions if self._ownership.get(*tp) is not None]

    def start(self, starts: Mapping[TP, Start]) -> None:
        """Apply from now on."""
        self._ownership.start(starts)
