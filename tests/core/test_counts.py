"""Counts add up, whatever their fields are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import field

from stream.core.counts import Counts, summed


class Sales(Counts, array_like=True, gc=False):
    """Numbers before the list, and one that was added later."""

    sold: int = 0
    by_size: list[int] = field(default_factory=[0, 0, 0].copy)
    returned: int = 0


class Visits(Counts, array_like=True, gc=False):
    """Without a distribution."""

    came: int = 0


numbers = st.integers(-9, 99)
sales = st.builds(Sales, numbers, st.lists(numbers, min_size=3, max_size=3), numbers)
COUNTS = st.one_of(st.lists(sales, min_size=1), st.lists(st.builds(Visits, numbers), min_size=1))


@given(COUNTS)
def test_counts_are_a_commutative_group_and_a_sum_is_what_adding_gives(many: list[Any]) -> None:
    zero = type(many[0])()
    total = zero
    for one in many:
        total += one

    assert summed(many) == summed(many[::-1]) == total
    assert total - many[0] == sum(many[1:], zero)
    assert many[0] + zero == many[0]


@given(sales)
def test_a_copy_stays_as_it_is(one: Sales) -> None:
    copy, sold, sizes = one.copy(), one.sold, one.by_size.copy()
    one.sold += 1
    one.by_size[1] += 1

    assert (copy.sold, copy.by_size) == (sold, sizes)


def test_lists_stand_together() -> None:
    class Apart(Counts, array_like=True, gc=False):
        first: list[int] = field(default_factory=list)
        between: int = 0
        second: list[int] = field(default_factory=list)

    with pytest.raises(TypeError, match="Apart: its lists do not stand together"):
        Apart() + Apart()
