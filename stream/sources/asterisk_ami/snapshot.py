"""What `QueueStatus` answers, and what follows from it: who waits, who serves which queue, and what went unseen.

A snapshot is the state of an instant. Of what happened before it nothing is made up: a contact that is gone is ended
as *system*, and counted as one whose end nobody saw.
"""

from typing import Final

from msgspec import Struct, field

from stream.core.cloudevents import Event
from stream.sources.asterisk_ami.messages import Message
from stream.sources.asterisk_ami.teller import Teller
from stream.sources.asterisk_queue_log.calls import Visit

__all__ = ["QueueStatus", "member_events", "reconcile"]

BUSY: Final = frozenset({"2", "3", "7", "8"})
"""States of a device: in use, busy, ringing while in use, on hold."""

SLACK = 2_000_000
"""Waits and ends of calls are told in whole seconds."""


class QueueStatus(Struct):
    """The answer as far as it has come."""

    began: int
    members: dict[tuple[str, str], Message] = field(default_factory=dict)
    """By queue and member."""
    entries: dict[tuple[str, str], tuple[int, Message]] = field(default_factory=dict)
    """By queue and call: when it was told."""


LONGEST_WAIT: Final = 31 * 24 * 3600
"""Seconds; as for all lengths of the contract."""


def member_events(teller: Teller, message: Message, at: int, queue: str, member: str) -> list[Event]:
    """Return what is new in a message about a member: that it serves the queue, or paused there or came back."""
    known = teller.memory.members.by_name.get(member)
    membership = known.queues.get(teller.memory.spelled(queue)) if known else None
    paused = message.first("paused") == "1"
    if membership is None or not membership.joined:
        return teller.tell("ADDMEMBER", at, *(["PAUSED"] if paused else []), queue=queue, member=member)
    if "paused" not in message.headers or membership.paused == paused:
        return []
    reason = message.first("pausedreason", "reason")
    return teller.tell("PAUSE" if paused else "UNPAUSE", at, reason, queue=queue, member=member)


def reconcile(teller: Teller, snapshot: QueueStatus, at: int) -> tuple[list[Event], int]:
    """Return the events that lead from what was known to a snapshot, and how many contacts left unseen."""
    told = [
        event
        for (queue, member), message in snapshot.members.items()
        for event in member_events(teller, message, at, queue, member)
    ]
    told += _removed(teller, snapshot, at)
    unseen, gone = _gone(teller, snapshot, at)
    told += gone
    for call in list(teller.state.ringing):
        told += teller.stop_ringing(call, at)
    for (queue, call), (when, message) in snapshot.entries.items():
        told += _entered(teller, message, when, queue, call)
    teller.state.away_since = 0
    return told, unseen


def _removed(teller: Teller, snapshot: QueueStatus, at: int) -> list[Event]:
    spelled = {(teller.memory.spelled(queue), member) for queue, member in snapshot.members}
    gone = [
        (queue, name)
        for name, member in teller.memory.members.by_name.items()
        for queue, membership in member.queues.items()
        if membership.joined and membership.since < snapshot.began and (queue, name) not in spelled
    ]
    return [event for queue, name in gone for event in teller.tell("REMOVEMEMBER", at, queue=queue, member=name)]


def _gone(teller: Teller, snapshot: QueueStatus, at: int) -> tuple[int, list[Event]]:
    waiting = {(teller.memory.spelled(queue), call) for queue, call in snapshot.entries}
    busy = {(teller.memory.spelled(key[0]), key[1]): message for key, message in snapshot.members.items()}
    unseen, told = 0, list[Event]()
    for call, visit in [(call, visit) for call, known in teller.memory.saved.calls.items() for visit in known.visits]:
        if visit.state == "waiting" and visit.since < snapshot.began and (visit.queue, call) not in waiting:
            if call not in teller.state.exits:
                unseen += 1
                told += teller.leave("UNSEEN", at, call=call, queue=visit.queue)
        elif visit.state == "talking" and not _talks(visit, busy.get((visit.queue, visit.agent)), snapshot.began):
            unseen += 1
            # Seen to talk until the connection was lost: what came after is not known, and not made up.
            talked = max((teller.state.away_since or at) - visit.answered, 0) // 1_000_000
            told += teller.tell("COMPLETEUNSEEN", at, "", str(talked), call=call, queue=visit.queue, member=visit.agent)
    return unseen, told


def _talks(visit: Visit, member: Message | None, began: int) -> bool:
    if visit.answered >= began:
        return True
    if member is None:
        return False
    ended = member.number("lastcall") or 0
    busy = member.first("incall") == "1" if "incall" in member.headers else member.first("status") in BUSY
    # One that ended after this one was answered was this one, or came after it.
    return busy and ended * 1_000_000 <= visit.answered


def _entered(teller: Teller, message: Message, when: int, queue: str, call: str) -> list[Event]:
    waited = message.number("wait") or 0
    # What is absurd is unknown.
    since = when - (waited if waited <= LONGEST_WAIT else 0) * 1_000_000
    known = teller.memory.saved.calls.get(call)
    spelled = teller.memory.spelled(queue)
    for visit in known.visits if known else ():
        if visit.queue == spelled and (visit.state == "waiting" or visit.ended + SLACK >= since):
            return []
    return teller.tell("ENTERQUEUE", since, "", "", message.first("position"), call=call, queue=queue)
