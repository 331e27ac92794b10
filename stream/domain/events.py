"""What can happen in a contact centre: one tagged union of CloudEvents, the source of truth of the contract.

`schemas/` is generated from this file and `payloads.py`. The envelope is CloudEvents 1.0; the vocabulary is
this project's own. It knows no bytes: `stream.codec` reads and writes them.
"""

from typing import Literal, get_args

from msgspec import Struct

from stream.domain.payloads import (
    ActivityData,
    AgentData,
    AnsweredData,
    ArrivalData,
    AvailabilityData,
    BlockedData,
    CallbackAttemptData,
    CallbackData,
    DequeuedData,
    EndedData,
    EnqueuedData,
    Id,
    Instant,
    IvrData,
    MembershipData,
    Name,
    OfferData,
    OfferEndedData,
    QueueData,
    TransferredData,
    WaitData,
    WrapupEndedData,
)

__all__ = [
    "AGENT_EVENTS",
    "CALLBACK_EVENTS",
    "CONTACT_EVENTS",
    "DEFAULT_TENANT",
    "EVENT_TYPES",
    "SEGMENT_EVENTS",
    "AgentActivityChanged",
    "AgentAvailabilityChanged",
    "AgentEvent",
    "AgentLoggedIn",
    "AgentLoggedOut",
    "AgentQueueJoined",
    "AgentQueueLeft",
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
    "Event",
    "OfferEnded",
    "SegmentEvent",
    "tag_of",
]

DEFAULT_TENANT = "default"
"""Tenant of events whose envelope names none."""


class Envelope(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag_field="type"):
    """CloudEvents 1.0 attributes. `source` and `id` together identify the event; `time` is when it happened (UTC)."""

    id: Id
    source: Id
    time: Instant
    """When it happened, by the clock of the call system; aware, UTC."""
    subject: Id
    """The contact, callback or agent that it happened to."""
    specversion: Literal["1.0"]
    tenantid: Name = DEFAULT_TENANT
    dataschema: str | None = None
    """Carries the version of the contract that the producer wrote against."""


class ContactOffered(Envelope, frozen=True, kw_only=True, tag="contact.offered"):
    """A contact reached the centre, before any voice menu."""

    data: ArrivalData


class ContactIvrEnded(Envelope, frozen=True, kw_only=True, tag="contact.ivr_ended"):
    """The voice menu is over."""

    data: IvrData


class ContactBlocked(Envelope, frozen=True, kw_only=True, tag="contact.blocked"):
    """An attempt that never got into the queue."""

    data: BlockedData


class ContactEnqueued(Envelope, frozen=True, kw_only=True, tag="contact.enqueued"):
    """A contact began to wait in a queue: one segment begins."""

    data: EnqueuedData


class ContactOfferedToAgent(Envelope, frozen=True, kw_only=True, tag="contact.offered_to_agent"):
    """It rings at an agent."""

    data: OfferData


class OfferEnded(Envelope, frozen=True, kw_only=True, tag="contact.offer_ended"):
    """It rang at an agent, in vain."""

    data: OfferEndedData


class ContactDequeued(Envelope, frozen=True, kw_only=True, tag="contact.dequeued"):
    """The contact left the queue by another exit than answer or abandon."""

    data: DequeuedData


class ContactAbandoned(Envelope, frozen=True, kw_only=True, tag="contact.abandoned"):
    """The customer gave up while waiting."""

    data: WaitData


class ContactAnswered(Envelope, frozen=True, kw_only=True, tag="contact.answered"):
    """An agent answered."""

    data: AnsweredData


class ContactHeld(Envelope, frozen=True, kw_only=True, tag="contact.held"):
    """The customer was put on hold."""

    data: QueueData


class ContactResumed(Envelope, frozen=True, kw_only=True, tag="contact.resumed"):
    """The customer was taken off hold."""

    data: QueueData


class ContactTransferred(Envelope, frozen=True, kw_only=True, tag="contact.transferred"):
    """The contact was handed on."""

    data: TransferredData


class ContactEnded(Envelope, frozen=True, kw_only=True, tag="contact.ended"):
    """The parties hung up."""

    data: EndedData


class ContactWrapupStarted(Envelope, frozen=True, kw_only=True, tag="contact.wrapup_started"):
    """The agent works on after the contact."""

    data: QueueData


class ContactWrapupEnded(Envelope, frozen=True, kw_only=True, tag="contact.wrapup_ended"):
    """The agent is done with the contact: handle time is known."""

    data: WrapupEndedData


class CallbackRequested(Envelope, frozen=True, kw_only=True, tag="callback.requested"):
    """A customer asked to be called back; `subject` is the callback."""

    data: CallbackData


class CallbackAttempted(Envelope, frozen=True, kw_only=True, tag="callback.attempted"):
    """The customer was called back, and has not answered yet."""

    data: CallbackAttemptData


class CallbackConnected(Envelope, frozen=True, kw_only=True, tag="callback.connected"):
    """The customer answered the call back."""

    data: CallbackAttemptData


class CallbackFailed(Envelope, frozen=True, kw_only=True, tag="callback.failed"):
    """The call back was given up for good."""

    data: CallbackAttemptData


class AgentLoggedIn(Envelope, frozen=True, kw_only=True, tag="agent.logged_in"):
    """An agent came on duty."""

    data: AgentData = AgentData()


class AgentLoggedOut(Envelope, frozen=True, kw_only=True, tag="agent.logged_out"):
    """An agent went off duty."""

    data: AgentData = AgentData()


class AgentAvailabilityChanged(Envelope, frozen=True, kw_only=True, tag="agent.availability_changed"):
    """An agent chose to be available, not ready or offline."""

    data: AvailabilityData


class AgentActivityChanged(Envelope, frozen=True, kw_only=True, tag="agent.activity_changed"):
    """An agent was seen doing something else."""

    data: ActivityData


class AgentQueueJoined(Envelope, frozen=True, kw_only=True, tag="agent.queue_joined"):
    """An agent began to serve a queue."""

    data: MembershipData


class AgentQueueLeft(Envelope, frozen=True, kw_only=True, tag="agent.queue_left"):
    """An agent serves a queue no more."""

    data: MembershipData


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
AgentEvent = (
    AgentActivityChanged | AgentAvailabilityChanged | AgentLoggedIn | AgentLoggedOut | AgentQueueJoined | AgentQueueLeft
)
Event = ContactEvent | CallbackEvent | AgentEvent

CONTACT_EVENTS: tuple[type[ContactEvent], ...] = get_args(ContactEvent)
SEGMENT_EVENTS: tuple[type[SegmentEvent], ...] = get_args(SegmentEvent)
CALLBACK_EVENTS: tuple[type[CallbackEvent], ...] = get_args(CallbackEvent)
AGENT_EVENTS: tuple[type[AgentEvent], ...] = get_args(AgentEvent)


def tag_of(event: type[Event] | Event) -> str:
    """Return the CloudEvents `type` of an event or event class."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


EVENT_TYPES: dict[str, type[Event]] = {tag_of(cls): cls for cls in (*CONTACT_EVENTS, *CALLBACK_EVENTS, *AGENT_EVENTS)}
"""Every event class by its CloudEvents `type`."""
