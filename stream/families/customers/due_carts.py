"""
What is counted today and due only later: carts that will be abandoned if nothing happens with them until then.

Counts are kept by day, so they have it already; whoever reads them takes off what is still to come. It follows from the
rows of carts, and is made anew from them after a restart. Knows no cart by itself.
"""

from array import array
from bisect import bisect_left, bisect_right
from typing import Final

__all__ = ["DueCarts"]

_MOST: Final = 256
"""Instants of one block: moving and adding up so many takes a few microseconds at most."""


class _Block:
    """Some instants in their order, and what is due at each."""

    __slots__ = ("dues", "number", "numbers", "value", "values")

    def __init__(self, dues: "array[int]", numbers: "array[int]", values: "array[int]") -> None:
        self.dues, self.numbers, self.values = dues, numbers, values
        self.number, self.value = sum(numbers), sum(values)

    def part(self, first: int, end: int | None = None) -> "_Block":
        """Return a block of those from the first place on, up to the one before the end."""
        return _Block(self.dues[first:end], self.numbers[first:end], self.values[first:end])

    def add(self, due_ms: int, number: int, value: int) -> None:
        """Take something in; what adds up to nothing is left out."""
        self.number += number
        self.value += value
        place = bisect_left(self.dues, due_ms)
        if place == len(self.dues) or self.dues[place] != due_ms:
            self.dues.insert(place, due_ms)
            self.numbers.insert(place, number)
            self.values.insert(place, value)
            return
        self.numbers[place] += number
        self.values[place] += value
        if not self.numbers[place] and not self.values[place]:
            del self.dues[place], self.numbers[place], self.values[place]

    def until(self, ms: int) -> tuple[int, int]:
        """Return the sums of what is due no later."""
        end = bisect_right(self.dues, ms)
        return sum(self.numbers[:end]), sum(self.values[:end])


class DueCarts:
    """
    Numbers and values by the instant at which they are due, in ms since 1970; 24 bytes for each instant.

    They add up, like counts: what was added at an instant may be removed in parts, and in any order.
    """

    # Blocks of a bounded size, and no tree: carts are due in about the order in which they are touched, and one of a
    # hundred thousand goes with every event that moves it.
    __slots__ = ("_blocks", "_ends", "_forgotten_ms", "_loading")

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._ends: list[int] = []
        """Of each block no due is later, and all dues of the blocks behind it are."""
        self._forgotten_ms = -1
        """What was due by then is not known any more."""
        self._loading: tuple[array[int], array[int], array[int]] = (array("q"), array("q"), array("q"))

    def __len__(self) -> int:
        """Return at how many instants something is due."""
        return sum(len(block.dues) for block in self._blocks)

    def add(self, due_ms: int, number: int, value: int) -> None:
        """Take in that so many carts of so much value are due then; of what is forgotten there is nothing to know."""
        if due_ms <= self._forgotten_ms or not (number or value):
            return
        place = bisect_left(self._ends, due_ms)
        if place == len(self._ends):
            if not place:
                self._blocks.append(_Block(array("q"), array("q"), array("q")))
                self._ends.append(due_ms)
            else:
                place -= 1
                self._ends[place] = due_ms
        block = self._blocks[place]
        block.add(due_ms, number, value)
        if not 0 < len(block.dues) <= _MOST:
            self._resize(place)

    def remove(self, due_ms: int, number: int, value: int) -> None:
        """Take out what was added."""
        self.add(due_ms, -number, -value)

    def _resize(self, place: int) -> None:
        """Part a block that has become too long; drop one that has nothing any more."""
        block = self._blocks[place]
        half = len(block.dues) // 2
        parts = [block.part(0, half), block.part(half)] if half else []
        self._blocks[place : place + 1] = parts
        self._ends[place : place + 1] = [part.dues[-1] for part in parts]

    def after(self, at_ms: int, until_ms: int) -> tuple[int, int]:
        """
        Return number and value of what is due after *at_ms*, and no later than *until_ms*.

        *at_ms* must not be before what was forgotten. Reading changes nothing.
        """
        if not self._blocks or until_ms <= at_ms:
            return 0, 0
        first, last = bisect_left(self._ends, at_ms), bisect_left(self._ends, until_ms)
        number = sum(block.number for block in self._blocks[first:last])
        value = sum(block.value for block in self._blocks[first:last])
        for place, ms, sign in ((first, at_ms, -1), (last, until_ms, 1)):
            if place < len(self._blocks):
                some, worth = self._blocks[place].until(ms)
                number += sign * some
                value += sign * worth
        return number, value

    def forget(self, until_ms: int) -> None:
        """Forget what is due no later: nobody reads at an earlier instant any more."""
        if until_ms <= self._forgotten_ms:
            return
        self._forgotten_ms = until_ms
        over = bisect_right(self._ends, until_ms)
        del self._blocks[:over], self._ends[:over]
        if self._blocks and (gone := bisect_right(self._blocks[0].dues, until_ms)):
            self._blocks[0] = self._blocks[0].part(gone)
            if not self._blocks[0].dues:
                del self._blocks[0], self._ends[0]

    def load(self, due_ms: int, number: int, value: int) -> None:
        """Take in what `loaded` puts in order; nothing is read before that."""
        for numbers, one in zip(self._loading, (due_ms, number, value), strict=True):
            numbers.append(one)

    def loaded(self) -> None:
        """Put in order what was loaded, and add it to what there is."""
        dues, numbers, values = self._loading
        self._loading = (array("q"), array("q"), array("q"))
        # One after the other at the end: the order costs less than as many places between others.
        for place in sorted(range(len(dues)), key=dues.__getitem__):
            self.add(dues[place], numbers[place], values[place])
