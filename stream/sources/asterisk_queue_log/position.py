"""How far a log has been read, and what is remembered there: what a restart goes on from."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.sources.asterisk_queue_log.memory import Remembered
from stream.sources.source import read_position

__all__ = ["HEAD_BYTES", "Bookmark", "Position"]

HEAD_BYTES: Final = 1024
"""So many bytes tell two logs apart: the first line alone has a time and an id."""

# The largest offset of a file that an operating system takes: a damaged position with more would fail only
# later, at `seek`.
NonNegative = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Bookmark(Struct, frozen=True, kw_only=True):
    """Where in which file the next line begins; the file is known again by its first bytes, whatever its name."""

    inode: int
    offset: NonNegative
    lines: NonNegative
    head_length: Annotated[int, Meta(ge=0, le=HEAD_BYTES)]
    head_digest: str


class Position(Struct, frozen=True, kw_only=True):
    """Everything that a restart needs: the place, and what the mapper remembers there."""

    bookmark: Bookmark
    memory: Remembered
    version: Literal[2] = 2

    @classmethod
    def read(cls, saved: bytes) -> "Position":
        """Return what was saved, also by the version before; raises UnreadablePosition."""
        otherwise = (
            "no position in a queue_log that this version can read; restore it from a copy. Without it "
            "the log is read anew: calls from more than ten minutes ago, if they were sent before, count twice"
        )
        return read_position(saved, lambda data: msgspec.json.decode(_in_version_2(data), type=cls), otherwise)

    def write(self) -> bytes:
        """Return the bytes to save."""
        return msgspec.json.encode(self)


class _First(Struct):
    version: int
    memory: msgspec.Raw


def _in_version_2(saved: bytes) -> bytes:
    """
    Return a position as this version writes it.

    Version 1 knew no agents, and named contacts by the ids of their calls: those that are still open keep them.
    """
    if msgspec.json.decode(saved, type=_First).version != 1:
        return saved
    document: dict[str, Any] = msgspec.json.decode(saved)
    memory = document["memory"]
    for name, (_, visits) in memory["calls"].items():
        for visit in visits:
            # Structs are saved as arrays: what is added here is the field that version 2 has behind those of
            # version 1.
            visit.append(name)
    memory["alike"] = {name: [times, 0] for name, times in memory["alike"].items()}
    return msgspec.json.encode({**document, "version": 2})
