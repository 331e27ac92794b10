"""What later events need of earlier ones: who is open in a queue, who has left it, and agents; and its bytes."""

from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from stream.sources.source import read_position

__all__ = ["AgentPresence", "CallcenterMemory", "CallcenterPosition", "Departure", "KnownAgent", "MemberVisit", "Ring"]

MEMBERS_OPEN: Final = 20_000
DEPARTURES_KEPT: Final = 2_000
"""Who left may come back to the same place, within a minute unless FreeSWITCH is told otherwise."""
CALLCENTER_AGENTS: Final = 10_000
"""Of each kind the one that was first goes first: more than any switch serves."""

AgentPresence = Literal["available", "not_ready", "offline"]

_Micros = Annotated[int, Meta(ge=0)]
_Kept = TypeVar("_Kept")


class MemberVisit(Struct, array_like=True):
    """A member that waits or talks. Times are microseconds, 0 where they are not known."""

    seq: Annotated[int, Meta(ge=1)]
    queue: str
    since: _Micros
    session: str = ""
    """The caller's channel: holds name it."""
    agent: str = ""
    answered: _Micros = 0
    held: _Micros = 0
    """How long the caller was on hold."""
    held_since: _Micros = 0
    ended_by: Literal["customer", "agent", ""] = ""


class Departure(Struct, array_like=True):
    """The latest visit of a member that is over."""

    seq: Annotated[int, Meta(ge=1)]
    since: _Micros


class Ring(Struct, array_like=True):
    """Which member is offered to an agent, since when."""

    member: str
    seq: Annotated[int, Meta(ge=1)]
    since: _Micros


class KnownAgent(Struct, array_like=True):
    """One agent, as FreeSWITCH told it last; empty where nothing was told."""

    status: str = ""
    state: str = ""
    told: AgentPresence | Literal[""] = ""
    reported: _Micros = 0
    """Time of the latest report about it."""
    queues: list[str] = field(default_factory=list)
    ring: Ring | None = None


class CallcenterMemory(Struct, kw_only=True):
    """Everything that is remembered, in the order in which it came."""

    members: dict[str, MemberVisit] = field(default_factory=dict)
    departures: dict[str, Departure] = field(default_factory=dict)
    agents: dict[str, KnownAgent] = field(default_factory=dict)
    totals: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By queue how many were answered, and left it unanswered, by FreeSWITCH's own count."""
    core: str = ""
    """The run of FreeSWITCH that was heard last."""
    heard: _Micros = 0
    """Time of the latest event."""

    def agent(self, name: str) -> KnownAgent:
        """Return what is known of an agent, which is nothing the first time."""
        if name not in self.agents:
            _make_room(self.agents, CALLCENTER_AGENTS)
            self.agents[name] = KnownAgent()
        return self.agents[name]

    def begin(self, member: str, visit: MemberVisit) -> MemberVisit:
        """Note that a member is in a queue."""
        self.departures.pop(member, None)
        _make_room(self.members, MEMBERS_OPEN)
        self.members[member] = visit
        return visit

    def finish(self, member: str, visit: MemberVisit) -> None:
        """Note that a member is gone."""
        self.members.pop(member, None)
        _make_room(self.departures, DEPARTURES_KEPT)
        self.departures[member] = Departure(visit.seq, visit.since)

    def count(self, queue: str, *, answered: int = 0, unanswered: int = 0) -> None:
        """Note what FreeSWITCH counts too, so that its count tells later what was missed."""
        if queue in self.totals:
            before = self.totals[queue]
            self.totals[queue] = (before[0] + answered, before[1] + unanswered)


def _make_room(kept: dict[str, _Kept], limit: int) -> None:
    if len(kept) >= limit:
        del kept[next(iter(kept))]


class CallcenterPosition(Struct, frozen=True, kw_only=True):
    """All that a restart needs. FreeSWITCH tells nothing twice, so there is no place to go on from."""

    memory: CallcenterMemory
    version: Literal[1] = 1

    @classmethod
    def read(cls, saved: bytes) -> "CallcenterPosition":
        """Return what was saved; raises UnreadablePosition."""
        return read_position(
            saved,
            msgspec.json.Decoder(cls).decode,
            "no position of a FreeSWITCH that this version can read; restore it from a copy, or remove it: then "
            "nobody knows who was open before, and whoever left meanwhile stays open until it expires",
        )

    def write(self) -> bytes:
        """Return the bytes to save."""
        return msgspec.json.encode(self)
