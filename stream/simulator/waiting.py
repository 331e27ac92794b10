"""The wait: who is next, who is offered what, and how contacts leave a queue unanswered.

Oldest contact first within a queue; a free agent takes from the queue that comes first among their skills; a
contact goes to the agent to whom its queue matters most, and among those to the one who has been idle longest.
"""

from typing import Literal

from stream.simulator.callbacks import Callbacks
from stream.simulator.callers import Leaving
from stream.simulator.conversation import Conversations
from stream.simulator.desks import Calendar, Desk, SimulatedQueue, SimulatedVisit, Stage
from stream.simulator.duty import Duty
from stream.simulator.events_out import Recorder

__all__ = ["WaitingRoom"]


class WaitingRoom:
    """Brings contacts and desks together."""

    def __init__(
        self, calendar: Calendar, record: Recorder, duty: Duty, talks: Conversations, callbacks: Callbacks
    ) -> None:
        self._calendar = calendar
        self._record = record
        self._duty = duty
        self._talks = talks
        self._callbacks = callbacks

    def enter(self, visit: SimulatedVisit) -> None:
        """A contact begins to wait; a free agent is offered it at once."""
        queue = visit.queue
        visit.enqueued_at = self._calendar.now
        visit.stage = Stage.WAITING
        visit.position = queue.length + 1
        self._record.enqueued(visit)
        # Where others wait no desk of this queue is free, or the oldest of them would have it.
        desk = None if queue.waiting else _best(queue)
        queue.waiting[visit] = None
        if desk is not None:
            self._offer(visit, desk)
        # Without a ring the contact may be in conversation by now.
        if visit.stage is not Stage.TALKING and visit.errand.leaves is not None:
            self._calendar.after(visit.errand.leaves_after, self._give_up, visit)

    def serve(self, desk: Desk) -> None:
        """A desk is free: offer it what waits."""
        # Again and again: a desk with several slots takes as many chats as it has room for.
        while desk.free:
            queue = next((queue for queue in desk.queues if queue.waiting), None)
            if queue is None:
                return
            self._offer(next(iter(queue.waiting)), desk)

    def turn_out(self, queue: SimulatedQueue) -> None:
        """The last agent of a queue has left."""
        if queue.plan.turns_away_unstaffed:
            while queue.waiting:
                self._leave(next(iter(queue.waiting)), "empty")

    def _offer(self, visit: SimulatedVisit, desk: Desk) -> None:
        queue = visit.queue
        del queue.waiting[visit]
        queue.ringing += 1
        visit.stage, visit.desk, visit.rang_at = Stage.RINGING, desk, self._calendar.now
        visit.offers += 1
        desk.ringing += 1
        self._duty.observe(desk)
        self._record.offered_to_agent(visit, desk.plan.id)
        missed = desk.plan.misses > 0 and desk.rng.random() < desk.plan.misses
        if missed:
            # Planned and never taken back: whoever gives up meanwhile is not ringing any more when this comes.
            self._calendar.after(queue.ring_limit, self._miss, visit)
        elif ring := queue.ring(desk.rng):
            self._calendar.after(ring, self._answer, visit)
        else:
            # Answered in the same instant, as in Erlang's models: a wait of exactly 0.
            self._answer(visit)

    def _answer(self, visit: SimulatedVisit) -> None:
        if visit.stage is Stage.RINGING:
            desk = self._stop_ringing(visit)
            visit.stage = Stage.TALKING
            self._talks.begin(visit, desk)

    def _miss(self, visit: SimulatedVisit) -> None:
        """Nobody took it: back to the head of the queue."""
        if visit.stage is not Stage.RINGING:
            return
        desk = self._stop_ringing(visit)
        self._record.offer_ended(visit, desk.plan.id, "missed")
        queue = visit.queue
        visit.stage, visit.desk = Stage.WAITING, None
        queue.waiting[visit] = None
        queue.waiting.move_to_end(visit, last=False)  # a ring in vain costs no place in the line
        # Paused before it is released: the contact is at the head again, and would ring at the same desk at
        # once.
        self._duty.missed(desk)
        self._duty.release(desk)
        other = _best(queue)
        if other is not None and visit.stage is Stage.WAITING:
            self._offer(visit, other)

    def _give_up(self, visit: SimulatedVisit) -> None:
        if visit.stage in (Stage.WAITING, Stage.RINGING):
            assert visit.errand.leaves is not None
            self._leave(visit, visit.errand.leaves)

    def _leave(self, visit: SimulatedVisit, how: Leaving | Literal["empty"]) -> None:
        queue = visit.queue
        position = _position(visit)
        desk = None
        if visit.stage is Stage.RINGING:
            desk = self._stop_ringing(visit)
            # First the offer, then the exit: whoever reads on sees no ring at an agent for a contact that has left.
            self._record.offer_ended(visit, desk.plan.id, "canceled")
        else:
            del queue.waiting[visit]
        visit.stage = Stage.GONE
        queue.lines.taken -= 1
        self._record.left(visit, how, position)
        if how == "callback_requested":
            self._callbacks.promise(visit)
        if desk is not None:
            self._duty.release(desk)

    def _stop_ringing(self, visit: SimulatedVisit) -> Desk:
        desk = visit.desk
        assert desk is not None
        visit.queue.ringing -= 1
        desk.ringing -= 1
        return desk


def _best(queue: SimulatedQueue) -> Desk | None:
    """Return the desk that a contact of this queue goes to now."""
    best, best_rank = None, 0
    for rank, desk in queue.desks:
        # Desks are in the order of their rank: behind the first free one only those of the same rank can be
        # better.
        if best is not None and rank > best_rank:
            break
        if desk.free and (best is None or desk.idle_since < best.idle_since):
            best, best_rank = desk, rank
    return best


def _position(visit: SimulatedVisit) -> int:
    """Return the place of a contact in its queue, from 1; those that ring come first."""
    if visit.stage is Stage.RINGING:
        return 1
    ahead = next(place for place, other in enumerate(visit.queue.waiting) if other is visit)
    return visit.queue.ringing + ahead + 1
