"""Agents as a queue_log knows them: members of queues, there or gone, paused here or there.

It is remembered because a log says so little: members of the configuration are never added, a pause ends with the
membership, and who has left the last queue has gone home without another line.
"""

from typing import Literal

from msgspec import Struct, field

__all__ = ["MEMBERS_KEPT", "Member", "Members", "Membership", "Presence", "Wrapup"]

MEMBERS_KEPT = 10_000
"""The one that was not heard of for longest goes first."""

QUEUES_OF_A_MEMBER = 200

Presence = Literal["available", "not_ready", "offline"]


class Membership(Struct, array_like=True):
    """Whether an agent serves a queue, since when (microseconds), and whether it is paused there."""

    since: int
    joined: bool
    paused: bool = False


class Wrapup(Struct, array_like=True):
    """Work after a conversation that goes on until a known time."""

    until: int
    began: int
    made_by: str
    """Id of the line that told it."""
    contact: str = ""
    queue: str = ""
    seq: int = 1


class Member(Struct, array_like=True):
    """One agent."""

    heard: int
    queues: dict[str, Membership] = field(default_factory=dict)
    told: Presence | Literal[""] = ""
    """What was said last of its presence; empty: nothing yet."""
    gone: Literal["", "left", "logged_off"] = ""
    """It left its last queue, or logged off: the one is over when it serves a queue again, the other at a login."""
    gone_since: int = 0
    paused: bool = False
    """In every queue, those included that are not known yet."""
    by_channel: bool = False
    """Logged in by a channel that is kept open: a restart ends that."""
    contact: str = ""
    """With whom it talks; the latest, if it takes another call meanwhile."""
    last: tuple[str, str, int] | None = None
    """Contact, queue and visit of the conversation that ended last."""

    @property
    def presence(self) -> Presence:
        """What is to be said of it as a whole."""
        if self.gone:
            return "offline"
        serving = [membership for membership in self.queues.values() if membership.joined]
        # Paused in some queues it still takes the calls of the others: only a pause in all of them makes it not
        # ready as a whole.
        paused = self.paused or (bool(serving) and all(membership.paused for membership in serving))
        return "not_ready" if paused else "available"

    def serves(self, queue: str, membership: Membership) -> None:
        """Note a membership; of too many the oldest goes."""
        # Taken out first, so that it moves to the end: the first of the dict is the one that changed longest
        # ago.
        self.queues.pop(queue, None)
        self.queues[queue] = membership
        if len(self.queues) > QUEUES_OF_A_MEMBER:
            del self.queues[next(iter(self.queues))]


class Members:
    """All agents by name, least recently heard of first."""

    def __init__(self, members: dict[str, Member]) -> None:
        self.by_name = members

    def get(self, name: str, micros: int) -> Member:
        """Return an agent, known or not."""
        member = self.by_name.pop(name, None) or Member(micros)
        member.heard = micros
        self.by_name[name] = member
        if len(self.by_name) > MEMBERS_KEPT:
            del self.by_name[next(iter(self.by_name))]
        return member
