"""Who comes to a simulated queue, as far as the call system knows: a customer, somebody else with an id, or nobody.

Drawn from a source of chance of its own: so the calls of a seed are the same with customers and without.
"""

from collections import deque
from collections.abc import Iterable
from hashlib import blake2s
from heapq import heappop, heappush
from random import Random
from typing import Final, NamedTuple

from stream.core.cloudevents import Channel
from stream.simulator.arrivals import DAY_MS
from stream.simulator.customers.matters import SOLVED
from stream.simulator.customers.plan import TOPIC_KNOWN, TOPICS, ContactWay, CustomerBase
from stream.simulator.customers.population import customer_id

__all__ = [
    "ANONYMOUS",
    "COMES_AGAIN",
    "SOLVED_DISPOSITION",
    "STRANGER",
    "DueMatter",
    "KnownCaller",
    "KnownCallers",
    "WhoComes",
]

SOLVED_DISPOSITION: Final = "solved"
"""What agents note down where a customer was given a solution."""

ANONYMOUS: Final = 0.15
"""The share of callers with a withheld number, and of those who write without logging in."""

_COMES_OFTEN: Final = 0.03
"""The share of contacts with those few who come all the time."""

_THOSE_WHO_COME_OFTEN: Final = 15

COMES_AGAIN: Final = 0.14
"""The share that comes again in the same matter; with those who come often, a fifth of the known."""

_SAME_MATTER_MS: Final = 7 * DAY_MS
_REMEMBERED: Final = 500
"""Of so many contacts a queue remembers who it was."""

_MOST_EXPECTED: Final = 10_000
"""Where nobody ever comes to a queue, customers would be expected there for ever."""


class KnownCaller(NamedTuple):
    """Who it is, and what about."""

    customer: str | None
    """An opaque id; None: withheld."""
    topic: str | None
    """None: nobody will say."""
    disposition: str | None = None
    """What an agent will note down of a conversation; None: nothing."""


class DueMatter(NamedTuple):
    """With what a customer is to come."""

    at: int
    """In ms after the begin of the calls, at the earliest."""
    who: int
    """The number of the customer."""
    topic: str | None


STRANGER: Final = KnownCaller(None, None)
"""Of whom nothing is known."""


class KnownCallers:
    """
    Draws who comes to one queue: customers when they have a reason, and others.

    A demo has more contacts than two thousand customers could have. The others are seen once, and perhaps again.
    """

    def __init__(self, rng: Random, *, name: str) -> None:
        """*name* begins the ids of those who are no customers: no other queue may have the same."""
        self._rng = rng
        self._name = name
        self._others = 0
        self._due: list[DueMatter] = []
        self._recent: deque[tuple[int, KnownCaller]] = deque(maxlen=_REMEMBERED)

    def expect(self, matter: DueMatter) -> None:
        """A customer is to come; where too many are expected already, this one does not."""
        if len(self._due) < _MOST_EXPECTED:
            heappush(self._due, matter)

    def draw(self, at: int) -> KnownCaller:
        """Return who comes next, at so many ms after the begin of the calls; negative before it."""
        rng = self._rng
        topic = TOPICS[int(rng.random() * len(TOPICS))] if rng.random() < TOPIC_KNOWN else None
        disposition = SOLVED_DISPOSITION if rng.random() < SOLVED else None
        kind, which = rng.random(), rng.random()
        if kind < ANONYMOUS:
            return KnownCaller(None, topic, disposition)
        kind -= ANONYMOUS
        if self._due and self._due[0].at <= at:
            due = heappop(self._due)
            caller = KnownCaller(customer_id(due.who), due.topic, disposition)
        elif kind < COMES_AGAIN and self._remembers(at):
            who, about, _ = self._recent[int(which * len(self._recent))][1]
            caller = KnownCaller(who, about, disposition)
        elif kind < COMES_AGAIN + _COMES_OFTEN:
            caller = KnownCaller(f"{self._name}-often-{int(which * _THOSE_WHO_COME_OFTEN)}", topic, disposition)
        else:
            self._others += 1
            caller = KnownCaller(f"{self._name}-{self._others}", topic, disposition)
        self._recent.append((at, caller))
        return caller

    def _remembers(self, at: int) -> bool:
        """Tell whether anybody came within the last days, and forget who came before."""
        recent = self._recent
        while recent and recent[0][0] < at - _SAME_MATTER_MS:
            recent.popleft()
        return bool(recent)


class WhoComes:
    """Knows who comes to each queue of a centre."""

    def __init__(self, bases: Iterable[CustomerBase], *, seed: int, run: str) -> None:
        self._tenants = {base.tenant for base in bases}
        self._seed = seed
        self._run = run
        self._known: dict[tuple[str, str, Channel], KnownCallers] = {}

    def expect(self, tenant: str, way: ContactWay, matter: DueMatter) -> None:
        """A customer is to come in a certain way; it will be the next one there who says who it is."""
        known = self.to(tenant, way.queue, way.channel)
        if known is not None:
            known.expect(matter)

    def to(self, tenant: str, queue: str, channel: Channel) -> KnownCallers | None:
        """Return who comes to a queue; None: the tenant has no customers."""
        if tenant not in self._tenants:
            return None
        key = (tenant, queue, channel)
        if key not in self._known:
            rng = Random(f"{self._seed}/known/{tenant}/{queue}/{channel}")
            # Opaque, as ids of customers should be, and the same when the run is told again.
            name = blake2s("/".join(key).encode(), digest_size=3).hexdigest()
            self._known[key] = KnownCallers(rng, name=f"{self._run}-{name}")
        return self._known[key]
