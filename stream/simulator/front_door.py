"""How contacts come in: arrival, voice menu, and the reasons why some never reach a queue."""

from typing import Literal

from stream.families.contacts.payloads import BlockReason
from stream.simulator.arrivals import DAY_MS
from stream.simulator.callers import milliseconds, sampler
from stream.simulator.customers.known import STRANGER
from stream.simulator.desks import Calendar, SimulatedQueue, SimulatedVisit
from stream.simulator.events_out import Recorder
from stream.simulator.waiting import WaitingRoom

__all__ = ["FrontDoor"]


class FrontDoor:
    """Lets contacts in, one after another."""

    def __init__(self, calendar: Calendar, record: Recorder, waiting: WaitingRoom, *, clock_ms: int) -> None:
        self._calendar = calendar
        self._record = record
        self._waiting = waiting
        self._clock_ms = clock_ms

    def expect(self, queue: SimulatedQueue) -> None:
        """Plan the next arrival of a queue, if there ever is one."""
        when = next(queue.arrivals, None)
        if when is not None:
            self._calendar.at(when, self._arrive, queue)

    def _arrive(self, queue: SimulatedQueue) -> None:
        # The next arrival is planned by this one: the calendar holds a single one for each queue.
        self.expect(queue)
        queue.number += 1
        # The number of the queue stands for its name, which may have any characters.
        contact = f"{self._record.run}-{queue.index}.{queue.number}"
        caller = STRANGER if queue.known is None else queue.known.draw(self._calendar.now)
        visit = SimulatedVisit(contact, queue, queue.callers.draw(), caller=caller)
        self._record.offered(visit)
        menu = queue.plan.menu
        if (reason := self._refusal(queue)) is not None:
            self._record.blocked(visit, reason)
            return
        # A caller holds a line from here on, in the voice menu, too.
        queue.lines.taken += 1
        if menu is None:
            self._enter(visit)
        else:
            self._calendar.after(sampler(menu.length)(queue.rng), self._menu_ends, visit)

    def _refusal(self, queue: SimulatedQueue) -> BlockReason | None:
        hours = queue.plan.hours
        if hours is not None:
            clock = (self._clock_ms + self._calendar.now) % DAY_MS
            if not milliseconds(hours.opens) <= clock < milliseconds(hours.closes):
                return "closed"
        # After the hours: attempts while a queue is closed are counted apart from those that find no line.
        return "busy" if queue.lines.full else None

    def _menu_ends(self, visit: SimulatedVisit) -> None:
        outcome = _outcome(visit.queue)
        self._record.menu_ended(visit, outcome)
        if outcome == "queued":
            self._enter(visit)
        else:
            visit.queue.lines.taken -= 1

    def _enter(self, visit: SimulatedVisit) -> None:
        plan = visit.queue.plan
        # Only behind the menu: who is in it waits for nobody, and takes no place of the queue.
        if plan.capacity is not None and visit.queue.length >= plan.capacity:
            self._block(visit, "full")
        elif plan.turns_away_unstaffed and not visit.queue.agents_on_duty:
            self._block(visit, "no_agents")
        else:
            self._waiting.enter(visit)

    def _block(self, visit: SimulatedVisit, reason: BlockReason) -> None:
        visit.queue.lines.taken -= 1
        self._record.blocked(visit, reason)


def _outcome(queue: SimulatedQueue) -> Literal["queued", "self_served", "abandoned"]:
    menu = queue.plan.menu
    assert menu is not None
    chance = queue.rng.random()
    if chance < menu.self_served:
        return "self_served"
    return "abandoned" if chance < menu.self_served + menu.given_up else "queued"
