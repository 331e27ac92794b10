"""What events of the topic `voice-agentstate` become: who is logged in, ready, and at work after a call."""

from collections.abc import Callable
from typing import Final

from stream.core.cloudevents import Event
from stream.sdk.factory import EventFactory
from stream.sources.genesys_kafka.voice_event import VoiceEvent

__all__ = ["AGENT_STATE_EVENTS", "AGENT_STATE_EVENTS_OF_NO_USE"]

AGENT_STATE_EVENTS_OF_NO_USE: Final = frozenset(
    (
        *("EventDNOutOfService", "EventDNBackInService", "EventDNDOn", "EventDNDOff", "EventForwardSet"),
        *("EventForwardCancel", "EventMonitoringNextCall", "EventMonitoringCancelled", "EventOffHook", "EventOnHook"),
        *("EventMuteOn", "EventMuteOff", "EventListenDisconnected", "EventListenReconnected"),
        *("EventMessageWaitingOn", "EventMessageWaitingOff"),
    )
)
"""Known, and of no figure."""

_AFTER_CALL_WORK: Final = frozenset({"aftercallwork", "3"})

_Told = Callable[[VoiceEvent, str, EventFactory], list[Event]]


def _login(told: VoiceEvent, queue: str, factory: EventFactory) -> list[Event]:
    joined = [factory.joined(told.agent, queue, at=told.at)] if told.queue else []
    return [factory.logged_in(told.agent, at=told.at), *joined]


def _logout(told: VoiceEvent, _: str, factory: EventFactory) -> list[Event]:
    return [factory.logged_out(told.agent, at=told.at)]


def _queue_logout(told: VoiceEvent, queue: str, factory: EventFactory) -> list[Event]:
    return [factory.left(told.agent, queue, at=told.at)] if told.queue else []


def _ready(told: VoiceEvent, _: str, factory: EventFactory) -> list[Event]:
    return [
        factory.availability(told.agent, "available", at=told.at),
        factory.activity(told.agent, "idle", at=told.at),
    ]


def _not_ready(told: VoiceEvent, _: str, factory: EventFactory) -> list[Event]:
    if told.work_mode in _AFTER_CALL_WORK:
        return [factory.activity(told.agent, "acw", at=told.at)]
    return [
        factory.availability(told.agent, "not_ready", at=told.at),
        factory.activity(told.agent, "idle", at=told.at),
    ]


AGENT_STATE_EVENTS: Final[dict[str, _Told]] = {
    "EventAgentLogin": _login,
    "EventAgentLogout": _logout,
    "EventQueueLogout": _queue_logout,
    "EventAgentReady": _ready,
    "EventAgentNotReady": _not_ready,
}
"""How each event is told, given the name of its queue; an empty list where it says nothing."""
