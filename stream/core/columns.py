"""How figures are read from the snapshots of a family: columns, one value for each snapshot."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar

from stream.core.counted import corrected, counted_ever, counted_in
from stream.core.counts import Counts
from stream.core.figure import Column, Reading
from stream.core.ratio import Ratio
from stream.core.vectors import Vectors

__all__ = ["CountColumns", "is_open", "is_quiet", "of_policy", "of_snapshot"]

C = TypeVar("C", bound=Counts)


def of_snapshot(name: str) -> Column[Any]:
    """Return a column of what snapshots have by that name."""
    get = attrgetter(name)
    return lambda reading, _: [*map(get, reading.snapshots)]


def of_policy(value: Callable[[Any], float]) -> Column[Any]:
    """Return a column of something in the policies of snapshots."""
    return lambda reading, _: [value(one.policy) for one in reading.snapshots]


def is_open(reading: Reading[Any], _: str) -> Sequence[int]:
    """Tell of each queue whether it is in its opening hours: 1, or 0."""
    return [int(one.policy.is_open(reading.at)) for one in reading.snapshots]


def is_quiet(reading: Reading[Any], _: str) -> Sequence[int | None]:
    """Tell of each queue whether it is in its quiet hours: 1, or 0; None where it has none."""
    return [None if (quiet := one.policy.is_quiet(reading.at)) is None else int(quiet) for one in reading.snapshots]


class CountColumns(Generic[C]):
    """Columns of what snapshots have counted, of one kind."""

    def __init__(self, kind: type[C]) -> None:
        self._kind = kind

    def counted(self, reading: Reading[Any], window: str) -> Vectors[C]:
        """Return what each snapshot has counted in a window."""
        return counted_in(reading, self._kind, window)

    def ever(self, reading: Reading[Any]) -> Vectors[C]:
        """Return what counters show of each snapshot."""
        return counted_ever(reading, self._kind)

    def of_ratio(self, of: Ratio) -> Column[Any]:
        """Return a column of a ratio or mean."""
        return lambda reading, window: of.of_each(self.counted(reading, window))

    def of_counts(self, field: str) -> Column[Any]:
        """Return a column of counts."""
        return lambda reading, window: getattr(self.counted(reading, window), field)

    def count_if_ever(self, field: str) -> Column[Any]:
        """Return a column of counts, without a sample where there never was one."""

        def column(reading: Reading[Any], window: str) -> Sequence[int | None]:
            # Asked of all that was ever counted: by the window alone the series would end whenever that is empty.
            once = getattr(self.ever(reading), field)
            if not any(once):
                return [None] * len(once)
            counts = getattr(self.counted(reading, window), field)
            return [number if seen else None for number, seen in zip(counts, once, strict=True)]

        return column

    def seconds(self, field: str) -> Column[Any]:
        """Return a column of lengths, which are counted in milliseconds, as seconds."""
        return lambda reading, window: [ms / 1000 for ms in getattr(self.counted(reading, window), field)]

    def total(self, field: str) -> Column[Any]:
        """Return a column of all that was ever counted."""
        return lambda reading, _: getattr(self.ever(reading), field)

    def total_if_any(self, field: str) -> Column[Any]:
        """Return the same, without a sample where there never was one."""

        def column(reading: Reading[Any], _: str) -> Sequence[int | None]:
            counts = getattr(self.ever(reading), field)
            return [number or None for number in counts] if any(counts) else [None] * len(counts)

        return column

    def total_seconds(self, field: str) -> Column[Any]:
        """Return the same of lengths, as seconds."""
        return lambda reading, _: [ms / 1000 for ms in getattr(self.ever(reading), field)]

    def correction(self, *fields: str) -> Column[Any]:
        """Return a column of what was counted in these fields and taken back; no sample where nothing was."""

        def column(reading: Reading[Any], _: str) -> Sequence[int | None]:
            counts = corrected(reading, self._kind)
            if counts is None:
                return [None] * len(reading.snapshots)
            columns = [getattr(counts, field) for field in fields]
            return [sum(numbers) or None for numbers in zip(*columns, strict=True)]

        return column
