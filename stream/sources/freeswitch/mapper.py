"""Which action tells what: the one table of what mod_callcenter tells, and of the channels' events that matter."""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from stream.core.cloudevents import DEFAULT_TENANT, Event, tag_of
from stream.sdk.factory import EventFactory
from stream.sources.freeswitch.agent_actions import ACTIVITY_OF_STATE, AGENT_STATUSES, AgentActions
from stream.sources.freeswitch.frames import EslFrame
from stream.sources.freeswitch.member_actions import MemberActions
from stream.sources.freeswitch.memory import CallcenterMemory
from stream.sources.freeswitch.reconciliation import Reconciliation
from stream.sources.freeswitch.records import EVENT_KINDS, EslRecord, record_of
from stream.sources.freeswitch.snapshot import CallcenterSnapshot
from stream.sources.intake import Intake
from stream.sources.lines import BadLine

__all__ = ["ACTIONS_OF_NO_USE", "CALLCENTER_ACTIONS", "ActionRule", "CallcenterMapper"]

_Need = Literal["queue", "member", "agent"]

_LONGEST: Final[Mapping[_Need, int]] = {"queue": 128, "member": 256, "agent": 256}
"""As in the contract, `Name` and `Id` in `stream.core.cloudevents`: an event with more would be refused."""

_HEADERS: Final[Mapping[_Need, str]] = {"queue": "CC-Queue", "member": "CC-Member-UUID", "agent": "CC-Agent"}


class ActionRule(Struct, frozen=True):
    """What an event of this name must say, and what it tells; None where that is nothing new."""

    needs: tuple[_Need, ...]
    tell: Callable[["CallcenterMapper", EslRecord], list[Event] | None]
    known: tuple[str, Container[str]] | None = None
    """A header, and the values that it may have."""


_VISIT: Final[tuple[_Need, ...]] = ("queue", "member")
_OFFER: Final[tuple[_Need, ...]] = ("queue", "member", "agent")
_AGENT: Final[tuple[_Need, ...]] = ("agent",)

CALLCENTER_ACTIONS: Final[Mapping[str, ActionRule]] = {
    "member-queue-start": ActionRule(_VISIT, lambda on, record: on.members.entered(record)),
    "member-queue-resume": ActionRule(_VISIT, lambda on, record: on.members.came_back(record)),
    "agent-offering": ActionRule(_OFFER, lambda on, record: on.members.rings(record)),
    "bridge-agent-fail": ActionRule(_OFFER, lambda on, record: on.members.rang_in_vain(record)),
    "bridge-agent-start": ActionRule(_OFFER, lambda on, record: on.members.answered(record)),
    "bridge-agent-end": ActionRule(_OFFER, lambda on, record: on.members.agent_hung_up(record)),
    "member-queue-end": ActionRule(_VISIT, lambda on, record: on.members.left(record)),
    "agent-status-change": ActionRule(
        _AGENT, lambda on, record: on.agents.status_told(record), ("CC-Agent-Status", AGENT_STATUSES)
    ),
    "agent-state-change": ActionRule(
        _AGENT, lambda on, record: on.agents.state_told(record), ("CC-Agent-State", ACTIVITY_OF_STATE)
    ),
    "agent-del": ActionRule(_AGENT, lambda on, record: on.agents.deleted(record)),
    "CHANNEL_HOLD": ActionRule((), lambda on, record: on.members.held(record)),
    "CHANNEL_UNHOLD": ActionRule((), lambda on, record: on.members.resumed(record)),
}

ACTIONS_OF_NO_USE: Final[Mapping[str, str]] = {
    "HEARTBEAT": "FreeSWITCH lives; that it was heard is all",
    "members-count": "how many wait follows from who came and left",
    "agent-add": "a new agent is logged out until its status says otherwise",
    "agent-contact-change": "where an agent is called is no figure of ours",
    "agent-max-no-answer": "the status that follows from it is told by itself",
    "agent-status-get": "somebody has asked, and nothing happened",
    "agent-state-get": "ditto",
    "agent-uuid-get": "ditto",
    "agent-contact-get": "ditto",
    "agent-type-get": "ditto",
    "agent-ready_time-get": "ditto",
}
"""Names that are counted and left, with the reason."""


