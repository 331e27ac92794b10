"""How figures of contacts are read from the snapshots of queues: columns, one value for each queue."""

from collections.abc import Callable, Sequence
from operator import attrgetter

from stream.core.counted import corrected, counted_ever, counted_in
from stream.core.figure import Column, Reading
from stream.core.ratio import Ratio
from stream.core.vectors import Vectors
from stream.families.contacts.rules import Policy
from stream.families.contacts.service_level import SERVICE_LEVELS
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally

__all__ = [
    "Queues",
    "correction",
    "count_if_ever",
    "counted",
    "ever",
    "longest_wait",
    "of_counts",
    "of_policy",
    "of_ratio",
    "of_snapshot",
    "seconds",
    "service_level_of",
    "total",
    "total_if_any",
    "total_seconds",
]

Queues = Reading[QueueSnapshot]


def counted(reading: Queues, window: str) -> Vectors[Tally]:
    """Return what each queue has counted in a window."""
    return counted_in(reading, Tally, window)


def ever(reading: Queues) -> Vectors[Tally]:
    """Return what counters show of each queue."""
    return counted_ever(reading, Tally)


def of_snapshot(name: str) -> Column[QueueSnapshot]:
    """Return a column of what snapshots have by that name."""
    get = attrgetter(name)
    return lambda reading, _: [*map(get, reading.snapshots)]


def of_policy(value: Callable[[Policy], float]) -> Column[QueueSnapshot]:
    """Return a column of something in the queues' policies."""
    return lambda reading, _: [value(one.policy) for one in reading.snapshots]


def of_ratio(of: Ratio) -> Column[QueueSnapshot]:
    """Return a column of a ratio or mean."""
    return lambda reading, window: of.of_each(counted(reading, window))


def of_counts(field: str) -> Column[QueueSnapshot]:
    """Return a column of counts."""
    return lambda reading, window: getattr(counted(reading, window), field)


def count_if_ever(field: str) -> Column[QueueSnapshot]:
    """Return a column of counts, without a sample where the queue never had one."""

    def column(reading: Queues, window: str) -> Sequence[int | None]:
        # Asked of all that was ever counted: by the window alone the series would end whenever that is empty.
        once = getattr(ever(reading), field)
        if not any(once):
            return [None] * len(once)
        counts = getattr(counted(reading, window), field)
        return [number if seen else None for number, seen in zip(counts, once, strict=True)]

    return column


def seconds(field: str) -> Column[QueueSnapshot]:
    """Return a column of lengths, which tallies have in milliseconds, as seconds."""
    return lambda reading, window: [ms / 1000 for ms in getattr(counted(reading, window), field)]


def total(field: str) -> Column[QueueSnapshot]:
    """Return a column of all that was ever counted."""
    return lambda reading, _: getattr(ever(reading), field)


def total_if_any(field: str) -> Column[QueueSnapshot]:
    """Return the same, without a sample where there never was one."""

    def column(reading: Queues, _: str) -> Sequence[int | None]:
        counts = getattr(ever(reading), field)
        return [number or None for number in counts] if any(counts) else [None] * len(counts)

    return column


def total_seconds(field: str) -> Column[QueueSnapshot]:
    """Return the same of lengths, as seconds."""
    return lambda reading, _: [ms / 1000 for ms in getattr(ever(reading), field)]


def correction(*fields: str) -> Column[QueueSnapshot]:
    """Return a column of what was counted in these fields and taken back; no sample where nothing was."""

    def column(reading: Queues, _: str) -> Sequence[int | None]:
        counts = corrected(reading, Tally)
        if counts is None:
            return [None] * len(reading.snapshots)
        columns = [getattr(counts, field) for field in fields]
        return [sum(numbers) or None for numbers in zip(*columns, strict=True)]

    return column


def longest_wait(reading: Queues, _: str) -> Sequence[float | None]:
    """Return how long the contact at the head of each queue has waited, in seconds; None where nobody waits."""
    return [None if one.longest_wait is None else one.longest_wait.total_seconds() for one in reading.snapshots]


def service_level_of(reading: Queues, window: str) -> Sequence[float | None]:
    """Return the service level of each queue by its own formula."""

    def compute() -> Sequence[float | None]:
        # Mostly all queues have the same formula: each one in use is computed for all of them, and then picked.
        chosen = [one.policy.formula for one in reading.snapshots]
        levels = {of: SERVICE_LEVELS[of].of_each(counted(reading, window)) for of in set(chosen)}
        return [levels[of][place] for place, of in enumerate(chosen)]

    return reading.once(("service level", window), compute)
