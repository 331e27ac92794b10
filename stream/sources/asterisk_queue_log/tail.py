"""A log file that grows, is rotated and truncated, read line by line without a gap or a repeat.

A file is known by its first bytes and its inode, not by its name. What was written to it before it was
moved or copied away is read to its end before the next one begins.
"""

import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from io import FileIO
from pathlib import Path

from stream.errors import SourceError
from stream.sources.asterisk_queue_log.position import HEAD_BYTES, Bookmark
from stream.sources.lines import CHUNK_BYTES, Line, LineSplitter

__all__ = ["Tail"]

logger = logging.getLogger(__name__)

ROTATED = re.compile(r"[.-][0-9][0-9.-]*")
"""What rotation appends to the name: `.1`, `-20260131`; compressed files are not followed."""


class Tail:
    """Follows *path* from *bookmark*, or from its begin; `gaps` counts how often lines may have been missed."""

    def __init__(self, path: Path, bookmark: Bookmark | None = None) -> None:
        self.gaps = 0
        self._path = path
        self._wanted = bookmark
        self._file: FileIO | None = None
        self._head = b""
        self._lines = LineSplitter(str(path))

    def read(self) -> list[Line]:
        """Return the lines that came in since the last call, some at a time; none if there are none."""
        file = self._file or self._first()
        if file is None:
            return []
        if self._rewritten(file):
            file = self._after_rewrite(file)
        # The lines of one chunk at a time: the position is saved behind each of them, and the first run over a
        # log of years must not load all of it.
        while chunk := file.read(CHUNK_BYTES):
            if len(self._head) < HEAD_BYTES:
                self._head = (self._head + chunk)[:HEAD_BYTES]
            if lines := list(self._lines.feed(chunk)):
                return lines
        return self._move_on(file)

    @property
    def bookmark(self) -> Bookmark | None:
        """Where the next line begins; None while there is no file."""
        if self._file is None:
            return self._wanted
        # Only of what was read: a digest of less than HEAD_BYTES must not cover lines that come later.
        head = self._head[: self._lines.offset]
        return Bookmark(
            inode=os.fstat(self._file.fileno()).st_ino,
            offset=self._lines.offset,
            lines=self._lines.lines,
            head_length=len(head),
            head_digest=_digest(head),
        )

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def _first(self) -> FileIO | None:
        """Open the file that the bookmark is in, wherever it is now."""
        if self._wanted is None:
            return self._go_on_in(self._open(self._path))
        file = self._find(self._wanted)
        if file is not None:
            return self._go_on_in(file, self._wanted)
        fresh = self._go_on_in(self._open(self._path))
        if fresh is not None:
            self._gap("the file that was read last is gone")
        return fresh

    def _rewritten(self, file: FileIO) -> bool:
        """Tell whether the file was cut, or cut and written anew, since it was read."""
        if os.fstat(file.fileno()).st_size < self._lines.seen:
            return True
        # Size alone is not enough: a file that was cut may have grown past our place since.
        return os.pread(file.fileno(), len(self._head), 0) != self._head

    def _after_rewrite(self, file: FileIO) -> FileIO:
        """Go on in the copy that was made before the file was cut; without one, at the begin of the file."""
        place = self.bookmark
        # `copytruncate` of logrotate copies the log and then cuts it. Lines written between the two are lost by
        # logrotate itself; what was not read before is in the copy.
        copy = self._find(place) if place is not None and place.offset else None
        if copy is not None:
            return self._go_on_in(copy, place) or file
        self._gap("the file was cut, and there is no copy of it")
        self._begin(file, None)
        return file

    def _move_on(self, file: FileIO) -> list[Line]:
        """At the end of a file that is not *path* any more: finish it, and open what came after it."""
        successor = self._successor(os.fstat(file.fileno()))
        if successor is None:
            return []
        # What is left over has no newline, and nobody will write one any more.
        left = list(self._lines.end())
        self._go_on_in(successor)
        # Read on at once: a pause here would be one for each file of a backlog.
        return left or self.read()

    def _successor(self, ours: os.stat_result) -> FileIO | None:
        """Open the oldest file written after ours: a rotated one if there were several rotations, or *path*."""
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return None
        if now.st_ino == ours.st_ino and now.st_dev == ours.st_dev:
            return None
        # Ordered by the time of their last write, since names do not tell: numbers fall with age (`.1` is newer
        # than `.2`), dates rise. Rotated files are not written any more, so that time stays.
        newer = [
            (found.st_mtime_ns, sibling)
            for sibling, found in self._rotated()
            if found.st_mtime_ns > ours.st_mtime_ns and found.st_ino != ours.st_ino and found.st_size
        ]
        if newer:
            return self._open(min(newer)[1])
        # An empty new file: the PBX still writes to the old one, until it is told to reopen its logs.
        return self._open(self._path) if now.st_size else None

    def _find(self, wanted: Bookmark) -> FileIO | None:
        """Open the file that begins as *wanted* says and reaches as far; of several the one with its inode."""
        # Opened first and compared then, by the open file: a rotation between two looks at a name would compare
        # one file and go on in another.
        opened = [self._open(path) for path in (self._path, *(sibling for sibling, _ in self._rotated()))]
        files = [file for file in opened if file is not None]
        matching = [file for file in files if _begins_as(file, wanted)]
        # Logs of short days may begin alike; the inode tells which of them we were in, if it is still there.
        matching.sort(key=lambda file: os.fstat(file.fileno()).st_ino != wanted.inode)
        for file in files:
            if file not in matching[:1]:
                file.close()
        return matching[0] if matching else None

    def _rotated(self) -> Iterator[tuple[Path, os.stat_result]]:
        name = self._path.name
        with suppress(FileNotFoundError):  # the folder itself may not be there yet
            for entry in self._path.parent.iterdir():
                if entry.name.startswith(name) and ROTATED.fullmatch(entry.name.removeprefix(name)):
                    yield from _regular(entry)

    def _open(self, path: Path) -> FileIO | None:
        try:
            file = FileIO(path, opener=_at_once)
        except FileNotFoundError:
            return None
        except OSError as failure:
            raise SourceError(f"{path}: the log cannot be read: {failure.strerror}") from failure
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise SourceError(f"{path}: the log cannot be followed: it is no regular file")
        return file

    def _go_on_in(self, file: FileIO | None, place: Bookmark | None = None) -> FileIO | None:
        """Go on in another file."""
        if file is not None:
            self.close()
            self._file = file
            self._begin(file, place)
        return file

    def _begin(self, file: FileIO, place: Bookmark | None) -> None:
        offset, lines = (place.offset, place.lines) if place is not None else (0, 0)
        self._head = os.pread(file.fileno(), min(HEAD_BYTES, offset), 0)
        file.seek(offset)
        self._lines = LineSplitter(str(file.name), offset=offset, lines=lines)

    def _gap(self, why: str) -> None:
        self.gaps += 1
        logger.warning("%s: %s; lines may be missing", self._path, why)


def _regular(path: Path) -> Iterator[tuple[Path, os.stat_result]]:
    with suppress(FileNotFoundError):
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            yield path, found


def _at_once(path: str, flags: int) -> int:
    """Open without waiting, as for a FIFO it would, until somebody writes to it."""
    # Of a regular file the flag changes nothing; what is no regular file is refused after this.
    return os.open(path, flags | os.O_NONBLOCK)


def _begins_as(file: FileIO, wanted: Bookmark) -> bool:
    if os.fstat(file.fileno()).st_size < wanted.offset:
        return False
    return _digest(os.pread(file.fileno(), wanted.head_length, 0)) == wanted.head_digest


def _digest(head: bytes) -> str:
    return blake2b(head, digest_size=16).hexdigest()