class CallcenterMapper:
    """Turns messages into events, remembers what later ones need, and counts what became of each."""

    def __init__(
        self,
        source: str,
        *,
        tenant: str = DEFAULT_TENANT,
        memory: CallcenterMemory | None = None,
        intake: Intake | None = None,
    ) -> None:
        self.memory = memory or CallcenterMemory()
        self.intake = intake or Intake()
        # The ids follow below, from what FreeSWITCH calls its events.
        factory = EventFactory(source, tenant=tenant, new_id=lambda: "-")
        self.agents: AgentActions = AgentActions(self.memory, factory)
        self.members: MemberActions = MemberActions(self.memory, self.agents, factory)

    def events(self, frames: Iterable[EslFrame]) -> list[Event]:
        """Return what the messages tell, in their order."""
        return [event for frame in frames for event in self.map(frame)]

    def map(self, frame: EslFrame) -> list[Event]:
        """Return what one message tells; one that is no event tells nothing, and is not counted."""
        if frame.kind not in EVENT_KINDS:
            return []
        self.intake.read += 1
        record = record_of(frame)
        if isinstance(record, BadLine):
            self.intake.refuse(record)
            return []
        self.memory.heard = max(self.memory.heard, record.micros)
        self.memory.core = record.core
        rule = CALLCENTER_ACTIONS.get(record.name)
        if rule is None:
            self._leave(record)
            return []
        if (bad := _lack(record, rule)) is not None:
            self.intake.refuse(bad)
            return []
        return self._told(record, rule)

    def reconcile(self, snapshot: CallcenterSnapshot, meanwhile: Iterable[EslFrame] = ()) -> list[Event]:
        """
        Return what a snapshot tells that was not known; what was missed is counted, and said to be missing.

        *meanwhile* is what arrived while it was asked for, and is to be mapped after it.
        """
        moving = {_member_of(frame) for frame in meanwhile if frame.kind in EVENT_KINDS}
        return Reconciliation(self.memory, self.members, self.agents, self.intake).events(snapshot, moving)

    def _told(self, record: EslRecord, rule: ActionRule) -> list[Event]:
        told = rule.tell(self, record)
        if told is None:
            self.intake.ignore(f"{record.name}, nothing new")
            return []
        self.intake.used[record.name] += 1
        # An event of FreeSWITCH tells at most one of a kind.
        return [replace(event, id=f"{record.id}-{tag_of(event)}") for event in told]

    def _leave(self, record: EslRecord) -> None:
        if record.name in ACTIONS_OF_NO_USE:
            self.intake.ignore(record.name)
            return
        detail = "the event is of a kind that is not known"
        self.intake.wonder(_printable(record.name), BadLine(record.place, "unknown_action", detail))


def _member_of(frame: EslFrame) -> str:
    record = record_of(frame)
    return "" if isinstance(record, BadLine) else record.get(_HEADERS["member"])


def _lack(record: EslRecord, rule: ActionRule) -> BadLine | None:
    for need in rule.needs:
        if not 0 < len(record.get(_HEADERS[need])) <= _LONGEST[need]:
            return BadLine(record.place, f"missing_{need}", f"{record.name} names no {need}, or one that is too long")
    if rule.known is not None and record.get(rule.known[0]) not in rule.known[1]:
        return BadLine(record.place, "unknown_value", f"{record.name}: {rule.known[0]} is none that is known")
    return None


def _printable(name: str) -> str:
    """Return a name as it may stand in a summary: whoever makes up events may put anything into it."""
    plain = name.replace("-", "").replace("_", "")
    return name if len(name) <= 64 and plain.isascii() and plain.isalpha() else "(no plain name)"
