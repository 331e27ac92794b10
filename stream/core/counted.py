"""What one key has counted, in each window and ever, as snapshots tell it to other processes."""

from collections.abc import Collection
from typing import Protocol, Self, TypeVar

from msgspec import Struct

from stream.core.counts import COUNT_BYTES, Counts, number_in, packed, size_of
from stream.core.figure import Reading
from stream.core.vectors import Vectors
from stream.core.windows import ALL, SPANS, Unit

__all__ = ["Counted", "HasCounted", "corrected", "counted_ever", "counted_in", "plus"]

C = TypeVar("C", bound=Counts)


class Counted(Struct, kw_only=True):
    """Packed counts (see `Counts.pack`); whoever reads them knows of which kind they are."""

    windows: dict[str, bytes]
    """
    By name of the window, without what is `running`; and of all there ever was (`ALL`), after corrections.

    Empty: nothing, as of windows that have but the running unit.
    """
    running: dict[Unit, bytes]
    """
    The running minute, hour, day: every window has that of its unit, so that reading a queue adds nothing up.

    What has ended before has not (`SPANS`).
    """
    taken_back: bytes = b""
    """What counters have shown and a later event corrected; `ALL` has it subtracted already. Empty: nothing."""
    uncounted: bytes = b""
    """Of all there ever was, what counters do not show yet; empty: nothing."""

    def window(self, name: str, kind: type[C]) -> C:
        """Return the counts of a window, with the running minute."""
        counts = kind.unpack(self.windows[name]) if self.windows[name] else kind()
        unit = _running_in(name)
        return counts if unit is None else counts + kind.unpack(self.running[unit])

    @property
    def shown(self) -> bytes:
        """What counters show: they never go down."""
        ever = self.windows[ALL]
        if not self.taken_back and not self.uncounted:
            return ever
        return packed(number_in(ever) + number_in(self.taken_back) - number_in(self.uncounted), len(ever))

    def is_of(self, kind: type[Counts], windows: Collection[str]) -> bool:
        """Tell whether these are counts of a kind, in all windows, that add up: another process may tell anything."""
        if self.windows.keys() != {*windows, ALL} or self.running.keys() != {SPANS[name].unit for name in windows}:
            return False
        optional = (self.taken_back, self.uncounted, *(self.windows[name] for name in windows))
        told = [self.windows[ALL], *self.running.values(), *filter(None, optional)]
        return all(len(one) == size_of(kind) and _can_be_added(one) for one in told)

    def __add__(self, other: Self) -> "Counted":
        return Counted(
            windows={name: _sum(counts, other.windows[name]) for name, counts in self.windows.items()},
            running={unit: _sum(counts, other.running[unit]) for unit, counts in self.running.items()},
            taken_back=_sum(self.taken_back, other.taken_back),
            uncounted=_sum(self.uncounted, other.uncounted),
        )


class HasCounted(Protocol):
    """A snapshot of something that counts."""

    @property
    def counted(self) -> Counted:
        """What it has counted."""


S = TypeVar("S", bound=HasCounted)


def counted_in(reading: Reading[S], kind: type[C], window: str) -> Vectors[C]:
    """Return what each snapshot has counted in a window."""

    def compute() -> Vectors[C]:
        closed = [one.counted.windows[window] for one in reading.snapshots]
        unit = _running_in(window)
        if unit is None:
            return Vectors(kind, closed)
        running = reading.once(
            ("running", kind, unit), lambda: Vectors(kind, [one.counted.running[unit] for one in reading.snapshots])
        )
        if not any(closed):
            return running
        nothing = bytes(size_of(kind))
        return Vectors(kind, [one or nothing for one in closed], running)

    return reading.once(("counted", kind, window), compute)


def _running_in(window: str) -> Unit | None:
    """Return the unit whose running one a window has; None: it has none, as all there ever was."""
    span = SPANS.get(window)
    return None if span is None or span.ago else span.unit


def counted_ever(reading: Reading[S], kind: type[C]) -> Vectors[C]:
    """Return what counters show of each snapshot: the one thing about it that never goes down."""
    return reading.once(("ever", kind), lambda: Vectors(kind, [one.counted.shown for one in reading.snapshots]))


def corrected(reading: Reading[S], kind: type[C]) -> Vectors[C] | None:
    """Return what counters have shown of each snapshot and was taken back; None where nothing was, as mostly."""

    def compute() -> Vectors[C] | None:
        packed = [one.counted.taken_back for one in reading.snapshots]
        nothing = bytes(size_of(kind))
        return Vectors(kind, [one or nothing for one in packed]) if any(packed) else None

    return reading.once(("corrected", kind), compute)


def plus(data: bytes, counts: Counts) -> bytes:
    """Return packed counts with more of their kind added; nothing stays empty where nothing is added."""
    number = counts.number()
    return packed(number_in(data) + number, size_of(type(counts))) if number else data


def _can_be_added(data: bytes) -> bool:
    # The highest byte is a sign and nothing else, so a hundred of them still have room in 64 bits.
    return {0x00, 0xFF}.issuperset(data[COUNT_BYTES - 1 :: COUNT_BYTES])


def _sum(one: bytes, other: bytes) -> bytes:
    return packed(number_in(one) + number_in(other), max(len(one), len(other)))
