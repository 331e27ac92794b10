"""Who comes to a simulated queue, as far as the call system knows: a customer, somebody else with an id, or nobody.

Drawn from a source of chance of its own: so the calls of a seed are the same with customers and without.
"""

from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Final, NamedTuple

from stream.simulator.arrivals import DAY_MS
from stream.simulator.customers.plan import TOPIC_KNOWN, TOPICS, CustomerBase
from stream.simulator.customers.population import customer_id

__all__ = ["ANONYMOUS", "COMES_AGAIN", "STRANGER", "KnownCaller", "KnownCallers", "KnownOf", "known_callers"]

ANONYMOUS: Final = 0.15
"""The share of callers with a withheld number, and of those who write without logging in."""

_COMES_OFTEN: Final = 0.03
"""The share of contacts with those few who come all the time."""

_THOSE_WHO_COME_OFTEN: Final = 15

COMES_AGAIN: Final = 0.14
"""The share that comes again in the same matter; with those who come often, a fifth of the known."""

_CUSTOMERS: Final = 0.03
"""
The share of contacts with the customers of whom a history is told.

A demo has more contacts than two thousand customers could have; the others are strangers: seen once, and perhaps again.
"""

_SAME_MATTER_MS: Final = 7 * DAY_MS
_REMEMBERED: Final = 500
"""Of so many contacts a queue remembers who it was."""


class KnownCaller(NamedTuple):
    """Who it is, and what about."""

    customer: str | None
    """An opaque id; None: withheld."""
    topic: str | None
    """None: nobody will say."""


STRANGER: Final = KnownCaller(None, None)
"""Of whom nothing is known."""


class KnownCallers:
    """Draws who comes to one queue."""

    def __init__(self, rng: Random, *, customers: int, name: str) -> None:
        """*customers*: how many the tenant has; *name* begins the ids of others, no other queue may have the same."""
        self._rng = rng
        self._customers = customers
        self._name = name
        self._others = 0
        self._recent: deque[tuple[int, KnownCaller]] = deque(maxlen=_REMEMBERED)

    def draw(self, at: int) -> KnownCaller:
        """Return who comes next, at so many ms after the start."""
        rng = self._rng
        topic = TOPICS[int(rng.random() * len(TOPICS))] if rng.random() < TOPIC_KNOWN else None
        kind, which = rng.random(), rng.random()
        if kind < ANONYMOUS:
            return KnownCaller(None, topic)
        kind -= ANONYMOUS
        if kind < COMES_AGAIN and self._remembers(at):
            caller = self._recent[int(which * len(self._recent))][1]
        elif kind < COMES_AGAIN + _COMES_OFTEN:
            caller = KnownCaller(f"{self._name}-often-{int(which * _THOSE_WHO_COME_OFTEN)}", topic)
        elif kind < COMES_AGAIN + _COMES_OFTEN + _CUSTOMERS:
            caller = KnownCaller(customer_id(int(which * self._customers)), topic)
        else:
            self._others += 1
            caller = KnownCaller(f"{self._name}-{self._others}", topic)
        self._recent.append((at, caller))
        return caller

    def _remembers(self, at: int) -> bool:
        """Tell whether anybody came within the last days, and forget who came before."""
        recent = self._recent
        while recent and recent[0][0] < at - _SAME_MATTER_MS:
            recent.popleft()
        return bool(recent)


KnownOf = Callable[[str, str], KnownCallers | None]
"""Returns who comes to a queue of a tenant: by the tenant, and a name of the queue that no other one has."""


def known_callers(bases: Iterable[CustomerBase], *, seed: int, run: str) -> KnownOf:
    """Return what tells who comes to each queue; nobody is known to tenants without customers."""
    numbers = {base.tenant: base.number for base in bases}

    def known_of(tenant: str, queue: str) -> KnownCallers | None:
        if tenant not in numbers:
            return None
        return KnownCallers(Random(f"{seed}/known/{tenant}/{queue}"), customers=numbers[tenant], name=f"{run}-{queue}")

    return known_of
