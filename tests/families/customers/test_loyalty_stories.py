"""Who is there, who stays, what they pay and are worth: stories of customers, plans and groups."""

from zoneinfo import ZoneInfo

import pytest

from stream.core.policies import Policies, Rule
from tests.families.customers.told import EVERYBODY, customers_fold_of, figure, of_plan, on, told

FEW = Policies(rules=(Rule(changes={"customer_minimum": 2, "margin": 0.5}),))
"""Judges few customers, too; of what they pay, half is left."""

FOUR = """
-100 09:00 joined ann plan=basic monthly=10
-100 09:01 joined bob plan=basic monthly=30
-100 09:02 joined cid plan=plus
-100 09:03 joined dan plan=plus group=private
"""


def periods(table: str, name: str, *, day: int = 20, part: tuple[str, ...] = EVERYBODY) -> list[float | None]:
    """Return a figure of the running month and quarter, and of 30 days."""
    fold = customers_fold_of(told(FOUR + table), FEW)
    return [figure(fold, on(day), name, window, part) for window in ("month", "quarter", "30d")]


def test_churn_is_of_those_who_were_there_at_the_start_in_each_period() -> None:
    # Day 1 is the first of November, the quarter begins in October, and 30 days on 21 October.
    table = "-28 09:00 left ann\n -5 09:00 left bob\n 10 09:00 left cid"

    assert periods(table, "churn_ratio") == [1 / 2, 3 / 4, 2 / 3]
    assert periods(table, "retention_ratio") == pytest.approx([1 / 2, 1 / 4, 1 / 3])


def test_who_joined_within_the_period_counts_neither_among_the_lost_nor_among_those_at_the_start() -> None:
    table = "2 09:00 joined eve\n 3 09:00 joined fay\n 12 09:00 left eve\n 13 09:00 left ann"

    assert periods(table, "churn_ratio") == [1 / 4] * 3
    fold = customers_fold_of(told(FOUR + table))
    assert figure(fold, on(20), "customers") == 4
    assert figure(fold, on(20), "customer_window_joined", "month") == 2
    assert figure(fold, on(20), "customer_window_left", "month") == 2


def test_who_left_and_came_back_within_the_period_is_not_lost() -> None:
    left, back = "10 09:00 left ann", "\n 15 09:00 joined ann"

    assert periods(left, "churn_ratio") == [1 / 4] * 3
    assert periods(left + back, "churn_ratio") == [0] * 3


def test_who_came_back_in_a_later_period_was_lost_in_the_one_between_and_is_gained_in_that_one() -> None:
    table = "-28 09:00 left ann\n 15 09:00 joined ann"
    fold = customers_fold_of(told(FOUR + table))

    assert periods(table, "churn_ratio") == [0, 0, 0]
    assert figure(fold, on(20), "customer_window_gained", "month") == 1
    assert figure(fold, on(20), "customer_window_gained", "quarter") == 0


def test_without_anybody_at_the_start_there_is_no_churn() -> None:
    fold = customers_fold_of(told("2 09:00 joined eve\n 3 09:00 left eve"))

    assert figure(fold, on(20), "churn_ratio", "month") is None
    assert figure(fold, on(20), "retention_ratio", "month") is None


def test_joining_while_being_there_and_leaving_twice_changes_nothing() -> None:
    table = "2 09:00 joined ann\n 10 09:00 left bob\n 11 09:00 left bob"

    assert periods(table, "churn_ratio") == [1 / 4] * 3


def test_who_goes_to_another_plan_counts_there_with_all_that_is_known_and_is_not_lost() -> None:
    fold = customers_fold_of(told(FOUR + "10 09:00 changed ann plan=plus\n 12 09:00 left ann"))

    assert [figure(fold, on(20), "customers", "", of_plan(plan)) for plan in ("basic", "plus")] == [1, 2]
    assert [figure(fold, on(20), "churn_ratio", "month", of_plan(plan)) for plan in ("basic", "plus")] == [0, 1 / 3]
    assert figure(fold, on(20), "churn_ratio", "month") == 1 / 4


def test_a_group_has_figures_of_its_own() -> None:
    fold = customers_fold_of(told(FOUR + "10 09:00 left dan"))

    assert figure(fold, on(20), "churn_ratio", "month", ("", "", "", "private")) == 1
    assert figure(fold, on(20), "churn_ratio", "month") == 1 / 4


def test_what_the_lost_paid_is_lost_and_what_others_pay_more_makes_up_for_it() -> None:
    gone = "10 09:00 left ann"
    more = gone + "\n 11 09:00 changed bob monthly=40"
    new = more + "\n 12 09:00 joined eve monthly=20"

    assert [periods(table, "revenue_churn_ratio")[0] for table in (gone, more, new)] == [1 / 4] * 3
    assert [periods(table, "net_revenue_retention_ratio")[0] for table in (gone, more, new)] == [3 / 4, 1, 1]
    fold = customers_fold_of(told(FOUR + new))
    assert figure(fold, on(20), "customers_monthly_revenue") == 60


def test_where_nobody_paid_there_is_no_churn_of_revenue() -> None:
    assert periods("10 09:00 left cid", "revenue_churn_ratio", part=of_plan("plus")) == [None] * 3


BOUGHT = """
2 09:00 purchased ann order=o1 amount=100
3 09:00 purchased bob order=o2 amount=120
4 09:00 refunded  bob order=o2 amount=20
"""


