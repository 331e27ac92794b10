"""The producers for synchronous call systems: each on a thread of its own."""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator
from itertools import islice
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self, TypeVar

from stream.core.cloudevents import Event
from stream.errors import BrokerError
from stream.sdk.buffered import BufferedProducer, ProducerPolicy
from stream.sdk.delivery import OnDelivery
from stream.sdk.encoding import EncodedEvent
from stream.sdk.producer import Producer
from stream.sdk.trace import TraceContext, TraceOf
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity

__all__ = ["Blocking", "BlockingProducer"]

# Each hand-over costs a wake-up of the other thread and a wait for it. A chunk, and not all of them: what an
# iterator makes while it is sent needs no memory before.
CHUNK = 5000
"""So many events of a large batch are given to the other thread at a time."""

T = TypeVar("T")


class Blocking:
    """
    The calls of a producer, each of which blocks until it is done; any number of threads may use it.

        with Blocking(HttpProducer("https://gateway:9109", key_file=Path("gateway.key"))) as producer: ...

    The producer must be new: it lives on the thread that this begins. Make both after a fork, not before: threads do
    not survive one. Context variables, such as the trace that goes on, are those of the thread that calls.
    """

    def __init__(self, producer: BufferedProducer) -> None:
        self._producer = producer
        self._loop = asyncio.new_event_loop()
        self._closing = Lock()
        # A daemon: a program that forgets to close must still be able to end.
        self._thread = Thread(target=self._loop.run_forever, name="contact-stream producer", daemon=True)
        self._thread.start()

    def send(self, event: Event, *, trace: TraceContext | None = None) -> None:
        """Return when the event is acknowledged."""
        self._wait(self._producer.send(event, trace=trace))

    def send_many(self, events: Iterable[Event], *, trace: TraceContext | None = None) -> int:
        """Return when all of them are acknowledged, and how many they were."""
        return sum(self._wait(self._producer.send_many(chunk, trace=trace)) for chunk in _chunks(events))

    def send_encoded(self, events: Iterable[EncodedEvent]) -> int:
        """As `send_many`, for events that were checked and encoded before, such as those that were given up."""
        return sum(self._wait(self._producer.send_encoded(chunk)) for chunk in _chunks(events))

    def post(self, event: Event, *, trace: TraceContext | None = None) -> None:
        """Return when there is room for the event in the buffer; `flush` and `close` tell if it was lost."""
        self._wait(self._producer.post(event, trace=trace))

    def post_nowait(self, event: Event, *, trace: TraceContext | None = None) -> None:
        """Put the event into the buffer; raises BufferFull if there is no room."""
        self._wait(self._post_nowait(event, trace))

    def flush(self) -> None:
        """Wait until every posted event is acknowledged; raises NotAcknowledged naming how many were not."""
        self._wait(self._producer.flush())

    def close(self) -> None:
        """Deliver what is in the buffer, disconnect and end the thread; a second call does nothing."""
        with self._closing:
            if self._loop.is_closed():
                return
            try:
                self._wait(self._producer.close())
            finally:
                # Also where closing failed: what was lost is raised, and the thread must end all the same.
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
                self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except BrokerError:
            # The error that is on its way says more than what was lost by it.
            if error is None:
                raise

    # On the loop's own thread, to which the buffer belongs: it is not made for several.
    async def _post_nowait(self, event: Event, trace: TraceContext | None) -> None:
        self._producer.post_nowait(event, trace=trace)

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except RuntimeError:
            # A closed loop takes no work: `close` was called, by this thread or another one.
            if not self._loop.is_closed():
                raise
            # Else Python would warn that this coroutine was never awaited.
            work.close()
            raise BrokerError("the producer is closed") from None


class BlockingProducer(Blocking):
    """A `Producer`, which sends to the broker at *address*, for synchronous programs."""

    def __init__(
        self,
        address: str,
        *,
        policy: ProducerPolicy | None = None,
        security: KafkaSecurity = PLAINTEXT,
        trace: TraceOf | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        super().__init__(Producer(address, policy=policy, security=security, trace=trace, on_delivery=on_delivery))


def _chunks(events: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(events)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
