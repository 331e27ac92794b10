"""What a simulated help desk is like: its queues of cases, and the agents who answer them. Frozen, checked when made.

Times of day are UTC, and weeks begin on Monday. It knows nothing of how a week is played: that is `play`.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from msgspec import Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel
from stream.simulator.times import Length, Shift, require

__all__ = ["ALL_WEEK", "WORKDAYS", "CaseAgentPlan", "CaseQueuePlan", "CaseShares", "HelpDesk"]

WORKDAYS: Final = (0, 1, 2, 3, 4)
"""Monday to Friday."""

ALL_WEEK: Final = (0, 1, 2, 3, 4, 5, 6)


class CaseShares(Struct, frozen=True, kw_only=True):
    """How often something is so. Of the first five at most one happens in a turn of an agent; else it solves."""

    # In a turn of an agent.
    spam: float = 0.0
    """Only in the first turn, as the next two."""
    deleted: float = 0.0
    merged: float = 0.0
    """The case was another one told twice."""
    reassigned: float = 0.0
    """It is for another queue (`CaseQueuePlan.other`); once in the life of a case."""
    asked: float = 0.0
    """The agent asks the customer, and the case is pending."""
    held: float = 0.0
    """The agent needs somebody else, and the case is on hold."""
    noted: float = 0.0
    """A note is written beside."""
    unsaid: float = 0.0
    """Of solutions, those that the customer is not told of, since a call has done it."""

    # By customers.
    by_us: float = 0.0
    """An agent wrote first."""
    silent: float = 0.0
    """Customers who do not answer a question: their case is solved by time."""
    away: float = 0.0
    """Customers whose mailbox says that they are away, whenever we write to them."""
    thanks: float = 0.0
    """Customers who thank for the solution."""
    reopened: float = 0.0
    """Customers for whom it was none."""

    def __post_init__(self) -> None:
        turn = (self.spam, self.deleted, self.merged, self.reassigned, self.asked, self.held)
        fits = all(0 <= getattr(self, name) <= 1 for name in self.__struct_fields__) and sum(turn) < 1
        require("CaseShares must lie between 0 and 1, and leave some turns to solve", that=fits)
        require("CaseShares: thanks and reopened exclude each other", that=self.thanks + self.reopened <= 1)


class CaseQueuePlan(Struct, frozen=True, kw_only=True):
    """The cases of one queue that come through one channel: who writes, and what is done about it."""

    name: str
    tenant: str = DEFAULT_TENANT
    channel: Channel = "email"
    per_hour: tuple[float, ...]
    """Arrivals per hour: one figure for all, 24 for each hour of the day, or 168 for each hour of the week."""
    work: Length
    """How long an agent works on a case at once."""
    reply: Length = Length(timedelta(hours=5))
    """How long a customer takes to answer a question, or to write again after a solution."""
    hold: Length = Length(timedelta(hours=6))
    """How long somebody else takes."""
    patience: timedelta | None = None
    """Mean of the exponential time after which a waiting customer writes again; None: nobody does."""
    receipts: bool = False
    """Whether the help desk confirms by itself what comes in."""
    bot: bool = False
    """Whether a bot greets those who write."""
    shares: CaseShares = CaseShares()
    other: str | None = None
    """The queue of the tenant to which cases are reassigned; None: none are."""
    solved_by_time: timedelta = timedelta(days=5)
    """After this long without an answer of the customer the help desk takes a case for solved."""
    closes_after: timedelta = timedelta(days=7)
    """After this long a solved case cannot be reopened any more."""

    def __post_init__(self) -> None:
        where = f"queue {self.name} of cases"
        require(f"{where}: per_hour needs 1, 24 or 168 figures", that=len(self.per_hour) in {1, 24, 168})
        require(f"{where}: per_hour must not be negative", that=min(self.per_hour) >= 0)
        require(f"{where}: reassigned cases need another queue", that=not self.shares.reassigned or bool(self.other))


class CaseAgentPlan(Struct, frozen=True, kw_only=True):
    """One agent who answers cases: of which queues, most preferred first, and when."""

    id: str
    tenant: str = DEFAULT_TENANT
    skills: tuple[str, ...]
    shift: Shift | None = None
    """None: at work from the first instant to the last."""
    days: tuple[int, ...] = WORKDAYS
    """Days of the week on which the shift begins; Monday is 0."""

    def __post_init__(self) -> None:
        require(f"agent {self.id}: days of the week are 0 to 6", that=set(self.days) <= set(ALL_WEEK))


class HelpDesk(Struct, frozen=True, kw_only=True):
    """Who answers cases, and of which queues: each may be written to through several channels."""

    queues: tuple[CaseQueuePlan, ...] = ()
    agents: tuple[CaseAgentPlan, ...] = ()

    def __post_init__(self) -> None:
        keys = {(queue.tenant, queue.name, queue.channel) for queue in self.queues}
        require("help desk: two queues are the same", that=len(keys) == len(self.queues))
        ids = {(agent.tenant, agent.id) for agent in self.agents}
        require("help desk: two agents of a tenant have one id", that=len(ids) == len(self.agents))
        known = {key[:2] for key in keys}
        for tenant, queue, who in self._named_queues():
            require(f"help desk: {who}: tenant {tenant} has no queue {queue}", that=(tenant, queue) in known)

    def _named_queues(self) -> Iterator[tuple[str, str, str]]:
        for agent in self.agents:
            yield from ((agent.tenant, skill, f"agent {agent.id}") for skill in agent.skills)
        for queue in self.queues:
            if queue.other is not None:
                yield queue.tenant, queue.other, f"queue {queue.name}"
