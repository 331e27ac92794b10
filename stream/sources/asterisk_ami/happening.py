"""A message of the manager interface with what it is about: when, which call, queue and member."""

import re
from typing import Final, Literal

from msgspec import Struct

from stream.sources.asterisk_ami.messages import Message
from stream.sources.lines import BadLine

__all__ = ["Happening", "NamedParty", "fault_of", "happening_of", "is_member_name"]

# As for lines of a queue_log: the names become parts of events, so they keep to the limits of the contract.
_LONGEST: Final = {"call": 200, "queue": 128, "member": 256}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MEMBER = ("membername", "name", "agentname", "interface", "location", "member")

NamedParty = Literal["call", "queue", "member"]


class Happening(Struct, frozen=True):
    """A message, and when it happened to whom; empty where it names none."""

    message: Message
    at: int
    call: str
    queue: str
    member: str


def happening_of(message: Message, at: int) -> Happening:
    """Return a message with what it names."""
    return Happening(message, at, message.first("uniqueid"), message.first("queue"), message.first(*_MEMBER))


def fault_of(what: Happening, needs: tuple[NamedParty, ...]) -> BadLine | None:
    """Return why a message cannot be used: it lacks one of *needs*, or a name is none; None if it can."""
    for need in needs:
        if not getattr(what, need):
            return BadLine(what.message.place, f"missing_{need}", f"the event names no {need}")
    for name, longest in _LONGEST.items():
        value = getattr(what, name)
        if len(value) > longest or _CONTROL.search(value):
            detail = f"the {name} is longer than {longest} characters or has control characters"
            return BadLine(what.message.place, "bad_field", detail)
    return None


def is_member_name(name: str) -> bool:
    """Tell whether an event can name a member so."""
    return 0 < len(name) <= _LONGEST["member"] and not _CONTROL.search(name)
