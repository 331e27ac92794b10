"""The source topics of all families: what may be on them, and what folds them."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from stream.core.cloudevents import Event, EventDecoder, Headers
from stream.core.derivation import Derivation
from stream.core.family import Family, FoldOptions
from stream.core.identity import NO_SECRET, CustomerKeys
from stream.core.policies import Policies
from stream.errors import FutureEvent, InvalidEvent
from stream.families.registry import FAMILIES
from stream.runtime.source_topic import Record, SourceTopic

__all__ = ["source_topics"]

_HEADERS = attrgetter("headers")


def source_topics(  # noqa: PLR0913  # as many as there are limits
    policies: Policies,
    *,
    customer_keys: CustomerKeys = NO_SECRET,
    partitions: int,
    max_queues_per_tenant: int,
    max_queues: int,
    max_customers: int,
    future_tolerance: timedelta,
    clock: Callable[[], datetime],
    families: Sequence[Family[Any]] = FAMILIES,
) -> list[SourceTopic]:
    """
    Return a topic for each family; events too far ahead of *clock* are invalid.

    A limit of queues is shared out to the partitions: keys spread over them by chance, so each has
    twice its share, and some more.
    """
    options = FoldOptions(
        policies=policies,
        customer_keys=customer_keys,
        max_queues_per_tenant=min(max_queues_per_tenant, 2 * max_queues_per_tenant // partitions + 20),
        max_queues=min(max_queues, 2 * max_queues // partitions + 20),
        max_customers=min(max_customers, 2 * max_customers // partitions + 20),
    )
    # Of all families: an event on the wrong topic is told apart from what is no event.
    decoder = EventDecoder([kind for family in families for kind in family.events])
    derivation = Derivation(families, policies)
    return [_source_topic(family, options, decoder, derivation, future_tolerance, clock) for family in families]


def _source_topic(
    family: Family[Any],
    options: FoldOptions,
    decoder: EventDecoder,
    derivation: Derivation,
    tolerance: timedelta,
    clock: Callable[[], datetime],
) -> SourceTopic:
    reader = _Decoder(family.events, decoder, tolerance, clock)
    derive = derivation.of_slice if derivation.follows(family) else None
    return SourceTopic(family=family, options=options, decode=reader, decode_all=reader.all, derive=derive)


class _Decoder:
    """Decodes the records of one topic; refuses events of other topics and of the future."""

    def __init__(
        self,
        kinds: Sequence[type[Event]],
        decoder: EventDecoder,
        tolerance: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._kinds = frozenset(kinds)
        self._decoder = decoder
        self._tolerance = tolerance
        self._clock = clock
        self._horizon = self._started = clock()
        # Beside the clock, which may be set back while the worker runs.
        self._began = time.monotonic()

    def __call__(self, value: bytes | None, headers: Headers) -> Event:
        event = self._decoder.decode(value, headers)
        # The clock is read only for what is newer than everything before it.
        if event.time > self._horizon and event.time > self._next_horizon():
            detail = f"the event is more than {self._tolerance} ahead of the clock"
            raise FutureEvent(detail, source=event.source, time=event.time)
        if type(event) not in self._kinds:
            raise InvalidEvent("wrong_topic", f"such an event belongs on the topic {event.topic}", field="type")
        return event

    def all(self, records: Sequence[Record]) -> list[Event] | None:
        """Decode records without headers; None where one of them needs a closer look."""
        if any(map(_HEADERS, records)):
            return None
        events = self._decoder.decode_all([record.value for record in records], until=self._horizon)
        # One look at all types together; which event is the wrong one is found out record by record, where that is
        # needed at all.
        return events if events is not None and self._kinds.issuperset(map(type, events)) else None

    def _next_horizon(self) -> datetime:
        # A clock that is set back makes no event one of the future that was none a moment ago.
        even = self._started + timedelta(seconds=time.monotonic() - self._began)
        self._horizon = max(self._clock(), even) + self._tolerance
        return self._horizon
