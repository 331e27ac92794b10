"""What a simulated contact centre is like: queues, agents, lines. Frozen, and checked when it is made.

Times of day are UTC. It knows nothing of how a day is played: that is `engine`.
"""

from collections.abc import Iterable
from datetime import timedelta
from itertools import chain

from msgspec import Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel
from stream.simulator.cases.plan import HelpDesk
from stream.simulator.customers.plan import CustomerBase
from stream.simulator.times import DAY, NOTHING, Length, Shift, require, require_shares

__all__ = [
    "NOTHING",
    "AgentPlan",
    "Break",
    "Centre",
    "DailyHours",
    "Exits",
    "Holds",
    "Length",
    "Menu",
    "QueuePlan",
    "Reports",
    "Shift",
    "Transfer",
    "Trunk",
]


class DailyHours(Struct, frozen=True, kw_only=True):
    """When a queue takes contacts, each day: from `opens` until before `closes`."""

    opens: timedelta
    closes: timedelta

    def __post_init__(self) -> None:
        require(
            "DailyHours must open before they close, within one day",
            that=timedelta(0) <= self.opens < self.closes <= DAY,
        )


class Menu(Struct, frozen=True, kw_only=True):
    """The voice menu before the queue, and the shares of callers who never leave it for the queue."""

    length: Length
    self_served: float = 0.0
    given_up: float = 0.0

    def __post_init__(self) -> None:
        require_shares("Menu", self.self_served, self.given_up)


class Exits(Struct, frozen=True, kw_only=True):
    """Shares of customers who, while they wait, press the key that leads out, or ask to be called back."""

    key: float = 0.0
    callback: float = 0.0
    after: Length = Length(timedelta(seconds=40))
    """How long they listen before they press it."""

    def __post_init__(self) -> None:
        require_shares("Exits", self.key, self.callback)


class Holds(Struct, frozen=True, kw_only=True):
    """Share of conversations with a spell on hold (some have two), and how long one lasts."""

    share: float
    length: Length

    def __post_init__(self) -> None:
        require_shares("Holds", self.share)


class Transfer(Struct, frozen=True, kw_only=True):
    """Share of conversations that go on to another queue of the tenant (None: outside the centre)."""

    to: str | None
    share: float


class QueuePlan(Struct, frozen=True, kw_only=True):
    """One queue: who comes to it, how patiently, and what is done for them."""

    name: str
    tenant: str = DEFAULT_TENANT
    channel: Channel = "voice"
    per_hour: tuple[float, ...]
    """Arrivals per hour: one figure for the whole day, or 24, one for each hour of the day."""
    talk: Length
    wrapup: Length = NOTHING
    ring: Length = NOTHING
    ring_limit: timedelta = timedelta(seconds=15)
    """After this long an offer that is not taken counts as missed."""
    patience: timedelta | None = None
    """Mean of the exponential patience; None: nobody ever gives up."""
    max_wait: timedelta | None = None
    """The queue lets go of a contact after this long (dequeued, timeout)."""
    capacity: int | None = None
    """Most contacts that may wait at once; the next is blocked (full)."""
    hours: DailyHours | None = None
    turns_away_unstaffed: bool = False
    """Without a logged-in agent: block who comes (no_agents) and dequeue who waits (empty)."""
    menu: Menu | None = None
    exits: Exits = Exits()
    holds: Holds = Holds(share=0.0, length=NOTHING)
    transfers: tuple[Transfer, ...] = ()
    did: str | None = None

    def __post_init__(self) -> None:
        require(f"queue {self.name}: per_hour needs 1 or 24 figures", that=len(self.per_hour) in (1, 24))
        require(f"queue {self.name}: per_hour must not be negative", that=min(self.per_hour) >= 0)
        require_shares(f"queue {self.name}: transfers", *(transfer.share for transfer in self.transfers))


class Break(Struct, frozen=True, kw_only=True):
    """A spell of not being ready, this long after the shift began; it waits for the current contact to end."""

    after: timedelta
    lasts: timedelta
    reason: str = "break"


class AgentPlan(Struct, frozen=True, kw_only=True):
    """One agent: the queues they serve, most preferred first, and when."""

    id: str
    tenant: str = DEFAULT_TENANT
    skills: tuple[str, ...]
    shift: Shift | None = None
    """None: on duty from the first instant to the last, without breaks."""
    breaks: tuple[Break, ...] = ()
    slots: int = 1
    """Contacts at once; more than one for chat and e-mail."""
    misses: float = 0.0
    """Share of offers that ring in vain."""

    def __post_init__(self) -> None:
        require_shares(f"agent {self.id}: misses", self.misses)
        require(f"agent {self.id}: slots must be at least 1", that=self.slots >= 1)


class Trunk(Struct, frozen=True, kw_only=True):
    """The voice lines of a tenant: a call that finds all of them taken is blocked (busy)."""

    tenant: str = DEFAULT_TENANT
    lines: int


class Reports(Struct, frozen=True, kw_only=True):
    """What the call system tells of; no two systems tell the same."""

    arrivals: bool = True
    """`contact.offered` and `contact.ivr_ended`."""
    agents: bool = True
    """All `agent.*` events."""
    wrapup_started: bool = True


class Centre(Struct, frozen=True, kw_only=True):
    """A whole contact centre. Names of queues and agents are unique within their tenant."""

    name: str
    queues: tuple[QueuePlan, ...]
    agents: tuple[AgentPlan, ...]
    trunks: tuple[Trunk, ...] = ()
    """A tenant without a trunk never runs out of lines."""
    help_desk: HelpDesk = HelpDesk()
    """Who answers cases: nobody of it takes calls."""
    customers: tuple[CustomerBase, ...] = ()
    """Who calls and writes, tenant by tenant: of others nobody knows who they are."""
    reports: Reports = Reports()

    def __post_init__(self) -> None:
        known = {(queue.tenant, queue.name) for queue in self.queues}
        require(f"centre {self.name}: two queues of a tenant have one name", that=len(known) == len(self.queues))
        bases = {base.tenant for base in self.customers}
        require(f"centre {self.name}: a tenant has its customers twice", that=len(bases) == len(self.customers))
        agents = {(agent.tenant, agent.id) for agent in self.agents}
        require(f"centre {self.name}: two agents of a tenant have one id", that=len(agents) == len(self.agents))
        for tenant, queue, where in self._named_queues():
            require(f"{where}: tenant {tenant} has no queue {queue}", that=(tenant, queue) in known)

    def queue_names(self, channel: Channel, *, tenant: str | None = None) -> frozenset[str]:
        """Return the names of the queues of a *channel*, of one *tenant* or of all."""
        return frozenset(
            queue.name for queue in self.queues if queue.channel == channel and tenant in (None, queue.tenant)
        )

    def _named_queues(self) -> Iterable[tuple[str, str, str]]:
        skills = ((agent.tenant, skill, f"agent {agent.id}") for agent in self.agents for skill in agent.skills)
        transfers = (
            (queue.tenant, transfer.to, f"queue {queue.name}: transfers")
            for queue in self.queues
            for transfer in queue.transfers
            if transfer.to is not None
        )
        return chain(skills, transfers)
