"""What became of a batch of events."""

from collections import Counter
from datetime import datetime

from msgspec import Struct, field

from stream.core.cloudevents import Event

__all__ = ["Applied"]


class Applied(Struct):
    """Counts of the events of one batch by what they did, and those that could not be folded."""

    by_type: Counter[type[Event]] = field(default_factory=Counter)
    duplicates: int = 0
    """Reported nothing new."""
    replayed: int = 0
    """Had been applied before a restart or rebalance."""
    late: int = 0
    """Belong to a day that is not kept any more; only the totals know them."""
    overflowed: int = 0
    """Belong to a queue beyond the limit."""
    failed: list[tuple[int, Exception]] = field(default_factory=list)
    """Offset and cause of each event that raised: a defect of ours, to be set aside."""
    newest_by_source: dict[str, datetime] = field(default_factory=dict)
    """Time of the newest event of each CloudEvents source in the batch."""