def test_lifetime_value_is_revenue_of_a_month_by_margin_and_churn() -> None:
    fold = customers_fold_of(told(FOUR + BOUGHT + "10 09:00 left ann"), FEW)

    # 200 of four customers, of which half is left, and a quarter of them goes in a month.
    assert figure(fold, on(20), "customer_lifetime_value") == 200 / 4 * 0.5 / (1 / 4)
    # Those who are there now: bob paid 100 of three.
    assert figure(fold, on(20), "customer_value_so_far") == pytest.approx(100 / 3)
    assert figure(fold, on(20), "customers_revenue") == 100


@pytest.mark.parametrize(("table", "policies"), [("", FEW), ("10 09:00 left ann", Policies())])
def test_where_nobody_was_lost_or_there_are_too_few_no_lifetime_value_is_told(table: str, policies: Policies) -> None:
    fold = customers_fold_of(told(FOUR + BOUGHT + table), policies)

    assert figure(fold, on(20), "customer_lifetime_value") is None


def test_of_nobody_there_is_no_value_so_far() -> None:
    fold = customers_fold_of(told("2 09:00 joined eve\n 3 09:00 left eve"))

    assert figure(fold, on(20), "customer_value_so_far") is None


def test_what_was_paid_before_anything_was_told_counts_as_value_and_in_no_window() -> None:
    fold = customers_fold_of(told("2 09:00 joined eve revenue_before=500\n 3 09:00 purchased eve order=o1 amount=10"))

    assert figure(fold, on(20), "customer_value_so_far") == 510
    assert figure(fold, on(20), "customer_window_revenue", "30d") == 10


def test_an_order_that_is_told_twice_is_bought_once() -> None:
    fold = customers_fold_of(
        told("2 09:00 purchased eve order=o1 amount=10\n 2 09:05 purchased eve order=o1 amount=10")
    )

    assert figure(fold, on(20), "customer_window_purchases", "30d") == 1
    assert figure(fold, on(20), "customers_revenue") == 10


def test_who_buys_without_having_joined_is_a_customer_from_then_on() -> None:
    fold = customers_fold_of(told("2 09:00 purchased eve order=o1 amount=10"))

    assert figure(fold, on(20), "customers") == 1
    assert figure(fold, on(20), "customer_window_first_joined", "month") == 1


def test_the_referral_rate_is_of_those_who_begin_and_not_of_those_who_return() -> None:
    table = """
    2 09:00 joined eve referred=true
    3 09:00 joined fay
    4 09:00 left ann
    5 09:00 joined ann referred=true
    """

    assert periods(table, "referral_ratio")[0] == 1 / 2
    assert periods("", "referral_ratio")[0] is None


def test_money_in_another_currency_is_counted_apart_and_not_added_up() -> None:
    table = """
    2 09:00 purchased ann order=o1 amount=100 currency=USD
    3 09:00 purchased ann order=o2 amount=7 currency=EUR
    4 09:00 changed   cid monthly=5 currency=USD
    5 09:00 cart.created k1 value=20 currency=USD
    """
    fold = customers_fold_of(told(FOUR + table))

    assert figure(fold, on(20), "customer_window_revenue", "30d") == 7
    assert figure(fold, on(20), "customer_window_purchases", "30d") == 2
    assert figure(fold, on(20), "customers_monthly_revenue") == 40
    assert figure(fold, on(20), "customer_window_other_currency", "30d") == 3


SEEN = """
1  09:00 active    ann
1  09:00 contacted bob contact=k1
20 09:00 active    ann
22 09:00 purchased cid order=o1 amount=5
25 09:00 asked     dan survey=s1 what=answered
25 09:30 active    ann
25 10:00 asked     bob survey=s2
"""


@pytest.mark.parametrize(
    ("kind", "active"),
    [("visit", (1, 1, 1)), ("contact", (0, 0, 1)), ("purchase", (0, 1, 1)), ("answer", (1, 1, 1)), ("any", (2, 3, 4))],
)
def test_activity_is_by_kind_today_in_a_week_and_in_a_month_and_an_invitation_is_none(
    kind: str, active: tuple[int, ...]
) -> None:
    fold = customers_fold_of(told(SEEN))
    periods = ("daily", "weekly", "monthly")

    assert tuple(figure(fold, on(25), f"customers_active_{name}", "", EVERYBODY, kind) for name in periods) == active


def test_stickiness_is_the_share_of_the_month_that_was_active_today_and_a_day_passes_without_events() -> None:
    fold = customers_fold_of(told(SEEN))

    assert figure(fold, on(25), "customer_stickiness_ratio") == 2 / 4
    assert figure(fold, on(26), "customer_stickiness_ratio") == 0
    assert figure(fold, on(31), "customer_stickiness_ratio") == 0
    assert figure(fold, on(70), "customer_stickiness_ratio") is None


def test_the_day_of_an_activity_is_that_of_the_place() -> None:
    kiritimati = Policies(rules=(Rule(changes={"time_zone": ZoneInfo("Pacific/Kiritimati")}),))
    fold = customers_fold_of(told("1 09:30 active ann"), kiritimati)

    # It is 23:30 there, and half an hour later the next day.
    assert figure(fold, on(1, "09:59"), "customers_active_daily", "", EVERYBODY, "visit") == 1
    assert figure(fold, on(1, "10:00"), "customers_active_daily", "", EVERYBODY, "visit") == 0
