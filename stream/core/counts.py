"""
What one window of something has counted: whole numbers, and lists of them where a distribution is counted.

A family declares its fields, each with 0 (or zeros) as default; copying, adding and summing follow. Counts add
up in any order, exactly, so that windows of any length are sums of minutes.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from operator import add, sub
from typing import Any, Generic, Self, TypeVar

from msgspec import Struct
from msgspec.structs import asdict, astuple, fields, replace

__all__ = ["Counts", "CountsRow", "summed"]

C = TypeVar("C", bound="Counts")


class Counts(Struct, array_like=True, gc=False):
    """
    Numbers that add up: a commutative group, with a plain object as zero.

    Lists stand together, and new fields at the end: rows written before must still decode
    (`stream.core.row_codec`). Only the fold that owns an object changes it; everybody else adds and reads.
    """

    def copy(self) -> Self:
        """Return an object that stays as it is while this one goes on counting."""
        # It copies the fields, but not what they hold: lists would be shared, and go on counting.
        same = replace(self)
        for name in _names_of_lists(type(self)):
            setattr(same, name, getattr(same, name).copy())
        return same

    def clear(self) -> None:
        """Make this very object zero."""
        for name, zero in asdict(type(self)()).items():
            setattr(self, name, zero)

    def __add__(self, other: Self) -> Self:
        first, end = _lists_of(type(self))
        left, right = astuple(self), astuple(other)
        added = [*map(add, left, right)]  # of lists that is no sum yet, but it is faster than leaving them out
        for place in range(first, end):
            added[place] = [*map(add, left[place], right[place])]
        return type(self)(*added)

    def __sub__(self, other: Self) -> Self:
        first, end = _lists_of(type(self))
        left, right = astuple(self), astuple(other)
        lists = ([*map(sub, *pair)] for pair in zip(left[first:end], right[first:end], strict=True))
        return type(self)(*map(sub, left[:first], right[:first]), *lists, *map(sub, left[end:], right[end:]))


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


def summed(counts: Sequence[C]) -> C:
    """Return the sum of at least one: column by column, at half the price of one after the other."""
    kind = type(counts[0])
    first, end = _lists_of(kind)
    columns: list[Any] = [*zip(*map(astuple, counts), strict=True)]
    sums: list[Any] = [*map(sum, columns[:first])]
    sums += [[*map(sum, zip(*lists, strict=True))] for lists in columns[first:end]]
    sums += map(sum, columns[end:])
    return kind(*sums)


@cache
def _lists_of(kind: type[Counts]) -> tuple[int, int]:
    """Return the places of the first field that is a list, and of the first one after the lists."""
    places = [place for place, field in enumerate(fields(kind)) if field.type is not int]
    first, end = (places[0], places[-1] + 1) if places else (0, 0)
    if len(places) != end - first:
        raise TypeError(f"{kind.__name__}: its lists do not stand together")
    return first, end


@cache
def _names_of_lists(kind: type[Counts]) -> tuple[str, ...]:
    first, end = _lists_of(kind)
    return kind.__struct_fields__[first:end]
