"""Stories of carts, and what they count for."""

from datetime import timedelta
from typing import get_args

import msgspec
import pytest

from stream.families.customers.cart import CARTS_KEPT, CartField, CartRow, cart_facts, cart_with, with_shared_names
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.rules import CustomerPolicy
from tests.families.customers.carts import POLICY, cart_event, cart_of, counted, ms_of, on, told, when

LEFT = """
    1 10:00 created value=20
    1 10:20 changed value=49.90
    1 10:30 checked_out
    """

ORDERED = LEFT + "1 11:00 ordered value=55"


def test_a_cart_that_is_ordered_in_time_is_completed() -> None:
    cart = cart_of(ORDERED)

    assert when(cart) == {"created": "1 10:00", "checked_out": "1 10:30", "completed": "1 11:00"}
    assert (counted(cart)["carts_created_value"], counted(cart)["carts_completed_value"]) == (5500, 5500)


def test_a_cart_with_which_nothing_happens_is_abandoned_an_hour_after_it_was_last_touched() -> None:
    cart = cart_of(LEFT)

    assert when(cart) == {"created": "1 10:00", "checked_out": "1 10:30", "abandoned": "1 11:30"}
    assert counted(cart)["carts_abandoned_value"] == 4990


def test_each_touch_moves_the_instant_at_which_it_will_be_abandoned() -> None:
    assert when(cart_of("1 10:00 created"))["abandoned"] == "1 11:00"
    assert when(cart_of("1 10:00 created\n1 10:59 changed"))["abandoned"] == "1 11:59"


def test_an_order_after_that_recovers_it_and_both_stand() -> None:
    cart = cart_of(LEFT + "2 09:00 ordered value=30")

    assert when(cart) == {
        "created": "1 10:00",
        "checked_out": "1 10:30",
        "abandoned": "1 11:30",
        "recovered": "2 09:00",
    }
    assert counted(cart)["carts_abandoned_value"] == 4990
    assert counted(cart)["carts_recovered_value"] == counted(cart)["carts_created_value"] == 3000


def test_a_cart_is_abandoned_once_and_whoever_comes_back_does_not_undo_it() -> None:
    cart = cart_of(LEFT + "1 12:00 changed value=10\n2 12:00 changed value=5")

    assert when(cart)["abandoned"] == "1 11:30"
    assert (counted(cart)["carts_abandoned"], counted(cart)["carts_abandoned_value"]) == (1, 4990)
    assert counted(cart)["carts_created_value"] == 500


@pytest.mark.parametrize(("clock", "end"), [("11:30", "completed"), ("11:31", "recovered")])
def test_an_order_at_the_very_end_of_the_hour_is_in_time(clock: str, end: str) -> None:
    assert end in when(cart_of(LEFT + f"1 {clock} ordered"))


def test_after_its_order_nothing_happens_to_a_cart() -> None:
    cart = cart_of(ORDERED)

    for line in ("1 11:01 changed value=9 plan=gold", "3 11:00 ordered value=70", "1 11:01 checked_out group=vip"):
        [event] = told(line)
        assert cart_with(cart, event, POLICY, 9) is None


def test_an_earlier_order_that_comes_late_is_the_order() -> None:
    late = cart_of("1 10:25 ordered plan=gold", row=cart_of(ORDERED + " plan=silver"))

    assert when(late) == {"created": "1 10:00", "completed": "1 10:25"}
    assert counted(late)["carts_completed_value"] == 4990
    assert late.plan == "gold", "what was told after the order is not true of it"


def test_an_order_that_tells_no_value_is_of_the_value_of_the_cart() -> None:
    assert counted(cart_of(LEFT + "1 11:00 ordered"))["carts_completed_value"] == 4990


def test_an_event_that_comes_late_joins_what_seemed_to_be_a_gap() -> None:
    gap = cart_of("1 10:00 created value=10\n1 11:45 changed value=20\n1 12:00 ordered")
    joined = cart_of("1 10:50 changed", row=gap)

    assert when(gap) == {"created": "1 10:00", "abandoned": "1 11:00", "recovered": "1 12:00"}
    assert when(joined) == {"created": "1 10:00", "completed": "1 12:00"}


def test_a_value_that_comes_late_corrects_what_was_abandoned() -> None:
    cart = cart_of("1 10:25 changed value=60", row=cart_of(LEFT + "1 20:00 changed value=1"))

    assert counted(cart)["carts_abandoned_value"] == 6000
    assert counted(cart)["carts_created_value"] == 100


def test_what_was_told_only_after_it_was_abandoned_is_not_what_was_abandoned() -> None:
    cart = cart_of("1 10:00 created\n1 12:00 changed value=20")

    assert "carts_abandoned_value" not in counted(cart)
    assert counted(cart)["carts_created_value"] == 2000


