"""What the board says of agents at an instant."""

from collections.abc import Mapping

from msgspec import Struct

__all__ = ["STATES", "AgentsSnapshot"]

STATES = ("available", "reserved", "on_contact", "acw", "not_ready", "error", "offline")
"""The states of the board, each agent in exactly one."""


class AgentsSnapshot(Struct, frozen=True, kw_only=True):
    """Agents by state in one queue of a tenant, or (queue None) in the whole tenant, each counted once."""

    tenant: str
    queue: str | None
    states: Mapping[str, int]
    """By `STATES`, every state present."""

    @property
    def key(self) -> tuple[str, str | None]:
        """What it is of."""
        return self.tenant, self.queue

    def __add__(self, other: "AgentsSnapshot") -> "AgentsSnapshot":
        """Return both as one: partitions share out agents by agent, so counts add up."""
        states = {state: self.states[state] + other.states[state] for state in STATES}
        return AgentsSnapshot(tenant=self.tenant, queue=self.queue, states=states)
