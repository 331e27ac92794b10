"""Discrete-event simulation of a help desk, as `simulator.engine` is of calls: with a calendar of its own."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from random import Random

from stream.core.cloudevents import Event
from stream.simulator.arrivals import arrival_times
from stream.simulator.callers import milliseconds
from stream.simulator.cases.desk import CaseAgent, Inbox, Mailbox
from stream.simulator.cases.events_out import CaseRecorder
from stream.simulator.cases.plan import HelpDesk
from stream.simulator.cases.play import CasePlay
from stream.simulator.cases.requests import Requests
from stream.simulator.customers.known import WhoComes
from stream.simulator.desks import Calendar

__all__ = ["simulated_cases"]


def simulated_cases(
    desk: HelpDesk,
    *,
    centre: str,
    run: str,
    start: datetime,
    calls_start: datetime,
    end: datetime,
    seed: int,
    who_comes: WhoComes,
) -> Iterator[Event]:
    """
    Yield what happens to the cases of a *centre* from *start* (UTC, in whole milliseconds) until before *end*.

    The calls begin at *calls_start*, and *who_comes* says who writes to each queue.
    """
    calendar = Calendar()
    record = CaseRecorder(calendar, start=start, run=run, centre=centre)
    monday = start.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=start.weekday())
    play = CasePlay(
        calendar, record, clock_ms=milliseconds(start - monday), before_ms=milliseconds(calls_start - start)
    )
    inboxes = {(plan.tenant, plan.name): Inbox(plan.name) for plan in desk.queues}
    # Agents first: who is at work at the start is there before the first case.
    for agent in _agents(desk, inboxes):
        play.employ(agent)
    for mailbox in _mailboxes(desk, inboxes, seed, milliseconds(start - monday)):
        mailbox.known = who_comes.to(mailbox.plan.tenant, mailbox.plan.name, mailbox.plan.channel)
        play.expect(mailbox)
    length, out = milliseconds(end - start), record.out
    while calendar.step(length):
        if out:
            yield from out
            out.clear()


def _mailboxes(desk: HelpDesk, inboxes: dict[tuple[str, str], Inbox], seed: int, clock_ms: int) -> Iterator[Mailbox]:
    for index, plan in zip(count(1), desk.queues, strict=False):
        # Chance is seeded by who it is for, as with calls.
        who = f"{plan.tenant}/{plan.name}/{plan.channel}"
        other = None if plan.other is None else inboxes[plan.tenant, plan.other]
        mailbox = Mailbox(plan, index, inboxes[plan.tenant, plan.name], other)
        mailbox.arrivals = arrival_times(Random(f"{seed}/case arrivals/{who}"), plan.per_hour, clock_ms=clock_ms)
        mailbox.requests = Requests(plan, Random(f"{seed}/requests/{who}"))
        yield mailbox


def _agents(desk: HelpDesk, inboxes: dict[tuple[str, str], Inbox]) -> list[CaseAgent]:
    agents = []
    for plan in desk.agents:
        agent = CaseAgent(plan, [inboxes[plan.tenant, skill] for skill in plan.skills])
        for rank, inbox in enumerate(agent.inboxes):
            inbox.agents.append((rank, agent))
        agents.append(agent)
    return agents
