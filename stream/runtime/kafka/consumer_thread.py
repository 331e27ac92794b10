"""aiokafka's consumer in a thread of its own, as Faust runs it, fetching whole batches.

What runs in here runs on the thread's event loop; `transport.Consumer` calls it from the worker's.
"""

# ruff: noqa: SLF001  # whole fetches and the group's own view are not public in aiokafka; constraints.txt pins it

import asyncio
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

import aiokafka
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaConnectionError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream.runtime.kafka.broker_silence import BrokerSilence
from stream.runtime.kafka.secrets_in_use import SecretsInUse
from stream.runtime.kafka.unreadable import WholeFetch, keep_batches
from stream.runtime.source_topic import Record

__all__ = ["Batch", "ConsumerThread", "start_with_a_broker"]

IDLE_SECONDS = 1.0
"""How long a poll waits on our side when nothing comes; records end the wait at once."""

GOODBYE_SECONDS = 5.0
"""How long leaving the group may take: milliseconds, where a broker answers."""

UNLISTED_SECONDS = 30.0
"""How long brokers that answer may leave themselves out of their own list of brokers."""
LOOK_AGAIN_SECONDS = 0.1

FETCH_MIN_BYTES = 8192
"""What a broker waits for until it answers a fetch, as long as it may: some 30 events."""

FETCH_WAIT_MS = 100
"""So long it may: so late may a single event be."""


