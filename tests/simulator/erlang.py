"""What queueing theory says of a queue with Poisson arrivals and exponential service, to hold a simulation against.

Erlang B and C: A. K. Erlang, Solution of some problems in the theory of probabilities of significance in
automatic telephone exchanges, 1917. Erlang A: C. Palm, Research on telephone traffic carried by full
availability groups, 1957; O. Garnett, A. Mandelbaum, M. Reiman, Designing a call center with impatient customers, 2002.
"""

import math
from datetime import timedelta

from msgspec import Struct

__all__ = ["ErlangA", "ErlangC", "erlang_a", "erlang_b", "erlang_c"]

# Far below the largest float, 1.8e308: the next weight cannot overflow either.
SHRINK_ABOVE = 1e100


class ErlangC(Struct, frozen=True, kw_only=True):
    """M/M/n: everybody waits until answered."""

    wait_probability: float
    asa: timedelta
    """Mean wait of all contacts, those answered at once included."""
    relief_per_second: float
    """n·μ - λ: how fast a wait, once begun, comes to its end."""

    def service_level(self, threshold: timedelta) -> float:
        """Return the share of contacts answered within *threshold*."""
        return 1.0 - self.wait_probability * math.exp(-self.relief_per_second * threshold.total_seconds())


class ErlangA(Struct, frozen=True, kw_only=True):
    """M/M/n+M: patience is exponential."""

    wait_probability: float
    abandonment_probability: float
    asa: timedelta
    """Mean wait of the contacts that are answered."""
    mean_wait: timedelta
    """Mean wait of all contacts, however it ends."""


def erlang_b(load: float, lines: int) -> float:
    """
    Return the share of attempts that find all *lines* taken, with *load* erlangs offered.

    By the recursion on the number of lines, which neither overflows nor cancels, as the quotient of powers does.
    """
    blocked = 1.0
    for taken in range(1, lines + 1):
        blocked = load * blocked / (taken + load * blocked)
    return blocked


def erlang_c(arrivals_per_hour: float, mean_service: timedelta, agents: int) -> ErlangC:
    """Return what Erlang C says. ValueError if the queue would grow for ever (load at least *agents*)."""
    per_second = arrivals_per_hour / 3600
    load = per_second * mean_service.total_seconds()
    if load >= agents:
        raise ValueError(f"{load:.2f} erlangs need more than {agents} agents: the queue would grow for ever")
    blocked = erlang_b(load, agents)
    occupancy = load / agents
    # Erlang C from Erlang B: C = B / (1 - occupancy x (1 - B)). A wait, where there is one, is exponential with
    # the rate nμ - λ.
    waits = blocked / (1.0 - occupancy * (1.0 - blocked))
    relief = agents / mean_service.total_seconds() - per_second
    return ErlangC(wait_probability=waits, asa=timedelta(seconds=waits / relief), relief_per_second=relief)


def erlang_a(arrivals_per_hour: float, mean_service: timedelta, agents: int, patience: timedelta) -> ErlangA:
    """
    Return what Erlang A says, for a mean *patience*.

    Summed over the states of the queue: all terms are positive, so nothing cancels, which the closed forms
    (Mandelbaum and Zeltyn, Service engineering in action: the Palm/Erlang-A queue, 2007) do for long patience.
    The wait of the answered: who finds j waiting, and would wait as long as it takes, waits the sum of
    exponentials with rates nμ, nμ+θ, ..., nμ+jθ, and is still there at its end with probability x/(x+j+1).
    """
    per_second, theta = arrivals_per_hour / 3600, 1 / patience.total_seconds()
    load = per_second * mean_service.total_seconds()
    x, y = agents / mean_service.total_seconds() / theta, per_second / theta
    weights, length, served_wait, scale = _queue_states(x, y)
    blocked = erlang_b(load, agents)
    # Against the state in which all agents are busy and nobody waits: the states below it weigh (1 - B)/B
    # together, it and those above it `weights`.
    waits = 1.0 / (1.0 + (1.0 - blocked) / (blocked * weights) * scale)
    each = waits / weights
    # Of those who wait θ leave in each second; as a share of the λ who arrive that is their mean number times
    # θ/λ.
    abandons = each * length / y
    answered_wait = each * served_wait / theta / (1.0 - abandons)
    return ErlangA(
        wait_probability=waits,
        abandonment_probability=abandons,
        asa=timedelta(seconds=answered_wait),
        # Little's law: mean number waiting = arrivals per second x mean wait.
        mean_wait=timedelta(seconds=each * length / per_second),
    )


def _queue_states(x: float, y: float) -> tuple[float, float, float, float]:
    """
    Return three sums over j, contacts waiting while all agents are busy, each with its weight y^j / ((x+1)...(x+j)).

    Of the weights; of j; of x/(x+j+1) · (1/(x+1) + ... + 1/(x+j+1)); and the scale of all three, which is 1
    unless a great overload would overflow.
    """
    weight, harmonic, scale, j = 1.0, 1.0 / (x + 1), 1.0, 0
    weights, length, served_wait = 1.0, 0.0, x / (x + 1) * harmonic
    # Until a weight no longer changes the sum: doubles have sixteen digits.
    while y > x + j or weight > 1e-17 * weights:  # the weights rise as long as j < y - x
        j += 1
        weight *= y / (x + j)
        harmonic += 1.0 / (x + j + 1)
        weights += weight
        length += j * weight
        served_wait += weight * x / (x + j + 1) * harmonic
        if weights > SHRINK_ABOVE:
            scale, weight, weights = scale / SHRINK_ABOVE, weight / SHRINK_ABOVE, weights / SHRINK_ABOVE
            length, served_wait = length / SHRINK_ABOVE, served_wait / SHRINK_ABOVE
    return weights, length, served_wait, scale
