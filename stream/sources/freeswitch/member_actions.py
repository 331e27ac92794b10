"""What FreeSWITCH tells of a member, which is a caller in a queue: its wait, its rings, and how it left."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal, TypedDict

from stream.core.cloudevents import Event
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.families.contacts.payloads import DequeueReason
from stream.sdk.factory import EventFactory
from stream.sources.freeswitch.agent_actions import AgentActions, time_at
from stream.sources.freeswitch.memory import CallcenterMemory, MemberVisit, Ring
from stream.sources.freeswitch.records import EslRecord

__all__ = ["EXITS_BY_REASON", "RINGS_IN_VAIN", "MemberActions"]

EXITS_BY_REASON: Final[Mapping[str, DequeueReason]] = {
    "TIMEOUT": "timeout",
    "NO_AGENT_TIMEOUT": "empty",
    "EXIT_WITH_KEY": "key",
}
"""By `CC-Cancel-Reason`; how the others left, their channel tells."""

_RingEnd = Literal["missed", "rejected", "rescinded", "canceled"]

RINGS_IN_VAIN: Final[Mapping[str, _RingEnd]] = {
    "ORIGINATOR_CANCEL": "canceled",
    "LOSE_RACE": "rescinded",
    "PICKED_OFF": "rescinded",
    "USER_NOT_REGISTERED": "rescinded",
    "SUBSCRIBER_ABSENT": "rescinded",
    "UNALLOCATED_NUMBER": "rescinded",
    "NO_ROUTE_DESTINATION": "rescinded",
    "DESTINATION_OUT_OF_ORDER": "rescinded",
    "CALL_REJECTED": "rejected",
    "USER_BUSY": "rejected",
}
"""By `CC-Hangup-Cause`; at any other one it rang, and the agent missed it."""


class MemberActions:
    """Events of contacts, made by *factory*; a method returns None for what was told before, or is of no member."""

    def __init__(self, memory: CallcenterMemory, agents: AgentActions, factory: EventFactory) -> None:
        self._memory = memory
        self._agents = agents
        self._factory = factory

    # -- into the queue, and ringing -----------------------------------------------------------

    def entered(self, record: EslRecord) -> list[Event] | None:
        """The member began to wait."""
        member = record.get("CC-Member-UUID")
        if member in self._memory.members or member in self._memory.departures:
            return None
        return [self.begins(member, record.get("CC-Queue"), record.micros, record.get("CC-Member-Session-UUID"))]

    def came_back(self, record: EslRecord) -> list[Event] | None:
        """A member that had hung up has called again, and has its old place."""
        member = record.get("CC-Member-UUID")
        before = self._memory.departures.get(member)
        if member in self._memory.members or (before and before.since == record.micros):
            return None
        seq = before.seq + 1 if before else 2
        session = record.get("CC-Member-Session-UUID")
        return [self.begins(member, record.get("CC-Queue"), record.micros, session, seq=seq)]

    def begins(self, member: str, queue: str, micros: int, session: str, *, seq: int = 1) -> Event:
        """Tell that a member began to wait."""
        self._memory.begin(member, MemberVisit(seq, queue, micros, session))
        reason: Literal["new", "requeue"] = "new" if seq == 1 else "requeue"
        return self._factory.enqueued(member, queue, reason=reason, enqueue_seq=seq, at=time_at(micros))

    def rings(self, record: EslRecord) -> list[Event] | None:
        """The member is offered to an agent, who serves the queue by that."""
        visit = self._visit(record)
        if visit is None:
            return None
        member, agent = record.get("CC-Member-UUID"), record.get("CC-Agent")
        self._memory.agent(agent).ring = Ring(member, visit.seq, record.micros)
        data = payloads.OfferData(queue=visit.queue, enqueue_seq=visit.seq, agent=agent)
        offered = e.ContactOfferedToAgent(**self._factory.envelope(member, time_at(record.micros)), data=data)
        return [offered, *self._agents.serves(agent, visit.queue, record.micros)]

    def rang_in_vain(self, record: EslRecord) -> list[Event] | None:
        """The agent did not get the member, which may have left by now."""
        member, agent = record.get("CC-Member-UUID"), record.get("CC-Agent")
        known = self._memory.members.get(member) or self._memory.departures.get(member)
        ring = self._memory.agent(agent).ring
        began = ring.since if ring and ring.member == member else None
        seq = ring.seq if ring and ring.member == member else known.seq if known else 1
        self._memory.agent(agent).ring = None
        data = payloads.OfferEndedData(
            queue=record.get("CC-Queue"),
            enqueue_seq=seq,
            agent=agent,
            result=RINGS_IN_VAIN.get(record.get("CC-Hangup-Cause"), "missed"),
            ring_ms=None if began is None else max(record.micros - began, 0) // 1000,
        )
        return [e.OfferEnded(**self._factory.envelope(member, time_at(record.micros)), data=data)]

    # -- the conversation ----------------------------------------------------------------------

    def answered(self, record: EslRecord) -> list[Event] | None:
        """An agent answered."""
        visit = self._visit(record)
        if visit is None or visit.answered:
            return None
        member, agent = record.get("CC-Member-UUID"), record.get("CC-Agent")
        self._memory.count(visit.queue, answered=1)
        told = [self.is_answered(member, visit, agent, record.micros)]
        return [*told, *self._agents.serves(agent, visit.queue, record.micros)]

    def is_answered(self, member: str, visit: MemberVisit, agent: str, micros: int) -> Event:
        """Tell that *agent* answered; empty where only FreeSWITCH knows who."""
        visit.agent, visit.answered = agent, micros
        known = self._memory.agents.get(agent)
        ring = known.ring if known else None
        data = payloads.AnsweredData(
            queue=visit.queue,
            enqueue_seq=visit.seq,
            agent=agent or None,
            wait_ms=_milliseconds_since(visit.since, micros),
            ring_ms=_milliseconds_since(ring.since, micros) if ring and ring.member == member else None,
        )
        if known:
            known.ring = None
        return e.ContactAnswered(**self._factory.envelope(member, time_at(micros)), data=data)

    def held(self, record: EslRecord) -> list[Event] | None:
        """The caller was put on hold."""
        found = self._talking(record)
        if found is None or found[1].held_since:
            return None
        member, visit = found
        visit.held_since = record.micros
        return [self._factory.held(member, visit.queue, at=time_at(record.micros), **_where(visit))]

    def resumed(self, record: EslRecord) -> list[Event] | None:
        """The caller was taken off hold."""
        found = self._talking(record)
        if found is None or not found[1].held_since:
            return None
        member, visit = found
        visit.held, visit.held_since = visit.held + max(record.micros - visit.held_since, 0), 0
        return [self._factory.resumed(member, visit.queue, at=time_at(record.micros), **_where(visit))]

    def agent_hung_up(self, record: EslRecord) -> list[Event] | None:
        """The agent's channel is down; what became of the member follows, in an event of its own."""
        visit = self._memory.members.get(record.get("CC-Member-UUID"))
        if visit is None:
            return None
        # Only channels of SIP say who said goodbye. When the channels ended does not tell: the last may be first.
        if record.get("variable_sip_hangup_disposition") == "recv_bye":
            visit.ended_by = "agent"
        return []

    # -- out of the queue ----------------------------------------------------------------------

    def left(self, record: EslRecord) -> list[Event] | None:
        """The member left: after a conversation, or without one."""
        visit = self._visit(record)
        if visit is None:
            return None
        if record.get("CC-Cause") == "Terminated":
            told = self._conversation_over(record, visit)
        else:
            self._memory.count(visit.queue, unanswered=1)
            told = [self._unanswered(record, visit)]
        self._memory.finish(record.get("CC-Member-UUID"), visit)
        return told

    def _unanswered(self, record: EslRecord, visit: MemberVisit) -> Event:
        member, wait = record.get("CC-Member-UUID"), _length_since(visit.since, record.micros)
        at, seq = time_at(record.micros), visit.seq
        reason = EXITS_BY_REASON.get(record.get("CC-Cancel-Reason"))
        # A caller who hangs up and one who is transferred both break out; FreeSWITCH counts even timeouts as
        # abandoned. Whether the channel is still up tells them apart.
        if reason is None and record.get("Answer-State") in {"hangup", ""}:
            return self._factory.abandoned(member, visit.queue, wait=wait, at=at, enqueue_seq=seq)
        if reason is None:
            reason = "moved" if record.get("CC-Cancel-Reason") == "BREAK_OUT" else "system"
        return self._factory.dequeued(member, visit.queue, reason, wait=wait, at=at, enqueue_seq=seq)

    def _conversation_over(self, record: EslRecord, visit: MemberVisit) -> list[Event]:
        member = record.get("CC-Member-UUID")
        told: list[Event] = []
        if not visit.answered:
            # The answer was not heard: FreeSWITCH tells its second once more.
            began = record.seconds("CC-Agent-Answered-Time") or record.micros
            told.append(self.is_answered(member, visit, record.get("CC-Agent"), began))
            self._memory.count(visit.queue, answered=1)
        if record.get("variable_sip_hangup_disposition") == "recv_bye":
            visit.ended_by = "customer"
        return [*told, self.is_over(member, visit, record.micros, handed_on=_handed_on(record))]

    def is_over(
        self, member: str, visit: MemberVisit, micros: int, *, handed_on: Literal["blind", "attended"] | None = None
    ) -> Event:
        """Tell that a conversation is over, or was handed on."""
        held = visit.held + (max(micros - visit.held_since, 0) if visit.held_since else 0)
        talk = timedelta(microseconds=max(micros - visit.answered - held, 0))
        hold, at = timedelta(microseconds=held), time_at(micros)
        if handed_on:
            return self._factory.transferred(
                member, visit.queue, handed_on, talk=talk, hold=hold, at=at, **_where(visit)
            )
        ended_by = visit.ended_by or None
        return self._factory.ended(member, visit.queue, ended_by=ended_by, talk=talk, hold=hold, at=at, **_where(visit))

    def vanished(self, member: str, visit: MemberVisit, micros: int) -> Event:
        """Tell that a member is not in the queue any more, of which nobody knows how it left."""
        wait = _length_since(visit.since, micros)
        return self._factory.dequeued(
            member, visit.queue, "system", wait=wait, at=time_at(micros), enqueue_seq=visit.seq
        )

    # -- which visit is meant ------------------------------------------------------------------

    def _visit(self, record: EslRecord) -> MemberVisit | None:
        """Return the visit of this member; one whose begin was not heard begins here. None if it is over."""
        member = record.get("CC-Member-UUID")
        if member in self._memory.members:
            return self._memory.members[member]
        if member in self._memory.departures:
            return None
        since = record.seconds("CC-Member-Joined-Time") or 0
        session = record.get("CC-Member-Session-UUID")
        return self._memory.begin(member, MemberVisit(1, record.get("CC-Queue"), since, session))

    def _talking(self, record: EslRecord) -> tuple[str, MemberVisit] | None:
        channels = {record.get("Unique-ID"), record.get("Other-Leg-Unique-ID")} - {""}
        for member, visit in self._memory.members.items():
            if visit.answered and visit.session in channels:
                return member, visit
        return None


class _WhereTalked(TypedDict):
    enqueue_seq: int
    agent: str | None


def _where(visit: MemberVisit) -> _WhereTalked:
    return _WhereTalked(enqueue_seq=visit.seq, agent=visit.agent or None)


def _length_since(since: int, micros: int) -> timedelta | None:
    return timedelta(microseconds=max(micros - since, 0)) if since else None


def _milliseconds_since(since: int, micros: int) -> int | None:
    return max(micros - since, 0) // 1000 if since else None


def _handed_on(record: EslRecord) -> Literal["blind", "attended"] | None:
    """Tell how the caller goes on elsewhere: the last transfer of a caller who does not is the bridge itself."""
    if record.get("Answer-State") in {"hangup", ""}:
        return None
    source = record.get("Caller-Transfer-Source")
    return "attended" if ":att_xfer:" in source else "blind" if ":bl_xfer:" in source else None
