"""What FreeSWITCH tells of an agent: its status, which it chose; its state, which is seen; and the queues it serves."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

from stream.core.cloudevents import Event
from stream.core.windows import EPOCH
from stream.sdk.factory import EventFactory
from stream.sources.freeswitch.memory import AgentPresence, CallcenterMemory, KnownAgent
from stream.sources.freeswitch.records import EslRecord

__all__ = ["ACTIVITY_OF_STATE", "AGENT_STATUSES", "AgentActions", "time_at"]

AGENT_STATUSES: Final = frozenset({"Available", "Available (On Demand)", "On Break", "Logged Out"})

ACTIVITY_OF_STATE: Final[Mapping[str, Literal["idle", "reserved", "on_contact"]]] = {
    "Waiting": "idle",
    "Idle": "idle",
    "Receiving": "reserved",
    "Reserved": "reserved",
    "In a queue call": "on_contact",
}

QUEUES_OF_AN_AGENT: Final = 200

_ONE_SECOND: Final = 1_000_000


def time_at(micros: int) -> datetime:
    """Return the time that lies so many microseconds after 1970."""
    return EPOCH + timedelta(microseconds=micros)


def _presence(agent: KnownAgent) -> AgentPresence:
    match agent.status, agent.state:
        case "Logged Out", _:
            return "offline"
        # An idle agent is given no calls, whatever its status: FreeSWITCH leaves those on demand so after a call.
        case ("On Break", _) | (_, "Idle"):
            return "not_ready"
        case _:
            return "available"


class AgentActions:
    """Events of agents, made by *factory*; each method is what an action, or a row of a snapshot, can tell."""

    def __init__(self, memory: CallcenterMemory, factory: EventFactory) -> None:
        self._memory = memory
        self._factory = factory

    def status_told(self, record: EslRecord) -> list[Event] | None:
        """The agent has another status; None if it is none that there is."""
        return self.status_is(record.get("CC-Agent"), record.get("CC-Agent-Status"), record.micros)

    def state_told(self, record: EslRecord) -> list[Event] | None:
        """The agent was seen doing something else; None if it is nothing that there is."""
        return self.state_is(record.get("CC-Agent"), record.get("CC-Agent-State"), record.micros)

    def deleted(self, record: EslRecord) -> list[Event] | None:
        """The agent is none any more."""
        return self.gone(record.get("CC-Agent"), record.micros)

    def status_is(self, name: str, status: str, micros: int) -> list[Event] | None:
        """Tell the presence of an agent that has this status, if it is another than before."""
        if status not in AGENT_STATUSES:
            return None
        agent = self._memory.agent(name)
        agent.status = status
        return self._presence_told(name, agent, micros)

    def state_is(self, name: str, state: str, micros: int) -> list[Event] | None:
        """Tell the activity of an agent in this state."""
        activity = ACTIVITY_OF_STATE.get(state)
        if activity is None:
            return None
        agent = self._memory.agent(name)
        agent.state = state
        told: list[Event] = [self._factory.activity(name, activity, at=self._at(agent, micros))]
        # Of an agent whose status nobody has told yet the state alone says nothing about presence.
        return [*told, *self._presence_told(name, agent, micros)] if agent.status else told

    def serves(self, name: str, queue: str, micros: int, *, level: int | None = None) -> list[Event]:
        """Tell that the agent serves a queue, if nothing has said so before."""
        agent = self._memory.agent(name)
        if queue in agent.queues or len(agent.queues) >= QUEUES_OF_AN_AGENT:
            return []
        agent.queues.append(queue)
        return [self._factory.joined(name, queue, penalty=level, at=self._at(agent, micros))]

    def serves_no_more(self, name: str, queue: str, micros: int) -> Event:
        """Tell that the agent serves a queue no more."""
        agent = self._memory.agent(name)
        agent.queues.remove(queue)
        return self._factory.left(name, queue, at=self._at(agent, micros))

    def gone(self, name: str, micros: int) -> list[Event]:
        """Tell that there is no such agent any more."""
        agent = self._memory.agents.pop(name, KnownAgent())
        return [self._factory.logged_out(name, at=self._at(agent, micros))]

    def _presence_told(self, name: str, agent: KnownAgent, micros: int) -> list[Event]:
        now, before = _presence(agent), agent.told
        if now == before:
            return []
        agent.told = now
        if now == "offline":
            return [self._factory.logged_out(name, at=self._at(agent, micros))]
        came: list[Event] = []
        if before in {"", "offline"}:
            came.append(self._factory.logged_in(name, at=self._at(agent, micros)))
            if now == "available":
                return came
        reason = None if now == "available" else agent.status if agent.status == "On Break" else agent.state
        at = self._at(agent, micros)
        return [*came, self._factory.availability(name, now, reason=reason, at=at)]

    def _at(self, agent: KnownAgent, micros: int) -> datetime:
        """Return the time of a report: of two reports of one instant the later one stands."""
        # Snapshots know whole seconds only: what they tell anew is later than what was heard in that second.
        if agent.reported - _ONE_SECOND < micros <= agent.reported:
            micros = agent.reported + 1
        agent.reported = max(agent.reported, micros)
        return time_at(micros)
