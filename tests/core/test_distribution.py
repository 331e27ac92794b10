"""Percentiles of whole numbers: what nine in ten did not exceed is one of them."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from stream.core.distribution import whole_quantile

ONE_WIDE = range(1, 13)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=200), st.sampled_from((0.1, 0.5, 0.9, 1.0)))
def test_where_buckets_are_one_wide_it_is_the_least_number_that_so_many_do_not_exceed(
    numbers: list[int], share: float
) -> None:
    counted = Counter(numbers)
    least = next(one for one in ONE_WIDE if sum(number <= one for number in numbers) >= share * len(numbers))

    assert whole_quantile(share, [*(counted[one] for one in ONE_WIDE), 0], ONE_WIDE) == least


def test_within_a_wider_bucket_it_is_rounded_up() -> None:
    # Four of ten are 6 or 7: on a straight line the first of them is 5.5.
    assert [whole_quantile(share, (5, 0, 4, 1), (4, 5, 7)) for share in (0.5, 0.6, 0.8, 1)] == [4, 6, 7, 7]


def test_of_nothing_there_is_no_percentile() -> None:
    assert whole_quantile(0.9, (0, 0), (1,)) is None
