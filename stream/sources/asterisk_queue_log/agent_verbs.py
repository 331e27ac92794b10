"""What a line tells of an agent: who serves which queue, is paused, talks, wraps up, comes and goes."""

from collections.abc import Iterator
from typing import Literal

from stream.core.cloudevents import Event
from stream.families.agents import events as agents
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.sources.asterisk_queue_log.calls import Visit
from stream.sources.asterisk_queue_log.line import LogIdentity, LogLine, short_hash
from stream.sources.asterisk_queue_log.members import Member, Membership, Wrapup
from stream.sources.asterisk_queue_log.memory import Memory

__all__ = ["AgentVerbs", "finished_wrapups"]

LONGEST_REASON = 128

Activity = Literal["idle", "reserved", "on_contact", "acw"]


class AgentVerbs(LogLine):
    """Events of agents."""

    # -- lines about agents --------------------------------------------------------------------

    def logged_in(self, *, by_channel: bool) -> list[Event]:
        """The agent came on duty."""
        member = self._known()
        member.gone, member.told, member.by_channel = "", "available", by_channel
        return [agents.AgentLoggedIn(**self._report(self._member)), *self._presence(member)]

    def logged_out(self) -> list[Event]:
        """The agent went off duty, and is not back before a login, or before it is added to a queue."""
        member = self._known()
        member.gone, member.gone_since, member.told, member.by_channel = (
            "logged_off",
            self._record.micros,
            "offline",
            False,
        )
        return [agents.AgentLoggedOut(**self._report(self._member))]

    def joined(self) -> list[Event]:
        """The agent was added to a queue: a new member, so not paused unless the line says so."""
        member, paused = self._known(), self._record.params[:1] == ("PAUSED",)
        before = member.queues.get(self._queue)
        told: list[Event] = [self._joined()]
        # A pause ends with the membership: who was paused in its last one is not in this one, unless the line
        # says so.
        if paused or (before and before.paused):
            told.append(self._paused(self._queue, paused=paused, part="-paused"))
        member.serves(self._queue, Membership(self._record.micros, joined=True, paused=paused))
        member.paused = member.paused and paused
        if member.gone or not member.told:
            member.gone, member.told = "", "available"
            told.append(agents.AgentLoggedIn(**self._report(self._member, part="-in")))
        return [*told, *self._presence(member)]

    def left(self) -> list[Event]:
        """The agent was removed from a queue; from its last one, it has gone home."""
        member = self._known()
        member.serves(self._queue, Membership(self._record.micros, joined=False))
        # A queue_log has no logout of members that are added and removed: leaving the last queue is one.
        if not member.gone and not any(membership.joined for membership in member.queues.values()):
            member.gone, member.gone_since = "left", self._record.micros
        left = agents.AgentQueueLeft(**self._report(self._member), data=agents.MembershipData(queue=self._queue))
        return [left, *self._presence(member)]

    def paused(self, *, paused: bool, everywhere: bool) -> list[Event]:
        """The agent paused or came back; a line without a queue means every queue."""
        if everywhere or self._record.queue is None:
            return self._paused_everywhere(paused=paused)
        told = self._serves(since=self._record.micros)
        member = self._known()
        membership = member.queues[self._queue]
        membership.paused = paused
        member.paused = member.paused and paused
        return [*told, self._paused(self._queue, paused=paused), *self._presence(member)]

    def wrapping_up(self) -> list[Event]:
        """The agent works on after its last conversation, for as long as the line says."""
        member, length = self._known(), self._micros(0)
        if not length:
            return []
        # The line names no call: it is about the conversation that ended last, if this log has seen one.
        contact, queue, seq = member.last or ("", "", 1)
        until = self._record.micros + length
        self._memory.saved.wrapups[self._member] = Wrapup(until, self._record.micros, self._id, contact, queue, seq)
        told: list[Event] = [self._activity("acw", part="-acw")]
        if contact:
            data = payloads.QueueData(queue=queue, channel=self._identity.channel, enqueue_seq=seq, agent=self._member)
            told.append(e.ContactWrapupStarted(**self._envelope(contact), data=data))
        return told

    # -- what lines about calls tell of agents -------------------------------------------------

    def _rung(self, ring: int | None) -> list[Event]:
        """It rang at the agent, for so many microseconds."""
        if self._record.member is None:
            return []
        return [*self._serves(since=self._record.micros - (ring or 0)), *self._presence(self._known())]

    def _talks(self, visit: Visit, ring: int | None) -> list[Event]:
        """The agent answered: it is there, whatever was said before it rang."""
        if self._record.member is None:
            return []
        # When it began to ring, not when it was answered: what was said of the agent in between is newer than
        # the ring.
        rang = self._record.micros - (ring or 0)
        told = self._serves(since=rang)
        member = self._known()
        # Whoever answers is there. A ring from before the logout says nothing of that.
        if member.gone and rang > member.gone_since:
            member.gone = ""
        wrapup = self._memory.saved.wrapups.pop(self._member, None)
        if wrapup is not None:
            told.extend(_wrapped_up(self._identity, self._member, wrapup, self._record.micros))
        member.contact = visit.contact
        return [*told, *self._presence(member), self._activity("on_contact", part="-talks")]

    def _hung_up(self, visit: Visit, began: int | None) -> list[Event]:
        """The agent's conversation is over; if it took another call meanwhile, it goes on talking."""
        if self._record.member is None:
            return []
        told = self._serves(since=self._record.micros if began is None else began)
        member = self._known()
        member.last = (visit.contact, visit.queue, visit.seq)
        told.extend(self._presence(member))
        # Agents who hand a customer over talk to the next one before the line about the first is written.
        if member.contact not in {"", visit.contact}:
            return told
        member.contact = ""
        return [*told, self._activity("idle", part="-idle")]

    def _agents_after_restart(self) -> Iterator[Event]:
        """Nobody talks after a restart, and no channel of a login is left."""
        for name, member in self._memory.members.by_name.items():
            # One line tells of many agents here: each event needs an id of its own, and the same one at each
            # reading.
            part = f"-{short_hash(name)}"
            if member.contact:
                member.contact = ""
                data = agents.ActivityData(activity="idle")
                yield agents.AgentActivityChanged(**self._report(name, part=f"{part}-idle"), data=data)
            if member.by_channel and not member.gone:
                member.gone, member.gone_since, member.told = "logged_off", self._record.micros, "offline"
                member.by_channel = False
                yield agents.AgentLoggedOut(**self._report(name, part=f"{part}-out"))

    # -- what they are made of -----------------------------------------------------------------

    def _known(self) -> Member:
        return self._memory.members.get(self._member, self._record.micros)

    def _serves(self, *, since: int) -> list[Event]:
        """
        Tell that the agent serves the queue, if no line has said so: members of the configuration are never added.

        It was rung, connected or paused there, at *since*; who has been removed later serves it no more.
        """
        member = self._known()
        known = member.queues.get(self._queue)
        if known is not None and (known.joined or since <= known.since):
            return []
        member.serves(self._queue, Membership(self._record.micros, joined=True, paused=member.paused))
        if member.gone == "left":
            member.gone = ""
        return [self._joined(part="-serves")]

    def _joined(self, *, part: str = "") -> Event:
        data = agents.MembershipData(queue=self._queue)
        return agents.AgentQueueJoined(**self._report(self._member, part=part), data=data)

    def _paused(self, queue: str | None, *, paused: bool, part: str = "") -> Event:
        # The parameter of a PAUSE is its reason; that of an ADDMEMBER is none.
        reason = self._record.params[0][:LONGEST_REASON] if self._record.params and not part else ""
        data = agents.AvailabilityData(
            status="not_ready" if paused else "available", reason=reason or None, queue=queue
        )
        return agents.AgentAvailabilityChanged(**self._report(self._member, part=part), data=data)

    def _paused_everywhere(self, *, paused: bool) -> list[Event]:
        """
        Pause or unpause in every queue that is known, and in those that are not.

        An unpause is no login: of who is gone it says nothing.
        """
        member, told = self._known(), list[Event]()
        for number, (queue, membership) in enumerate(member.queues.items()):
            if membership.joined and membership.paused != paused:
                membership.paused = paused
                told.append(self._paused(queue, paused=paused, part=f"-{number}"))
        member.paused = paused
        if not member.gone:
            member.told = member.presence
            told.append(self._paused(None, paused=paused))
        return told

    def _presence(self, member: Member) -> list[Event]:
        """Tell whether the agent is there, and ready in any queue, if that has changed."""
        now, before = member.presence, member.told or "available"
        member.told = now if member.told or now != "available" else ""
        if now == before:
            return []
        if now == "offline":
            return [agents.AgentLoggedOut(**self._report(self._member, part="-out"))]
        told: list[Event] = []
        if before == "offline":
            told.append(agents.AgentLoggedIn(**self._report(self._member, part="-in")))
            if now == "available":
                return told
        data = agents.AvailabilityData(status=now)
        return [*told, agents.AgentAvailabilityChanged(**self._report(self._member, part="-ready"), data=data)]

    def _activity(self, activity: Activity, *, part: str) -> Event:
        data = agents.ActivityData(activity=activity)
        return agents.AgentActivityChanged(**self._report(self._member, part=part), data=data)


def finished_wrapups(identity: LogIdentity, memory: Memory, at: int | None) -> Iterator[Event]:
    """Yield what happens at the end of the wrap-ups that are over at *at*, in microseconds; None: of all."""
    wrapups = memory.saved.wrapups
    due = [(wrapup.until, agent) for agent, wrapup in wrapups.items() if at is None or wrapup.until <= at]
    for until, agent in sorted(due):
        yield from _wrapped_up(identity, agent, wrapups.pop(agent), until)


def _wrapped_up(identity: LogIdentity, agent: str, wrapup: Wrapup, at: int) -> Iterator[Event]:
    idle = identity.envelope(f"{wrapup.made_by}-idle", at, agent)
    yield agents.AgentActivityChanged(**idle, data=agents.ActivityData(activity="idle"))
    if wrapup.contact:
        data = payloads.WrapupEndedData(
            queue=wrapup.queue,
            channel=identity.channel,
            enqueue_seq=wrapup.seq,
            agent=agent,
            acw_ms=(at - wrapup.began) // 1000,
        )
        yield e.ContactWrapupEnded(**identity.envelope(f"{wrapup.made_by}-ended", at, wrapup.contact), data=data)
