"""What detail events of a conversation become, each by itself: the others may come later, twice, or to another gateway.

A visit is known by its conversation and queue, since a queue and the agents who answer for it are participants of
their own, and nothing tells which belongs to which.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, Literal

from stream.core.cloudevents import Channel, Event
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.families.contacts.payloads import DequeueReason
from stream.sdk.factory import EventFactory, Where
from stream.sources.genesys_cloud.detail_events import TRANSFERS, DetailEvent

__all__ = ["DETAIL_KINDS", "OF_NO_USE", "ConversationEvents"]

_PREFIX: Final = "v2.detail.events.conversation.{id}."

OF_NO_USE: Final = frozenset(
    _PREFIX + name
    for name in (
        *("customer.end", "flow.start", "flow.end", "flow.outcome", "wrapup", "attributes", "contact", "outbound"),
        *("voicemail.start", "voicemail.end"),
    )
)
"""Kinds that are known, and tell nothing that a figure is made of."""

_ENDED_BY: Final[dict[str, Literal["customer", "agent", "system"]]] = {
    "PEER": "customer",
    "CLIENT": "agent",
    "ENDPOINT": "agent",
    "SYSTEM": "system",
    "TIMEOUT": "system",
    "INACTIVITY": "system",
    "SESSION_EXPIRED": "system",
    "ERROR": "system",
    "TRANSPORT_FAILURE": "system",
}
"""By the `disconnectType` of an agent: its peer is the customer."""

_RINGS_IN_VAIN: Final[dict[str, Literal["missed", "rejected", "rescinded", "canceled"]]] = {
    "PEER": "canceled",
    "CLIENT": "rejected",
    "ENDPOINT": "rejected",
    "DND_ENDPOINT": "rejected",
    "DND_TRANSFER": "rejected",
    "TRANSFER": "rescinded",
    "CONSULT_TRANSFER": "rescinded",
    "CONFERENCE_TRANSFER": "rescinded",
    "ERROR": "rescinded",
    "TRANSPORT_FAILURE": "rescinded",
    "UNCALLABLE": "rescinded",
}
"""By the `disconnectType` of an agent who never answered; at any other one it rang, and the agent missed it."""


class ConversationEvents:
    """Makes events of one detail event in *queue*, which has the name that boards show; None where it tells nothing."""

    def __init__(self, told: DetailEvent, channel: Channel, queue: str | None, factory: EventFactory) -> None:
        self._told = told
        self._channel: Channel = channel
        self._queue = queue
        self._factory = factory

    def customer_start(self) -> list[Event] | None:
        """The customer reached the centre, before any menu."""
        if self._told.is_outbound or self._told.is_callback:
            return None
        return [self._factory.offered(self._told.conversation_id, channel=self._channel, at=self._told.at)]

    def acd_start(self) -> list[Event] | None:
        """A contact, or a callback, began to wait in a queue."""
        told, queue = self._told, self._queue
        if queue is None or told.is_outbound:
            return None
        if told.is_callback:
            return [self._callback(e.CallbackRequested, payloads.CallbackData)]
        entered = self._factory.enqueued(
            told.conversation_id, queue, priority=told.routing_priority, at=told.at, **self._where()
        )
        return [entered]

    def acd_end(self) -> list[Event] | None:
        """The wait is over: `acdOutcome` says how."""
        told, queue = self._told, self._queue
        if queue is None or told.is_outbound:
            return None
        outcome = _outcome(told)
        if told.is_callback:
            return [self._tried() if outcome == "ANSWERED" else self._given_up()]
        wait = _length(told.connected_duration_ms)
        contact, where = told.conversation_id, self._where()
        match outcome:
            case "ANSWERED":
                where["agent"] = told.answered_user_id
                return [self._factory.answered(contact, queue, wait=wait, at=told.at, **where)]
            case "ABANDON":
                return [self._factory.abandoned(contact, queue, wait=wait, at=told.at, **where)]
            case _:
                return [self._factory.dequeued(contact, queue, _exit(told), wait=wait, at=told.at, **where)]

    def user_start(self) -> list[Event] | None:
        """It rings at an agent."""
        told, queue = self._told, self._queue
        if queue is None or told.is_outbound or told.is_callback:
            return None
        data = payloads.OfferData(queue=queue, offer_id=told.participant_id, **self._where())
        return [e.ContactOfferedToAgent(**self._factory.envelope(told.conversation_id, told.at), data=data)]

    def user_end(self) -> list[Event] | None:
        """An agent's part is over: the conversation, or a ring that the agent did not answer."""
        told, queue = self._told, self._queue
        if queue is None or told.is_callback:
            return None
        if told.talked:
            return [self._conversation_over(queue), *self._called_back()]
        return None if told.is_outbound else [self._rang_in_vain(queue)]

    def acw(self) -> list[Event] | None:
        """The agent is done with the contact."""
        told, queue = self._told, self._queue
        if queue is None or told.is_callback:
            return None
        wrapup = _length(told.wrapup_duration_ms)
        return [self._factory.wrapup_ended(self._contact(), queue, wrapup=wrapup, at=told.at, **self._where())]

    # -- parts ---------------------------------------------------------------------------------

    def _where(self) -> Where:
        told = self._told
        where = Where(channel=self._channel, agent=told.user_id, customer=told.customer)
        if told.is_outbound:
            where["direction"] = "outbound"
        return where

    def _contact(self) -> str:
        # We may call the customer of a conversation that had waited in the same queue: that is another contact.
        told = self._told
        return f"{told.conversation_id}/{told.participant_id}" if told.is_outbound else told.conversation_id

    def _conversation_over(self, queue: str) -> Event:
        told, where, contact = self._told, self._where(), self._contact()
        talk, hold = _length(told.interacting_duration_ms or 0), _length(told.held_duration_ms or 0)
        how = told.disconnect_type or ""
        if how in TRANSFERS:
            kind: Any = TRANSFERS[how]
            return self._factory.transferred(contact, queue, kind, talk=talk, hold=hold, at=told.at, **where)
        ended_by = _ENDED_BY.get(how)
        return self._factory.ended(contact, queue, ended_by=ended_by, talk=talk, hold=hold, at=told.at, **where)

    def _rang_in_vain(self, queue: str) -> Event:
        told = self._told
        data = payloads.OfferEndedData(
            queue=queue,
            offer_id=told.participant_id,
            result=_RINGS_IN_VAIN.get(told.disconnect_type or "", "missed"),
            ring_ms=told.alerting_duration_ms,
            **self._where(),
        )
        return e.OfferEnded(**self._factory.envelope(told.conversation_id, told.at), data=data)

    def _called_back(self) -> list[Event]:
        """Tell that a promise was kept, where the call that was talked in was made for one."""
        if self._told.is_outbound and self._told.callback_numbers:
            return [self._callback(e.CallbackConnected, payloads.CallbackAttemptData)]
        return []

    def _tried(self) -> Event:
        return self._callback(e.CallbackAttempted, payloads.CallbackAttemptData)

    def _given_up(self) -> Event:
        return self._callback(e.CallbackFailed, payloads.CallbackAttemptData)

    def _callback(self, event: type[e.CallbackEvent], data: type[payloads.CallbackData]) -> Event:
        told = self._told
        due_at = None
        if told.callback_scheduled_time is not None:
            due_at = told.at + timedelta(milliseconds=told.callback_scheduled_time - told.event_time)
        content: Any = data(queue=self._queue or "", due_at=due_at, channel=self._channel, customer=told.customer)
        return event(**self._factory.envelope(told.conversation_id, told.at), data=content)


DETAIL_KINDS: Final[dict[str, Callable[[ConversationEvents], list[Event] | None]]] = {
    _PREFIX + "customer.start": ConversationEvents.customer_start,
    _PREFIX + "acd.start": ConversationEvents.acd_start,
    _PREFIX + "acd.end": ConversationEvents.acd_end,
    _PREFIX + "user.start": ConversationEvents.user_start,
    _PREFIX + "user.end": ConversationEvents.user_end,
    _PREFIX + "acw": ConversationEvents.acw,
}
"""How each kind is told."""


def _outcome(told: DetailEvent) -> str:
    """Return the outcome that Genesys tells; where it does not know, what follows from how the queue was left."""
    if told.acd_outcome not in {None, "UNKNOWN"}:
        return told.acd_outcome or ""
    if told.answered_user_id:
        return "ANSWERED"
    # In the queue itself the customer is the one that disconnects.
    return "ABANDON" if told.disconnect_type in {"PEER", "ENDPOINT", "CLIENT"} else "FLOW_OUT"


def _exit(told: DetailEvent) -> DequeueReason:
    if told.disconnect_type in TRANSFERS:
        return "moved"
    return "timeout" if told.disconnect_type == "TIMEOUT" else "system"


def _length(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)
