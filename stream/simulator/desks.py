"""The centre while a day is played: calendar, queues, desks, lines, and contacts on their way.

Mutable on purpose, unlike the domain: a simulated instant has no history, and a copy for every change would
halve the speed. Nothing here is seen outside the package.
"""

import heapq
from collections import OrderedDict
from collections.abc import Callable, Iterator
from enum import Enum, auto
from random import Random
from typing import Literal, TypeVar

from stream.simulator.callers import Callers, Errand
from stream.simulator.centre import AgentPlan, Break, QueuePlan
from stream.simulator.customers.known import STRANGER, KnownCaller, KnownCallers

__all__ = ["Calendar", "Desk", "Lines", "SimulatedQueue", "SimulatedVisit", "Stage"]

T = TypeVar("T")
Activity = Literal["idle", "reserved", "on_contact", "acw"]


class Calendar:
    """What is still to happen, soonest first; what falls on the same millisecond in the order it was planned."""

    __slots__ = ("_due", "_planned", "now")

    def __init__(self) -> None:
        # Whole milliseconds, as events have them: what falls together then does so exactly.
        self.now = 0
        """Milliseconds since the start."""
        self._due: list[tuple[int, int, Callable[..., None], object]] = []
        self._planned = 0

    def at(self, when: int, act: Callable[[T], None], subject: T) -> None:
        """Plan to call *act* with *subject*. Nothing is ever taken back: *act* must see whether it is too late."""
        self._planned += 1
        # The running number keeps the order of what is due together, and decides before functions are compared,
        # which cannot be. An entry in the middle of a heap cannot be removed cheaply: hence nothing is taken
        # back.
        heapq.heappush(self._due, (when, self._planned, act, subject))

    def after(self, delay: int, act: Callable[[T], None], subject: T) -> None:
        """Plan to call *act* after *delay* ms."""
        self.at(self.now + delay, act, subject)

    def step(self, end: int) -> bool:
        """Go on to what is due next, and do it; False when there is nothing before *end*."""
        # A local name, since this is the innermost loop.
        due = self._due
        if not due or due[0][0] >= end:
            return False
        self.now, _, act, subject = heapq.heappop(due)
        act(subject)
        return True


class Lines:
    """The voice lines of one tenant."""

    __slots__ = ("limit", "taken")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self.taken = 0

    @property
    def full(self) -> bool:
        """Whether the next call finds no line."""
        return self.limit is not None and self.taken >= self.limit


class SimulatedQueue:
    """One queue: who waits in it, and which desks serve it."""

    __slots__ = (
        "agents_on_duty",
        "arrivals",
        "callers",
        "desks",
        "index",
        "known",
        "lines",
        "number",
        "plan",
        "returning",
        "ring",
        "ring_limit",
        "ringing",
        "rng",
        "waiting",
    )

    def __init__(self, plan: QueuePlan, index: int, lines: Lines) -> None:
        self.plan = plan
        self.index = index
        self.lines = lines
        self.number = 0
        """Contacts that have arrived, for their ids."""
        # Whoever gives up leaves from the middle: in a list or deque that would be a search.
        self.waiting: OrderedDict[SimulatedVisit, None] = OrderedDict()
        """Who waits and rings nowhere; the first is the next."""
        self.ringing = 0
        self.agents_on_duty = 0
        """Agents logged in who serve it."""
        self.desks: list[tuple[int, Desk]] = []
        """Who may serve it, with the rank of the queue among their skills; lowest first."""
        self.arrivals: Iterator[int]
        self.callers: Callers
        self.returning: Callers
        """Draws the errands of who is transferred here: apart, so that they do not change who comes afresh."""
        self.known: KnownCallers | None = None
        """Draws who comes, in a centre with customers."""
        self.ring: Callable[[Random], int]
        self.ring_limit: int
        self.rng: Random

    @property
    def length(self) -> int:
        """Contacts not yet answered."""
        return len(self.waiting) + self.ringing


class Desk:
    """One agent at work."""

    __slots__ = (
        "activity",
        "available",
        "deferred",
        "free",
        "idle_since",
        "leaving",
        "on_duty",
        "pauses",
        "plan",
        "queues",
        "ringing",
        "rng",
        "talking",
        "wrapping",
    )

    def __init__(self, plan: AgentPlan, rng: Random, queues: list[SimulatedQueue]) -> None:
        self.plan = plan
        self.rng = rng
        self.queues = queues
        """The queues served, most preferred first."""
        self.on_duty = False
        self.available = False
        self.free = False
        """Whether a contact may be offered now; kept up to date by `Duty.observe`."""
        self.idle_since = 0
        self.ringing = self.talking = self.wrapping = 0
        self.deferred: Break | None = None
        """A break that waits for the current contacts to end."""
        self.leaving = False
        self.pauses = 0
        """Counts breaks, so that the end of an earlier one does not end a later one."""
        self.activity: Activity = "idle"

    @property
    def contacts(self) -> int:
        """How many are at the agent, in whatever way."""
        return self.ringing + self.talking + self.wrapping


class Stage(Enum):
    """Where a visit stands."""

    ARRIVING = auto()
    WAITING = auto()
    RINGING = auto()
    TALKING = auto()
    GONE = auto()


class SimulatedVisit:
    """One visit of one contact to one queue: what the domain calls a segment."""

    __slots__ = (
        "answered_at",
        "caller",
        "contact",
        "desk",
        "enqueued_at",
        "errand",
        "held_at",
        "hold_ms",
        "holds",
        "offers",
        "position",
        "queue",
        "rang_at",
        "seq",
        "stage",
    )

    def __init__(
        self, contact: str, queue: SimulatedQueue, errand: Errand, seq: int = 1, caller: KnownCaller = STRANGER
    ) -> None:
        self.contact = contact
        self.caller = caller
        self.queue = queue
        self.errand = errand
        self.seq = seq
        self.stage = Stage.ARRIVING
        self.desk: Desk | None = None
        self.position = 0
        self.enqueued_at = self.rang_at = self.answered_at = 0
        self.offers = 0
        self.holds = 0
        """Spells on hold begun."""
        self.held_at: int | None = None
        self.hold_ms = 0
