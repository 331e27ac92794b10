"""Discrete-event simulation of a contact centre: the same centre, start and seed give the same events, byte for byte.

It knows no wall clock: time is what the calendar says is due next.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import count
from operator import attrgetter
from random import Random

from stream.core.cloudevents import Event
from stream.simulator.arrivals import arrival_times
from stream.simulator.callbacks import Callbacks
from stream.simulator.callers import Callers, milliseconds, sampler
from stream.simulator.cases.engine import simulated_cases
from stream.simulator.centre import Centre
from stream.simulator.conversation import Conversations
from stream.simulator.customers.engine import simulated_customers
from stream.simulator.customers.known import WhoComes
from stream.simulator.desks import Calendar, Desk, Lines, SimulatedQueue, SimulatedVisit
from stream.simulator.duty import Duty
from stream.simulator.events_out import Recorder, source_of
from stream.simulator.front_door import FrontDoor
from stream.simulator.waiting import WaitingRoom

__all__ = ["run_mark", "simulate"]


def simulate(
    centre: Centre,
    *,
    start: datetime,
    end: datetime,
    seed: int,
    cases_before: timedelta = timedelta(0),
    customers_before: timedelta | None = None,
) -> Iterator[Event]:
    """
    Yield what happens in the centre from *start* until before *end*, in order of time, lazily.

    The centre is empty at *start*; agents whose shift has begun log in then. Its help desk begins *cases_before* that,
    since cases live for days, and its customers *customers_before* that; None: nobody is told of customers, and no call
    says whose it is. What is open at *end* stays open. Times are whole milliseconds after *start*, which must be aware.
    """
    if start.tzinfo is None or end.tzinfo is None:
        raise ValueError("start and end need a time zone")
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    # Events have whole milliseconds, and the ids of a run are made from its start: both must say the same.
    start -= timedelta(microseconds=start.microsecond % 1000)
    run = run_mark(centre, start, seed)
    bases = () if customers_before is None else centre.customers
    who_comes = WhoComes(bases, seed=seed, run=run)
    # Played apart, and nobody of the one works for the other: so the calls of a seed are the same with cases and
    # customers or without.
    calls = _events(centre, start, end, seed, who_comes)
    cases = simulated_cases(
        centre.help_desk,
        centre=centre.name,
        run=_run_before(run, cases_before),
        start=start - cases_before,
        calls_start=start,
        end=end,
        seed=seed,
        who_comes=who_comes,
    )
    before = customers_before or timedelta(0)
    customers = simulated_customers(
        bases,
        source=source_of(centre.name),
        run=_run_before(run, before),
        start=start - before,
        calls_start=start,
        end=end,
        seed=seed,
        who_comes=who_comes,
    )
    return merge(calls, cases, customers, key=attrgetter("time"))


def run_mark(centre: Centre, start: datetime, seed: int) -> str:
    """Return what the ids of a run begin with; *start* is in UTC, and of whole milliseconds."""
    return hashlib.blake2s(f"{centre.name}/{start.isoformat()}/{seed}".encode(), digest_size=4).hexdigest()


def _run_before(run: str, before: timedelta) -> str:
    """Return what ids begin with of what begins so long before the calls: not with those of what begins with them."""
    return f"{run}-{milliseconds(before)}" if before else run


def _events(centre: Centre, start: datetime, end: datetime, seed: int, who_comes: WhoComes) -> Iterator[Event]:
    calendar = Calendar()
    out = _open(centre, calendar, start, seed, who_comes)
    length = milliseconds(end - start)
    yield from out
    out.clear()
    # Handed on after each step of the calendar: so a day is made as it is read, in constant memory.
    while calendar.step(length):
        if out:
            yield from out
            out.clear()


def _open(centre: Centre, calendar: Calendar, start: datetime, seed: int, who_comes: WhoComes) -> list[Event]:
    """Furnish the centre and plan what starts by itself; return where events will appear."""
    # Times of day follow from the start, in UTC: the simulator knows no time zone, and no change of clocks.
    clock_ms = milliseconds(start - start.replace(hour=0, minute=0, second=0, microsecond=0))
    run = run_mark(centre, start, seed)
    record = Recorder(calendar, start=start, run=run, centre=centre.name, reports=centre.reports)
    queues = _queues(centre, seed, clock_ms, who_comes)
    duty = Duty(calendar, record)

    # A conversation may end in a wait, and a wait in a conversation: the two need each other, so one is told of
    # the other by this function.
    def go_on(visit: SimulatedVisit, to_queue: str) -> None:
        queue = queues[visit.queue.plan.tenant, to_queue]
        waiting.enter(SimulatedVisit(visit.contact, queue, queue.returning.draw(), visit.seq + 1, visit.caller))

    talks = Conversations(calendar, record, duty, go_on)
    waiting = WaitingRoom(calendar, record, duty, talks, Callbacks(calendar, record))
    duty.on_free = waiting.serve
    duty.on_unstaffed = waiting.turn_out
    for desk in _desks(centre, queues, seed):
        duty.plan(desk, clock_ms)
    door = FrontDoor(calendar, record, waiting, clock_ms=clock_ms)
    for queue in queues.values():
        door.expect(queue)
    return record.out


def _queues(centre: Centre, seed: int, clock_ms: int, who_comes: WhoComes) -> dict[tuple[str, str], SimulatedQueue]:
    limits = {trunk.tenant: trunk.lines for trunk in centre.trunks}
    lines = {queue.tenant: Lines(limits.get(queue.tenant)) for queue in centre.queues}
    # Shared, which does not matter: without a limit nobody asks how many are taken.
    endless = Lines(None)
    queues = {}
    for index, plan in zip(count(1), centre.queues, strict=False):
        # Chats and e-mails take no line.
        queue = SimulatedQueue(plan, index, lines[plan.tenant] if plan.channel == "voice" else endless)

        # Chance is seeded by who it is for: another queue or agent more leaves everybody else's day as it was.
        def chance(of: str, who: str = f"{plan.tenant}/{plan.name}") -> Random:
            return Random(f"{seed}/{of}/{who}")

        queue.arrivals = arrival_times(chance("arrivals"), plan.per_hour, clock_ms=clock_ms)
        queue.callers = Callers(plan, chance("customers"))
        queue.returning = Callers(plan, chance("returning"))
        queue.known = who_comes.to(plan.tenant, plan.name, plan.channel)
        queue.rng = chance("queue")
        queue.ring = sampler(plan.ring)
        queue.ring_limit = milliseconds(plan.ring_limit)
        queues[plan.tenant, plan.name] = queue
    return queues


def _desks(centre: Centre, queues: dict[tuple[str, str], SimulatedQueue], seed: int) -> list[Desk]:
    desks = []
    for plan in centre.agents:
        served = [queues[plan.tenant, skill] for skill in plan.skills]
        desk = Desk(plan, Random(f"{seed}/agent/{plan.tenant}/{plan.id}"), served)
        for rank, queue in enumerate(served):
            queue.desks.append((rank, desk))
        desks.append(desk)
    for queue in queues.values():
        # Stable: agents of one rank stay in the order of the plan, so that the same centre gives the same day.
        queue.desks.sort(key=lambda ranked: ranked[0])
    return desks
