"""The figures of agents: how many are in each state, in the queues they serve and in the whole tenant."""

from collections.abc import Mapping
from typing import Final

from stream.core.family import Beside
from stream.core.figure import Column, Figure, Row, Show
from stream.core.metric import gauge
from stream.families.agents.snapshot import STATES, AgentsSnapshot

__all__ = ["BESIDE", "FACTS", "FIGURES"]


def _in_state(state: str) -> Column[AgentsSnapshot]:
    return lambda reading, _: [one.states[state] for one in reading.snapshots]


_BY_STATE: Final = {state: _in_state(state) for state in STATES}

FIGURES: Final[tuple[Figure[AgentsSnapshot], ...]] = (
    Figure(
        metric=gauge(
            "contact_agents",
            "agents",
            ("tenant", "queue", "state"),
            "Agents by state in each queue they serve; an agent of two queues is in both, so never add queues up.",
        ),
        section="agents",
        by=_BY_STATE,
        labels_of=lambda one: None if one.queue is None else (one.tenant, one.queue),
    ),
    Figure(
        metric=gauge(
            "contact_tenant_agents",
            "agents",
            ("tenant", "state"),
            "Agents by state in the whole tenant, each counted once.",
        ),
        section="agents",
        by=_BY_STATE,
        labels_of=lambda one: (one.tenant,) if one.queue is None else None,
    ),
)

FACTS: Final[dict[str, Column[AgentsSnapshot]]] = {
    "states": lambda reading, _: [dict(one.states) for one in reading.snapshots]
}


def _beside_queue(snapshot: AgentsSnapshot) -> tuple[tuple[str, str], Mapping[str, int]] | None:
    return None if snapshot.queue is None else ((snapshot.tenant, snapshot.queue), snapshot.states)


def _free_and_busy(row: Row) -> str:
    states = row["agents"]
    return f"{states.get('available', 0)}/{states.get('on_contact', 0)}" if states else ""


BESIDE: Final = Beside(
    field=_beside_queue,
    shows=(Show(name="agents", word="available", format="agents", title="free/busy", rank=5, text=_free_and_busy),),
)
"""A queue shows the agents that serve it."""
