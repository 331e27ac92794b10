"""Who is a customer of a simulated tenant now: everybody's plan and group, and who has left."""

from bisect import bisect
from itertools import accumulate
from random import Random
from typing import Final

from stream.simulator.customers.plan import GROUPS, SUBSCRIPTIONS, Subscription

__all__ = ["Population", "customer_id"]

_CHOICES: Final = [*accumulate(subscription.chosen for subscription in SUBSCRIPTIONS)][:-1]
_GROUP_CHOICES: Final = [*accumulate(share for _, share in GROUPS)][:-1]

_UPWARD: Final = 0.6
"""Share of those who change their plan that choose a dearer one."""


def customer_id(who: int) -> str:
    """Return the opaque id of the customer with this number, which is at least 0."""
    return f"cu-{who:06}"


class Population:
    """The customers of one tenant, by their numbers."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        # Bytes and whole numbers, no object for each: there may be a million.
        self._plans = bytearray()
        self._groups = bytearray()
        self._there: list[int] = []
        self._gone: set[int] = set()

    def __len__(self) -> int:
        return len(self._there)

    def new(self) -> int:
        """Return the number of somebody who will join."""
        self._plans.append(bisect(_CHOICES, self._rng.random()))
        self._groups.append(bisect(_GROUP_CHOICES, self._rng.random()))
        return len(self._plans) - 1

    def anybody(self) -> int:
        """Return one of the customers, all with the same chance; there must be one."""
        return self._there[int(self._rng.random() * len(self._there))]

    def subscription_of(self, who: int) -> Subscription:
        """Return the plan of a customer."""
        return SUBSCRIPTIONS[self._plans[who]]

    def group_of(self, who: int) -> str:
        """Return the group of a customer."""
        return GROUPS[self._groups[who]][0]

    def change_plan(self, who: int) -> None:
        """Give a customer the next plan above or below."""
        plan = self._plans[who]
        step = 1 if self._rng.random() < _UPWARD else -1
        top = len(SUBSCRIPTIONS) - 1
        # At the ends of the list there is only one way.
        self._plans[who] = plan + step if 0 <= plan + step <= top else plan - step

    def choose_to_leave(self) -> int:
        """Return one of the customers, who is never chosen again by `anybody`; until `leave` still a customer."""
        place = int(self._rng.random() * len(self._there))
        who = self._there[place]
        # In whose place the last one goes: nothing else moves.
        self._there[place] = self._there[-1]
        self._there.pop()
        return who

    def stay(self, who: int) -> None:
        """Whoever was chosen to leave does not."""
        self._there.append(who)

    def join(self, who: int) -> None:
        """Somebody becomes a customer now, or is one again."""
        self._gone.discard(who)
        self._there.append(who)

    def leave(self, who: int) -> None:
        """A customer who was chosen for it leaves now."""
        self._gone.add(who)

    def has_left(self, who: int) -> bool:
        """Tell whether somebody was a customer and is none now."""
        return who in self._gone
