"""From answer to the end of wrap-up: talk, holds, transfers."""

from collections.abc import Callable

from stream.simulator.desks import Calendar, Desk, SimulatedVisit, Stage
from stream.simulator.duty import Duty
from stream.simulator.events_out import Recorder

__all__ = ["Conversations"]

MOST_VISITS = 4
"""A contact that has been to this many queues is not transferred again."""


class Conversations:
    """Plays the conversations; says by *on_transferred* that a contact goes on to another queue."""

    def __init__(
        self, calendar: Calendar, record: Recorder, duty: Duty, on_transferred: Callable[[SimulatedVisit, str], None]
    ) -> None:
        self._on_transferred = on_transferred
        self._calendar = calendar
        self._record = record
        self._duty = duty

    def begin(self, visit: SimulatedVisit, desk: Desk) -> None:
        """An agent answers."""
        visit.answered_at = self._calendar.now
        desk.talking += 1
        self._record.answered(visit, desk.plan.id)
        self._duty.observe(desk)
        self._talk(visit)

    def _talk(self, visit: SimulatedVisit) -> None:
        """Plan what ends this stretch of talk: the next hold, or the end."""
        errand = visit.errand
        # The whole errand was drawn with the visit: nothing here depends on chance.
        after = self._hold if visit.holds < len(errand.holds) else self._end
        self._calendar.after(errand.talk[visit.holds], after, visit)

    def _hold(self, visit: SimulatedVisit) -> None:
        errand, length = visit.errand, visit.errand.holds[visit.holds]
        visit.holds += 1
        visit.held_at = self._calendar.now
        self._record.held(visit, _agent(visit))
        hangs_up = visit.holds == len(errand.talk)  # some give up on hold: no talk follows it
        self._calendar.after(length, self._end if hangs_up else self._resume, visit)

    def _resume(self, visit: SimulatedVisit) -> None:
        self._count_hold(visit)
        self._record.resumed(visit, _agent(visit))
        self._talk(visit)

    def _count_hold(self, visit: SimulatedVisit) -> None:
        if visit.held_at is not None:
            visit.hold_ms += self._calendar.now - visit.held_at
            visit.held_at = None

    def _end(self, visit: SimulatedVisit) -> None:
        desk, errand, plan = visit.desk, visit.errand, visit.queue.plan
        assert desk is not None
        self._count_hold(visit)
        visit.stage = Stage.GONE
        desk.talking -= 1
        # Who wants to be transferred was drawn with the customer; without a limit a contact could go to and fro
        # for ever.
        transfer = None if errand.transfer is None or visit.seq >= MOST_VISITS else plan.transfers[errand.transfer]
        if transfer is None:
            self._record.ended(visit, desk.plan.id)
        else:
            self._record.transferred(visit, desk.plan.id, transfer)
        # A contact that goes on to another queue keeps its line.
        if transfer is None or transfer.to is None:
            visit.queue.lines.taken -= 1
        else:
            self._on_transferred(visit, transfer.to)
        self._wrap_up(visit, desk)

    def _wrap_up(self, visit: SimulatedVisit, desk: Desk) -> None:
        # A wrap-up of no length is not told: the desk is free in the same instant.
        if not visit.errand.wrapup:
            self._duty.release(desk)
            return
        desk.wrapping += 1
        self._record.wrapup_started(visit, desk.plan.id)
        self._duty.observe(desk)
        self._calendar.after(visit.errand.wrapup, self._wrapped_up, visit)

    def _wrapped_up(self, visit: SimulatedVisit) -> None:
        desk = visit.desk
        assert desk is not None
        desk.wrapping -= 1
        self._record.wrapup_ended(visit, desk.plan.id)
        self._duty.release(desk)


def _agent(visit: SimulatedVisit) -> str:
    assert visit.desk is not None
    return visit.desk.plan.id
