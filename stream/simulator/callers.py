"""Who comes: what each customer brings along, drawn before anybody knows how busy the centre is.

So the same customers call whatever the staffing, and two runs that differ in one agent can be compared.
"""

import math
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Literal, NamedTuple

from stream.simulator.centre import Exits, Length, QueuePlan

__all__ = ["MILLISECOND", "Callers", "Errand", "Leaving", "milliseconds", "sampler"]

Leaving = Literal["abandon", "key", "callback_requested", "timeout"]
MILLISECOND = timedelta(milliseconds=1)
SECOND_HOLD = 0.15
"""Share of held conversations that are held once more."""
HANGS_UP_ON_HOLD = 0.03
"""Share of held customers who end the conversation while on hold."""


class Errand(NamedTuple):
    """What a customer wants of one visit to one queue. Lengths in ms."""

    leaves: Leaving | None
    """How they leave if nobody answers in time; None: they wait for ever."""
    leaves_after: int
    talk: tuple[int, ...]
    """Talk before, between and after the holds: always one more than holds, unless they hang up on hold."""
    holds: tuple[int, ...]
    wrapup: int
    ended_by: Literal["customer", "agent", "system"]
    transfer: int | None
    """Index of the transfer in the queue's plan."""
    attended: bool


def milliseconds(length: timedelta) -> int:
    """Return a length in whole milliseconds."""
    return length // MILLISECOND


def sampler(length: Length) -> Callable[[Random], int]:
    """Return a function that draws a length in ms; made once, because it is called for every contact."""
    mean = length.mean / MILLISECOND
    if length.shape == "constant" or mean == 0:
        always = round(mean)
        return lambda _: always
    if length.shape == "exponential":
        return lambda rng: round(rng.expovariate(1.0) * mean)
    mu = math.log(mean) - length.sigma**2 / 2  # so that the mean is the mean, not the median
    return lambda rng: round(math.exp(rng.gauss(mu, length.sigma)))


class Callers:
    """Draws the callers of one queue from one source of chance."""

    __slots__ = (
        "_exits",
        "_hold",
        "_holds",
        "_key_after",
        "_max_wait",
        "_patience",
        "_rng",
        "_talk",
        "_transfers",
        "_wrapup",
    )

    def __init__(self, plan: QueuePlan, rng: Random) -> None:
        self._rng = rng
        self._talk = sampler(plan.talk)
        self._wrapup = sampler(plan.wrapup)
        self._hold = sampler(plan.holds.length)
        self._holds = plan.holds.share
        self._exits: Exits = plan.exits
        self._key_after = sampler(plan.exits.after)
        self._patience = None if plan.patience is None else plan.patience / MILLISECOND
        self._max_wait = None if plan.max_wait is None else milliseconds(plan.max_wait)
        self._transfers = tuple(transfer.share for transfer in plan.transfers)

    def draw(self) -> Errand:
        """Return the next caller's errand."""
        rng = self._rng
        leaves, leaves_after = self._leaving()
        talk: tuple[int, ...] = (self._talk(rng),)
        holds: tuple[int, ...] = ()
        if self._holds and rng.random() < self._holds:
            talk, holds = self._split(talk[0])
        by = rng.random()
        return Errand(
            leaves,
            leaves_after,
            talk,
            holds,
            self._wrapup(rng),
            "customer" if by < 0.62 else "agent" if by < 0.99 else "system",
            self._transfer() if self._transfers else None,
            rng.random() < 0.4,
        )

    def _leaving(self) -> tuple[Leaving | None, int]:
        """Return the first of: patience ends, a key is pressed, the queue lets go."""
        rng, exits = self._rng, self._exits
        ways: list[tuple[int, Leaving]] = []
        if self._patience is not None:
            # Exponential as in Erlang A, so that a run can be held against its formula.
            ways.append((round(rng.expovariate(1.0) * self._patience), "abandon"))
        if exits.key or exits.callback:
            chance, after = rng.random(), self._key_after(rng)
            if chance < exits.key:
                ways.append((after, "key"))
            elif chance < exits.key + exits.callback:
                ways.append((after, "callback_requested"))
        if self._max_wait is not None:
            ways.append((self._max_wait, "timeout"))
        if not ways:
            return None, 0
        # At the same millisecond the first in the alphabet: any order will do, as long as it is always the
        # same.
        after, leaves = min(ways)
        return leaves, after

    def _split(self, talk: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Cut a conversation into talk and holds."""
        rng = self._rng
        holds = tuple(self._hold(rng) for _ in range(2 if rng.random() < SECOND_HOLD else 1))
        first = round(talk * rng.random())
        if rng.random() < HANGS_UP_ON_HOLD:
            # As many stretches of talk as holds: none follows the last one, and between two holds there is no
            # time left.
            return (first, *(0 for _ in holds[1:])), holds
        rest = (talk - first) // len(holds)
        return (first, *(rest for _ in holds)), holds

    def _transfer(self) -> int | None:
        chance = self._rng.random()
        for index, share in enumerate(self._transfers):
            chance -= share
            if chance < 0:
                return index
        return None
