"""What queues are called, where a system tells no more than their ids: a list makes the board readable."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import MsgspecError

from stream.errors import SettingsError
from stream.security.watched_file import WatchedFile

__all__ = ["QueueNames"]


class QueueNames:
    """
    Names by id, from a file that is read again when it changes; a queue without a name is called by its id.

    *decode* reads the file, and raises msgspec's errors; *expected* says what it should be. Raises SettingsError.
    """

    def __init__(self, file: Path | None, decode: Callable[[bytes], Mapping[str, str]], expected: str) -> None:
        self._decode = decode
        self._expected = expected
        self._file = None if file is None else WatchedFile(file, self._read)

    def of(self, queue: str) -> str:
        """Return what a queue is called."""
        name = None if self._file is None else self._file.content().get(queue)
        return name or queue

    def _read(self, path: Path) -> Mapping[str, str]:
        try:
            return self._decode(path.read_bytes())
        except OSError as failure:
            raise SettingsError(f"queues_file: {path} cannot be read: {failure.strerror}") from None
        # What msgspec says names a field, and quotes nothing.
        except (MsgspecError, ValueError, RecursionError) as failure:
            raise SettingsError(f"queues_file: {path} is not {self._expected}: {failure}") from None
