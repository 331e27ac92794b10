"""What every producer does alike: events wait in a bounded buffer, are sent until acknowledged, and are answered for.

Knows no transport: each says how a batch is sent, and what its failures mean.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Self

from msgspec import Struct

from stream.core.cloudevents import Event, key_of
from stream.errors import (
    REFUSAL_REASONS,
    BrokerError,
    ContactStreamError,
    EventRefusalReason,
    EventsRefused,
    InvalidEvent,
)
from stream.sdk.buffer import BufferedRecord, ByteBudget, PartitionBuffer
from stream.sdk.delivery import Delivery, Failure, NotAcknowledged, OnDelivery
from stream.sdk.encoding import EncodedEvent, checked
from stream.sdk.trace import TraceContext, TraceOf

__all__ = ["BufferFull", "BufferedProducer", "ProducerPolicy"]

logger = logging.getLogger(__name__)

# Doubled with each failure up to the longest: a broker that restarts is found soon, and one that is down is not
# hammered.
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0

BREATHER = 500
"""So many events of a large batch are taken before others get their turn on the event loop."""

REFUSALS: Mapping[str, EventRefusalReason] = {reason: reason for reason in REFUSAL_REASONS}


class ProducerPolicy(Struct, frozen=True, kw_only=True):
    """How patient a producer is, and how much it may hold."""

    delivery_timeout: timedelta = timedelta(minutes=2)
    """An event that has not been acknowledged after this is given up, and its sender is told."""
    request_timeout: timedelta = timedelta(seconds=10)
    """A single attempt that takes longer is made again."""
    buffer_bytes: int = 32 * 1024 * 1024
    """What may wait for acknowledgement; when it is full, senders wait."""
    batch_bytes: int = 256 * 1024
    """What goes out in one request; the broker's max.message.bytes, or a proxy before a gateway, must allow it."""
    idempotent: bool | None = None
    """
    Whether the broker drops what a retry sends twice. None: when the address begins with `kafka://`.

    The embedded broker cannot. Nothing counts twice without it either: events are known by their ids.
    """


class BufferFull(BrokerError):
    """The buffer has no room for another event: fewer are acknowledged than are made."""


