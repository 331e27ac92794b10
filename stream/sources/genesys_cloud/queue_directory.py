"""What queues are called: notifications have their ids alone."""

from pathlib import Path

import msgspec
from msgspec import MsgspecError, Struct

from stream.errors import SettingsError
from stream.security.watched_file import WatchedFile

__all__ = ["QueueDirectory"]


class _QueueEntry(Struct):
    id: str
    name: str


class _QueuePage(Struct):
    entities: list[_QueueEntry]


class QueueDirectory:
    """
    Names by id, from a file that is read again when it changes; an id without a name is its own name.

    The file is what Genesys Cloud's API answers to `GET /api/v2/routing/queues`, or a list of its `entities`. Raises
    SettingsError if it is none.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = None if file is None else WatchedFile(file, _read)

    def name_of(self, queue: str) -> str:
        """Return what a queue is called."""
        return queue if self._file is None else self._file.content().get(queue, queue)


def _read(path: Path) -> dict[str, str]:
    try:
        content = path.read_bytes()
    except OSError as failure:
        raise SettingsError(f"{path} cannot be read: {failure.strerror}") from None
    try:
        told = msgspec.json.decode(content, type=list[_QueueEntry] | _QueuePage)
    except (MsgspecError, ValueError, RecursionError) as failure:
        raise SettingsError(f"{path} is no list of queues, each with id and name: {failure}") from None
    entries = told.entities if isinstance(told, _QueuePage) else told
    return {entry.id: entry.name for entry in entries if entry.name}
