"""
What agents report, or are seen doing: the source of truth of the contract.

`schemas/` is generated from this file. The vocabulary is this project's own.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar, Literal, get_args

from msgspec import Struct

from stream.core.cloudevents import Event, KeyParts, Name

__all__ = [
    "EVENTS",
    "ActivityData",
    "AgentActivityChanged",
    "AgentAvailabilityChanged",
    "AgentData",
    "AgentEvent",
    "AgentLoggedIn",
    "AgentLoggedOut",
    "AgentQueueJoined",
    "AgentQueueLeft",
    "AvailabilityData",
    "MembershipData",
]


class AgentData(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An agent, as a whole."""


class AvailabilityData(AgentData, frozen=True, kw_only=True):
    """What the agent chose; with `queue`, for that queue only."""

    status: Literal["available", "not_ready", "offline"]
    reason: str | None = None
    queue: Name | None = None


class ActivityData(AgentData, frozen=True, kw_only=True):
    """What the agent was seen doing."""

    activity: Literal["idle", "reserved", "on_contact", "acw", "error"]


class MembershipData(AgentData, frozen=True, kw_only=True):
    """The queue that the agent joined or left."""

    queue: Name
    penalty: int | None = None


class _OfAgent(Event, frozen=True, kw_only=True):
    """Keyed by tenant and agent."""

    topic: ClassVar[str] = "agents"
    key_parts: ClassVar[Callable[[Any], KeyParts]] = attrgetter("tenantid", "subject")


class AgentLoggedIn(_OfAgent, frozen=True, kw_only=True, tag="agent.logged_in"):
    """An agent came on duty."""

    data: AgentData = AgentData()


class AgentLoggedOut(_OfAgent, frozen=True, kw_only=True, tag="agent.logged_out"):
    """An agent went off duty."""

    data: AgentData = AgentData()


class AgentAvailabilityChanged(_OfAgent, frozen=True, kw_only=True, tag="agent.availability_changed"):
    """An agent chose to be available, not ready or offline."""

    data: AvailabilityData


class AgentActivityChanged(_OfAgent, frozen=True, kw_only=True, tag="agent.activity_changed"):
    """An agent was seen doing something else."""

    data: ActivityData


class AgentQueueJoined(_OfAgent, frozen=True, kw_only=True, tag="agent.queue_joined"):
    """An agent began to serve a queue."""

    data: MembershipData


class AgentQueueLeft(_OfAgent, frozen=True, kw_only=True, tag="agent.queue_left"):
    """An agent serves a queue no more."""

    data: MembershipData


# Written out, most frequent first: the order in which `match` statements test them.
AgentEvent = (
    AgentActivityChanged | AgentAvailabilityChanged | AgentLoggedIn | AgentLoggedOut | AgentQueueJoined | AgentQueueLeft
)

EVENTS: tuple[type[AgentEvent], ...] = get_args(AgentEvent)
"""Every event of agents, in the order of the contract."""