class BufferedProducer(ABC):
    """
    The calls of every producer. Use it as a context manager, on one event loop.

    It connects when it must, so it can be made while nobody is there to connect to; events wait in a bounded buffer,
    are sent again until they are acknowledged, and after `delivery_timeout` their sender gets a NotAcknowledged, which
    is a BrokerError. Events of one queue keep their order.

    *trace* tells the trace of each event that is handed over without one; *on_delivery* is told of each batch that was
    acknowledged or given up.
    """

    def __init__(self, policy: ProducerPolicy | None, trace: TraceOf | None, on_delivery: OnDelivery | None) -> None:
        self._policy = policy or ProducerPolicy()
        self._trace_of = trace
        self._on_delivery = on_delivery
        self._budget = ByteBudget(self._policy.buffer_bytes)
        self._posted = Delivery()
        self._buffers: dict[tuple[str, int | None], PartitionBuffer] = {}
        self._closed = False

    async def send(self, event: Event, *, trace: TraceContext | None = None) -> None:
        """Return when the event is acknowledged; if cancelled, the event may arrive all the same."""
        delivery = Delivery()
        await self._accept(event, delivery, trace)
        await delivery.wait()

    async def send_many(self, events: Iterable[Event], *, trace: TraceContext | None = None) -> int:
        """
        Return when all of them are acknowledged, and how many they were.

        The fast way: they travel in batches. An invalid event stops it, after those before it have arrived.
        """
        delivery = Delivery()
        try:
            for event in events:
                await self._accept(event, delivery, trace)
                if not delivery.accepted % BREATHER:
                    await asyncio.sleep(0)
        except InvalidEvent:
            await delivery.wait()
            raise
        return await delivery.wait()

    async def send_encoded(self, events: Iterable[EncodedEvent]) -> int:
        """
        As `send_many`, for events that were checked and encoded before: they go as they are.

        Raises EventsRefused, a BrokerError as well, where the broker will not have some of them.
        """
        delivery = Delivery()
        records: list[BufferedRecord] = []
        for event in events:
            self._refuse_if_closed()
            records.append(BufferedRecord(event, delivery))
            await self._hand_over(records[-1])
            if not delivery.accepted % BREATHER:
                await asyncio.sleep(0)
        try:
            return await delivery.wait()
        except NotAcknowledged as lost:
            found = {place: one.reason for place, one in enumerate(records) if one.reason}
            reasons = {place: REFUSALS[reason] for place, reason in found.items() if reason in REFUSALS}
            if reasons:
                raise EventsRefused(str(lost), reasons) from lost
            raise

    async def post(self, event: Event, *, trace: TraceContext | None = None) -> None:
        """Return when there is room for the event in the buffer; `flush` and `close` tell if it was lost."""
        await self._accept(event, self._posted, trace)

    def post_nowait(self, event: Event, *, trace: TraceContext | None = None) -> None:
        """Put the event into the buffer; raises BufferFull if there is no room."""
        record = self._record(event, self._posted, trace)
        if not self._budget.reserve_now(record.size):
            raise BufferFull(f"the buffer of {self._budget.limit} bytes (buffer_bytes) is full")
        self._put(record)

    async def flush(self) -> None:
        """Wait until every posted event is acknowledged; raises NotAcknowledged naming how many were not."""
        await self._posted.wait()

    async def close(self) -> None:
        """Deliver what is in the buffer, and disconnect; raises NotAcknowledged naming how many posted were not."""
        # Before the first await, so that nothing comes in any more while the buffer is emptied.
        self._closed = True
        # First let what is under way arrive, then disconnect, and only then say what was lost: all of it is
        # known by now.
        await self._budget.empty()
        await self._disconnect()
        await self.flush()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.close()
        except BrokerError as lost:
            if error is None:
                raise
            logger.warning("%s", lost)  # the error that is on its way says more

    # What a transport says.

    @abstractmethod
    async def _attempt(self, buffer: PartitionBuffer) -> Exception | None:
        """Send one batch, and settle what was acknowledged; returns what went wrong."""

    @abstractmethod
    def _explain(self, buffer: PartitionBuffer, failure: Exception) -> Failure:
        """Say what went wrong, and what to do about it."""

    @abstractmethod
    def _is_hopeless(self, failure: Exception) -> bool:
        """Tell whether the next attempt would fail as well."""

    @abstractmethod
    async def _disconnect(self) -> None:
        """Close every connection; nothing is on its way any more."""

    def _partition_of(self, event: EncodedEvent) -> tuple[str, int | None]:
        """Return topic and partition of the buffer that an event waits in."""
        return event.topic, None

    def _pause_after(self, failure: Exception, pause: float) -> float:  # noqa: ARG002  # some tell how long
        """Return after how many seconds the next attempt is due, which is *pause* unless the failure tells."""
        return pause

    # The way of an event through the buffer.

    def _record(self, event: Event, delivery: Delivery, trace: TraceContext | None) -> BufferedRecord:
        self._refuse_if_closed()
        value = checked(event)
        if trace is None and self._trace_of is not None:
            trace = self._trace_of(event)
        if trace is None:
            return BufferedRecord(EncodedEvent(event.topic, key_of(event), value), delivery)
        encoded = EncodedEvent(event.topic, key_of(event), trace.added_to(value), trace.headers())
        return BufferedRecord(encoded, delivery)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise BrokerError("the producer is closed")

    async def _accept(self, event: Event, delivery: Delivery, trace: TraceContext | None) -> None:
        await self._hand_over(self._record(event, delivery, trace))

    async def _hand_over(self, record: BufferedRecord) -> None:
        if not self._budget.reserve_now(record.size):
            await self._budget.reserve(record.size)
        self._put(record)

    def _put(self, record: BufferedRecord) -> None:
        """Take a record, for which there is room, on its way."""
        record.delivery.add()
        record.deadline = asyncio.get_running_loop().time() + self._policy.delivery_timeout.total_seconds()
        self._load(record)

    def _load(self, record: BufferedRecord) -> None:
        place = self._partition_of(record.event)
        buffer = self._buffers.get(place)
        if buffer is None:
            buffer = self._buffers[place] = PartitionBuffer(*place, self._budget, self._on_delivery)
        buffer.records.append(record)
        if buffer.task is None:
            self._start(buffer)

    def _start(self, buffer: PartitionBuffer) -> None:
        buffer.task = asyncio.create_task(self._run(buffer))
        buffer.task.add_done_callback(lambda task: self._stopped(buffer, task))

    def _stopped(self, buffer: PartitionBuffer, task: asyncio.Task[None]) -> None:
        """Go on if something came in meanwhile; after a defect of ours nobody may wait for ever."""
        buffer.task = None
        if task.cancelled():
            return
        if task.exception() is not None:
            failed = Failure(f"the producer failed: {type(task.exception()).__name__}")
            buffer.settle(len(buffer.records), failed)
            logger.error("the producer failed on %s", buffer.topic, exc_info=task.exception())
        if buffer.records:
            self._start(buffer)

    async def _run(self, buffer: PartitionBuffer) -> None:
        """Empty a buffer; one task at a time does, so its order is kept."""
        pause = FIRST_PAUSE_SECONDS
        while buffer.records:
            failure = await self._attempt(buffer)
            if failure is None:
                pause = FIRST_PAUSE_SECONDS
                continue
            left = buffer.records[0].deadline - asyncio.get_running_loop().time()
            # Never past the deadline of the oldest: its sender learns in time that it was given up.
            await asyncio.sleep(max(0.0, min(self._pause_after(failure, pause), left)))
            self._give_up(buffer, failure)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _give_up(self, buffer: PartitionBuffer, failure: Exception) -> None:
        why = self._explain(buffer, failure)
        # A batch that will never be taken goes as a whole: each of its records is refused. Everything else waits for
        # its own deadline.
        if self._is_hopeless(failure):
            buffer.settle(buffer.batch or len(buffer.records), why)
        else:
            buffer.expire(asyncio.get_running_loop().time(), why)

    def _timed_out(self, at: str, failure: Exception) -> str:
        """Say that *at* did not take events in time, for a failure that says no more."""
        if isinstance(failure, ContactStreamError):
            return str(failure)
        seconds = self._policy.delivery_timeout.total_seconds()
        return f"{at} did not take them within {seconds:g} s (delivery_timeout): {type(failure).__name__}"
