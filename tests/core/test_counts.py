"""Counts add up, whatever their fields are, and as numbers and vectors as they do one by one."""

from collections.abc import Callable
from operator import iadd, isub
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import field

from stream.core.counts import Counts, number_in, packed, size_of
from stream.core.ratio import Ratio
from stream.core.vectors import Vector, Vectors


class Sales(Counts, array_like=True, gc=False):
    """Numbers before the list, and one that was added later."""

    sold: int = 0
    by_size: list[int] = field(default_factory=[0, 0, 0].copy)
    returned: int = 0

    @property
    def kept(self) -> int:
        return self.sold - self.returned


class Visits(Counts, array_like=True, gc=False):
    """Without a distribution."""

    came: int = 0


# Also below 0, as a difference is, and large enough to borrow from every neighbour.
numbers = st.one_of(st.integers(-9, 99), st.integers(-(2**60), 2**60))
sales = st.builds(Sales, numbers, st.lists(numbers, min_size=3, max_size=3), numbers)
COUNTS = st.one_of(
    st.lists(sales, min_size=1, max_size=7), st.lists(st.builds(Visits, numbers), min_size=1, max_size=7)
)


def by_field(many: list[Any]) -> Any:
    """Add up in the plainest way."""
    total = type(many[0])()
    for name in total.__struct_fields__:
        values = [getattr(one, name) for one in many]
        lists = isinstance(values[0], list)
        setattr(total, name, [sum(column) for column in zip(*values, strict=True)] if lists else sum(values))
    return total


@given(COUNTS)
def test_the_sum_of_numbers_is_the_number_of_what_all_have_counted(many: list[Any]) -> None:
    kind = type(many[0])
    total = sum(one.number() for one in many)

    assert kind.unpack(packed(total, size_of(kind))) == by_field(many)
    assert number_in(packed(total, size_of(kind))) == total


@given(COUNTS)
def test_counts_are_a_commutative_group(many: list[Any]) -> None:
    zero = type(many[0])()
    total = sum(many, zero)

    assert total == sum(many[::-1], zero) == by_field(many)
    assert many[0] + zero == many[0]


@given(sales)
def test_what_was_packed_stays_as_it_is(one: Sales) -> None:
    before, sold, sizes = one.pack(), one.sold, one.by_size.copy()
    one.sold += 1
    one.by_size[1] += 1

    assert Sales.unpack(before) == Sales(sold, sizes, one.returned)


@given(st.lists(st.tuples(sales, sales), max_size=7))
def test_vectors_are_read_as_one_object_of_the_kind(many: list[tuple[Sales, Sales]]) -> None:
    also = Vectors(Sales, [other.pack() for _, other in many])
    vectors = Vectors(Sales, [one.pack() for one, _ in many], also)
    sums = [one + other for one, other in many]

    assert vectors.sold == [one.sold for one in sums]
    assert vectors.by_size == [[one.by_size[place] for one in sums] for place in range(3)]
    assert vectors.kept == [one.kept for one in sums]
    with pytest.raises(AttributeError, match="stolen"):
        _ = vectors.stolen


@given(st.lists(sales, max_size=7), st.sampled_from([1, 1000]))
def test_a_ratio_of_many_is_that_of_each(many: list[Sales], per: int) -> None:
    ratio = Ratio(lambda of: (of.returned, of.sold + of.returned), per=per)

    assert ratio.of_each(Vectors(Sales, [one.pack() for one in many])) == [ratio(one) for one in many]


def test_nothing_was_counted_where_a_denominator_is_none() -> None:
    assert Ratio(lambda of: (of.returned, of.sold))(Sales(returned=1)) is None


@pytest.mark.parametrize("use", [max, lambda a, _: 2 * a, lambda a, _: a * 2, iadd, isub])
def test_a_vector_is_never_taken_for_a_list(use: Callable[[Any, Any], Any]) -> None:
    with pytest.raises(TypeError, match="vectors only add and subtract"):
        use(Vector([1]), Vector([2]))


def test_lists_stand_together() -> None:
    class Apart(Counts, array_like=True, gc=False):
        first: list[int] = field(default_factory=[0].copy)
        between: int = 0
        second: list[int] = field(default_factory=[0].copy)

    with pytest.raises(TypeError, match="Apart: its lists do not stand together"):
        Apart().pack()
