"""Brings what is remembered in line with a snapshot: ghosts go, who came meanwhile is told, agents are set right.

What happened while nobody listened is not made up: it is counted, by FreeSWITCH's own counts, and said to be missing.
"""

import logging
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from hashlib import blake2b
from typing import Final

from msgspec.structs import replace

from stream.core.cloudevents import Event, tag_of
from stream.sources.freeswitch.agent_actions import AgentActions
from stream.sources.freeswitch.member_actions import MemberActions
from stream.sources.freeswitch.memory import CallcenterMemory, MemberVisit
from stream.sources.freeswitch.snapshot import CallcenterSnapshot
from stream.sources.intake import MISSED_WHILE_AWAY, Intake

__all__ = ["Reconciliation"]

logger = logging.getLogger(__name__)

_IN_QUEUE: Final = frozenset({"Waiting", "Trying"})

_Row = Mapping[str, str]


class Reconciliation:
    """Tells the difference between the memory and a snapshot, and removes it from the memory."""

    def __init__(self, memory: CallcenterMemory, members: MemberActions, agents: AgentActions, intake: Intake) -> None:
        self._memory = memory
        self._members = members
        self._agents = agents
        self._intake = intake

    def events(self, snapshot: CallcenterSnapshot, moving: Container[str] = ()) -> list[Event]:
        """
        Return what the snapshot tells, with ids that follow from what is told, and not from when it was asked.

        Members that were *moving* while it was asked for are no ghosts: how they left was heard.
        """
        missed = self._missed_by_counts(snapshot)
        rows = {row.get("uuid", ""): row for row in snapshot.members}
        told: list[Event] = []
        for member, visit in list(self._memory.members.items()):
            known = self._known_member(member, visit, rows.get(member), snapshot)
            if known is None and member in moving:
                continue
            if known is None:
                missed[visit.queue] += not self._memory.totals
                known = [self._closed(member, visit, rows.get(member), snapshot.at)]
            told += known
        told += [event for member, row in rows.items() for event in self._new_member(member, row)]
        told += [event for row in snapshot.agents for event in self._agent(row, snapshot.at)]
        told += self._gone_agents(snapshot)
        told += self._memberships(snapshot)
        self._count(missed)
        self._remember_counts(snapshot)
        return [_identified(event) for event in told]

    # -- members -------------------------------------------------------------------------------

    def _known_member(
        self, member: str, visit: MemberVisit, row: _Row | None, snapshot: CallcenterSnapshot
    ) -> list[Event] | None:
        """Return what a row tells of an open member; None if it is not open any more."""
        state = row.get("state", "") if row else ""
        if row is not None and state in _IN_QUEUE and not visit.answered:
            return []
        if row is None or state != "Answered":
            return None
        return [] if visit.answered else [self._answered(member, visit, row, snapshot.at)]

    def _answered(self, member: str, visit: MemberVisit, row: _Row, at: int) -> Event:
        agent = row.get("serving_agent", "")
        # A queue that rings all agents says so where the name of one should be.
        return self._members.is_answered(
            member, visit, "" if agent == "ring-all" else agent, _seconds(row, "bridge_epoch") or at
        )

    def _closed(self, member: str, visit: MemberVisit, row: _Row | None, at: int) -> Event:
        """
        Tell that a member is not there any more.

        How it left nobody knows; a wait or conversation is taken to have lasted as long as it was heard of.
        """
        self._memory.finish(member, visit)
        # One event from a clock that was far ahead must not make it last until then.
        until = max(min(self._memory.heard, at), visit.since, visit.answered)
        if visit.answered:
            return self._members.is_over(member, replace(visit, ended_by=""), until)
        # FreeSWITCH calls whoever left unanswered abandoned, after a timeout too: only the time is worth something,
        # and of a member that has come back since it is the time of another visit.
        left = _seconds(row, "abandoned_epoch") if row and _seconds(row, "rejoined_epoch") <= visit.since else 0
        return self._members.vanished(member, visit, max(left, visit.since) if left else until)

    def _new_member(self, member: str, row: _Row) -> Iterator[Event]:
        state, queue = row.get("state", ""), row.get("queue", "")
        again = _seconds(row, "rejoined_epoch")
        since = again or _seconds(row, "joined_epoch")
        before = self._memory.departures.get(member)
        over = before is not None and (not again or again <= before.since)
        is_known = member in self._memory.members or over
        if is_known or not member or not 0 < len(queue) <= 128 or not since or state not in {*_IN_QUEUE, "Answered"}:
            return
        seq = before.seq + 1 if before else 2 if again else 1
        yield self._members.begins(member, queue, since, row.get("session_uuid", ""), seq=seq)
        if state == "Answered":
            yield self._answered(member, self._memory.members[member], row, since)

    # -- agents --------------------------------------------------------------------------------

    def _agent(self, row: _Row, at: int) -> Iterator[Event]:
        name, status, state = (row.get(column, "") for column in ("name", "status", "state"))
        if not 0 < len(name) <= 256:
            return
        known = self._memory.agent(name)
        if status != known.status:
            yield from self._agents.status_is(name, status, _seconds(row, "last_status_change") or at) or ()
        if state != known.state:
            yield from self._agents.state_is(name, state, at) or ()

    def _gone_agents(self, snapshot: CallcenterSnapshot) -> Iterator[Event]:
        listed = {row.get("name", "") for row in snapshot.agents}
        # Without any agent the answer is rather an empty one than a centre without people.
        for name in [name for name in self._memory.agents if listed and name not in listed]:
            yield from self._agents.gone(name, snapshot.at)

    def _memberships(self, snapshot: CallcenterSnapshot) -> Iterator[Event]:
        tiers = {(row.get("agent", ""), row.get("queue", "")): row for row in snapshot.tiers}
        for (name, queue), row in tiers.items():
            if name in self._memory.agents and 0 < len(queue) <= 128:
                level = row.get("level", "")
                penalty = int(level) if _is_number(level) else None
                yield from self._agents.serves(name, queue, snapshot.at, level=penalty)
        for name, agent in self._memory.agents.items():
            for queue in [queue for queue in agent.queues if tiers and (name, queue) not in tiers]:
                yield self._agents.serves_no_more(name, queue, snapshot.at)

    # -- what was missed -----------------------------------------------------------------------

    def _missed_by_counts(self, snapshot: CallcenterSnapshot) -> Counter[str]:
        missed: Counter[str] = Counter()
        # After a restart of FreeSWITCH its counts begin at nought: all that they say was missed.
        restarted = bool(snapshot.core and self._memory.core and snapshot.core != self._memory.core)
        for queue, counts in _counts_of(snapshot).items():
            before = self._memory.totals.get(queue)
            if before is not None:
                known = (0, 0) if restarted else before
                missed[queue] += sum(max(now - then, 0) for now, then in zip(counts, known, strict=True))
        return missed

    def _remember_counts(self, snapshot: CallcenterSnapshot) -> None:
        self._memory.totals = _counts_of(snapshot)
        self._memory.core = snapshot.core or self._memory.core

    def _count(self, missed: Counter[str]) -> None:
        for queue, number in missed.items():
            if number:
                logger.warning("%s: %d members left while nobody listened; they are missing", queue, number)
        self._intake.read += missed.total()
        if missed.total():
            self._intake.refused[MISSED_WHILE_AWAY] += missed.total()


def _counts_of(snapshot: CallcenterSnapshot) -> dict[str, tuple[int, int]]:
    columns = ("calls_answered", "calls_abandoned")
    return {
        row["name"]: (int(row[columns[0]]), int(row[columns[1]]))
        for row in snapshot.queues
        if row.get("name") and all(_is_number(row.get(column, "")) for column in columns)
    }


def _is_number(told: str) -> bool:
    return told.isascii() and told.isdigit() and len(told) <= 9


def _seconds(row: _Row, column: str) -> int:
    told = row.get(column, "")
    return int(told) * 1_000_000 if told.isascii() and told.isdigit() and 6 < len(told) < 11 else 0


def _identified(event: Event) -> Event:
    data = event.data
    what = f"{event.subject} {getattr(data, 'queue', '')} {getattr(data, 'enqueue_seq', '')} {event.time.isoformat()}"
    return replace(event, id=f"snapshot-{blake2b(what.encode(), digest_size=12).hexdigest()}-{tag_of(event)}")
