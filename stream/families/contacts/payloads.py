"""What each kind of event says: the `data` of the CloudEvents, and the types of its fields."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stream.core.cloudevents import Channel, Count, Id, Instant, Millis, Name

__all__ = [
    "AnsweredData",
    "ArrivalData",
    "BlockReason",
    "BlockedData",
    "CallbackAttemptData",
    "CallbackData",
    "DequeueReason",
    "DequeuedData",
    "EndedData",
    "EnqueuedData",
    "IvrData",
    "OfferData",
    "OfferEndedData",
    "QueueData",
    "TransferredData",
    "WaitData",
    "WrapupEndedData",
]

BlockReason = Literal["busy", "full", "no_agents", "closed", "capacity"]
DequeueReason = Literal["overflow", "timeout", "key", "empty", "moved", "callback_requested", "voicemail", "system"]


class QueueData(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Where it happened: queue and channel, and which visit of the contact to that queue."""

    queue: Name
    channel: Channel = "voice"
    enqueue_seq: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    """Which visit of the contact to a queue this is; a re-queue needs a higher one."""
    agent: Id | None = None
    direction: Literal["inbound", "outbound"] = "inbound"
    customer: Id | None = None
    """An opaque id, never a name or address; it is the same in contacts, cases and surveys."""
    topic: Name | None = None
    """What it is about, where somebody knows that."""
    revision: Annotated[int, Meta(ge=0, le=2**53)] = 0
    """
    Higher each time a system corrects what it told, such as the seconds of its last update.

    Of two reports of a kind the one with the higher revision stands, whenever it comes; of one revision the earlier.
    Holds, offers and calls back are not corrected.
    """


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
