"""A producer without a broker, for the tests of programs that send events: it keeps what it was given.

fake = FakeProducer()
await my_call_system(fake)
assert [event.subject for event in fake.events] == ["call-17"]
"""

import asyncio
from collections.abc import Callable
from typing import Final

from stream.core.cloudevents import Event, EventDecoder
from stream.errors import BrokerAway
from stream.families.agents.events import EVENTS as AGENT_EVENTS
from stream.families.cases.events import EVENTS as CASE_EVENTS
from stream.families.contacts.events import EVENTS as CONTACT_EVENTS
from stream.families.customers.events import EVENTS as CUSTOMER_EVENTS
from stream.families.surveys.events import EVENTS as SURVEY_EVENTS
from stream.sdk.buffer import ByteBudget, PartitionBuffer
from stream.sdk.buffered import BufferedProducer, ProducerPolicy
from stream.sdk.delivery import Failure, OnDelivery
from stream.sdk.encoding import EncodedEvent
from stream.sdk.trace import TraceContext, TraceOf

__all__ = ["FakeProducer"]

MOST_TOGETHER: Final = 500
"""So many events at most are acknowledged together."""

_DECODER: Final = EventDecoder((*CONTACT_EVENTS, *AGENT_EVENTS, *CASE_EVENTS, *SURVEY_EVENTS, *CUSTOMER_EVENTS))

Refuse = Callable[[Event], str | None]
"""Says why an event is refused, or None."""


class FakeProducer(BufferedProducer):
    """
    Takes the calls of every producer, checks events as they do, and acknowledges them at once.

    *away*: nobody is there, and events are given up at once, as if `delivery_timeout` had passed. *full*: there is no
    room, until it is set to False. *refuse* says why an event is refused, or None. All three may be set at any time.
    """

    def __init__(
        self,
        *,
        away: bool = False,
        full: bool = False,
        refuse: Refuse = lambda _: None,
        policy: ProducerPolicy | None = None,
        trace: TraceOf | None = None,
        on_delivery: OnDelivery | None = None,
    ) -> None:
        super().__init__(policy, trace, on_delivery)
        self.away = away
        self.refuse = refuse
        self.received: list[EncodedEvent] = []
        """What was acknowledged, as it went on the wire."""
        self.traces: list[TraceContext | None] = []
        """The trace of each of them."""
        self._budget = self._room = _Room(self._policy.buffer_bytes)
        self.full = full

    @property
    def events(self) -> list[Event]:
        """What was acknowledged, as a reader reads it."""
        return [_DECODER.decode(one.value) for one in self.received]

    @property
    def full(self) -> bool:
        """Whether there is no room."""
        return self._room.full

    @full.setter
    def full(self, full: bool) -> None:
        self._room.fill(full=full)

    def _partition_of(self, event: EncodedEvent) -> tuple[str, int | None]:
        del event
        return "", None  # all in one: a test may compare the order of everything

    async def _attempt(self, buffer: PartitionBuffer) -> Exception | None:
        await asyncio.sleep(0)  # as any other, it answers later than it is asked
        if self.away:
            return BrokerAway("nobody is there: the fake producer is away")
        batch = [*buffer.records][:MOST_TOGETHER]
        refused = {
            index: Failure(why)
            for index, record in enumerate(batch)
            if (why := self.refuse(_DECODER.decode(record.event.value))) is not None
        }
        for index, record in enumerate(batch):
            if index not in refused:
                self.received.append(record.event)
                self.traces.append(_trace_of(record.event))
        buffer.settle(len(batch), refused=refused)
        return None

    def _pause_after(self, failure: Exception, pause: float) -> float:
        del failure, pause
        return 0.0

    def _is_hopeless(self, failure: Exception) -> bool:
        del failure
        return True

    def _explain(self, buffer: PartitionBuffer, failure: Exception) -> Failure:
        del buffer
        return Failure(str(failure))

    async def _disconnect(self) -> None:
        """Nothing is open."""


class _Room(ByteBudget):
    """A budget that can be full at will, also at that of another thread."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.full = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def fill(self, *, full: bool) -> None:
        self.full = full
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._freed.set)

    def reserve_now(self, size: int) -> bool:
        return not self.full and super().reserve_now(size)

    async def reserve(self, size: int) -> None:
        self._loop = asyncio.get_running_loop()
        while self.full:
            await self._change()
        await super().reserve(size)


def _trace_of(event: EncodedEvent) -> TraceContext | None:
    return TraceContext.of({name: value.decode() for name, value in event.headers})
