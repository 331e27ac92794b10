"""Who writes, and what it takes to help them: drawn with the case, before anybody knows how busy the help desk is."""

from random import Random
from typing import Literal, NamedTuple

from stream.families.cases.payloads import Priority
from stream.simulator.callers import MILLISECOND, milliseconds, sampler
from stream.simulator.cases.plan import CaseQueuePlan

__all__ = ["MOST_TURNS", "CaseTurn", "Does", "Request", "Requests"]

Does = Literal["spam", "delete", "merge", "reassign", "ask", "hold", "solve"]

MOST_TURNS = 12
"""A case that took so many turns of agents is solved for good: no customer is that patient."""

_PRIORITIES: tuple[tuple[Priority, float], ...] = (("low", 0.15), ("normal", 0.67), ("high", 0.14), ("urgent", 0.04))
_RAISED = 0.03
"""Share of turns in which an agent finds that the case is more urgent than was said."""


class CaseTurn(NamedTuple):
    """One stretch of work of an agent on a case, and what follows. Lengths in ms."""

    work: int
    does: Does
    after: int | None
    """When it goes on: the customer's answer, the end of the hold, the reopening. None: it does not."""
    note: bool
    raised: bool
    said: bool
    """Whether the customer is told."""
    thanks: int | None
    """After how long the customer thanks for the solution."""
    away: bool
    """Whether a machine answers in place of the customer."""
    again: tuple[int, ...]
    """After how long the customer writes again while it waits for this turn, each after the one before."""


class Request(NamedTuple):
    """A case as it comes in, and all turns that it takes."""

    priority: Priority
    by_us: bool
    reply: int | None
    """Where we wrote first: after how long the customer answers; None: never."""
    turns: tuple[CaseTurn, ...]


class Requests:
    """Draws the requests of one queue from one source of chance."""

    def __init__(self, plan: CaseQueuePlan, rng: Random) -> None:
        self._plan = plan
        self._rng = rng
        self._work = sampler(plan.work)
        self._reply = sampler(plan.reply)
        self._hold = sampler(plan.hold)
        self._patience = None if plan.patience is None else plan.patience / MILLISECOND
        self._closes = milliseconds(plan.closes_after)

    def draw(self) -> Request:
        """Return the next customer's request."""
        shares = self._plan.shares
        priority = self._priority()
        by_us = self._chance(shares.by_us)
        turns: list[CaseTurn] = []
        while not turns or turns[-1].after is not None:
            moved = any(turn.does == "reassign" for turn in turns)
            turns.append(self._turn(first=not turns and not by_us, may_move=not moved, last=len(turns) >= MOST_TURNS))
        reply = None if self._chance(shares.silent) else 1 + self._reply(self._rng)
        return Request(priority, by_us, reply, tuple(turns))

    def _turn(self, *, first: bool, may_move: bool, last: bool) -> CaseTurn:
        rng, shares = self._rng, self._plan.shares
        does = "solve" if last else self._does(first=first, may_move=may_move)
        after = None if last else self._after(does)
        thanks = self._reply_in_time() if does == "solve" and after is None and self._chance(shares.thanks) else None
        return CaseTurn(
            work=1 + self._work(rng),  # at least a millisecond: what a turn ends with is later than its begin
            does=does,
            after=after,
            note=self._chance(shares.noted),
            raised=rng.random() < _RAISED,
            said=not (does == "solve" and self._chance(shares.unsaid)),
            thanks=thanks,
            away=self._chance(shares.away),
            again=self._again(),
        )

    def _does(self, *, first: bool, may_move: bool) -> Does:
        shares, chance = self._plan.shares, self._rng.random()
        ways: tuple[tuple[Does, float], ...] = (
            ("spam", shares.spam if first else 0.0),
            ("delete", shares.deleted if first else 0.0),
            ("merge", shares.merged if first else 0.0),
            ("reassign", shares.reassigned if may_move else 0.0),
            ("ask", shares.asked),
            ("hold", shares.held),
        )
        for does, share in ways:
            chance -= share
            if chance < 0:
                return does
        return "solve"

    def _after(self, does: Does) -> int | None:
        rng, shares = self._rng, self._plan.shares
        match does:
            case "reassign":
                return 0
            case "hold":
                return 1 + self._hold(rng)
            case "ask":
                return None if self._chance(shares.silent) else 1 + self._reply(rng)
            case "solve":
                return self._reply_in_time() if self._chance(shares.reopened) else None
            case _:
                return None

    def _reply_in_time(self) -> int:
        """Return when a customer writes after a solution: before the case is closed."""
        return min(1 + self._reply(self._rng), self._closes - 1)

    def _again(self) -> tuple[int, ...]:
        if self._patience is None:
            return ()
        # Twice at most: a third time they call.
        return tuple(1 + round(self._rng.expovariate(1.0) * self._patience) for _ in range(2))

    def _priority(self) -> Priority:
        chance = self._rng.random()
        for priority, share in _PRIORITIES:
            chance -= share
            if chance < 0:
                return priority
        return "normal"

    def _chance(self, share: float) -> bool:
        # Drawn also where it never happens: another share leaves everybody else's request as it was.
        return self._rng.random() < share
