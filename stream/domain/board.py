"""The whole board of some floors and staffs: what a worker owns, or what a replay has folded."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from stream.domain.agents import STATES, Staff
from stream.domain.floor import Floor
from stream.domain.snapshot import AgentsSnapshot, Board, QueueSnapshot

__all__ = ["agents_of", "board_of", "in_order"]


def board_of(floors: Iterable[Floor], staffs: Iterable[Staff], at: datetime) -> Board:
    """Return everything at the instant *at*."""
    queues = [snapshot for floor in floors for snapshot in floor.snapshots(at)]
    return Board(at=at, queues=in_order(queues), agents=agents_of(staffs))


def in_order(queues: Iterable[QueueSnapshot]) -> tuple[QueueSnapshot, ...]:
    """Return snapshots by tenant, queue and channel."""
    return tuple(sorted(queues, key=lambda queue: (queue.tenant, queue.queue, queue.channel)))


def agents_of(staffs: Iterable[Staff]) -> tuple[AgentsSnapshot, ...]:
    """Add up the agents of several partitions, by tenant and queue; the whole tenant (queue None) comes first."""
    counts: dict[tuple[str, str | None], Counter[str]] = {}
    for staff in staffs:
        for part in staff.snapshots():
            counts.setdefault((part.tenant, part.queue), Counter()).update(part.states)
    return tuple(
        AgentsSnapshot(tenant=tenant, queue=queue, states={state: states[state] for state in STATES})
        for (tenant, queue), states in sorted(counts.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    )
