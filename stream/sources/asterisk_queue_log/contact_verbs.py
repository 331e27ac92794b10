"""What a line tells of a contact on its way into a queue, in it and out of it, and of all contacts at a restart."""

from typing import Literal

from stream.core.cloudevents import Event
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.families.contacts.payloads import BlockReason, DequeueReason
from stream.sources.asterisk_queue_log.calls import Visit
from stream.sources.asterisk_queue_log.conversation_verbs import ConversationVerbs
from stream.sources.asterisk_queue_log.line import short_hash

__all__ = ["LineMapper"]

OfferResult = Literal["missed", "rejected", "rescinded", "canceled"]


class LineMapper(ConversationVerbs):
    """Turns one line into events: each method is what a verb, or several, can tell."""

    # -- into the queue ------------------------------------------------------------------------

    def offered(self) -> list[Event]:
        """A call reached the PBX; the number it dialled is no personal data."""
        did = self._record.params[0][:64] if self._record.params else None
        data = payloads.ArrivalData(queue=self._record.queue, channel=self._identity.channel, did=did)
        return [e.ContactOffered(**self._envelope(self._identity.contact(self._record.call or "")), data=data)]

    def enqueued(self) -> list[Event]:
        """The call begins a visit. If it still waited elsewhere, the line that told its exit is missing."""
        calls = self._memory.calls
        if calls.has_just_entered(self._record):
            return self._again()
        left = calls.left_behind(self._record)
        # A row of a table may come late, behind those that told what became of the visit.
        visit = calls.inferred(self._record) or calls.begin(self._record, self._id, "waiting")
        visit.made_by = self._id
        moved = [self._moved(old) for old in left if old is not visit]
        reason: Literal["new", "requeue"] = "new" if calls.is_first(self._record, visit) else "requeue"
        data = payloads.EnqueuedData(**self._where(visit), position=self._count(2), reason=reason)
        return [*moved, e.ContactEnqueued(**self._envelope(visit.contact), data=data)]

    def called_out(self) -> list[Event]:
        """An agent calls a customer in the name of a queue: nobody waits, so nothing is told before the answer."""
        self._memory.calls.begin(self._record, self._id, "waiting").outbound = True
        return []

    def blocked(self, reason: BlockReason) -> list[Event]:
        """The call did not get into the queue: a visit of its own, over at once."""
        visit = self._memory.calls.begin(self._record, self._id, "blocked")
        data = payloads.BlockedData(**self._where(visit), reason=reason)
        return [e.ContactBlocked(**self._envelope(visit.contact), data=data)]

    def emptied(self) -> list[Event]:
        """LEAVEEMPTY: some write it for a call that waits, some instead of letting it in."""
        visit = self._memory.calls.known(self._record)
        if visit is None or visit.state == "over":
            return self.blocked("no_agents")
        return self.dequeued("empty", wait=None, position=None)

    # -- ringing and answer --------------------------------------------------------------------

    def rang_in_vain(self) -> list[Event]:
        """
        It rang at an agent who did not answer.

        After 0 ms it has not rung at all: the phone was busy or away, and the agent missed nothing.
        """
        # The one length in milliseconds: in all other lines they are seconds.
        ring = self._millis(0, unit=1)
        return self._offer_ended("rescinded" if ring == 0 else "missed", ring)

    def rang_until_left(self) -> list[Event]:
        """It rang at an agent when the caller left the queue."""
        return self._offer_ended("canceled", self._millis(0, unit=1))

    def dumped(self) -> list[Event]:
        """The agent hung up while the announcement told it of the caller, who waits on and is offered to others."""
        if self._memory.calls.in_conversation(self._record):
            return self.ended("agent", waited=None, talked=None)
        return self._offer_ended("rejected", None)

    def _offer_ended(self, result: OfferResult, ring_ms: int | None) -> list[Event]:
        visit = self._memory.calls.rung(self._record)
        data = payloads.OfferEndedData(**self._where(visit), result=result, ring_ms=ring_ms)
        ended = e.OfferEnded(**self._envelope(visit.contact), data=data)
        return [ended, *self._rung(None if ring_ms is None else ring_ms * 1000)]

    def answered(self) -> list[Event]:
        """An agent answered; old logs do not tell how long it rang."""
        visit = self._memory.calls.waiting(self._record, self._micros(0))
        if visit.state != "waiting":
            return self._again()
        self._memory.calls.answer(visit, self._record)
        # CONNECT has hold time, the id of the agent's channel, and ring time; old versions end before the last.
        data = payloads.AnsweredData(**self._where(visit), wait_ms=self._millis(0), ring_ms=self._millis(2))
        answered = e.ContactAnswered(**self._envelope(visit.contact), data=data)
        return [answered, *self._talks(visit, self._micros(2))]

    # -- out of the queue without an answer ----------------------------------------------------

    def abandoned(self) -> list[Event]:
        """The caller hung up while waiting."""
        visit = self._left(wait=2)
        if visit is None:
            return self._again()
        data = payloads.WaitData(**self._where(visit), wait_ms=self._millis(2), position=self._count(0))
        return [e.ContactAbandoned(**self._envelope(visit.contact), data=data)]

    def dequeued(self, reason: DequeueReason, *, wait: int | None, position: int | None) -> list[Event]:
        """The call left the queue another way; *wait* and *position* say which parameters tell these."""
        visit = self._left(wait=wait)
        if visit is None:
            return self._again()
        data = payloads.DequeuedData(
            **self._where(visit),
            reason=reason,
            wait_ms=None if wait is None else self._millis(wait),
            position=None if position is None else self._count(position),
        )
        return [e.ContactDequeued(**self._envelope(visit.contact), data=data)]

    def dropped(self) -> list[Event]:
        """
        SYSCOMPAT: an agent had picked up, and the PBX could not connect the two.

        The caller is hung up on, not the one who gives up; the ABANDON that Asterisk writes next tells the same exit.
        """
        if self._memory.calls.in_conversation(self._record):
            return self.ended("system", waited=None, talked=None)
        return [*self._rung(None), *self.dequeued("system", wait=None, position=None)]

    def _left(self, *, wait: int | None) -> Visit | None:
        """End a wait; None if it was over."""
        visit = self._memory.calls.waiting(self._record, None if wait is None else self._micros(wait))
        if visit.state != "waiting":
            return None
        self._memory.calls.finish(visit, self._record.micros)
        return visit

    # -- a restart -----------------------------------------------------------------------------

    def restarted(self) -> list[Event]:
        """
        The PBX started: nobody waits or talks any more who did before.

        Nobody knows when the conversations really ended: they are taken to have lasted until the line before.
        """
        told: list[Event] = []
        for visit in self._memory.calls.open_until(self._record.micros):
            envelope = self._envelope(visit.contact, part=f"-{short_hash(f'{visit.contact} {visit.seq}')}")
            if visit.state == "waiting":
                dequeued = payloads.DequeuedData(**self._where(visit), reason="system")
                told.append(e.ContactDequeued(**envelope, data=dequeued))
            else:
                talk_ms, hold_ms = self._talk_and_hold(visit, self._talked_until_restart(visit))
                ended = payloads.EndedData(**self._where(visit), ended_by="system", talk_ms=talk_ms, hold_ms=hold_ms)
                told.append(e.ContactEnded(**envelope, data=ended))
            self._memory.calls.finish(visit, self._record.micros)
        return [*told, *self._agents_after_restart()]

    def _talked_until_restart(self, visit: Visit) -> int | None:
        # The log may jump back by a second: then the newest line is later than this one.
        last = min(self._memory.saved.newest, self._record.micros)
        return max(last - visit.answered, 0) // 1000 if visit.answered else None

    def _moved(self, visit: Visit) -> Event:
        self._memory.calls.finish(visit, self._record.micros)
        data = payloads.DequeuedData(**self._where(visit), reason="moved", to_queue=self._queue)
        return e.ContactDequeued(**self._envelope(visit.contact, part=f"-left-{visit.seq}"), data=data)
