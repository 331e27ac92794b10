"""Tells what happens to cases as events, with ids that the same run gives again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.families.cases import events as e
from stream.families.cases import payloads
from stream.simulator.cases.desk import Mailbox, SimulatedCase
from stream.simulator.desks import Calendar
from stream.simulator.events_out import source_of

__all__ = ["CaseRecorder"]


class CaseRecorder:
    """
    Collects the events of the present instant in `out`.

    Ids begin with *run*, as those of calls do, and are numbered apart: so the calls of a centre have the same ids
    with a help desk and without.
    """

    def __init__(self, calendar: Calendar, *, start: datetime, run: str, centre: str) -> None:
        self.out: list[Event] = []
        self.run = run
        self._calendar = calendar
        self._start = start
        self._source = source_of(centre)
        self._number = 0

    def case_id(self, mailbox: Mailbox) -> str:
        """Return the id of the newest case of a mailbox, whose number stands for its name."""
        return f"{self.run}-case-{mailbox.index}.{mailbox.number}"

    def opened(self, case: SimulatedCase, by: Literal["customer", "agent", "system"]) -> None:
        """The case came in."""
        data = payloads.OpenedData(
            queue=case.inbox.name,
            channel=case.mailbox.plan.channel,
            priority=case.priority,
            topic=case.caller.topic,
            opened_by=by,
            agent=case.agent,
        )
        self._tell(e.CaseOpened, case, data)

    def assigned(self, case: SimulatedCase) -> None:
        """A queue, and perhaps an agent, is to solve it."""
        self._tell(e.CaseAssigned, case, payloads.AssignedData(queue=case.inbox.name, agent=case.agent))

    def status(self, case: SimulatedCase) -> None:
        """The case has another status."""
        self._tell(e.CaseStatusChanged, case, payloads.StatusData(status=case.status, agent=case.agent))

    def priority(self, case: SimulatedCase) -> None:
        """The case has another priority."""
        self._tell(e.CaseStatusChanged, case, payloads.StatusData(priority=case.priority, agent=case.agent))

    def received(self, case: SimulatedCase, *, automatic: bool = False) -> None:
        """The customer wrote, or a machine did for them."""
        self._tell(e.MessageReceived, case, payloads.ReceivedData(message=self._message(), automatic=automatic))

    def sent(self, case: SimulatedCase, *, public: bool = True) -> None:
        """An agent wrote, to the customer or as a note."""
        data = payloads.SentData(message=self._message(), agent=case.agent, public=public)
        self._tell(e.MessageSent, case, data)

    def sent_by_machine(self, case: SimulatedCase, author: Literal["agent", "bot"] = "agent") -> None:
        """A bot wrote, or a rule in the name of an agent."""
        data = payloads.SentData(message=self._message(), author=author, automatic=author != "bot")
        self._tell(e.MessageSent, case, data)

    def resolved(self, case: SimulatedCase, agent: str | None) -> None:
        """The case is solved: by an *agent*, or by time."""
        queue, channel, topic = case.inbox.name, case.mailbox.plan.channel, case.caller.topic
        data = payloads.ResolvedData(agent=agent, queue=queue, channel=channel, topic=topic)
        self._tell(e.CaseResolved, case, data)

    def reopened(self, case: SimulatedCase) -> None:
        """It was not solved."""
        self._tell(e.CaseReopened, case, payloads.CaseData())

    def closed(self, case: SimulatedCase) -> None:
        """Nothing can happen to it any more."""
        self._tell(e.CaseClosed, case, payloads.CaseData())

    def merged(self, case: SimulatedCase, into: str) -> None:
        """It goes on in another case."""
        self._tell(e.CaseMerged, case, payloads.MergedData(into=into, agent=case.agent))

    def deleted(self, case: SimulatedCase, reason: Literal["spam", "deleted"]) -> None:
        """It never was one."""
        self._tell(e.CaseDeleted, case, payloads.DeletedData(reason=reason, agent=case.agent))

    def _message(self) -> str:
        return f"{self.run}-m{self._number + 1}"

    def _tell(self, kind: Callable[..., Event], case: SimulatedCase, data: payloads.CaseData) -> None:
        self._number += 1
        if case.caller.customer is not None:
            data = replace(data, customer=case.caller.customer)
        self.out.append(
            kind(
                id=f"{self.run}-c{self._number}",
                source=self._source,
                time=self._start + timedelta(milliseconds=self._calendar.now),
                subject=case.id,
                specversion="1.0",
                tenantid=case.mailbox.plan.tenant,
                data=data,
            )
        )
