"""A file whose content is read again when it changes: keys and secrets are replaced while a service runs."""

import logging
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final, Generic, TypeVar

from stream.errors import SettingsError

__all__ = ["WatchedFile", "version_of"]

logger = logging.getLogger(__name__)

CHECKED_EVERY_SECONDS: Final = 1.0
"""So often the file is looked at for a change."""

T = TypeVar("T")


class WatchedFile(Generic[T]):
    """
    What *read* makes of the file *path*, made anew when the file has changed.

    Raises SettingsError, as *read* does, if it cannot be read at first. Later such a file changes nothing, and is
    logged: one that is half written must not lock everybody out.
    """

    def __init__(self, path: Path, read: Callable[[Path], T]) -> None:
        self.path = path
        self._read = read
        self._looked = monotonic()
        # Before it is read: a change in between is seen the next time.
        self._version = version_of(path)
        self._content = read(path)

    def content(self) -> T:
        """Return what the file says; a change is seen within a second."""
        now = monotonic()
        if now - self._looked >= CHECKED_EVERY_SECONDS:
            self._looked = now
            self._look_again()
        return self._content

    def _look_again(self) -> None:
        version = version_of(self.path)
        if version == self._version:
            return
        self._version = version
        try:
            self._content = self._read(self.path)
        except SettingsError as failure:
            logger.error("%s; what was read before stays good", failure)  # noqa: TRY400  # it says it all
        else:
            logger.info("%s was read again", self.path)


def version_of(path: Path) -> tuple[int, int, int] | None:
    """Return what differs once a file has changed; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    # The inode, too: an editor or a mounted secret replaces the file, perhaps twice within a tick of the clock.
    return status.st_mtime_ns, status.st_size, status.st_ino
