"""What a line tells of a conversation: hold, end, transfer; and what it tells of an agent by that.

Lines that end a conversation tell how long it and the wait before it were: what was not seen follows from there.
"""

from typing import Literal, TypedDict

from stream.core.cloudevents import Channel, Event
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.sources.asterisk_queue_log.agent_verbs import AgentVerbs
from stream.sources.asterisk_queue_log.calls import Visit

__all__ = ["ConversationVerbs"]


class VisitFields(TypedDict):
    """The fields that every event of a visit has."""

    queue: str
    channel: Channel
    enqueue_seq: int
    agent: str | None
    direction: Literal["inbound", "outbound"]


class ConversationVerbs(AgentVerbs):
    """Events of conversations; `told_before` says that a line ends what other lines have ended."""

    told_before = False

    def held(self) -> list[Event]:
        """The caller was put on hold."""
        visit = self._memory.calls.in_conversation(self._record)
        if visit is None or visit.held_since:
            return self._again()
        visit.held_since = self._record.micros
        return [e.ContactHeld(**self._envelope(visit.contact), data=payloads.QueueData(**self._where(visit)))]

    def resumed(self) -> list[Event]:
        """The caller was taken off hold."""
        visit = self._memory.calls.in_conversation(self._record)
        if visit is None or not visit.held_since:
            return self._again()
        visit.held, visit.held_since = visit.held + self._record.micros - visit.held_since, 0
        return [e.ContactResumed(**self._envelope(visit.contact), data=payloads.QueueData(**self._where(visit)))]

    def ended(
        self, ended_by: Literal["customer", "agent", "system"], *, waited: int | None, talked: int | None
    ) -> list[Event]:
        """The parties hung up; *waited* and *talked* say which parameters tell these."""
        visit, told = self._hangs_up(waited, talked)
        if visit is None:
            return self._again()
        talk_ms, hold_ms = self._talk_and_hold(visit, None if talked is None else self._millis(talked))
        data = payloads.EndedData(**self._where(visit), ended_by=ended_by, talk_ms=talk_ms, hold_ms=hold_ms)
        return [*told, e.ContactEnded(**self._envelope(visit.contact), data=data), *self._agent_is_free(visit, talked)]

    def transferred(self, kind: Literal["blind", "attended"]) -> list[Event]:
        """The agent handed the call on: hold time, call time and position are the last three of five parameters."""
        count = len(self._record.params)
        # Counted from the end: what stands before (a method, an extension, a context) differs by verb and
        # version. With four parameters the version is one that tells no position.
        waited, talked = (2, 3) if count == 4 else (count - 3, count - 2) if count >= 5 else (None, None)
        visit, told = self._hangs_up(waited, talked)
        if visit is None:
            return self._again()
        talk_ms, hold_ms = self._talk_and_hold(visit, None if talked is None else self._millis(talked))
        data = payloads.TransferredData(**self._where(visit), kind=kind, talk_ms=talk_ms, hold_ms=hold_ms)
        transferred = e.ContactTransferred(**self._envelope(visit.contact), data=data)
        return [*told, transferred, *self._agent_is_free(visit, talked)]

    def outbound_call_over(self) -> list[Event]:
        """An agent has called a customer in the name of a queue; the line is written when that is over."""
        if self._record.params[:1] != ("ANSWER",):
            return []
        visit = self._memory.calls.begin(self._record, self._id, "over")
        visit.outbound = True
        data = payloads.EndedData(**self._where(visit), talk_ms=self._millis(1))
        return [e.ContactEnded(**self._envelope(visit.contact), data=data)]

    def _hangs_up(self, waited: int | None, talked: int | None) -> tuple[Visit | None, list[Event]]:
        """End a conversation, and tell its begin if no line did; None if it was over."""
        wait = None if waited is None else self._micros(waited)
        talk = None if talked is None else self._micros(talked)
        visit = self._memory.calls.talking(self._record, talk, wait)
        if visit.state not in {"waiting", "talking"}:
            return None, []
        told: list[Event] = []
        if visit.state == "waiting" and talk is not None:
            envelope = self._identity.envelope(f"{self._id}-answered", self._record.micros - talk, visit.contact)
            wait_ms = None if waited is None else self._millis(waited)
            told.append(
                e.ContactAnswered(**envelope, data=payloads.AnsweredData(**self._where(visit), wait_ms=wait_ms))
            )
        self._memory.calls.finish(visit, self._record.micros)
        return visit, told

    def _talk_and_hold(self, visit: Visit, talk_ms: int | None) -> tuple[int | None, int | None]:
        """Asterisk's call time includes the hold."""
        held = visit.held + (self._record.micros - visit.held_since if visit.held_since else 0)
        if talk_ms is None or held <= 0:
            return talk_ms, None
        # The log has whole seconds: a customer who was on hold all the time may seem to have been so for a
        # second longer.
        hold_ms = min(held // 1000, talk_ms)
        return talk_ms - hold_ms, hold_ms

    def _agent_is_free(self, visit: Visit, talked: int | None) -> list[Event]:
        talk = None if talked is None else self._micros(talked)
        return self._hung_up(visit, None if talk is None else self._record.micros - talk)

    # -- what they are made of -----------------------------------------------------------------

    def _again(self) -> list[Event]:
        self.told_before = True
        return []

    def _where(self, visit: Visit) -> VisitFields:
        return VisitFields(
            queue=visit.queue,
            channel=self._identity.channel,
            enqueue_seq=visit.seq,
            agent=self._record.member,
            direction="outbound" if visit.outbound else "inbound",
        )