def test_of_two_values_of_one_instant_the_greater_stands() -> None:
    events = told("1 10:00 created value=20\n1 10:00 changed value=30\n1 10:00 changed value=25")

    assert counted(cart_of(events))["carts_created_value"] == counted(cart_of(events[::-1]))["carts_created_value"]
    assert counted(cart_of(events))["carts_created_value"] == 3000


def test_a_cart_of_which_the_beginning_was_not_told_begins_with_what_was() -> None:
    cart = cart_of("1 10:30 checked_out")

    assert when(cart) == {"created": "1 10:30", "checked_out": "1 10:30", "abandoned": "1 11:30"}
    assert when(cart_of("1 10:00 created", row=cart))["created"] == "1 10:00"


def test_the_till_counts_once_when_the_customer_first_went_there() -> None:
    cart = cart_of(LEFT + "1 10:40 checked_out\n1 10:10 checked_out")

    assert (when(cart)["checked_out"], counted(cart)["carts_checked_out"]) == ("1 10:10", 1)


def test_an_empty_cart_is_worth_nothing_and_that_is_known() -> None:
    cart = cart_of("1 10:00 created value=20\n1 10:10 changed value=0")

    assert counted(cart) == {"carts_created": 1, "carts_abandoned": 1}


def test_repeats_tell_nothing_new() -> None:
    cart = cart_of(ORDERED)

    assert [cart_with(cart, event, POLICY, 9) for event in told(ORDERED)] == [None] * 4


# The policy.


def test_how_long_is_idle_is_what_the_policy_said_when_the_cart_was_first_heard_of() -> None:
    patient = CustomerPolicy(cart_idle=timedelta(hours=3))
    cart = cart_of("1 11:00 changed", POLICY, cart_of("1 09:00 created", patient))

    assert when(cart)["abandoned"] == "1 14:00"


FOREIGN = "1 10:00 created value=20 currency=USD"


def test_money_in_another_currency_is_none_and_the_cart_says_so_once() -> None:
    cart = cart_of(FOREIGN + "\n1 10:10 changed value=30\n1 12:00 ordered")

    assert counted(cart) == {"carts_created": 1, "carts_abandoned": 1, "carts_recovered": 1, "other_currency": 1}
    assert "other_currency" not in counted(cart_of(FOREIGN, CustomerPolicy(currency="USD")))
    assert "other_currency" not in counted(cart_of("1 10:00 created currency=USD")), "of no amount"


def test_a_currency_stays_until_another_one_is_told() -> None:
    cart = cart_of(FOREIGN + "\n1 12:10 changed value=30 currency=EUR\n1 12:20 ordered value=40")

    assert counted(cart) == {
        "carts_created": 1,
        "carts_created_value": 4000,
        "carts_abandoned": 1,
        "carts_recovered": 1,
        "carts_recovered_value": 4000,
        "other_currency": 1,
    }


# Plans and groups.


def test_plan_and_group_are_those_that_were_told_last() -> None:
    cart = cart_of("1 10:00 created plan=gold group=vip\n1 10:10 changed plan=basic")
    late = cart_of("1 10:05 changed plan=silver group=new", row=cart)

    assert (cart_of(LEFT).plan, cart_of(LEFT).group) == ("", "")
    assert (cart.plan, cart.group) == ("basic", "vip")
    assert (late.plan, late.group) == ("basic", "new")


def test_names_of_many_carts_are_one_object_also_after_they_were_read() -> None:
    first, second = (cart_of("1 10:00 created plan=gold group=vip") for _ in "12")
    read = msgspec.msgpack.decode(msgspec.msgpack.encode(first), type=CartRow)

    assert first.names is second.names is with_shared_names(read).names
    assert with_shared_names(read) == first


# What is kept.


def test_a_cart_ends_a_month_after_it_was_ordered_or_left() -> None:
    assert cart_of(ORDERED).ends_ms == ms_of(on(1, "11:00") + CARTS_KEPT)
    assert cart_of(LEFT).ends_ms == ms_of(on(1, "11:30") + CARTS_KEPT)


def test_a_row_has_counted_the_later_of_its_records() -> None:
    cart = cart_with(cart_of(LEFT), cart_event("changed", on(1, "11:00")), POLICY, 17)
    assert cart is not None
    again = cart_with(cart, cart_event("changed", on(1, "11:10")), POLICY, 3)

    assert again is not None
    assert (cart.applied_offset, again.applied_offset) == (17, 17)


def test_of_nothing_nothing_counts() -> None:
    assert cart_facts(CartRow()) == []


def test_what_carts_count_in_is_counted_of_customers() -> None:
    fields = {*get_args(CartField)}

    assert fields == {name for name in CustomerCounts.__struct_fields__ if name.startswith("carts_")} | {
        "other_currency"
    }
