"""Events on their way to the broker: who waits for them, how much room they take, and their order.

A *record* is one encoded event. Records of one partition form a *buffer*: they leave in the order in which
they came, a batch at a time, and stay in the buffer until the broker has acknowledged them.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from stream.errors import BrokerError, EventRefusalReason

__all__ = ["BufferedRecord", "ByteBudget", "Delivery", "PartitionBuffer"]


class Delivery:
    """Events that somebody waits for together: done when each was acknowledged or given up."""

    def __init__(self) -> None:
        self.taken = 0
        self.lost = 0
        self._outstanding = 0
        self._why = ""
        self._done = asyncio.Event()
        self._done.set()

    def add(self) -> None:
        """One more event was handed over."""
        self.taken += 1
        self._outstanding += 1
        self._done.clear()

    def settle(self, failure: str | None) -> None:
        """One event was acknowledged, or given up for the reason *failure*."""
        if failure is not None:
            self.lost += 1
            # The last reason stands for all: a broker that is away gives the same to each.
            self._why = failure
        self._outstanding -= 1
        if not self._outstanding:
            self._done.set()

    async def wait(self) -> int:
        """Wait for all of them and return how many they were; raises BrokerError if any was given up."""
        await self._done.wait()
        taken, lost = self.taken, self.lost
        # Counted anew from here: what `post` hands over is waited for again and again, by `flush`.
        self.taken = self.lost = 0
        if lost:
            raise BrokerError(f"{lost} of {taken} events were not acknowledged: {self._why}")
        return taken


_NO_HEADERS: list[tuple[str, bytes]] = []


class BufferedRecord:
    """One encoded event; `deadline` is by the clock of the event loop, and set when there is room for it."""

    __slots__ = ("deadline", "delivery", "headers", "key", "refusal", "size", "value")

    def __init__(self, key: bytes, value: bytes, delivery: Delivery, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        self.key = key
        self.value = value
        # A list, as aiokafka wants it; of the many without any the same one.
        self.headers: list[tuple[str, bytes]] = [*headers] if headers else _NO_HEADERS
        self.refusal: EventRefusalReason | None = None
        self.size = len(key) + len(value)
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

    def __init__(self, topic: str, partition: int | None, room: ByteBudget) -> None:
        self.topic = topic
        self.partition = partition
        self.records: deque[BufferedRecord] = deque()
        self.batch = 0
        """How many of them the latest attempt sent; 0 if it did not come so far."""
        self.most: int | None = None
        """No attempt sends more than these, while the one is sought that is too large; None: as many as fit."""
        self.task: asyncio.Task[None] | None = None
        self._budget = room

    def settle(self, count: int, failure: str | None = None, refusal: EventRefusalReason | None = None) -> None:
        """Let the oldest *count* records go: acknowledged, or given up, or refused by the broker."""
        # Room is given back once for the whole batch: each return wakes who waits.
        self.batch = freed = 0
        for _ in range(count):
            record = self.records.popleft()
            freed += record.size
            record.refusal = refusal
            record.delivery.settle(failure)
        if count:
            self._budget.free(freed)

    def expire(self, now: float, failure: str, refusal: EventRefusalReason | None = None) -> None:
        """Give up the records whose time is over."""
        # A deadline is set when a record comes in, so those whose time is over are the oldest.
        self.settle(sum(1 for record in self.records if record.deadline <= now), failure, refusal)
