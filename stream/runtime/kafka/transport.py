"""Faust's Kafka transport, changed in two ways: it delivers whole fetches, and leaves the offsets to us.

Registered under `faust.transports`, so the broker URL `contact-stream://host:port` selects it. Every
topic of an app on this transport is delivered in batches: one Faust message per partition and fetch,
its value the list of raw records, its offset the last one's.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import chain
from typing import Any, ClassVar, NamedTuple, Protocol, cast

import aiokafka
import faust
from aiokafka.errors import KafkaError, ProducerClosed
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.transports import ConsumerT, ProducerT

from stream.runtime.kafka.consumer_thread import Batch, ConsumerThread

__all__ = ["AssignmentListener", "Batch", "BatchSchema", "Consumer", "Producer", "Start", "Transport"]

RECONNECT_SECONDS = 0.5
CLOSE_SECONDS = 1.0
"""How long the sender of a closed producer may take to see that its connections are gone."""


class Start(NamedTuple):
    """Where a source partition begins."""

    position: int
    """The committed offset; the beginning of the topic where there is none."""
    seek: int
    """Number of the seek to that position."""
    highwater: int
    """Offset after the last record of the partition, as the broker lists it: Tansu's is too low at times."""


class AssignmentListener(Protocol):
    """Who learns which partitions come and go, and keeps their offsets; the app carries it as `assignment_listener`."""

    async def give_up(self, *, lost: bool) -> None:
        """Make durable what has been applied, unless the partitions are *lost* already; then own nothing."""
        ...

    def assign(self, partitions: Iterable[TP]) -> None:
        """Learn the new assignment; recovery of the tables follows."""
        ...

    def expect(self, partitions: Iterable[TP]) -> list[TP]:
        """Return those of *partitions* whose records are wanted from their committed offset on."""
        ...

    async def prepare(self) -> None:
        """Get ready for the start: the tables are recovered."""
        ...

    def start(self, starts: Mapping[TP, Start]) -> None:
        """Learn that the tables are recovered, and where each partition begins."""
        ...


class BatchSchema(faust.Schema[Any, Any]):
    """Passes the list of raw records through: decoding is the processor's."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Awaitable[Any]]:
        create_event = app.create_event

        async def deliver(message: Any, *, propagate: bool = False) -> Any:  # noqa: ARG001  # Faust passes it
            return create_event(None, message.value, message.headers, message)

        return deliver


class Consumer(driver.Consumer):
    """Delivers batches; what was applied, committed and sought is decided by the app's assignment listener."""

    _thread: ConsumerThread

    def __init__(self, *args: Any, **options: Any) -> None:
        self._resumed = asyncio.Event()
        super().__init__(*args, **options)

    @property
    def listener(self) -> AssignmentListener:
        """Who keeps the offsets: the app made it, Faust makes the consumer."""
        return cast("AssignmentListener", self.app.assignment_listener)  # type: ignore[attr-defined]  # set by create_app

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        """Fetch and deliver until stopped; waits while the processor's queue is full, which holds up fetching."""
        # In place of Faust's loop, which follows single offsets and guesses gaps: decision 0007, D2 to D5.
        try:
            while not (self.should_stop or fetcher.should_stop):
                await self._deliver_next()
        except self.consumer_stopped_errors:
            if not self.app.should_stop:
                raise

    async def _deliver_next(self) -> None:
        active = set(self._get_active_partitions())
        if not active:
            # All are paused, as in a recovery. `resume_partitions` ends the wait at once.
            self._resumed.clear()
            await self.wait_first(self._resumed.wait())
            return
        generation = self.app.consumer_generation_id
        fetched = await self._thread.fetch(active, generation)
        for tp, batch in fetched.items():
            # While the flow rests, queues get cleared: what was put there would be lost.
            await self.wait_first(self.can_resume_flow.wait())
            if self.should_stop or generation != self.app.consumer_generation_id:
                return
            if tp in self._get_active_partitions():
                await self.wait_first(self.callback(self._message(tp, batch)), self.suspend_flow.wait())

    def _message(self, tp: TP, batch: Batch) -> ConsumerMessage:
        last = batch.records[-1]
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=last.offset,
            timestamp=(last.timestamp or 0) / 1000.0,
            timestamp_type=0,
            headers=None,
            key=None,
            value=cast("bytes", batch),  # BatchSchema passes it through
            checksum=None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def perform_seek(self) -> None:
        """Start the source partitions at their committed offsets; Faust calls it when the tables are recovered."""
        # The flow rests until Faust resumes it right after this: resuming clears the processors'
        # queues, and would clear away what had been delivered before (a lost batch).
        self.stop_flow()
        generation = self.app.consumer_generation_id
        wanted = self.listener.expect({TP(*tp) for tp in self.assignment()})
        await self.listener.prepare()
        committed = await self._thread.committed_offsets(wanted)
        ends = await self.highwaters(*wanted)
        earliest = await self.earliest_offsets(*(tp for tp in wanted if committed[tp] is None))
        positions = {tp: earliest[tp] if (offset := committed[tp]) is None else offset for tp in wanted}
        seeks = await self._thread.seek_all(positions)
        # A rebalance while the brokers were asked makes all of this void; Faust calls again after it.
        if generation == self.app.consumer_generation_id:
            self.listener.start({tp: Start(positions[tp], seeks[tp], ends[tp]) for tp in wanted})

    async def rewind(self, tp: TP, offset: int) -> int:
        """Fetch one source partition once more from *offset*; returns the number of this seek."""
        return (await self._thread.seek_all({tp: offset}))[tp]

    def end_of(self, tp: TP) -> int | None:
        """Return the offset after the last record of a partition, as of the last fetch; None if it is not known."""
        return self._thread.end_of(tp)

    def partition_count(self, topic: str) -> int | None:
        """Return how many partitions a topic has as of the last look at the cluster; None if that is not known."""
        return self._thread.partition_count(topic)

    def silence(self, tp: TP | None = None) -> float:
        """Return for how many seconds no broker has answered; with *tp*, the one that has it; infinite if none has."""
        return self._thread.silence(tp)

    def stay(self) -> None:
        """Stay in the group, also while nothing is fetched."""
        self._thread.stay()

    async def raise_refusal(self) -> None:
        """Raise why the group does not take this consumer, if it does not."""
        await self._thread.raise_refusal()

    def renew_secrets(self) -> None:
        """Use what is in the files of passwords and certificates by now, for connections from now on."""
        self._thread.renew_secrets()

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> None:
        """Commit exactly these offsets; raises CommitFailedError when the partitions are not ours any more."""
        await self._thread.commit_offsets(offsets, self.app.consumer_generation_id)

    async def ends(self, partitions: Iterable[TP]) -> dict[TP, int]:
        """Ask the brokers for the offset after the last record of each partition."""
        return await self._thread.ends(partitions)

    async def wait_empty(self) -> None:
        """Make durable what has been applied; Faust calls it before partitions are revoked, and at the stop."""
        # Faust would wait for acknowledgements, which batches do not have.
        await self.listener.give_up(lost=not self._thread.is_member)

    async def commit(self, *_: Any, **__: Any) -> bool:
        """Do nothing: a checkpoint commits, in its order. Faust's timer calls this."""
        return False

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Tell the listener first: recovery, which starts in here, needs to know the new partitions."""
        self.listener.assign(assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """As Faust's, which would have aiokafka go on fetching: our own changelog, after each checkpoint."""
        tps = set(tps)
        super().pause_partitions(tps)
        self._thread.set_paused(tps, paused=True)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """As Faust's, undoing our pause, and without the second of sleep when nothing was active."""
        tps = set(tps)
        super().resume_partitions(tps)
        self._thread.set_paused(tps, paused=False)
        self._resumed.set()

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: a full queue holds up `_drain_messages`, which is all the back-pressure we need."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: it would report that acknowledgements are missing. `Feed.alive` watches progress."""


