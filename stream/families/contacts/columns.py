"""How figures of contacts are read from the snapshots of queues, beside what columns of any family do."""

from collections.abc import Sequence
from typing import Final

from stream.core.columns import CountColumns
from stream.core.figure import Reading
from stream.families.contacts.service_level import SERVICE_LEVELS
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally

__all__ = ["CONTACTS", "Queues", "longest_wait", "service_level_of"]

Queues = Reading[QueueSnapshot]

CONTACTS: Final = CountColumns(Tally)
"""What queues have counted of contacts."""


def longest_wait(reading: Queues, _: str) -> Sequence[float | None]:
    """Return how long the contact at the head of each queue has waited, in seconds; None where nobody waits."""
    return [None if one.longest_wait is None else one.longest_wait.total_seconds() for one in reading.snapshots]


def service_level_of(reading: Queues, window: str) -> Sequence[float | None]:
    """Return the service level of each queue by its own formula."""

    def compute() -> Sequence[float | None]:
        # Mostly all queues have the same formula: each one in use is computed for all of them, and then picked.
        chosen = [one.policy.formula for one in reading.snapshots]
        levels = {of: SERVICE_LEVELS[of].of_each(CONTACTS.counted(reading, window)) for of in set(chosen)}
        return [levels[of][place] for place, of in enumerate(chosen)]

    return reading.once(("service level", window), compute)
