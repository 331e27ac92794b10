"""The help desk while a week is played: queues of cases, the cases, and the agents. Mutable, as `simulator.desks`."""

from collections.abc import Iterator
from heapq import heappop, heappush

from stream.families.cases.payloads import Priority, Status
from stream.simulator.cases.plan import CaseAgentPlan, CaseQueuePlan
from stream.simulator.cases.requests import CaseTurn, Request, Requests
from stream.simulator.customers.known import STRANGER, KnownCaller, KnownCallers

__all__ = ["RAISED", "CaseAgent", "Inbox", "Mailbox", "SimulatedCase"]

RAISED: dict[Priority, Priority] = {"low": "normal", "normal": "high", "high": "urgent", "urgent": "urgent"}
"""The next more urgent priority."""

_URGENCY: dict[Priority, int] = {"urgent": 0, "high": 1, "normal": 2, "low": 3}


class SimulatedCase:
    """One case."""

    __slots__ = ("agent", "caller", "id", "inbox", "mailbox", "priority", "request", "status", "turn", "twin", "waits")

    def __init__(
        self, case: str, mailbox: "Mailbox", request: Request, *, caller: KnownCaller, twin: str | None
    ) -> None:
        self.id = case
        self.caller = caller
        self.mailbox = mailbox
        """How it came in."""
        self.inbox = mailbox.inbox
        """Where it is."""
        self.request = request
        self.priority: Priority = request.priority
        self.turn = 0
        """Turns of agents that are over."""
        self.agent: str | None = None
        self.status: Status = "new"
        self.waits = False
        """Whether the customer waits for an answer."""
        self.twin = twin
        """The case before it, where it goes on if it was told twice; None: it is the first."""

    @property
    def next(self) -> CaseTurn:
        """The turn that is to come, or goes on."""
        return self.request.turns[self.turn]


class Inbox:
    """The cases of one queue, through whatever channel, that an agent is to work on."""

    __slots__ = ("_due", "_put", "agents", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.agents: list[tuple[int, CaseAgent]] = []
        """Who serves it, with the rank of the queue among their skills; lowest first."""
        self._due: list[tuple[int, int, SimulatedCase]] = []
        self._put = 0

    def __len__(self) -> int:
        return len(self._due)

    def put(self, case: SimulatedCase) -> None:
        """Lay a case in: the urgent first, and of these the one that has been here longest."""
        self._put += 1
        heappush(self._due, (_URGENCY[case.priority], self._put, case))

    def next(self) -> SimulatedCase:
        """Return the case that is to be worked on, and take it out."""
        return heappop(self._due)[2]

    def best(self) -> "CaseAgent | None":
        """Return who is given a case now: to whom the queue matters most, and of these who was idle longest."""
        free = (place for place in self.agents if place[1].free)
        best = min(free, key=lambda place: (place[0], place[1].idle_since), default=None)
        return None if best is None else best[1]


class Mailbox:
    """How the cases of a queue come in through one channel."""

    __slots__ = ("arrivals", "caller", "inbox", "index", "known", "newest", "number", "other", "plan", "requests")

    def __init__(self, plan: CaseQueuePlan, index: int, inbox: Inbox, other: Inbox | None) -> None:
        self.plan = plan
        self.index = index
        self.inbox = inbox
        self.other = other
        self.number = 0
        """Cases that came in, for their ids."""
        self.newest: str | None = None
        """The case that came in last."""
        self.caller = STRANGER
        """Whose it was."""
        self.known: KnownCallers | None = None
        """Draws who writes, in a centre with customers."""
        self.arrivals: Iterator[int]
        self.requests: Requests


class CaseAgent:
    """One agent."""

    __slots__ = ("at_work", "case", "idle_since", "inboxes", "plan")

    def __init__(self, plan: CaseAgentPlan, inboxes: list[Inbox]) -> None:
        self.plan = plan
        self.inboxes = inboxes
        """Of the queues served, most preferred first."""
        self.at_work = False
        self.case: SimulatedCase | None = None
        """What the agent works on; also after the end of the shift, until it is done."""
        self.idle_since = 0

    @property
    def free(self) -> bool:
        """Whether a case may be given to this agent."""
        return self.at_work and self.case is None
