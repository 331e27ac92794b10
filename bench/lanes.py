"""Records on their way to the partitions of a topic, and which of the acknowledged ones a worker has not applied."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from time import monotonic

from aiokafka import AIOKafkaProducer

from bench.material import Sent, by_home

__all__ = ["Lanes"]


class Lanes:
    """Sends in whole batches, in order; knows when each batch was acknowledged, and up to which offset."""

    def __init__(self, producer: AIOKafkaProducer, partitions: int) -> None:
        self._producer = producer
        self._partitions = partitions
        self._acknowledged: list[deque[tuple[int, float]]] = [deque() for _ in range(partitions)]
        self._on_their_way: set[asyncio.Task[None]] = set()
        self.sent = 0

    async def send(self, records: Iterable[Sent]) -> None:
        """Hand *records* over; waits while the broker takes fewer than there are."""
        for partition, share in enumerate(by_home(records, self._partitions)):
            batch = self._producer.create_batch()
            for record in share:
                if batch.append(key=record.key, value=record.value, timestamp=None) is None:
                    await self._post(partition, batch)
                    batch = self._producer.create_batch()
                    batch.append(key=record.key, value=record.value, timestamp=None)
            if share:
                await self._post(partition, batch)

    async def _post(self, partition: int, batch: object) -> None:
        count = batch.record_count()  # type: ignore[attr-defined]  # aiokafka has no types
        arrival = await self._producer.send_batch(batch, "contacts", partition=partition)
        self.sent += count
        task = asyncio.create_task(self._note(partition, count, arrival))
        self._on_their_way.add(task)
        task.add_done_callback(self._on_their_way.discard)

    async def _note(self, partition: int, count: int, arrival: "asyncio.Future[object]") -> None:
        first = (await arrival).offset  # type: ignore[attr-defined]  # ditto
        self._acknowledged[partition].append((first + count, monotonic()))

    async def acknowledged(self) -> None:
        """Wait until all that was sent is on the broker; raises what kept it from that."""
        await asyncio.gather(*self._on_their_way)

    def oldest_waiting(self, reached: Mapping[str, float], now: float) -> float:
        """Return the seconds since the first acknowledgement beyond the offsets *reached*; 0.0 if there is none."""
        oldest = now
        for partition, waiting in enumerate(self._acknowledged):
            while waiting and waiting[0][0] <= reached.get(str(partition), 0):
                waiting.popleft()
            if waiting:
                oldest = min(oldest, waiting[0][1])
        return now - oldest
