"""The source topics of this product: what may be on them, and what folds them."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from stream.core.cloudevents import Event, tag_of
from stream.core.policies import Policies
from stream.errors import InvalidEvent
from stream.families import DECODER, EVENT_TYPES
from stream.families.agents import events as agents_events
from stream.families.agents.fold import AgentsFold
from stream.families.agents.tables import AGENTS
from stream.families.contacts import events as contacts_events
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.tables import SEGMENTS, TALLIES
from stream.runtime.source_topic import Headers, Record, SourceTopic

__all__ = ["source_topics"]

_HEADERS = attrgetter("headers")


def source_topics(
    policies: Policies,
    *,
    partitions: int,
    max_queues_per_tenant: int,
    max_queues: int,
    future_tolerance: timedelta,
    clock: Callable[[], datetime],
) -> list[SourceTopic]:
    """
    Return the topics of contacts and of agents; events too far ahead of *clock* are invalid.

    A limit of queues is shared out to the partitions: keys spread over them by chance, so each has
    twice its share, and some more.
    """
    of_tenant = min(max_queues_per_tenant, 2 * max_queues_per_tenant // partitions + 20)
    of_all = min(max_queues, 2 * max_queues // partitions + 20)

    contacts, agents = (_Decoder(topic, future_tolerance, clock) for topic in ("contacts", "agents"))
    return [
        SourceTopic(
            name="contacts",
            decode=contacts,
            decode_all=contacts.all,
            key_parts_of=contacts_events.ContactEnqueued.key_parts,
            new_fold=lambda: ContactsFold(policies, max_queues_per_tenant=of_tenant, max_queues=of_all),
            codecs={"tallies": TALLIES, "segments": SEGMENTS},
            type_name=tag_of,
        ),
        SourceTopic(
            name="agents",
            decode=agents,
            decode_all=agents.all,
            key_parts_of=agents_events.AgentLoggedIn.key_parts,
            new_fold=lambda: AgentsFold(max_queues_per_tenant=of_tenant, max_queues=of_all),
            codecs={"agents": AGENTS},
            type_name=tag_of,
        ),
    ]


class _Decoder:
    """Decodes the records of one topic; refuses events of other topics and of the future."""

    def __init__(self, topic: str, tolerance: timedelta, clock: Callable[[], datetime]) -> None:
        self._kinds = frozenset(kind for kind in EVENT_TYPES.values() if kind.topic == topic)
        self._tolerance = tolerance
        self._clock = clock
        self._horizon = self._started = clock()
        self._began = time.monotonic()

    def __call__(self, value: bytes | None, headers: Headers) -> Event:
        event = DECODER.decode(value, headers)
        # The clock is read only for what is newer than everything before it.
        if event.time > self._horizon and event.time > self._next_horizon():
            raise InvalidEvent("future", f"the event is more than {self._tolerance} ahead of the clock", field="time")
        if type(event) not in self._kinds:
            raise InvalidEvent("wrong_topic", f"such an event belongs on the topic {event.topic}", field="type")
        return event

    def all(self, records: Sequence[Record]) -> list[Event] | None:
        """Decode records without headers; None where one of them needs a closer look."""
        if any(map(_HEADERS, records)):
            return None
        events = DECODER.decode_all([record.value for record in records], until=self._horizon)
        return events if events is not None and self._kinds.issuperset(map(type, events)) else None

    def _next_horizon(self) -> datetime:
        # A clock that is set back makes no event one of the future that was none a moment ago.
        even = self._started + timedelta(seconds=time.monotonic() - self._began)
        self._horizon = max(self._clock(), even) + self._tolerance
        return self._horizon
