"""Events in the field's own words: an `EventFactory` fills in the CloudEvents envelope.

For call systems that produce their own events:

    events = EventFactory(source="/pbx/berlin", tenant="acme")
    await producer.send(events.enqueued("call-17", queue="sales"))
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal, TypedDict, Unpack
from uuid import uuid4

from stream.core.cloudevents import DEFAULT_TENANT, Channel
from stream.errors import InvalidEvent
from stream.families.agents import events as agents
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.families.contacts.payloads import BlockReason, DequeueReason

__all__ = ["EnvelopeFields", "EventFactory", "Where", "milliseconds"]


class EnvelopeFields(TypedDict):
    """The attributes that every event has."""

    id: str
    source: str
    time: datetime
    subject: str
    specversion: Literal["1.0"]
    tenantid: str


class Where(TypedDict, total=False):
    """Where in the queue it happened, to whom and about what: what may be said with each event of a contact."""

    channel: Channel
    agent: str | None
    enqueue_seq: int
    """Which visit of the contact to a queue; raise it each time the contact is queued again."""
    direction: Literal["inbound", "outbound"]
    customer: str | None
    """An opaque id, never a name or address: events of the same customer are found by it, whatever the channel."""
    topic: str | None
    """What it is about, where somebody knows that."""
    revision: int
    """Higher each time the call system corrects what it told: then this report stands, whenever it comes."""


def utc_now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def milliseconds(name: str, length: timedelta | None) -> int | None:
    """Return a length as whole milliseconds, the unit on the wire; None stays unknown. *name* is for the message."""
    if length is None:
        return None
    _require(name, length, timedelta)
    return length // timedelta(milliseconds=1)


def _require(name: str, given: object, kind: type) -> None:
    """Raise InvalidEvent where a caller without a type checker gave something else."""
    if not isinstance(given, kind):
        raise InvalidEvent("invalid_field", f"{name} must be a {kind.__name__}", field=name)


def _known(where: Where) -> Where:
    """Return *where*; raises InvalidEvent for a keyword that no event of a contact has."""
    # Only a type checker looks at a TypedDict: without one a typo would be a field that every reader ignores.
    for name in where.keys() - Where.__annotations__.keys():
        raise InvalidEvent("invalid_field", f"{name} is unknown", field=name)
    return where


class EventFactory:
    """
    Makes events of one call system (`source`) and tenant.

    Each method takes the contact or agent first, and `at`: when it happened, if that was not now. An event
    keeps its id: sending the same one again counts nothing twice. A keyword or length that is none raises
    InvalidEvent at once; values are checked when the event is sent. What a method does not offer can be made
    with `envelope` and the classes of `stream.families.contacts.events`.
    """

    def __init__(
        self,
        source: str,
        *,
        tenant: str = DEFAULT_TENANT,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._source = source
        self._tenant = tenant
        self._clock = clock
        self._new_id = new_id

    def envelope(self, subject: str, at: datetime | None = None) -> EnvelopeFields:
        """Return the attributes of a new event that happened to *subject*."""
        if at is not None:
            _require("at", at, datetime)
        return EnvelopeFields(
            id=self._new_id(),
            source=self._source,
            time=self._clock() if at is None else at,
            subject=subject,
            specversion="1.0",
            tenantid=self._tenant,
        )

    def offered(
        self, contact: str, *, channel: Channel = "voice", did: str | None = None, at: datetime | None = None
    ) -> e.ContactOffered:
        """A contact reached the centre, before any voice menu; `did` is the number it dialled."""
        return e.ContactOffered(**self.envelope(contact, at), data=payloads.ArrivalData(channel=channel, did=did))

    def blocked(
        self, contact: str, queue: str, reason: BlockReason, *, at: datetime | None = None, **where: Unpack[Where]
    ) -> e.ContactBlocked:
        """An attempt never got into the queue."""
        return e.ContactBlocked(
            **self.envelope(contact, at), data=payloads.BlockedData(queue=queue, reason=reason, **_known(where))
        )

    def enqueued(
        self,
        contact: str,
        queue: str,
        *,
        reason: Literal["new", "transfer", "requeue", "callback"] = "new",
        priority: int | None = None,
        at: datetime | None = None,
        **where: Unpack[Where],
    ) -> e.ContactEnqueued:
        """A contact began to wait."""
        data = payloads.EnqueuedData(queue=queue, reason=reason, priority=priority, **_known(where))
        return e.ContactEnqueued(**self.envelope(contact, at), data=data)

    def answered(
        self,
        contact: str,
        queue: str,
        *,
        wait: timedelta | None = None,
        at: datetime | None = None,
        **where: Unpack[Where],
    ) -> e.ContactAnswered:
        """The first agent answered; `wait` where the call system measures it itself."""
        data = payloads.AnsweredData(queue=queue, wait_ms=milliseconds("wait", wait), **_known(where))
        return e.ContactAnswered(**self.envelope(contact, at), data=data)

    def abandoned(
        self,
        contact: str,
        queue: str,
        *,
        wait: timedelta | None = None,
        at: datetime | None = None,
        **where: Unpack[Where],
    ) -> e.ContactAbandoned:
        """The customer gave up while waiting."""
        data = payloads.WaitData(queue=queue, wait_ms=milliseconds("wait", wait), **_known(where))
        return e.ContactAbandoned(**self.envelope(contact, at), data=data)

    def dequeued(
        self,
        contact: str,
        queue: str,
        reason: DequeueReason,
        *,
        to_queue: str | None = None,
        wait: timedelta | None = None,
        at: datetime | None = None,
        **where: Unpack[Where],
    ) -> e.ContactDequeued:
        """The contact left the queue, neither answered nor given up."""
        data = payloads.DequeuedData(
            queue=queue, reason=reason, to_queue=to_queue, wait_ms=milliseconds("wait", wait), **_known(where)
        )
        return e.ContactDequeued(**self.envelope(contact, at), data=data)

    def held(self, contact: str, queue: str, *, at: datetime | None = None, **where: Unpack[Where]) -> e.ContactHeld:
        """The customer was put on hold."""
        return e.ContactHeld(**self.envelope(contact, at), data=payloads.QueueData(queue=queue, **_known(where)))

    def resumed(
        self, contact: str, queue: str, *, at: datetime | None = None, **where: Unpack[Where]
    ) -> e.ContactResumed:
        """The customer was taken off hold."""
        return e.ContactResumed(**self.envelope(contact, at), data=payloads.QueueData(queue=queue, **_known(where)))

    def transferred(
        self,
        contact: str,
        queue: str,
        kind: Literal["blind", "attended", "queue"],
        *,
        to_queue: str | None = None,
        to_agent: str | None = None,
        talk: timedelta | None = None,
        hold: timedelta | None = None,
        at: datetime | None = None,
        **where: Unpack[Where],
    ) -> e.ContactTransferred:
        """The contact was handed on: this visit is over. Lengths as for `ended`."""
        data = payloads.TransferredData(
            queue=queue,
            kind=kind,
            to_queue=to_queue,
            to_agent=to_agent,
            talk_ms=milliseconds("talk", talk),
            hold_ms=milliseconds("hold", hold),
            **_known(where),
        )
        return e.ContactTransferred(**self.envelope(contact, at), data=data)

    def ended(
        self,
        contact: str,
        queue: str,
        *,
        ended_by: Literal["customer", "agent", "system"] | None = None,
        talk: timedelta | None = None,
        hold: timedelta | None = None,
        wrapup: bool = False,
        at: datetime | None = None,
        **where: Unpack[Where],
    ) -> e.ContactEnded:
        """
        The parties hung up; with `wrapup`, handle time is counted when `wrapup_ended` follows.

        Tell how long they talked (`hold` left out) and were on hold, if you know: else both are computed from the
        times of other events, and counters wait ten seconds for any that may be late, until the queue's next event.
        """
        data = payloads.EndedData(
            queue=queue,
            ended_by=ended_by,
            talk_ms=milliseconds("talk", talk),
            hold_ms=milliseconds("hold", hold),
            wrapup=wrapup,
            **_known(where),
        )
        return e.ContactEnded(**self.envelope(contact, at), data=data)

    def wrapup_ended(
        self,
        contact: str,
        queue: str,
        *,
        wrapup: timedelta | None = None,
        at: datetime | None = None,
        **where: Unpack[Where],
    ) -> e.ContactWrapupEnded:
        """The agent is done with the contact."""
        data = payloads.WrapupEndedData(queue=queue, acw_ms=milliseconds("wrapup", wrapup), **_known(where))
        return e.ContactWrapupEnded(**self.envelope(contact, at), data=data)

    def logged_in(self, agent: str, *, at: datetime | None = None) -> agents.AgentLoggedIn:
        """An agent came on duty."""
        return agents.AgentLoggedIn(**self.envelope(agent, at))

    def logged_out(self, agent: str, *, at: datetime | None = None) -> agents.AgentLoggedOut:
        """An agent went off duty."""
        return agents.AgentLoggedOut(**self.envelope(agent, at))

    def availability(
        self,
        agent: str,
        status: Literal["available", "not_ready", "offline"],
        *,
        reason: str | None = None,
        queue: str | None = None,
        at: datetime | None = None,
    ) -> agents.AgentAvailabilityChanged:
        """An agent chose to be available, not ready or offline; with `queue`, for that queue only."""
        data = agents.AvailabilityData(status=status, reason=reason, queue=queue)
        return agents.AgentAvailabilityChanged(**self.envelope(agent, at), data=data)

    def activity(
        self,
        agent: str,
        activity: Literal["idle", "reserved", "on_contact", "acw", "error"],
        *,
        at: datetime | None = None,
    ) -> agents.AgentActivityChanged:
        """An agent was seen doing something else."""
        return agents.AgentActivityChanged(**self.envelope(agent, at), data=agents.ActivityData(activity=activity))

    def joined(
        self, agent: str, queue: str, *, penalty: int | None = None, at: datetime | None = None
    ) -> agents.AgentQueueJoined:
        """An agent began to serve a queue."""
        data = agents.MembershipData(queue=queue, penalty=penalty)
        return agents.AgentQueueJoined(**self.envelope(agent, at), data=data)

    def left(self, agent: str, queue: str, *, at: datetime | None = None) -> agents.AgentQueueLeft:
        """An agent serves a queue no more."""
        return agents.AgentQueueLeft(**self.envelope(agent, at), data=agents.MembershipData(queue=queue))