class Producer(driver.Producer):
    """Faust's producer, which lets checkpoints send batches that they have packed, and forget them again."""

    def _settings_extra(self) -> Mapping[str, Any]:
        # Idempotence keeps a retried batch from overtaking a newer one. Tansu does not know it.
        idempotent = cast("Transport", self.transport).idempotent
        return {"acks": "all", "enable_idempotence": True} if idempotent else {}

    def _settings_auth(self) -> Mapping[str, Any]:
        return dict(self.app.security.client_options())  # type: ignore[attr-defined]  # set by create_app

    @property
    def client(self) -> aiokafka.AIOKafkaProducer:
        """The aiokafka producer; there is one while the app runs."""
        return self._ensure_producer()

    async def flush(self) -> None:
        """Do nothing: what must be written is awaited where it is sent."""
        # Faust calls it when partitions are revoked and at the stop. aiokafka tries a batch of an
        # idempotent producer for ever: while a broker is away that would hold up group and process.

    async def abandon(self) -> None:
        """
        Never send what is not acknowledged by now, and go on with another client.

        What has left this process already may still arrive. Whoever waits for an acknowledgement
        gets a KafkaError.
        """
        if self._producer is not None:
            old, new = self._producer, self._new_producer()
            self._producer = new
            self.add_future(self._connect(new))
            await _close_at_once(old)

    async def _connect(self, client: aiokafka.AIOKafkaProducer) -> None:
        try:
            await client.start()
        except (KafkaError, OSError):
            await asyncio.sleep(RECONNECT_SECONDS)
            if client is self._producer:
                self.add_future(self._connect(client))

    async def on_stop(self) -> None:
        """Close the connections; Faust would first wait for whatever has not been sent."""
        client, self._producer = self._producer, None
        if client is not None:
            await _close_at_once(client)
        await super().on_stop()


async def _close_at_once(client: aiokafka.AIOKafkaProducer) -> None:
    """Close a producer without sending what it still has: its own `stop` waits for that, possibly for ever."""
    # None of this is public; constraints.txt pins aiokafka.
    client._closed = True
    sender = client._sender.sender_task
    if sender is not None:
        sender.cancel()  # before the connections: it would make new ones
    for connection in client.client._conns.values():
        if connection._writer is not None:
            connection._writer.transport.abort()
    await client.client.close()
    if sender is not None:
        await asyncio.wait([sender], timeout=CLOSE_SECONDS)
    waiting = client._message_accumulator
    unsent = [*chain.from_iterable(waiting._batches.values()), *waiting._pending_batches]
    waiting._pending_batches.update(unsent)  # aiokafka takes each out of there when it has failed
    waiting.fail_all(ProducerClosed())
    for batch in unsent:  # nobody may be waiting for them, and asyncio would complain
        batch.future.exception()
        batch._drain_waiter.exception()


class Transport(driver.Transport):
    """
    The transport; its option is in the query of the broker URL.

    `idempotent=1`: ask the broker for an idempotent producer.
    """

    Consumer: ClassVar[type[ConsumerT]] = Consumer
    Producer: ClassVar[type[ProducerT]] = Producer

    @property
    def idempotent(self) -> bool:
        """Whether the broker is asked for an idempotent producer."""
        return self.url[0].query.get("idempotent") == "1"
