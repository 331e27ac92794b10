"""Tells what happens in the centre as events, with ids that the same run gives again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from stream.core.cloudevents import Event
from stream.families.agents import events as agents
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.simulator.callers import Leaving
from stream.simulator.centre import Reports, Transfer
from stream.simulator.desks import Calendar, Desk, SimulatedVisit

__all__ = ["Recorder", "source_of"]


def source_of(centre: str) -> str:
    """Return the source of the events of a centre with this name."""
    return f"/sim/{centre}"


class Recorder:
    """
    Collects the events of the present instant in `out`, for the engine to hand on.

    Event and contact ids begin with *run*, the mark of one centre, seed and start: two runs into one
    system never share an id, and the same run repeated is seen to be a repetition.
    """

    def __init__(self, calendar: Calendar, *, start: datetime, run: str, centre: str, reports: Reports) -> None:
        self.out: list[Event] = []
        self.run = run
        self.reports = reports
        self._calendar = calendar
        self._start = start
        self._source = source_of(centre)
        self._number = 0
        self._at = -1
        self._time = start

    def offered(self, visit: SimulatedVisit) -> None:
        """A contact reached the centre."""
        plan = visit.queue.plan
        if self.reports.arrivals:
            data = payloads.ArrivalData(queue=plan.name, channel=plan.channel, did=plan.did)
            self._tell(e.ContactOffered, visit.contact, plan.tenant, data)

    def menu_ended(self, visit: SimulatedVisit, outcome: Literal["queued", "self_served", "abandoned"]) -> None:
        """The voice menu is over."""
        plan = visit.queue.plan
        if self.reports.arrivals:
            data = payloads.IvrData(queue=plan.name, channel=plan.channel, did=plan.did, outcome=outcome)
            self._tell(e.ContactIvrEnded, visit.contact, plan.tenant, data)

    def blocked(self, visit: SimulatedVisit, reason: payloads.BlockReason) -> None:
        """The contact does not get in."""
        plan = visit.queue.plan
        data = payloads.BlockedData(
            queue=plan.name, channel=plan.channel, customer=visit.caller.customer, reason=reason
        )
        self._tell(e.ContactBlocked, visit.contact, plan.tenant, data)

    def enqueued(self, visit: SimulatedVisit) -> None:
        """The wait began."""
        plan = visit.queue.plan
        data = payloads.EnqueuedData(
            queue=plan.name,
            channel=plan.channel,
            customer=visit.caller.customer,
            topic=visit.caller.topic,
            enqueue_seq=visit.seq,
            position=visit.position,
            reason="new" if visit.seq == 1 else "transfer",
        )
        self._tell(e.ContactEnqueued, visit.contact, plan.tenant, data)

    def offered_to_agent(self, visit: SimulatedVisit, agent: str) -> None:
        """It rings at an agent."""
        plan = visit.queue.plan
        data = payloads.OfferData(
            queue=plan.name,
            channel=plan.channel,
            customer=visit.caller.customer,
            enqueue_seq=visit.seq,
            agent=agent,
            offer_id=_offer_id(visit),
        )
        self._tell(e.ContactOfferedToAgent, visit.contact, plan.tenant, data)

    def offer_ended(self, visit: SimulatedVisit, agent: str, result: Literal["missed", "canceled"]) -> None:
        """It rang at an agent in vain."""
        plan = visit.queue.plan
        data = payloads.OfferEndedData(
            queue=plan.name,
            channel=plan.channel,
            customer=visit.caller.customer,
            enqueue_seq=visit.seq,
            agent=agent,
            offer_id=_offer_id(visit),
            result=result,
            ring_ms=self._calendar.now - visit.rang_at,
        )
        self._tell(e.OfferEnded, visit.contact, plan.tenant, data)

    def answered(self, visit: SimulatedVisit, agent: str) -> None:
        """An agent answered."""
        plan, now = visit.queue.plan, self._calendar.now
        data = payloads.AnsweredData(
            queue=plan.name,
            channel=plan.channel,
            customer=visit.caller.customer,
            topic=visit.caller.topic,
            enqueue_seq=visit.seq,
            agent=agent,
            wait_ms=now - visit.enqueued_at,
            ring_ms=now - visit.rang_at,
            offer_id=_offer_id(visit),
        )
        self._tell(e.ContactAnswered, visit.contact, plan.tenant, data)

    def left(self, visit: SimulatedVisit, how: Leaving | Literal["empty"], position: int) -> None:
        """The wait ended without an answer."""
        plan, wait = visit.queue.plan, self._calendar.now - visit.enqueued_at
        if how == "abandon":
            wait_data = payloads.WaitData(
                queue=plan.name,
                channel=plan.channel,
                customer=visit.caller.customer,
                enqueue_seq=visit.seq,
                wait_ms=wait,
                position=position,
            )
            self._tell(e.ContactAbandoned, visit.contact, plan.tenant, wait_data)
            return
        data = payloads.DequeuedData(
            queue=plan.name,
            channel=plan.channel,
            customer=visit.caller.customer,
            enqueue_seq=visit.seq,
            reason=how,
            wait_ms=wait,
            position=position,
        )
        self._tell(e.ContactDequeued, visit.contact, plan.tenant, data)

    def held(self, visit: SimulatedVisit, agent: str) -> None:
        """The customer is on hold."""
        self._tell(e.ContactHeld, visit.contact, visit.queue.plan.tenant, _segment(visit, agent))

    def resumed(self, visit: SimulatedVisit, agent: str) -> None:
        """The customer is back."""
        self._tell(e.ContactResumed, visit.contact, visit.queue.plan.tenant, _segment(visit, agent))

    def ended(self, visit: SimulatedVisit, agent: str) -> None:
        """The parties hung up."""
        plan = visit.queue.plan
        data = payloads.EndedData(
            queue=plan.name,
            channel=plan.channel,
            customer=visit.caller.customer,
            topic=visit.caller.topic,
            enqueue_seq=visit.seq,
            agent=agent,
            ended_by=visit.errand.ended_by,
            talk_ms=self._calendar.now - visit.answered_at - visit.hold_ms,
            hold_ms=visit.hold_ms,
            disposition=visit.caller.disposition,
            wrapup=visit.errand.wrapup > 0,
        )
        self._tell(e.ContactEnded, visit.contact, plan.tenant, data)

    def transferred(self, visit: SimulatedVisit, agent: str, transfer: Transfer) -> None:
        """The contact goes on elsewhere."""
        plan = visit.queue.plan
        data = payloads.TransferredData(
            queue=plan.name,
            channel=plan.channel,
            customer=visit.caller.customer,
            topic=visit.caller.topic,
            enqueue_seq=visit.seq,
            agent=agent,
            kind="attended" if visit.errand.attended else "blind",
            to_queue=transfer.to,
            to_external=transfer.to is None,
            talk_ms=self._calendar.now - visit.answered_at - visit.hold_ms,
            hold_ms=visit.hold_ms,
            wrapup=visit.errand.wrapup > 0,
        )
        self._tell(e.ContactTransferred, visit.contact, plan.tenant, data)

    def wrapup_started(self, visit: SimulatedVisit, agent: str) -> None:
        """The agent works on."""
        if self.reports.wrapup_started:
            self._tell(e.ContactWrapupStarted, visit.contact, visit.queue.plan.tenant, _segment(visit, agent))

    def wrapup_ended(self, visit: SimulatedVisit, agent: str) -> None:
        """The agent is done with the contact."""
        plan = visit.queue.plan
        data = payloads.WrapupEndedData(
            queue=plan.name,
            channel=plan.channel,
            customer=visit.caller.customer,
            enqueue_seq=visit.seq,
            agent=agent,
            acw_ms=visit.errand.wrapup,
        )
        self._tell(e.ContactWrapupEnded, visit.contact, plan.tenant, data)

    def callback_requested(self, visit: SimulatedVisit, due_ms: int) -> None:
        """A waiting customer asked to be called back, at so many ms after the start."""
        plan = visit.queue.plan
        data = payloads.CallbackData(
            queue=plan.name,
            channel=plan.channel,
            customer=visit.caller.customer,
            origin=visit.contact,
            due_at=self._start + timedelta(milliseconds=due_ms),
        )
        self._tell(e.CallbackRequested, _callback_id(visit), plan.tenant, data)

    def callback(self, kind: Callable[..., e.CallbackEvent], visit: SimulatedVisit, number: int) -> None:
        """An attempt to call back whoever asked for it on this *visit* began, was answered, or was the last."""
        plan = visit.queue.plan
        data = payloads.CallbackAttemptData(
            queue=plan.name,
            channel=plan.channel,
            customer=visit.caller.customer,
            direction="outbound",
            origin=visit.contact,
            attempt=number,
        )
        self._tell(kind, _callback_id(visit), plan.tenant, data)

    def agent(self, kind: Callable[..., agents.AgentEvent], desk: Desk, data: agents.AgentData) -> None:
        """Something happened to an agent."""
        if self.reports.agents:
            self._tell(kind, desk.plan.id, desk.plan.tenant, data)

    def _tell(self, kind: Callable[..., Event], subject: str, tenant: str, data: object) -> None:
        # Numbered, not random: a run that is told again has the same ids, and counts nothing twice.
        self._number += 1
        now = self._calendar.now
        if now != self._at:  # events come in clusters, and a datetime costs as much as half an event
            self._at = now
            self._time = self._start + timedelta(0, 0, 0, now)
        self.out.append(
            kind(
                id=f"{self.run}-{self._number}",
                source=self._source,
                time=self._time,
                subject=subject,
                specversion="1.0",
                tenantid=tenant,
                data=data,
            )
        )


def _segment(visit: SimulatedVisit, agent: str) -> payloads.QueueData:
    plan = visit.queue.plan
    return payloads.QueueData(
        queue=plan.name, channel=plan.channel, customer=visit.caller.customer, enqueue_seq=visit.seq, agent=agent
    )


def _callback_id(visit: SimulatedVisit) -> str:
    return f"{visit.contact}-callback"


def _offer_id(visit: SimulatedVisit) -> str:
    return f"{visit.contact}.{visit.seq}.{visit.offers}"
