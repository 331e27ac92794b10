"""The broker as a checkpoint sees it: changelog batches out, source offsets committed."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from faust.types import TP

from stream.errors import BrokerError
from stream.processing.tables import ChangelogRecord
from stream.processing.transport import Consumer, Producer

__all__ = ["KafkaLog"]


class KafkaLog:
    """Writes whole record batches, one acknowledgement each, instead of a future per row."""

    def __init__(self, producer: Callable[[], object], consumer: Callable[[], object]) -> None:
        self._producer = producer
        self._consumer = consumer

    def pack(self, records: Iterable[ChangelogRecord]) -> Sequence[Any]:
        """Encode *records* into as few Kafka record batches as they fill."""
        client = self._client
        batches = []
        batch = None
        for key, value, headers in records:
            if batch is None or batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                batch = client.create_batch()
                batches.append(batch)
                if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                    raise BrokerError(f"a changelog row of {len(value or b'')} bytes does not fit into a record batch")
        for batch in batches:
            batch.close()  # else aiokafka lets it linger, and adds to it
        return batches

    async def append(self, topic: str, partition: int, packed: Sequence[Any]) -> tuple[int, int]:
        """Send the batches in order and await the acknowledgements."""
        acknowledged = [await self._client.send_batch(batch, topic, partition=partition) for batch in packed]
        written = await asyncio.gather(*acknowledged)
        return written[0].offset, written[-1].offset + packed[-1].record_count()

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        """Commit; raises CommitFailedError when the group has given the partitions to others."""
        await cast("Consumer", self._consumer()).commit_offsets(offsets)

    @property
    def _client(self) -> Any:
        return cast("Producer", self._producer()).client
