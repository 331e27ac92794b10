"""The agents: shifts, breaks, and what they are seen doing. It knows no contacts, only how many each agent has."""

from collections.abc import Callable
from datetime import timedelta

from stream.families.agents import events as agents
from stream.simulator.arrivals import DAY_MS
from stream.simulator.callers import milliseconds
from stream.simulator.centre import Break, Shift
from stream.simulator.desks import Activity, Calendar, Desk, SimulatedQueue
from stream.simulator.events_out import Recorder

__all__ = ["Duty"]

AFTER_A_MISS = Break(after=timedelta(0), lasts=timedelta(seconds=30), reason="missed")
"""Call systems pause who lets it ring, or the next contact would ring there in vain, too."""


class Duty:
    """Brings agents to their desks and away; says by `on_free` who is free, by `on_unstaffed` where nobody is left."""

    on_free: Callable[[Desk], None]
    on_unstaffed: Callable[[SimulatedQueue], None]

    def __init__(self, calendar: Calendar, record: Recorder) -> None:
        self._calendar = calendar
        self._record = record

    def plan(self, desk: Desk, clock_ms: int) -> None:
        """Plan the shifts of an agent from an instant whose time of day is *clock_ms*."""
        shift = desk.plan.shift
        if shift is None:
            self._calendar.at(0, self._login, desk)
            return
        began = (milliseconds(shift.starts) - clock_ms) % DAY_MS
        # A shift that runs past midnight has begun the day before: its agent is there from the start.
        if began + milliseconds(shift.lasts) > DAY_MS:
            self._begin_shift((desk, shift, began - DAY_MS))
        else:
            self._calendar.at(began, self._begin_shift, (desk, shift, began))

    def observe(self, desk: Desk) -> None:
        """Take note that the contacts or the duty of a desk have changed."""
        desk.free = (
            desk.on_duty
            and desk.available
            and not desk.leaving
            and desk.deferred is None
            and desk.contacts < desk.plan.slots
        )
        # Told only where it differs: a second chat at the same desk is no news.
        activity = _activity(desk)
        if activity != desk.activity:
            desk.activity = activity
            self._record.agent(agents.AgentActivityChanged, desk, agents.ActivityData(activity=activity))

    def release(self, desk: Desk) -> None:
        """Take note that a desk is done with a contact: it leaves or pauses if that waited, or takes the next."""
        # Also where it goes on with another contact: who was idle longest is asked only of desks that are free.
        desk.idle_since = self._calendar.now
        if not desk.contacts and desk.leaving:
            self._logout(desk)
        elif not desk.contacts and desk.deferred is not None:
            self._pause(desk, desk.deferred)
        else:
            self.observe(desk)
            if desk.free:
                self.on_free(desk)

    def missed(self, desk: Desk) -> None:
        """Pause a desk that let it ring."""
        if desk.deferred is None:
            desk.deferred = AFTER_A_MISS

    def _begin_shift(self, what: tuple[Desk, Shift, int]) -> None:
        """Log in; an agent whose shift began before the start logs in at the start."""
        desk, shift, began = what
        calendar = self._calendar
        calendar.at(max(began, 0), self._login, desk)
        for pause in desk.plan.breaks:
            if pause.after < shift.lasts and began + milliseconds(pause.after) > 0:
                calendar.at(began + milliseconds(pause.after), self._want_break, (desk, pause))
        calendar.at(began + milliseconds(shift.lasts), self._end_shift, desk)
        # Each day plans the next one: the calendar stays short however long the run is.
        calendar.at(began + DAY_MS, self._begin_shift, (desk, shift, began + DAY_MS))

    def _login(self, desk: Desk) -> None:
        if desk.on_duty:  # the last contact of the last shift is not over: stay
            desk.leaving = False
            self.release(desk)
            return
        desk.on_duty = desk.available = True
        tell = self._record.agent
        tell(agents.AgentLoggedIn, desk, agents.AgentData())
        for rank, queue in enumerate(desk.queues):
            queue.agents_on_duty += 1
            tell(agents.AgentQueueJoined, desk, agents.MembershipData(queue=queue.plan.name, penalty=rank))
        tell(agents.AgentAvailabilityChanged, desk, agents.AvailabilityData(status="available"))
        tell(agents.AgentActivityChanged, desk, agents.ActivityData(activity="idle"))
        self.release(desk)

    def _end_shift(self, desk: Desk) -> None:
        desk.leaving = True  # nobody hangs up on a customer: it takes effect with the last contact
        self.release(desk)

    def _logout(self, desk: Desk) -> None:
        desk.on_duty = desk.available = desk.leaving = desk.free = False
        desk.deferred = None
        desk.pauses += 1  # voids the end of a break that is still planned
        tell = self._record.agent
        tell(agents.AgentAvailabilityChanged, desk, agents.AvailabilityData(status="offline"))
        for queue in desk.queues:
            queue.agents_on_duty -= 1
            tell(agents.AgentQueueLeft, desk, agents.MembershipData(queue=queue.plan.name))
        tell(agents.AgentLoggedOut, desk, agents.AgentData())
        for queue in desk.queues:
            # Only when the agent has left all of its queues: turning out the first one changes who waits in the
            # others.
            if not queue.agents_on_duty:
                self.on_unstaffed(queue)

    def _want_break(self, what: tuple[Desk, Break]) -> None:
        desk, pause = what
        if desk.on_duty and not desk.leaving:
            desk.deferred = pause
            self.release(desk)

    def _pause(self, desk: Desk, pause: Break) -> None:
        desk.deferred = None
        desk.available = False
        desk.pauses += 1
        self.observe(desk)
        data = agents.AvailabilityData(status="not_ready", reason=pause.reason)
        self._record.agent(agents.AgentAvailabilityChanged, desk, data)
        self._calendar.after(milliseconds(pause.lasts), self._return, (desk, desk.pauses))

    def _return(self, what: tuple[Desk, int]) -> None:
        desk, number = what
        # Another pause, or the end of the shift, may have come in between: then this return is void.
        if desk.on_duty and desk.pauses == number:
            desk.available = True
            self._record.agent(agents.AgentAvailabilityChanged, desk, agents.AvailabilityData(status="available"))
            self.release(desk)


def _activity(desk: Desk) -> Activity:
    if desk.talking:
        return "on_contact"
    if desk.wrapping:
        return "acw"
    return "reserved" if desk.ringing else "idle"
