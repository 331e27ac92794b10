"""Names of queues: contact events have only the queue's ARN, so a list of names makes the board readable."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from stream.errors import SettingsError

__all__ = ["AGENT_QUEUES", "QueueNames", "last_part"]

AGENT_QUEUES: Final = "(agents)"
"""Stands for the queues that agents have of their own: one name for all, or a board would have a row for each agent."""

_QUEUE: Final = "/queue/"
_OF_AN_AGENT: Final = "agent/"


class _QueueSummary(Struct, rename="pascal"):
    id: str
    name: str


class _QueueList(Struct, rename="pascal"):
    """What `aws connect list-queues` prints."""

    queue_summary_list: list[_QueueSummary]


class QueueNames:
    """Names by the id of the queue; a queue that is not in the list is called by its id."""

    def __init__(self, by_id: Mapping[str, str]) -> None:
        self._by_id = by_id

    @classmethod
    def read(cls, path: Path | None) -> "QueueNames":
        """Read what `aws connect list-queues` printed into a file; raises SettingsError."""
        if path is None:
            return cls({})
        try:
            found = msgspec.json.decode(path.read_bytes(), type=_QueueList)
        except OSError as failure:
            raise SettingsError(f"queues_file: {path} cannot be read: {failure.strerror}") from None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise SettingsError(f"queues_file: {path} is not what `aws connect list-queues` prints") from None
        return cls({queue.id: queue.name for queue in found.queue_summary_list if queue.name})

    def of(self, arn: str | None) -> str | None:
        """Return the name of the queue with an ARN; None for what is none."""
        _, is_queue, queue = (arn or "").partition(_QUEUE)
        if not is_queue or not queue:
            return None
        return AGENT_QUEUES if queue.startswith(_OF_AN_AGENT) else self._by_id.get(queue, queue)


def last_part(arn: str | None) -> str | None:
    """Return what identifies something within its instance: the last part of its ARN."""
    return (arn or "").rpartition("/")[2] or None
