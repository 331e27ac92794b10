"""What many keys have counted, a vector for each count: a formula of one tally computes a thousand at once."""

from array import array
from collections.abc import Sequence
from functools import cache
from operator import add, sub
from typing import Any, Final, Generic, NoReturn, TypeVar

from stream.core.counts import COUNT_BYTES, Counts, lengths_of

__all__ = ["Vector", "Vectors"]

C = TypeVar("C", bound=Counts)


BIG_ENDIAN: Final = array("H", [1]).tobytes() == b"\0\1"
"""Of this machine: arrays have the order of its processor."""


class Vector(list[int]):
    """Whole numbers that add up one by one."""

    __slots__ = ()

    def __add__(self, other: Sequence[int]) -> "Vector":  # type: ignore[override]  # lists would be joined
        return Vector(map(add, self, other))

    def __sub__(self, other: Sequence[int]) -> "Vector":
        return Vector(map(sub, self, other))

    def _refused(self, _: object) -> NoReturn:
        raise TypeError("vectors only add and subtract: as lists they would be joined, repeated or ordered")

    __iadd__ = __isub__ = __mul__ = __rmul__ = __imul__ = _refused
    __lt__ = __le__ = __gt__ = __ge__ = _refused


class Vectors(Generic[C]):
    """
    The counts of many keys, read as if they were one object of their kind.

    Each field is a `Vector` with a number for each key, a list of counts is a list of vectors, and so are the
    properties of the kind as long as they only add and subtract. What nobody reads is never unpacked.
    """

    def __init__(self, kind: type[C], packed: Sequence[bytes], also: "Vectors[C] | None" = None) -> None:
        """*packed*: what `Counts.pack` has made of each; *also*: what is to be added to them."""
        self._also = also
        self._kind = kind
        self._counts = array("q", b"".join(packed))
        # As those who packed them have it: where their kind has more fields, they stand at the end.
        self._width = len(packed[0]) // COUNT_BYTES if packed else 1
        if BIG_ENDIAN:  # packed counts are little-endian wherever they come from
            self._counts.byteswap()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # a vector, or a list of vectors
        """Return a field or property; called once for each, since it is kept as an attribute."""
        if (found := _places_of(self._kind).get(name)) is None:
            value = getattr(self._kind, name).fget(self)
        else:
            place, length = found
            value = self._vector(place) if not length else [*map(self._vector, range(place, place + length))]
            if self._also is not None:
                also = getattr(self._also, name)
                value = value + also if not length else [*map(add, value, also)]
        setattr(self, name, value)
        return value

    def _vector(self, place: int) -> Vector:
        return Vector(self._counts[place :: self._width])


@cache
def _places_of(kind: type[Counts]) -> dict[str, tuple[int, int]]:
    """Return for each field the place of its first count among those that are packed, and how long its list is."""
    places, place = {}, 0
    for name, length in lengths_of(kind).items():
        places[name] = place, length
        place += length or 1
    return places
