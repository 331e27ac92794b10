"""Events on their way: how much room they take, and their order.

A *record* is one encoded event. Records of one partition form a *buffer*: they leave in the order in which
they came, a batch at a time, and stay in the buffer until they are acknowledged.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence

from stream.sdk.delivery import Delivery, DeliveryReport, Failure, GivenUp, OnDelivery
from stream.sdk.encoding import EncodedEvent

__all__ = ["BufferedRecord", "ByteBudget", "PartitionBuffer"]

logger = logging.getLogger(__name__)

NONE_REFUSED: Mapping[int, Failure] = {}


class BufferedRecord:
    """One encoded event; `deadline` is by the clock of the event loop, and set when there is room for it."""

    __slots__ = ("deadline", "delivery", "event", "reason", "size")

    def __init__(self, event: EncodedEvent, delivery: Delivery) -> None:
        self.event = event
        self.reason: str | None = None
        """The code of who refused it."""
        self.size = len(event.key) + len(event.value)
        self.delivery = delivery
        self.deadline = 0.0


class ByteBudget:
    """The bytes that may wait for acknowledgement; who finds no room waits in line."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._turn = asyncio.Lock()
        self._freed = asyncio.Event()

    def reserve_now(self, size: int) -> bool:
        """Reserve room if there is some and nobody waits for it; a single event always fits an empty buffer."""
        # Not past those who wait: small events would else keep a large one waiting for ever.
        if self._turn.locked() or (self.held and self.held + size > self.limit):
            return False
        self.held += size
        return True

    async def reserve(self, size: int) -> None:
        """Reserve room as soon as there is some."""
        async with self._turn:
            # An event that is larger than the whole buffer is let in alone, once the buffer is empty: else it
            # would wait for ever.
            while self.held and self.held + size > self.limit:
                await self._change()
            self.held += size

    def free(self, size: int) -> None:
        """Give room back."""
        self.held -= size
        self._freed.set()

    async def empty(self) -> None:
        """Wait until nothing is held any more."""
        while self.held:
            await self._change()

    async def _change(self) -> None:
        self._freed.clear()
        await self._freed.wait()


class PartitionBuffer:
    """The records of one partition, oldest first; *partition* is None until the topic's partitions are known."""

    def __init__(self, topic: str, partition: int | None, room: ByteBudget, on_delivery: OnDelivery | None) -> None:
        self.topic = topic
        self.partition = partition
        self.records: deque[BufferedRecord] = deque()
        self.batch = 0
        """How many of them the latest attempt sent; 0 if it did not come so far."""
        self.most: int | None = None
        """No attempt sends more than these, where more were too large; None: as many as fit."""
        self.task: asyncio.Task[None] | None = None
        self._budget = room
        self._on_delivery = on_delivery

    def settle(self, count: int, failure: Failure | None = None, refused: Mapping[int, Failure] = NONE_REFUSED) -> None:
        """Let the oldest *count* records go: acknowledged, or given up; *refused* are some of them, by their place."""
        # Room is given back once for the whole batch: each return wakes who waits.
        self.batch = freed = 0
        settled: list[tuple[EncodedEvent, GivenUp | None]] = []
        for index in range(count):
            record = self.records.popleft()
            freed += record.size
            why = refused.get(index, failure)
            given_up = None
            if why is not None:
                given_up = GivenUp(record.event, why)
                record.reason = why.reason
            record.delivery.settle(given_up)
            if self._on_delivery is not None:
                settled.append((record.event, given_up))
        if count:
            self._budget.free(freed)
        if self._on_delivery is not None and settled:
            _tell(self._on_delivery, settled)

    def expire(self, now: float, failure: Failure) -> None:
        """Give up the records whose time is over."""
        # A deadline is set when a record comes in, so those whose time is over are the oldest.
        self.settle(sum(1 for record in self.records if record.deadline <= now), failure)


def _tell(hook: OnDelivery, settled: Sequence[tuple[EncodedEvent, GivenUp | None]]) -> None:
    acknowledged = tuple(event for event, given_up in settled if given_up is None)
    try:
        hook(DeliveryReport(acknowledged, tuple(given_up for _, given_up in settled if given_up is not None)))
    except Exception:  # it is not our code, and events must go on
        logger.exception("the hook on_delivery failed")
