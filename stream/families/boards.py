"""The whole board of some folds and staffs: what a worker owns, or what a replay has folded."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from msgspec.structs import replace

from stream.families.agents.fold import STATES, AgentsFold
from stream.families.contacts.fold import ContactsFold
from stream.families.contacts.snapshot import AgentsSnapshot, Board, QueueSnapshot

__all__ = ["added_up", "agents_of", "board_of", "in_order"]


def board_of(folds: Iterable[ContactsFold], staffs: Iterable[AgentsFold], at: datetime) -> Board:
    """Return everything at the instant *at*."""
    queues = [snapshot for floor in folds for snapshot in floor.snapshots(at)]
    return Board(at=at, queues=in_order(queues), agents=agents_of(staffs))


def in_order(queues: Iterable[QueueSnapshot]) -> tuple[QueueSnapshot, ...]:
    """
    Return snapshots by tenant, queue and channel, each once.

    A queue is whole on one partition; only the one that stands for all beyond the limit has parts on several.
    """
    by_key: dict[tuple[str, str, str], QueueSnapshot] = {}
    for queue in queues:
        key = (queue.tenant, queue.queue, queue.channel)
        by_key[key] = _merged(by_key[key], queue) if key in by_key else queue
    return tuple(by_key[key] for key in sorted(by_key))


def _merged(one: QueueSnapshot, other: QueueSnapshot) -> QueueSnapshot:
    waits = [wait for wait in (one.longest_wait, other.longest_wait) if wait is not None]
    oldest = [at for at in (one.oldest_enqueued_at, other.oldest_enqueued_at) if at is not None]
    return replace(
        one,
        waiting=one.waiting + other.waiting,
        longest_wait=max(waits, default=None),
        oldest_enqueued_at=min(oldest, default=None),
        waiting_past_threshold=one.waiting_past_threshold + other.waiting_past_threshold,
        talking=one.talking + other.talking,
        wrapping_up=one.wrapping_up + other.wrapping_up,
        callbacks_waiting=one.callbacks_waiting + other.callbacks_waiting,
        windows={name: tally + other.windows[name] for name, tally in one.windows.items()},
        total=one.total + other.total,
        taken_back=one.taken_back + other.taken_back,
        inferred=one.inferred + other.inferred if one.inferred and other.inferred else one.inferred or other.inferred,
    )


def agents_of(staffs: Iterable[AgentsFold]) -> tuple[AgentsSnapshot, ...]:
    """Add up the agents of several partitions, by tenant and queue; the whole tenant (queue None) comes first."""
    return added_up(part for staff in staffs for part in staff.snapshots())


def added_up(parts: Iterable[AgentsSnapshot]) -> tuple[AgentsSnapshot, ...]:
    """Return one snapshot for each tenant and queue: partitions share out agents by agent, so counts add up."""
    counts: dict[tuple[str, str | None], Counter[str]] = {}
    for part in parts:
        counts.setdefault((part.tenant, part.queue), Counter()).update(part.states)
    return tuple(
        AgentsSnapshot(tenant=tenant, queue=queue, states={state: states[state] for state in STATES})
        for (tenant, queue), states in sorted(counts.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    )
