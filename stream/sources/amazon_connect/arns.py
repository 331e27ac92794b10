"""ARNs, by which Amazon Connect names queues and agents."""

from typing import Final

from stream.sources.queue_names import QueueNames

__all__ = ["AGENT_QUEUES", "last_part", "queue_of"]

AGENT_QUEUES: Final = "(agents)"
"""Stands for the queues that agents have of their own: one name for all, or a board would have a row for each agent."""

_QUEUE: Final = "/queue/"
_OF_AN_AGENT: Final = "agent/"


def queue_of(arn: str | None, names: QueueNames) -> str | None:
    """Return the name of the queue with an ARN; None for what is none."""
    _, is_queue, queue = (arn or "").partition(_QUEUE)
    if not is_queue or not queue:
        return None
    return AGENT_QUEUES if queue.startswith(_OF_AN_AGENT) else names.of(queue)


def last_part(arn: str | None) -> str | None:
    """Return what identifies something within its instance: the last part of its ARN."""
    return (arn or "").rpartition("/")[2] or None
