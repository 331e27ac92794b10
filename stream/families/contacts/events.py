"""
What can happen to a contact, and to a promised call back: the source of truth of the contract.

`schemas/` is generated from this file and `payloads.py`. The vocabulary is this project's own.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar, get_args

from stream.core.cloudevents import Event, KeyParts
from stream.families.contacts.payloads import (
    AnsweredData,
    ArrivalData,
    BlockedData,
    CallbackAttemptData,
    CallbackData,
    DequeuedData,
    EndedData,
    EnqueuedData,
    IvrData,
    OfferData,
    OfferEndedData,
    QueueData,
    TransferredData,
    WaitData,
    WrapupEndedData,
)

__all__ = [
    "CALLBACK_EVENTS",
    "CONTACT_EVENTS",
    "EVENTS",
    "SEGMENT_EVENTS",
    "CallbackAttempted",
    "CallbackConnected",
    "CallbackEvent",
    "CallbackFailed",
    "CallbackRequested",
    "ContactAbandoned",
    "ContactAnswered",
    "ContactBlocked",
    "ContactDequeued",
    "ContactEnded",
    "ContactEnqueued",
    "ContactEvent",
    "ContactHeld",
    "ContactIvrEnded",
    "ContactOffered",
    "ContactOfferedToAgent",
    "ContactResumed",
    "ContactTransferred",
    "ContactWrapupEnded",
    "ContactWrapupStarted",
    "OfferEnded",
    "SegmentEvent",
]


class _OfQueue(Event, frozen=True, kw_only=True):
    """Keyed by tenant and queue; no queue is known before one is chosen."""

    topic: ClassVar[str] = "contacts"
    # In C: it is asked for each record, to compare the record's own key with it.
    key_parts: ClassVar[Callable[[Any], KeyParts]] = attrgetter("tenantid", "data.queue")


class ContactOffered(_OfQueue, frozen=True, kw_only=True, tag="contact.offered"):
    """A contact reached the centre, before any voice menu."""

    data: ArrivalData


class ContactIvrEnded(_OfQueue, frozen=True, kw_only=True, tag="contact.ivr_ended"):
    """The voice menu is over."""

    data: IvrData


class ContactBlocked(_OfQueue, frozen=True, kw_only=True, tag="contact.blocked"):
    """An attempt that never got into the queue."""

    data: BlockedData


class ContactEnqueued(_OfQueue, frozen=True, kw_only=True, tag="contact.enqueued"):
    """A contact began to wait in a queue: one segment begins."""

    data: EnqueuedData


class ContactOfferedToAgent(_OfQueue, frozen=True, kw_only=True, tag="contact.offered_to_agent"):
    """It rings at an agent."""

    data: OfferData


class OfferEnded(_OfQueue, frozen=True, kw_only=True, tag="contact.offer_ended"):
    """It rang at an agent, in vain."""

    data: OfferEndedData


class ContactDequeued(_OfQueue, frozen=True, kw_only=True, tag="contact.dequeued"):
    """The contact left the queue by another exit than answer or abandon."""

    data: DequeuedData


class ContactAbandoned(_OfQueue, frozen=True, kw_only=True, tag="contact.abandoned"):
    """The customer gave up while waiting."""

    data: WaitData


class ContactAnswered(_OfQueue, frozen=True, kw_only=True, tag="contact.answered"):
    """An agent answered."""

    data: AnsweredData


class ContactHeld(_OfQueue, frozen=True, kw_only=True, tag="contact.held"):
    """The customer was put on hold."""

    data: QueueData


class ContactResumed(_OfQueue, frozen=True, kw_only=True, tag="contact.resumed"):
    """The customer was taken off hold."""

    data: QueueData


class ContactTransferred(_OfQueue, frozen=True, kw_only=True, tag="contact.transferred"):
    """The contact was handed on."""

    data: TransferredData


class ContactEnded(_OfQueue, frozen=True, kw_only=True, tag="contact.ended"):
    """The parties hung up."""

    data: EndedData


class ContactWrapupStarted(_OfQueue, frozen=True, kw_only=True, tag="contact.wrapup_started"):
    """The agent works on after the contact."""

    data: QueueData


class ContactWrapupEnded(_OfQueue, frozen=True, kw_only=True, tag="contact.wrapup_ended"):
    """The agent is done with the contact: handle time is known."""

    data: WrapupEndedData


class CallbackRequested(_OfQueue, frozen=True, kw_only=True, tag="callback.requested"):
    """A customer asked to be called back; `subject` is the callback."""

    data: CallbackData


class CallbackAttempted(_OfQueue, frozen=True, kw_only=True, tag="callback.attempted"):
    """The customer was called back, and has not answered yet."""

    data: CallbackAttemptData


class CallbackConnected(_OfQueue, frozen=True, kw_only=True, tag="callback.connected"):
    """The customer answered the call back."""

    data: CallbackAttemptData


class CallbackFailed(_OfQueue, frozen=True, kw_only=True, tag="callback.failed"):
    """The call back was given up for good."""

    data: CallbackAttemptData


# Unions are written out, most frequent first: the order in which `match` statements test them.
SegmentEvent = (
    ContactEnqueued
    | ContactAnswered
    | ContactEnded
    | ContactWrapupEnded
    | ContactOfferedToAgent
    | OfferEnded
    | ContactAbandoned
    | ContactHeld
    | ContactResumed
    | ContactWrapupStarted
    | ContactDequeued
    | ContactTransferred
    | ContactBlocked
)
ArrivalEvent = ContactOffered | ContactIvrEnded
ContactEvent = SegmentEvent | ArrivalEvent
CallbackEvent = CallbackRequested | CallbackAttempted | CallbackConnected | CallbackFailed

CONTACT_EVENTS: tuple[type[ContactEvent], ...] = get_args(ContactEvent)
SEGMENT_EVENTS: tuple[type[SegmentEvent], ...] = get_args(SegmentEvent)
CALLBACK_EVENTS: tuple[type[CallbackEvent], ...] = get_args(CallbackEvent)
EVENTS: tuple[type[Event], ...] = (*CONTACT_EVENTS, *CALLBACK_EVENTS)
"""Every event of contacts, in the order of the contract."""
