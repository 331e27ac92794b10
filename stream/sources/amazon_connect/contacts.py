"""What a contact event or record says of one contact: both become the same struct, so that both tell the same.

A document has all instants of its contact up to then. So each tells the whole story as far as it knows it, and of two
that are out of order, or of which one was lost, nothing is missing.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from stream.core.cloudevents import Channel
from stream.sources.amazon_connect.arns import last_part, queue_of
from stream.sources.amazon_connect.aws_object import AwsObject
from stream.sources.queue_names import QueueNames
from stream.sources.requests.parts import UnusablePart

__all__ = ["AWS_CHANNELS", "KINDS_OF_CONTACT_EVENTS", "ToldContact", "contact_of_event", "contact_of_record"]

KINDS_OF_CONTACT_EVENTS: Final = frozenset(
    {
        *("INITIATED", "CONNECTED_TO_SYSTEM", "AMD_DISABLED", "CONTACT_DATA_UPDATED", "QUEUED", "CONNECTED_TO_AGENT"),
        *("HOLD", "UNHOLD", "PAUSED", "RESUMED", "TRANSFERRED", "DISCONNECTED", "COMPLETED"),
    }
)
"""The kinds of contact events: which it is matters little, since each has all instants up to then."""

AWS_CHANNELS: Final[dict[str, Channel]] = {"voice": "voice", "chat": "chat", "task": "task", "email": "email"}

_OUTBOUND: Final = frozenset({"OUTBOUND", "EXTERNAL_OUTBOUND", "CALLBACK", "AGENT_REPLY"})
"""We called, or wrote: nobody waited for an answer. A voice contact that was begun by API is outbound, too."""


class ToldContact(Struct, frozen=True, kw_only=True):
    """One contact, as one document knows it; instants are whole seconds, None for what has not happened yet."""

    instance: str
    contact: str
    method: str
    channel: Channel
    queue: str | None
    agent: str | None = None
    initiated_at: datetime | None = None
    reached_at: datetime | None = None
    """When the customer's end was connected to Amazon Connect."""
    enqueued_at: datetime | None = None
    answered_at: datetime | None = None
    dequeued_at: datetime | None = None
    held_at: datetime | None = None
    resumed_at: datetime | None = None
    """Of an event that says just that: no document has the instants of holds before it."""
    disconnected_at: datetime | None = None
    disconnect_reason: str = ""
    talk: timedelta | None = None
    """As Amazon Connect counted it, without hold."""
    hold: timedelta | None = None
    pause: timedelta = timedelta()
    """Only tasks can be paused."""
    wrapup_began_at: datetime | None = None
    wrapup_ended_at: datetime | None = None
    is_complete: bool = False
    """Nothing more will happen, wrap-up included."""
    goes_on: bool = False
    """Another contact follows this one."""
    goes_elsewhere: bool = False
    """It was handed on to somebody outside."""
    updated_at: datetime | None = None
    """Of a record: its version."""

    @property
    def is_outbound(self) -> bool:
        """Whether we called the customer."""
        return self.method in _OUTBOUND or (self.method == "API" and self.channel == "voice")

    @property
    def left_at(self) -> datetime | None:
        """When the agent was done talking: of a contact that was handed on, the customer hangs up later, elsewhere."""
        return self.wrapup_began_at or self.disconnected_at

    @property
    def revision(self) -> int:
        """Of a record the seconds of its last update: a later record corrects an earlier one, and contact events."""
        return 0 if self.updated_at is None else int(self.updated_at.timestamp())

    @property
    def corrected_after(self) -> timedelta:
        """How long after the contact was over its record was written, or written anew; 0 where nothing tells."""
        over_at = self.wrapup_ended_at or self.disconnected_at
        if over_at is None or self.disconnected_at is None or self.updated_at is None:
            return timedelta()
        return self.updated_at - max(over_at, self.disconnected_at)


def contact_of_event(kind: str, envelope: AwsObject, detail: AwsObject, names: QueueNames) -> ToldContact:
    """Return what a contact event says, which is one of KINDS_OF_CONTACT_EVENTS; raises UnusablePart."""
    happened_at = envelope.second("time")
    queue, agent = detail.part("queueInfo"), detail.part("agentInfo")
    # Each event has the instants of those before it; only its own may be missing, in events of the first years.
    enqueued_at = queue.second("enqueueTimestamp") or (happened_at if kind == "QUEUED" else None)
    answered_at = agent.second("connectedToAgentTimestamp") or (happened_at if kind == "CONNECTED_TO_AGENT" else None)
    disconnected_at = detail.second("disconnectTimestamp") or (happened_at if kind == "DISCONNECTED" else None)
    return ToldContact(
        instance=detail.required("instanceArn"),
        contact=detail.required("contactId"),
        method=detail.required("initiationMethod"),
        channel=_channel(detail),
        queue=queue_of(queue.text("queueArn"), names),
        agent=last_part(agent.text("agentArn")),
        initiated_at=detail.second("initiationTimestamp"),
        reached_at=detail.second("connectedToSystemTimestamp"),
        enqueued_at=enqueued_at,
        answered_at=answered_at,
        held_at=happened_at if kind == "HOLD" else None,
        resumed_at=happened_at if kind == "UNHOLD" else None,
        disconnected_at=disconnected_at,
        disconnect_reason=detail.text("disconnectReason") or "",
        wrapup_began_at=agent.second("afterContactWorkStartTimestamp"),
        wrapup_ended_at=agent.second("afterContactWorkEndTimestamp"),
        is_complete=kind == "COMPLETED",
    )


def contact_of_record(record: AwsObject, names: QueueNames) -> ToldContact:
    """Return what a contact record says, which is written when all is over; raises UnusablePart."""
    queue, agent = record.part("Queue"), record.part("Agent")
    return ToldContact(
        instance=record.required("InstanceARN"),
        contact=record.required("ContactId"),
        method=record.required("InitiationMethod"),
        channel=_channel(record),
        queue=queue_of(queue.text("ARN"), names),
        agent=last_part(agent.text("ARN")),
        initiated_at=record.second("InitiationTimestamp"),
        reached_at=record.second("ConnectedToSystemTimestamp"),
        enqueued_at=queue.second("EnqueueTimestamp"),
        answered_at=agent.second("ConnectedToAgentTimestamp"),
        dequeued_at=queue.second("DequeueTimestamp"),
        disconnected_at=record.second("DisconnectTimestamp"),
        disconnect_reason=record.text("DisconnectReason") or "",
        talk=agent.length("AgentInteractionDuration"),
        hold=agent.length("CustomerHoldDuration"),
        pause=agent.length("AgentPauseDuration") or timedelta(),
        wrapup_began_at=agent.second("AfterContactWorkStartTimestamp"),
        wrapup_ended_at=agent.second("AfterContactWorkEndTimestamp"),
        is_complete=True,
        goes_on="NextContactId" in record,
        goes_elsewhere=bool(record.part("TransferredToEndpoint")),
        updated_at=record.second("LastUpdateTimestamp"),
    )


def _channel(fields: AwsObject) -> Channel:
    channel = AWS_CHANNELS.get(fields.required("channel").lower())
    if channel is None:
        raise UnusablePart("unknown_channel", "the channel is none that there was when this was written")
    return channel
