"""The broker as a checkpoint sees it: changelog batches out, source offsets committed."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from faust.types import TP

from stream.errors import BrokerError
from stream.runtime.checkpoint.tables import ChangelogRecord
from stream.runtime.kafka.transport import Consumer, Producer
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity

__all__ = ["KafkaLog"]


class KafkaLog:
    """
    Writes whole record batches, one acknowledgement each, instead of a future per row.

    Raises TimeoutError when a request is not answered within *patience*.
    """

    def __init__(
        self,
        servers: Sequence[str],
        producer: Callable[[], object],
        consumer: Callable[[], object],
        *,
        patience: timedelta,
        security: KafkaSecurity = PLAINTEXT,
    ) -> None:
        self._servers = servers
        self._security = security
        self._producer = producer
        self._consumer = consumer
        self._patience_seconds = patience.total_seconds()

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

    async def append(self, topic: str, partition: int, packed: Sequence[Any]) -> Sequence[range]:
        """Send the batches in order, each when the one before it is acknowledged; returns the offsets of each."""
        return [await self._send(batch, topic, partition) for batch in packed]

    async def _send(self, batch: Any, topic: str, partition: int) -> range:
        # For each batch anew, since a checkpoint may be large; aiokafka itself would never give up.
        async with asyncio.timeout(self._patience_seconds):
            acknowledged = await (await self._client.send_batch(batch, topic, partition=partition))
        return range(acknowledged.offset, acknowledged.offset + batch.record_count())

    async def keys(self, changelog: TP, offsets: range) -> Sequence[bytes]:
        """Return the keys of the records at *offsets*, as many as are left; the last of them, or a later one, is."""
        # A separate consumer for this rare read; the worker's own belongs to the group.
        where = TopicPartition(*changelog)
        found: list[bytes] = []
        client = AIOKafkaConsumer(bootstrap_servers=self._servers, **self._security.client_options())
        async with asyncio.timeout(self._patience_seconds), client as reader:
            reader.assign([where])
            reader.seek(where, offsets.start)
            while await reader.position(where) < offsets.stop:
                # The position moves over what compaction has taken away, so this ends also where no record is left.
                records = (await reader.getmany(where, timeout_ms=100)).get(where, [])
                found += [one.key for one in records if one.offset in offsets and one.key is not None]
        return found

    async def commit(self, offsets: Mapping[TP, int]) -> None:
        """Commit; raises CommitFailedError when the group has given the partitions to others."""
        async with asyncio.timeout(self._patience_seconds):
            await cast("Consumer", self._consumer()).commit_offsets(offsets)

    async def ends(self, partitions: Collection[TP]) -> Mapping[TP, int]:
        """Return the offset after the last record of each changelog partition."""
        async with asyncio.timeout(self._patience_seconds):
            return await cast("Consumer", self._consumer()).ends(partitions)

    async def abandon(self) -> None:
        """Have nothing sent any more that is not acknowledged by now."""
        await cast("Producer", self._producer()).abandon()

    @property
    def _client(self) -> Any:
        return cast("Producer", self._producer()).client
