"""How far a log has been read, kept in a small file so that a restart goes on from there."""

import logging
import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.errors import SourceError
from stream.sources.asterisk_queue_log.memory import Memory

__all__ = ["HEAD_BYTES", "Bookmark", "Saved", "StateFile"]

log = logging.getLogger(__name__)

HEAD_BYTES: Final = 1024
"""So many bytes tell two logs apart: the first line alone has a time and an id."""

Place = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Bookmark(Struct, frozen=True, kw_only=True):
    """Where in which file the next line begins; the file is known again by its first bytes, whatever its name."""

    inode: int
    offset: Place
    lines: Place
    head_length: Annotated[int, Meta(ge=0, le=HEAD_BYTES)]
    head_digest: str


class Saved(Struct, frozen=True, kw_only=True):
    """Everything that a restart needs: the place, and what the mapper remembers there."""

    bookmark: Bookmark
    memory: Memory
    version: Literal[1] = 1


class StateFile:
    """
    Keeps the latest `Saved` on disk: the file always holds a whole one, also after a power cut.

    A disk that is full stops nothing: `failures` counts, the log says so, and the next save tries again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.failures = 0
        self._failing = False

    def load(self) -> Saved | None:
        """Return what was saved last, None if nothing was; raises SourceError if the file is not ours."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Saved)
        except FileNotFoundError:
            return None
        except OSError as failure:
            raise SourceError(f"{self.path}: the state cannot be read: {failure.strerror}") from failure
        except (msgspec.MsgspecError, ValueError, RecursionError) as failure:
            raise SourceError(
                f"{self.path}: no state of a queue_log that this version can read; restore it from a copy. Without it "
                "the log is read anew: calls from more than ten minutes ago, if they were sent before, count twice"
            ) from failure

    def check(self) -> None:
        """Raise SourceError where nothing can be kept: to be told at the start, not after the first restart."""
        try:
            with TemporaryFile(dir=self.path.parent, prefix=self.path.name):
                pass
        except OSError as failure:
            raise SourceError(
                f"{self.path}: the position cannot be kept there: {failure.strerror}; choose another place with --state"
            ) from failure

    def save(self, state: bytes) -> bool:
        """Write what `Saved` encoded to; tell whether it is on the disk."""
        try:
            self._replace(state)
        except OSError as failure:
            self.failures += 1
            if not self._failing:
                log.warning("%s: the position cannot be saved: %s; going on without", self.path, failure.strerror)
            self._failing = True
            return False
        if self._failing:
            log.warning("%s: the position is saved again", self.path)
        self._failing = False
        return True

    def _replace(self, state: bytes) -> None:
        draft = self.path.with_name(f"{self.path.name}.new")
        try:
            with draft.open("wb") as file:
                file.write(state)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
