"""What events of the topic `voice-callthread` become: calls in queues, and what agents do with them.

Each event is told by itself; a visit is known by call thread and queue.
"""

from collections.abc import Callable
from typing import Final

from stream.core.cloudevents import Event
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.sdk.factory import EventFactory, Where
from stream.sources.genesys_kafka.voice_event import VoiceEvent

__all__ = ["CALL_EVENTS", "CALL_EVENTS_OF_NO_USE", "is_of_ours"]

CALL_EVENTS_OF_NO_USE: Final = frozenset(
    (
        *("EventDialing", "EventDestinationBusy", "EventNetworkReached", "EventBridged"),
        *("EventPartyAdded", "EventPartyChanged", "EventPartyDeleted", "EventRouteRequest", "EventRouteUsed"),
        *("EventTreatmentApplied", "EventTreatmentEnd", "EventTreatmentNotApplied", "EventTreatmentRequired"),
    )
)
"""Known, and of no figure."""

_OF_OURS: Final = frozenset({"outbound", "consult", "3", "4"})
_TRANSFERRED: Final = frozenset({"transferred", "1"})
_REMOTE_RELEASE: Final = frozenset({"remoterelease", "5"})
"""Values of CallType and CallState, by name or by number."""

_Told = Callable[[VoiceEvent, str, EventFactory], list[Event]]


def is_of_ours(told: VoiceEvent) -> bool:
    """Tell whether we made the call: a consultation is no contact, though it may go by a queue, too."""
    return told.call_type in _OF_OURS


def _queued(told: VoiceEvent, queue: str, factory: EventFactory) -> list[Event]:
    return [factory.enqueued(told.thread, queue, at=told.at)]


def _abandoned(told: VoiceEvent, queue: str, factory: EventFactory) -> list[Event]:
    # Also at the telephone of an agent, where it rang: the visit is the same.
    return [factory.abandoned(told.thread, queue, at=told.at)]


def _diverted(told: VoiceEvent, queue: str, factory: EventFactory) -> list[Event]:
    if not told.at_queue:
        data = payloads.OfferEndedData(queue=queue, agent=_agent(told), result="missed")
        return [e.OfferEnded(**factory.envelope(told.thread, told.at), data=data)]
    # Out of a queue and to an agent is no exit: an answer may follow, or not.
    if told.third_queue in {"", told.own_queue}:
        return []
    return [factory.dequeued(told.thread, queue, "moved", to_queue=told.third_queue, at=told.at)]


def _ringing(told: VoiceEvent, queue: str, factory: EventFactory) -> list[Event]:
    if told.at_queue:
        return []
    data = payloads.OfferData(queue=queue, agent=_agent(told))
    offered = e.ContactOfferedToAgent(**factory.envelope(told.thread, told.at), data=data)
    return [offered, *([factory.activity(told.agent, "reserved", at=told.at)] if told.agent else [])]


def _established(told: VoiceEvent, queue: str, factory: EventFactory) -> list[Event]:
    if told.at_queue:
        return []
    answered = factory.answered(told.thread, queue, at=told.at, agent=_agent(told))
    return [answered, *([factory.activity(told.agent, "on_contact", at=told.at)] if told.agent else [])]


def _held(told: VoiceEvent, queue: str, factory: EventFactory) -> list[Event]:
    return [] if told.at_queue else [factory.held(told.thread, queue, at=told.at, agent=_agent(told))]


def _retrieved(told: VoiceEvent, queue: str, factory: EventFactory) -> list[Event]:
    return [] if told.at_queue else [factory.resumed(told.thread, queue, at=told.at, agent=_agent(told))]


def _released(told: VoiceEvent, queue: str, factory: EventFactory) -> list[Event]:
    if told.at_queue:
        return []
    where = Where(agent=_agent(told))
    over: Event
    if told.call_state in _TRANSFERRED:
        over = factory.transferred(told.thread, queue, "attended", at=told.at, **where)
    else:
        by_customer = told.call_state in _REMOTE_RELEASE
        over = factory.ended(told.thread, queue, ended_by="customer" if by_customer else None, at=told.at, **where)
    return [over, *([factory.activity(told.agent, "idle", at=told.at)] if told.agent else [])]


def _agent(told: VoiceEvent) -> str:
    return told.agent or told.dn


CALL_EVENTS: Final[dict[str, _Told]] = {
    "EventQueued": _queued,
    "EventAbandoned": _abandoned,
    "EventDiverted": _diverted,
    "EventRinging": _ringing,
    "EventEstablished": _established,
    "EventHeld": _held,
    "EventRetrieved": _retrieved,
    "EventReleased": _released,
}
"""How each event is told, given the name of its queue; an empty list where it says nothing."""
