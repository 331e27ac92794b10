"""What a line of a queue_log tells in this project's vocabulary: one function per kind of line.

Pure but for the `Memory` they are given. Numbers and names of callers, and the numbers that calls are
transferred to, are never carried into an event.
"""

from datetime import timedelta
from functools import cached_property
from typing import Literal, TypedDict

from msgspec import Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Event
from stream.families.agents import events as agents
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.families.contacts.payloads import BlockReason, DequeueReason
from stream.sdk.factory import EnvelopeFields
from stream.sources.asterisk_queue_log.memory import Memory, Visit
from stream.sources.asterisk_queue_log.records import Record

__all__ = ["Speaker", "Telling"]

LONGEST_MILLIS = 31 * 24 * 3_600_000
LONGEST_REASON = 128
LAST_POSITION = 1_000_000


class Speaker(Struct, frozen=True, kw_only=True):
    """Whose log it is: what the log itself does not say."""

    source: str
    """Names the PBX; with the id of an event it identifies the event."""
    tenant: str = DEFAULT_TENANT
    channel: Channel = "voice"


class Where(TypedDict):
    """The fields that every event of a visit has."""

    queue: str
    channel: Channel
    enqueue_seq: int
    agent: str | None


class Telling:
    """One line, who speaks, and what is remembered: its methods are the stories a verb can tell."""

    def __init__(self, record: Record, speaker: Speaker, memory: Memory) -> None:
        self._record = record
        self._speaker = speaker
        self._memory = memory
        self._id = memory.identify(record)

    # -- contacts ------------------------------------------------------------------------------

    def offered(self) -> list[Event]:
        """A call reached the PBX; the number it dialled is no personal data."""
        did = self._record.params[0][:64] if self._record.params else None
        data = payloads.ArrivalData(queue=self._record.queue, channel=self._speaker.channel, did=did)
        return [e.ContactOffered(**self._envelope(), data=data)]

    def enqueued(self) -> list[Event]:
        """The call begins a visit. If it still waited elsewhere, the line that told its exit is missing."""
        left = self._memory.left_behind(self._record)
        visit = self._memory.open(self._record, self._id, "waiting")
        moved = [] if visit in left else [self._moved(old) for old in left]
        reason: Literal["new", "requeue"] = "new" if self._memory.is_first(self._record, visit) else "requeue"
        data = payloads.EnqueuedData(**self._where(visit), position=self._count(2), reason=reason)
        return [*moved, e.ContactEnqueued(**self._envelope(), data=data)]

    def blocked(self, reason: BlockReason) -> list[Event]:
        """The call did not get into the queue: a visit of its own, over at once."""
        visit = self._memory.open(self._record, self._id, "blocked")
        return [e.ContactBlocked(**self._envelope(), data=payloads.BlockedData(**self._where(visit), reason=reason))]

    def emptied(self) -> list[Event]:
        """LEAVEEMPTY: some write it for a call that waits, some instead of letting it in."""
        visit = self._memory.known(self._record)
        if visit is None or visit.state == "over":
            return self.blocked("no_agents")
        return self.dequeued("empty", wait=None, position=None)

    def offer_ended(self, result: Literal["missed", "canceled"]) -> list[Event]:
        """It rang at an agent, in vain."""
        data = payloads.OfferEndedData(**self._where(self._visit()), result=result, ring_ms=self._millis(0, unit=1))
        return [e.OfferEnded(**self._envelope(), data=data)]

    def answered(self) -> list[Event]:
        """An agent answered; old logs do not tell how long it rang."""
        visit = self._visit()
        visit.state = "talking"
        wait, ring = self._millis(0), self._millis(2)
        return [
            e.ContactAnswered(
                **self._envelope(), data=payloads.AnsweredData(**self._where(visit), wait_ms=wait, ring_ms=ring)
            )
        ]

    def abandoned(self) -> list[Event]:
        """The caller hung up while waiting."""
        visit = self._over()
        data = payloads.WaitData(**self._where(visit), wait_ms=self._millis(2), position=self._count(0))
        return [e.ContactAbandoned(**self._envelope(), data=data)]

    def dequeued(self, reason: DequeueReason, *, wait: int | None, position: int | None) -> list[Event]:
        """The call left the queue another way; *wait* and *position* say which parameters tell these."""
        data = payloads.DequeuedData(
            **self._where(self._over()),
            reason=reason,
            wait_ms=None if wait is None else self._millis(wait),
            position=None if position is None else self._count(position),
        )
        return [e.ContactDequeued(**self._envelope(), data=data)]

    def ended(self, ended_by: Literal["customer", "agent", "system"], *, talk: int | None) -> list[Event]:
        """The parties hung up; a queue_log knows neither hold nor wrap-up."""
        talk_ms = None if talk is None else self._millis(talk)
        data = payloads.EndedData(**self._where(self._over()), ended_by=ended_by, talk_ms=talk_ms)
        return [e.ContactEnded(**self._envelope(), data=data)]

    def dropped(self, ended_by: Literal["agent", "system"]) -> list[Event]:
        """
        AGENTDUMP, SYSCOMPAT: the agent had picked up, and the parties never spoke.

        Asterisk writes them before CONNECT, and no other line follows: then the call leaves the queue
        unanswered. Some write them after CONNECT: then the conversation is over.
        """
        if self._visit().state == "talking":
            return self.ended(ended_by, talk=None)
        return self.dequeued("system", wait=None, position=None)

    def transferred(self, kind: Literal["blind", "attended"]) -> list[Event]:
        """The agent handed the call on: hold time, call time and position are the last three of five parameters."""
        talk = {4: 3}.get(len(self._record.params), -2 if len(self._record.params) >= 5 else None)
        talk_ms = None if talk is None else self._millis(talk)
        data = payloads.TransferredData(**self._where(self._over()), kind=kind, talk_ms=talk_ms)
        return [e.ContactTransferred(**self._envelope(), data=data)]

    def restarted(self) -> list[Event]:
        """
        The PBX started: nobody waits any more who waited before.

        Calls that were talking are left to the limit on open contacts: when they really ended, nobody knows.
        """
        told: list[Event] = []
        for call, visit in self._memory.waiting(self._record.micros):
            visit.state = "over"
            data = payloads.DequeuedData(
                queue=visit.queue, channel=self._speaker.channel, enqueue_seq=visit.seq, reason="system"
            )
            told.append(e.ContactDequeued(**self._envelope(call, part=f"-{call}-{visit.seq}"), data=data))
        return told

    # -- agents --------------------------------------------------------------------------------

    def logged_in(self) -> list[Event]:
        """The agent came on duty."""
        return [agents.AgentLoggedIn(**self._report())]

    def logged_out(self) -> list[Event]:
        """The agent went off duty."""
        return [agents.AgentLoggedOut(**self._report())]

    def joined(self) -> list[Event]:
        """The agent joined a queue; newer logs say so when it joins it paused."""
        joined = agents.AgentQueueJoined(**self._report(), data=agents.MembershipData(queue=self._queue))
        if self._record.params[:1] != ("PAUSED",):
            return [joined]
        paused = agents.AvailabilityData(status="not_ready", queue=self._queue)
        return [joined, agents.AgentAvailabilityChanged(**self._report(part="-paused"), data=paused)]

    def left(self) -> list[Event]:
        """The agent left a queue."""
        return [agents.AgentQueueLeft(**self._report(), data=agents.MembershipData(queue=self._queue))]

    def availability(self, status: Literal["available", "not_ready"], *, everywhere: bool) -> list[Event]:
        """The agent paused or came back; a line without a queue means every queue."""
        reason = self._record.params[0][:LONGEST_REASON] if self._record.params else ""
        queue = None if everywhere else self._record.queue
        data = agents.AvailabilityData(status=status, reason=reason or None, queue=queue)
        return [agents.AgentAvailabilityChanged(**self._report(), data=data)]

    # -- what they are made of -----------------------------------------------------------------

    @property
    def _member(self) -> str:
        assert self._record.member is not None  # the verb's rule asked for it
        return self._record.member

    @property
    def _queue(self) -> str:
        assert self._record.queue is not None  # the verb's rule asked for it
        return self._record.queue

    def _envelope(self, subject: str | None = None, *, part: str = "") -> EnvelopeFields:
        return EnvelopeFields(
            id=f"{self._id}{part}"[:256],
            source=self._speaker.source,
            time=self._record.time,
            subject=subject or self._record.call or "",
            specversion="1.0",
            tenantid=self._speaker.tenant,
        )

    def _report(self, *, part: str = "") -> EnvelopeFields:
        envelope = self._envelope(self._member, part=part)
        envelope["time"] += timedelta(milliseconds=self._place)
        return envelope

    @cached_property
    def _place(self) -> int:
        return self._memory.place_in_second(self._record)

    def _visit(self) -> Visit:
        return self._memory.visit(self._record)

    def _over(self) -> Visit:
        visit = self._visit()
        visit.state = "over"
        return visit

    def _where(self, visit: Visit) -> Where:
        return Where(
            queue=visit.queue,
            channel=self._speaker.channel,
            enqueue_seq=visit.seq,
            agent=self._record.member,
        )

    def _moved(self, visit: Visit) -> Event:
        visit.state = "over"
        data = payloads.DequeuedData(**self._where(visit), reason="moved", to_queue=self._queue)
        return e.ContactDequeued(**self._envelope(part=f"-left-{visit.seq}"), data=data)

    def _millis(self, index: int, unit: int = 1000) -> int | None:
        """Return a parameter as milliseconds; what is absurd is unknown, and the times of the lines decide."""
        number = self._record.number(index)
        return None if number is None or number * unit > LONGEST_MILLIS else number * unit

    def _count(self, index: int) -> int | None:
        """Return a parameter as a position in the queue; what is absurd is unknown."""
        number = self._record.number(index)
        return None if number is None or number > LAST_POSITION else number
