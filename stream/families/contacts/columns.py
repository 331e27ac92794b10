"""How figures of contacts are read from the snapshots of queues: columns, one value for each queue."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from stream.core.figure import Column, Reading
from stream.core.windows import ALL
from stream.families.contacts import service_level as formulas
from stream.families.contacts.rules import Policy
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally

__all__ = [
    "Queues",
    "correction",
    "count",
    "count_if_ever",
    "ever",
    "longest_wait",
    "of_policy",
    "of_snapshot",
    "of_tally",
    "seconds",
    "service_level_of",
    "tallies",
    "total",
    "total_if_any",
    "total_seconds",
]

Queues = Reading[QueueSnapshot]


def tallies(reading: Queues, window: str) -> Sequence[Tally]:
    """Return what each queue has counted in a window."""
    return reading.once(
        ("tallies", window),
        lambda: [one.total if window == ALL else one.windows[window] for one in reading.snapshots],
    )


def ever(reading: Queues) -> Sequence[Tally]:
    """Return what was ever shown, corrections not subtracted: the one thing about a queue that never goes down."""
    return reading.once("ever", lambda: [one.shown for one in reading.snapshots])


def of_snapshot(name: str) -> Column[QueueSnapshot]:
    """Return a column of what snapshots have by that name."""
    get = attrgetter(name)
    return lambda reading, _: [*map(get, reading.snapshots)]


def of_policy(value: Callable[[Policy], float]) -> Column[QueueSnapshot]:
    """Return a column of something in the queues' policies."""
    return lambda reading, _: [value(one.policy) for one in reading.snapshots]


def of_tally(compute: Callable[[Tally], Any]) -> Column[QueueSnapshot]:
    """Return a column of what is computed from a tally."""
    return lambda reading, window: [*map(compute, tallies(reading, window))]


def count(field: str) -> Column[QueueSnapshot]:
    """Return a column of counts."""
    return of_tally(attrgetter(field))


def count_if_ever(field: str) -> Column[QueueSnapshot]:
    """Return a column of counts, without a sample where the queue never had one."""
    get = attrgetter(field)

    def column(reading: Queues, window: str) -> Sequence[int | None]:
        # Asked of all that was ever counted: by the window alone the series would end whenever that is empty.
        once = [*map(get, ever(reading))]
        if not any(once):
            return [None] * len(once)
        counts = map(get, tallies(reading, window))
        return [number if seen else None for number, seen in zip(counts, once, strict=True)]

    return column


def seconds(field: str) -> Column[QueueSnapshot]:
    """Return a column of lengths, which tallies have in milliseconds, as seconds."""
    get = attrgetter(field)
    return lambda reading, window: [get(tally) / 1000 for tally in tallies(reading, window)]


def total(field: str) -> Column[QueueSnapshot]:
    """Return a column of all that was ever counted."""
    get = attrgetter(field)
    return lambda reading, _: [*map(get, ever(reading))]


def total_if_any(field: str) -> Column[QueueSnapshot]:
    """Return the same, without a sample where there never was one."""
    get = attrgetter(field)

    def column(reading: Queues, _: str) -> Sequence[int | None]:
        counts = [*map(get, ever(reading))]
        return [number or None for number in counts] if any(counts) else [None] * len(counts)

    return column


def total_seconds(field: str) -> Column[QueueSnapshot]:
    """Return the same of lengths, as seconds."""
    get = attrgetter(field)
    return lambda reading, _: [get(tally) / 1000 for tally in ever(reading)]


def correction(field: str) -> Column[QueueSnapshot]:
    """Return a column of what was counted and taken back; no sample where nothing was."""
    get = attrgetter(field)
    return lambda reading, _: [get(one.taken_back) or None for one in reading.snapshots]


def longest_wait(reading: Queues, _: str) -> Sequence[float | None]:
    """Return how long the contact at the head of each queue has waited, in seconds; None where nobody waits."""
    return [None if one.longest_wait is None else one.longest_wait.total_seconds() for one in reading.snapshots]


def service_level_of(reading: Queues, window: str) -> Sequence[float | None]:
    """Return the service level of each queue by its own formula."""
    return reading.once(
        ("service level", window),
        lambda: [
            formulas.service_level(tally, one.policy.formula)
            for one, tally in zip(reading.snapshots, tallies(reading, window), strict=True)
        ],
    )
