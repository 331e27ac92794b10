"""What the board says at an instant.

Collector, live board and replay read the same snapshots, so they cannot disagree.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from stream.core.cloudevents import Channel
from stream.core.policies import Policy
from stream.families.contacts import service_level as formulas
from stream.families.contacts.tally import Tally

__all__ = ["AgentsSnapshot", "Board", "Figures", "QueueSnapshot", "figures_of"]


class Figures(Struct, frozen=True, kw_only=True, gc=False):
    """The ratios (0 to 1) and means (seconds) of one window; None where there is no sample."""

    service_level: float | None
    asa_seconds: float | None
    abandonment_ratio: float | None
    abandonment_excluding_short_ratio: float | None
    mean_abandon_seconds: float | None
    blocking_ratio: float | None
    aht_seconds: float | None


def figures_of(tally: Tally, policy: Policy) -> Figures:
    """Return the figures of a window of a queue that is judged by *policy*."""
    return Figures(
        service_level=formulas.service_level(tally, policy.formula),
        asa_seconds=formulas.asa_seconds(tally),
        abandonment_ratio=formulas.abandonment_ratio(tally),
        abandonment_excluding_short_ratio=formulas.abandonment_excluding_short_ratio(tally),
        mean_abandon_seconds=formulas.mean_abandon_seconds(tally),
        blocking_ratio=formulas.blocking_ratio(tally),
        aht_seconds=formulas.aht_seconds(tally),
    )


class QueueSnapshot(Struct, frozen=True, kw_only=True):
    """One queue and channel at the instant of the board."""

    tenant: str
    queue: str
    channel: Channel
    policy: Policy
    waiting: int
    """Open cases: contacts waiting for an answer now, ghosts left out."""
    longest_wait: timedelta | None
    """How long the contact at the head of the queue has waited; None when nobody waits."""
    oldest_enqueued_at: datetime | None
    """When that contact entered, so that a page can let the figure tick; None when nobody waits."""
    waiting_past_threshold: int
    """Of those waiting, how many can no longer be answered within the threshold."""
    talking: int
    wrapping_up: int
    callbacks_waiting: int
    """Callbacks promised, and neither connected nor given up."""
    windows: Mapping[str, Tally]
    """By name, in the order of `windows.WINDOWS`; a window without any event is an empty tally."""
    total: Tally
    """All there ever was, ghosts up to this instant included."""
    taken_back: Tally
    """What counters once showed and a later event corrected; `total` has it subtracted already."""
    inferred: Tally | None = None
    """Of `total`, what counters do not show yet: nobody reported it, and its report may be under way. None: nothing."""


class AgentsSnapshot(Struct, frozen=True, kw_only=True):
    """Agents by state in one queue of a tenant, or (queue None) in the whole tenant, each counted once."""

    tenant: str
    queue: str | None
    states: Mapping[str, int]
    """By `agents.STATES`, every state present."""


class Board(Struct, frozen=True, kw_only=True):
    """Everything at one instant: queues by tenant, queue, channel; agents by tenant, queue."""

    at: datetime
    queues: tuple[QueueSnapshot, ...]
    agents: tuple[AgentsSnapshot, ...] = ()
    whole: bool = True
    """Whether this is the whole centre; else agents are parts, to be added up over all workers first."""
