"""What can happen in a contact centre: one tagged union of CloudEvents, the source of truth of the contract.

`schemas/` is generated from this file. The envelope is CloudEvents 1.0; the vocabulary is this
project's own. It knows no bytes: `stream.codec` reads and writes them.
"""

from datetime import datetime
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

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
    "BlockReason",
    "CallbackAttempted",
    "CallbackConnected",
    "CallbackEvent",
    "CallbackFailed",
    "CallbackRequested",
    "Channel",
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
    "DequeueReason",
    "EndedData",
    "Event",
    "OfferEnded",
    "SegmentEvent",
    "TransferredData",
    "tag_of",
]

DEFAULT_TENANT = "default"
"""Tenant of events whose envelope names none."""

Channel = Literal["voice", "chat", "sms", "messaging", "email", "social", "video", "task"]
BlockReason = Literal["busy", "full", "no_agents", "closed", "capacity"]
DequeueReason = Literal["overflow", "timeout", "key", "empty", "moved", "callback_requested", "voicemail", "system"]

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Millis = Annotated[int, Meta(ge=0, le=31 * 24 * 3_600_000)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Instant = Annotated[datetime, Meta(tz=True)]


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


class QueueData(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where it happened: queue and channel, and which visit of the contact to that queue."""

    queue: Name
    channel: Channel = "voice"
    enqueue_seq: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    """Which visit of the contact to a queue this is; a re-queue needs a higher one."""
    agent: Id | None = None
    direction: Literal["inbound", "outbound"] = "inbound"


class ArrivalData(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A contact that is not (yet) in a queue."""

    queue: Name | None = None
    channel: Channel = "voice"
    did: str | None = None
    """Number or address dialled; never a label."""
    entry_point: str | None = None


class IvrData(ArrivalData, frozen=True, kw_only=True):
    """How the voice menu ended."""

    outcome: Literal["queued", "self_served", "abandoned"]


class BlockedData(QueueData, frozen=True, kw_only=True):
    """Why the contact did not get into the queue. `closed` is counted apart."""

    reason: BlockReason


class EnqueuedData(QueueData, frozen=True, kw_only=True):
    """How the contact came into the queue."""

    position: Count | None = None
    priority: int | None = None
    skills: tuple[Name, ...] = ()
    reason: Literal["new", "transfer", "requeue", "callback"] = "new"


class OfferData(QueueData, frozen=True, kw_only=True):
    """The contact rings at an agent."""

    offer_id: Id | None = None


class OfferEndedData(OfferData, frozen=True, kw_only=True):
    """The agent did not take the contact."""

    result: Literal["missed", "rejected", "rescinded", "canceled"]
    ring_ms: Millis | None = None


class WaitData(QueueData, frozen=True, kw_only=True):
    """The end of a wait. `wait_ms` is the call system's own figure, and wins over the difference of times."""

    wait_ms: Millis | None = None
    position: Count | None = None


class DequeuedData(WaitData, frozen=True, kw_only=True):
    """The contact left the queue, neither answered nor given up by the customer."""

    reason: DequeueReason
    to_queue: Name | None = None


class AnsweredData(WaitData, frozen=True, kw_only=True):
    """The first agent to connect in this segment."""

    ring_ms: Millis | None = None
    offer_id: Id | None = None


class TransferredData(QueueData, frozen=True, kw_only=True):
    """The contact goes on elsewhere: this segment is over."""

    kind: Literal["blind", "attended", "queue"]
    to_queue: Name | None = None
    to_agent: Id | None = None
    to_external: bool = False
    new_segment_id: Id | None = None
    talk_ms: Millis | None = None
    hold_ms: Millis | None = None
    wrapup: bool = False


class EndedData(QueueData, frozen=True, kw_only=True):
    """The conversation is over."""

    ended_by: Literal["customer", "agent", "system"] | None = None
    talk_ms: Millis | None = None
    """Talk without hold."""
    hold_ms: Millis | None = None
    disposition: str | None = None
    wrapup: bool = False
    """Wrap-up follows: handle time is counted when it ends, not now."""


class WrapupEndedData(QueueData, frozen=True, kw_only=True):
    """After-contact work is done."""

    acw_ms: Millis | None = None


class CallbackData(QueueData, frozen=True, kw_only=True):
    """A promised call back; `origin` is the contact that asked for it."""

    origin: Id | None = None
    due_at: Instant | None = None


class CallbackAttemptData(CallbackData, frozen=True, kw_only=True):
    """The number of the attempt, from 1."""

    attempt: Annotated[int, Meta(ge=1, le=10_000)] = 1


class AgentData(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An agent, as a whole."""


class AvailabilityData(AgentData, frozen=True, kw_only=True):
    """What the agent chose; with `queue`, for that queue only."""

    status: Literal["available", "not_ready", "offline"]
    reason: str | None = None
    queue: Name | None = None


class ActivityData(AgentData, frozen=True, kw_only=True):
    """What the agent was seen doing."""

    activity: Literal["idle", "reserved", "on_contact", "acw", "error"]


class MembershipData(AgentData, frozen=True, kw_only=True):
    """The queue that the agent joined or left."""

    queue: Name
    penalty: int | None = None


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
