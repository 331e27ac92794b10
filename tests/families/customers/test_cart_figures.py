"""What carts count for on a board, also when nothing happens any more: stories of several carts."""

from datetime import timedelta

import pytest

from stream.core.policies import Policies, Rule
from tests.families.customers.told import customers_fold_of, figure, of_plan, on, told

CARTS = """
1 10:00 cart.created   k1 value=30 plan=basic
1 10:10 cart.created   k2 value=50
1 10:20 cart.changed   k2 value=70
1 10:30 cart.checked_out k2
1 10:40 cart.ordered   k2
"""


def ratio(table: str, clock: str, *, day: int = 1, window: str = "today", name: str = "abandonment") -> float | None:
    value: float | None = figure(customers_fold_of(told(table)), on(day, clock), f"cart_{name}_ratio", window)
    return value


@pytest.mark.parametrize(("clock", "abandoned"), [("10:41", 0), ("10:59", 0), ("11:00", 1 / 2), ("23:59", 1 / 2)])
def test_a_cart_is_abandoned_when_the_clock_says_so_though_no_event_comes(clock: str, abandoned: float) -> None:
    assert ratio(CARTS, clock) == abandoned


def test_by_value_the_share_is_that_of_what_was_in_them() -> None:
    assert ratio(CARTS, "11:00", name="value_abandonment") == 30 / 100


def test_before_anything_was_ordered_or_abandoned_there_is_no_rate() -> None:
    assert ratio("1 10:00 cart.created k1 value=30", "10:59") is None


@pytest.mark.parametrize(("clock", "abandoned"), [("11:59", 0), ("12:00", 1)])
def test_whoever_changes_a_cart_has_another_hour(clock: str, abandoned: int) -> None:
    fold = customers_fold_of(told("1 10:30 cart.created k1\n1 11:00 cart.changed k1"))

    assert figure(fold, on(1, clock), "customer_window_carts_abandoned", "today") == abandoned


@pytest.mark.parametrize(
    ("day", "clock", "today", "week"),
    [(1, "23:59", None, None), (2, "00:29", None, None), (2, "00:30", 1, 1), (3, "00:00", 0, 1)],
)
def test_a_cart_left_before_midnight_is_abandoned_on_the_next_day(
    day: int, clock: str, today: int | None, week: int | None
) -> None:
    fold = customers_fold_of(told("1 23:30 cart.created k1"))

    assert figure(fold, on(day, clock), "customer_window_carts_abandoned", "today") == today
    assert figure(fold, on(day, clock), "customer_window_carts_abandoned", "7d") == week


def test_an_order_after_the_hour_recovers_the_cart_and_one_before_completes_it() -> None:
    before = "1 10:00 cart.created k1 value=30\n1 11:00 cart.ordered k1"
    after = "1 10:00 cart.created k1 value=30\n1 11:01 cart.ordered k1"

    assert (ratio(before, "12:00"), ratio(before, "12:00", name="recovery")) == (0, None)
    assert (ratio(after, "12:00"), ratio(after, "12:00", name="recovery")) == (1, 1)
    fold = customers_fold_of(told(after))
    assert figure(fold, on(1), "customer_window_carts_recovered_value", "today") == 30
    assert figure(fold, on(1), "customer_window_carts_completed_value", "today") == 0


def test_a_plan_has_the_carts_of_which_it_was_told_and_all_together_have_all() -> None:
    fold = customers_fold_of(told(CARTS))

    assert figure(fold, on(1), "cart_abandonment_ratio", "today", of_plan("basic")) == 1
    assert figure(fold, on(1), "customer_window_carts_created", "today", of_plan("basic")) == 1
    assert figure(fold, on(1), "customer_window_carts_created", "today") == 2
    assert figure(fold, on(1), "customer_window_carts_checked_out", "today") == 1


def test_a_plan_that_is_told_later_has_the_cart_as_well_and_its_abandonment_moves() -> None:
    fold = customers_fold_of(told("1 10:00 cart.created k1 plan=basic\n1 10:30 cart.changed k1 plan=plus"))

    abandoned = {
        plan: [
            figure(fold, on(1, clock), "customer_window_carts_abandoned", "today", of_plan(plan))
            for clock in ("11:29", "11:30")
        ]
        for plan in ("basic", "plus")
    }
    assert abandoned == {"basic": [0, 0], "plus": [None, 1]}


def test_how_long_is_too_long_the_policy_says() -> None:
    patient = Policies(rules=(Rule(changes={"cart_idle": timedelta(hours=3)}),))
    fold = customers_fold_of(told("1 10:00 cart.created k1"), patient)

    assert figure(fold, on(1, "12:59"), "customer_window_carts_abandoned", "today") is None
    assert figure(fold, on(1, "13:00"), "customer_window_carts_abandoned", "today") == 1


def test_events_of_carts_beyond_the_limit_are_counted() -> None:
    fold = customers_fold_of(told(CARTS), max_customers=1)

    assert figure(fold, on(1), "customer_window_carts_created", "today") == 1
    assert figure(fold, on(1), "customer_window_unknown", "today") == 4