class Batch(NamedTuple):
    """What one fetch brought of one partition: the value of a Faust message."""

    seek: int
    """Number of the seek of this partition after which it was fetched."""
    records: list[Record]
    """At least one; offsets rise."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Runs aiokafka's consumer in a thread of its own, so that heartbeats go on while a batch is folded."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._seeks: Counter[TopicPartition] = Counter()
        self._broker_silence = BrokerSilence(time.monotonic)
        self._secrets = SecretsInUse(self.app.security)  # type: ignore[attr-defined]  # set by create_app

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust hard-codes 1500 ms. While a fetch waits at the broker, partitions that were not part
        # of it get nothing; and Tansu looks for new records only twice in that time.
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        # With 1, aiokafka's default, each record of a quiet centre is a fetch, and a wake-up of both threads.
        consumer._fetch_min_bytes = FETCH_MIN_BYTES
        # What a transaction of a producer has aborted did not happen.
        consumer._isolation_level = "read_committed"
        self._secrets.hand_to(consumer._client)
        self._broker_silence.watch(consumer._client)
        start_with_a_broker(consumer._client)
        keep_batches()
        return consumer

    async def fetch(self, partitions: set[TP], generation: int) -> dict[TP, Batch]:
        """Return what there is of *partitions* in a *generation* of the group; waits a while for the first record."""
        return cast("dict[TP, Batch]", await self.call_thread(self._fetch_batches, partitions, generation))

    async def _fetch_batches(self, partitions: set[TP], generation: int) -> dict[TP, Batch]:
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher
        if not any(tp in fetcher._records for tp in partitions):
            waiter = fetcher._create_fetch_waiter()
            done, _ = await asyncio.wait([waiter], timeout=IDLE_SECONDS)
            if done:
                waiter.result()  # raises what the coordinator found: an authorization error, say
            waiter.cancel()
        if self.app.consumer_generation_id != generation:
            # A rebalance came and went meanwhile, on this thread: what is there now belongs to whoever
            # fetches next. Taken and then thrown away, it would be missing until the next record comes.
            return {}
        for tp, result in fetcher._records.items():
            if type(result) is FetchResult and type(result._partition_records) is PartitionRecords:
                # We seek in source topics only. A changelog that cannot be read stops the worker: rows are missing.
                result._partition_records = WholeFetch(result._partition_records, stand_ins=bool(self._seeks[tp]))
        fetched = await self._fetch_records(consumer, partitions, timeout=0)
        return {TP(*tp): Batch(self._seeks[tp], records) for tp, records in fetched.items()}

    async def commit_offsets(self, offsets: Mapping[TP, int], generation: int) -> None:
        """
        Commit as a member of this *generation* of the group, or not at all; raises what aiokafka raises.

        Raises CommitFailedError when the group has moved on.
        """
        wanted = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items()}
        await self._in_thread(self._commit_once(wanted, generation))

    async def _commit_once(self, offsets: Mapping[TopicPartition, OffsetAndMetadata], generation: int) -> None:
        # aiokafka's own `commit` tries again and again, each time in the generation of that moment:
        # what was applied before a rebalance would be committed after it, over the new owner's offsets.
        coordinator = self._ensure_consumer()._coordinator
        await coordinator.ensure_coordinator_known()
        if coordinator.generation != generation:
            raise CommitFailedError("the group has given the partitions out anew")
        try:
            await coordinator._do_commit_offsets(None, offsets)
        except (UnknownMemberIdError, IllegalGenerationError, RebalanceInProgressError) as refused:
            raise CommitFailedError(str(refused)) from refused

    async def ends(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """Return the offset after the last record of each partition, as the brokers list it."""
        wanted = [TopicPartition(*tp) for tp in partitions]
        found = await self._in_thread(self._ensure_consumer().end_offsets(wanted))
        return {TP(*tp): offset for tp, offset in found.items()}

    async def committed_offsets(self, partitions: Iterable[TP]) -> dict[TP, int | None]:
        """Return the committed offset of each partition in one request; None where there is none."""
        wanted = [TopicPartition(*tp) for tp in partitions]
        found = await self._in_thread(self._ensure_consumer()._coordinator.fetch_committed_offsets(wanted))
        return {TP(*tp): found[tp].offset if tp in found and found[tp].offset >= 0 else None for tp in wanted}

    async def seek_all(self, positions: Mapping[TP, int]) -> dict[TP, int]:
        """Fetch next from *positions*; returns the number of each partition's seek."""
        return cast("dict[TP, int]", await self._in_thread(self._seek_all(positions)))

    async def _seek_all(self, positions: Mapping[TP, int]) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        for tp, offset in positions.items():
            consumer.seek(TopicPartition(*tp), offset)
            self._seeks[TopicPartition(*tp)] += 1
        return {tp: self._seeks[TopicPartition(*tp)] for tp in positions}

    def set_paused(self, partitions: Iterable[TP], *, paused: bool) -> None:
        """Have aiokafka fetch from *partitions*, or not; those that are not assigned any more are left out."""
        wanted = {TopicPartition(*tp) for tp in partitions}
        self.thread_loop.call_soon_threadsafe(self._set_paused, wanted, paused)

    def _set_paused(self, partitions: set[TopicPartition], paused: bool) -> None:  # noqa: FBT001  # a callback's argument
        consumer = self._ensure_consumer()
        known = partitions & consumer.assignment()
        already = consumer.paused()
        if paused:
            consumer.pause(*(known - already))
        else:
            consumer.resume(*(known & already))

    def end_of(self, tp: TP) -> int | None:
        """Return the offset after the last record of a partition, as of the last fetch; None if it is not known."""
        subscription = self._ensure_consumer()._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        state = None if assignment is None else assignment.state_value(TopicPartition(*tp))
        # What is behind the last stable offset is of transactions that have not ended: nobody may read it yet.
        return None if state is None else state.highwater if state.lso is None else state.lso

    def partition_count(self, topic: str) -> int | None:
        """Return how many partitions a topic has as of the last look at the cluster; None if that is not known."""
        partitions = self._ensure_consumer().partitions_for_topic(topic)
        return None if partitions is None else len(partitions)

    def silence(self, tp: TP | None = None) -> float:
        """Return for how many seconds no broker has answered; with *tp*, the one that has it; infinite if none has."""
        if tp is None:
            return self._broker_silence.silence()
        node = self._ensure_consumer()._client.cluster.leader_for_partition(TopicPartition(*tp))
        return math.inf if node in {None, -1} else self._broker_silence.silence_of(node)

    def stay(self) -> None:
        """
        Tell aiokafka that this worker is alive: without a fetch for minutes it would leave the group.

        A dead letter may take that long, and the partition waits for it.
        """
        if self._consumer is not None:
            self._consumer._subscription._last_fetch_ended = time.monotonic()

    def renew_secrets(self) -> None:
        """Use what is in the files of passwords and certificates by now, for connections from now on."""
        if self._consumer is not None:
            self._secrets.renew(self._consumer._client)

    async def raise_refusal(self) -> None:
        """Raise why the group does not take this consumer: aiokafka tells those who fetch, and nobody may yet."""
        if self._coordinator is not None:
            await self._in_thread(self._raise_refusal(self._coordinator))

    async def _raise_refusal(self, coordinator: Any) -> None:
        try:
            coordinator.check_errors()
        except KafkaError as failure:
            if not failure.retriable:
                raise

    @property
    def is_member(self) -> bool:
        """Whether the group still counted us as a member when we last heard of it."""
        return self._coordinator is not None and bool(self._coordinator.generation >= 0)

    @property
    def _coordinator(self) -> Any:
        """The consumer's side of the group; None until the consumer has found a broker, which may take its time."""
        return None if self._consumer is None else self._consumer._coordinator

    async def on_thread_stop(self) -> None:
        """Leave the group and stop the consumer."""
        coordinator = self._coordinator
        # Tansu counts generations from 0, which aiokafka takes for "no member": it would not leave
        # the group, and whoever comes next would wait for our session to end.
        if coordinator is not None and coordinator.generation == 0:
            coordinator.generation = 1
        # aiokafka waits 30 s for a broker to say goodbye. One that is silent will find out by itself.
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await super().on_thread_stop()
        except TimeoutError:
            if self._consumer is not None:
                self._consumer._closed = True
                await self._consumer._client.close()

    async def _in_thread(self, work: Any) -> Any:
        # Unlike `call_thread` this can be cancelled, and takes none of the two workers of its queue.
        loop = self.thread_loop
        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, loop))
        finally:
            # The thread may have ended before it began with this: nobody will, and Python would complain some time.
            if not loop.is_running():
                work.close()


def start_with_a_broker(client: Any) -> None:
    """
    Have an aiokafka client wait at its start until a broker is listed; it raises KafkaConnectionError if none is.

    A broker that was away answers before the cluster has it back. aiokafka's coordinator takes a list without
    brokers for a mistake of the program, and ends for good.
    """
    bootstrap = client.bootstrap

    async def until_listed() -> None:
        try:
            async with asyncio.timeout(UNLISTED_SECONDS):
                await _until_connected(bootstrap)
                while not client.cluster.brokers():
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
                    await client.force_metadata_update()
        except TimeoutError:
            said = f"The brokers at {client.hosts} have gone again, or answer and list no broker"
            raise KafkaConnectionError(said) from None

    client.bootstrap = until_listed


async def _until_connected(bootstrap: Callable[[], Awaitable[None]]) -> None:
    # Topics were asked for just before: a broker that is gone by now is so for a moment, and no reason to end.
    while True:
        try:
            return await bootstrap()
        except KafkaConnectionError:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
