"""What is remembered of a PBX between its messages: saved as the position, so that a restart goes on from it.

Bounded throughout, like the memory of a queue_log, which it holds.
"""

from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Struct, field

from stream.sources.asterisk_queue_log.memory import Remembered
from stream.sources.source import read_position

__all__ = ["AmiPosition", "PbxState", "PendingExit", "remember"]

KEPT: Final = 10_000
Value = TypeVar("Value")


class PendingExit(Struct, array_like=True):
    """A caller has left a queue, and no message has said how yet."""

    queue: str
    at: int
    position: str = ""
    waited: str = ""
    abandoned: bool = False
    """Asterisk calls it an abandon, which it does of timeouts and of empty queues, too."""


class PbxState(Struct):
    """One PBX."""

    memory: Remembered = field(default_factory=Remembered)
    exits: dict[str, PendingExit] = field(default_factory=dict)
    """By call."""
    ringing: dict[str, dict[str, str]] = field(default_factory=dict)
    """By call: the members at whom it rings, and the queue."""
    agent_channels: dict[str, str] = field(default_factory=dict)
    """The call by the channel of the agent who talks."""
    dialled: dict[str, str] = field(default_factory=dict)
    """The queue that the dialplan has last sent a call to."""
    hung_up: dict[str, bool] = field(default_factory=dict)
    """Calls whose caller has hung up."""
    attended: dict[str, bool] = field(default_factory=dict)
    """Channels that took part in an attended transfer."""
    tells_status: bool = False
    """The variable QUEUESTATUS has been seen: it says how a caller left."""
    tells_hangup: bool = False
    """Requests to hang up have been seen: a caller who gave up has made one."""
    heard: int = 0
    """When the newest message was."""
    away_since: int = 0
    """When the connection was lost; 0 while there is one that has told its snapshot."""


class AmiPosition(Struct, frozen=True, kw_only=True):
    """Everything that a restart needs: which calls were open, and what is known of agents, for each PBX."""

    pbxs: dict[str, PbxState]
    version: Literal[1] = 1

    @classmethod
    def read(cls, saved: bytes) -> "AmiPosition":
        """Return what was saved; raises UnreadablePosition."""
        return read_position(
            saved,
            msgspec.json.Decoder(cls).decode,
            "no position of asterisk-ami that this version can read; restore it from a copy, or delete it: then "
            "calls that were open stay on the board until they expire",
        )

    def write(self) -> bytes:
        """Return the bytes to save."""
        return msgspec.json.encode(self)


def remember(kept: dict[str, Value], key: str, value: Value) -> None:
    """Put something into a dict; of too many the oldest goes."""
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > KEPT:
        del kept[next(iter(kept))]
