"""
What one window of something has counted: whole numbers, and lists of them where a distribution is counted.

A family declares its fields, each with 0 (or zeros) as default; the rest follows. Counts add up in any order, exactly,
so that windows of any length are sums of minutes. To add them up they become one whole number, with 64 bits for each
count: such numbers add up as the counts do, in one step. As bytes they go to other processes.
"""

from datetime import datetime
from functools import cache
from itertools import chain, islice
from struct import Struct as Layout
from typing import Any, Final, Generic, Self, TypeVar, cast

from msgspec import Raw, Struct, msgpack
from msgspec.structs import asdict, astuple

__all__ = ["COUNT_BYTES", "Counts", "CountsRow", "lengths_of", "number_in", "packed", "size_of", "zero"]

C = TypeVar("C", bound="Counts")

COUNT_BYTES: Final = 8
"""Of one packed count: a sum of milliseconds has room for 290 million years."""


class Counts(Struct, array_like=True, gc=False):
    """
    Numbers that add up: a commutative group, with a plain object as zero.

    Lists stand together, and new fields at the end: rows written before must still decode
    (`stream.core.row_codec`). Only the fold that owns an object changes it; everybody else adds and reads.
    """

    def pack(self) -> bytes:
        """Return all counts as bytes, 64 bits for each in the order of the fields, little-endian and signed."""
        layout, (first, end) = _layout_of(type(self))
        values = astuple(self)
        return layout.pack(*values[:first], *chain(*values[first:end]), *values[end:])

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the counts that were packed."""
        flat = iter(_layout_of(cls)[0].unpack_from(data))
        return cls(*([*islice(flat, length)] if length else next(flat) for length in lengths_of(cls).values()))

    def number(self) -> int:
        """Return all counts as one whole number: the sum of two is the number of what both have counted."""
        return number_in(self.pack())

    def clear(self) -> None:
        """Make this very object zero."""
        for name, zero in asdict(type(self)()).items():
            setattr(self, name, zero)

    def __add__(self, other: Self) -> Self:
        return self.unpack(packed(self.number() + other.number(), size_of(type(self))))


class CountsRow(Struct, Generic[C], array_like=True, gc=False):
    """
    Counts as a row of a table; only the fold that owns it changes it.

    A family's own row gives each field a default, so that its class makes an empty row.
    """

    applied_offset: int
    """Offset of the last record that it counts."""
    tally: C
    newest: datetime | None = None
    """Of totals: the newest event that was told of."""
    began: datetime | None = None
    """Of totals: the event with which they began anew; None: they never did."""
    taken_back: C | None = None
    """Of totals: what counters have shown of them, and a later event corrected."""

    # As bytes a day that is over takes less: of cases a kilobyte. Whoever keeps and writes rows need not care, since
    # bytes are written as they are. Whoever counts or reads asks by these methods.

    def close(self) -> None:
        """Keep the counts as bytes until somebody counts again."""
        if not isinstance(cast("object", self.tally), Raw):
            self.tally = cast("C", Raw(_write.encode(self.tally)))

    def open(self, kind: type[C]) -> C:
        """Return the counts to be counted in, which are of that kind."""
        self.tally = self.read(kind)
        return self.tally

    def read(self, kind: type[C]) -> C:
        """Return the counts to be read."""
        tally: Any = self.tally
        return _reader_of(kind).decode(tally) if isinstance(tally, Raw) else cast("C", tally)


_write = msgpack.Encoder()


@cache
def _reader_of(kind: type[C]) -> "msgpack.Decoder[C]":
    return msgpack.Decoder(kind)


@cache
def zero(kind: type[C]) -> C:
    """Return counts that are all 0, to compare others with; nobody may count in them."""
    return kind()


def packed(number: int, size: int) -> bytes:
    """Return the counts of which a *number* is, packed in so many bytes."""
    signs = _signs(size)
    return ((number + signs) ^ signs).to_bytes(size, "little")


def number_in(data: bytes) -> int:
    """Return the number of packed counts."""
    # A count below 0 has to borrow from its neighbour, as a number of several digits does. With its sign bit turned
    # over each count is positive; then what turning it has added is taken off, from all together.
    signs = _signs(len(data))
    return (int.from_bytes(data, "little") ^ signs) - signs


@cache
def _signs(size: int) -> int:
    """Return a number of so many bytes in which just the sign bit of each count is set."""
    return int.from_bytes((b"\0" * (COUNT_BYTES - 1) + b"\x80") * (size // COUNT_BYTES), "little")


def size_of(kind: type[Counts]) -> int:
    """Return how many bytes packed counts of a kind have."""
    return _layout_of(kind)[0].size


@cache
def lengths_of(kind: type[Counts]) -> dict[str, int]:
    """Return for each field how many counts its list has; 0 where it is one count and no list."""
    return {name: len(zero) if isinstance(zero, list) else 0 for name, zero in asdict(kind()).items()}


@cache
def _layout_of(kind: type[Counts]) -> tuple[Layout, tuple[int, int]]:
    """Return how counts are packed; the places of the first field that is a list, and of the first after the lists."""
    lengths = [*lengths_of(kind).values()]
    places = [place for place, length in enumerate(lengths) if length]
    first, end = (places[0], places[-1] + 1) if places else (0, 0)
    if len(places) != end - first:
        raise TypeError(f"{kind.__name__}: its lists do not stand together")
    return Layout(f"<{sum(length or 1 for length in lengths)}q"), (first, end)
