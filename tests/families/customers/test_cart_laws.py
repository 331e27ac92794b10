"""What must hold of all carts, whatever order their events arrive in."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.families.customers.cart import CartFact, CartRow, cart_facts
from stream.families.customers.cart_reports import MOST_INSTANTS
from stream.families.customers.events import CartEvent, CartOrdered
from tests.families.customers.carts import FIRST, POLICY, cart_event, cart_of, counted, ms_of
from tests.families.customers.naive_carts import naive_facts, naive_name

IDLE = POLICY.cart_idle

chances = st.integers(0, 2**32).map(random.Random)
"""A seed, and not the numbers one by one: these would mostly be the simplest, and no two of one instant."""


def a_cart(chance: random.Random, events: int, span: timedelta) -> list[CartEvent]:
    """Return events of one cart within some time, in any order: on few instants, with gaps just too long."""
    step = timedelta(minutes=10)
    told = []
    for _ in range(events):
        at = FIRST + step * chance.randrange(span // step) + timedelta(milliseconds=chance.choice([0, 0, 0, 1]))
        data: dict[str, object] = {}
        if chance.random() < 0.6:
            data["value"] = chance.choice([0, 0.29, 10, 20.1, 1e9])
        if chance.random() < 0.15:
            data["currency"] = chance.choice(["EUR", "EUR", "USD", "SEK"])
        if chance.random() < 0.3:
            data["plan"] = chance.choice("abcde")
        if chance.random() < 0.3:
            data["group"] = chance.choice("vwxyz")
        kind = chance.choices(["created", "changed", "checked_out", "ordered"], [2, 9, 2, 1])[0]
        told.append(cart_event(kind, at, **data))
    return told


@st.composite
def carts(draw: st.DrawFn, most: int = 25) -> list[CartEvent]:
    return a_cart(draw(chances), draw(st.integers(1, most)), timedelta(hours=draw(st.sampled_from([2, 8, 30]))))


@given(carts())
def test_a_cart_counts_for_what_the_full_list_of_its_events_says(events: list[CartEvent]) -> None:
    cart = cart_of(events)
    facts = cart_facts(cart)

    assert len({field for _, field, _ in facts}) == len(facts)
    assert set(facts) == naive_facts(events)
    assert (cart.plan, cart.group) == (naive_name(events, "plan"), naive_name(events, "group"))


def shown(cart: CartRow) -> tuple[set[CartFact], str, str, int]:
    return set(cart_facts(cart)), cart.plan, cart.group, cart.ends_ms


@given(carts(), chances)
def test_neither_order_nor_repetition_matters(events: list[CartEvent], chance: random.Random) -> None:
    again = [*events, *chance.choices(events, k=5)]
    chance.shuffle(again)

    assert shown(cart_of(again)) == shown(cart_of(events))


@given(carts())
def test_what_was_told_already_makes_no_new_row(events: list[CartEvent]) -> None:
    cart = cart_of(events)

    assert cart_of(events, row=cart) is cart


@given(carts())
def test_carts_are_completed_or_abandoned_and_only_what_was_abandoned_is_recovered(events: list[CartEvent]) -> None:
    cart = cart_of(events)
    number = counted(cart).get
    at = {field: at_ms for at_ms, field, _ in cart_facts(cart)}

    assert number("carts_created") == 1
    # An open cart is one whose abandonment is still to come.
    assert number("carts_completed", 0) + number("carts_abandoned", 0) == 1
    assert number("carts_recovered", 0) <= number("carts_abandoned", 0)
    assert at.get("carts_abandoned", 0) < at.get("carts_recovered", 2**62)
    assert min(at.values()) == at["carts_created"]


# More events than are kept.


@given(chances, st.sampled_from([timedelta(hours=20), timedelta(days=3), timedelta(days=40)]))
def test_in_their_order_events_count_exactly_however_many_there_are(chance: random.Random, span: timedelta) -> None:
    events = sorted(a_cart(chance, 4 * MOST_INSTANTS, span), key=lambda event: event.time)
    ordered = events.pop()
    events = [*(event for event in events if not isinstance(event, CartOrdered)), ordered]
    cart = cart_of(events)

    assert set(cart_facts(cart)) == naive_facts(events)
    assert (cart.plan, cart.group) == (naive_name(events, "plan"), naive_name(events, "group"))
    assert len(cart.reports) <= 16 * MOST_INSTANTS


@given(chances)
def test_what_happened_and_when_is_exact_in_any_order_however_often_the_cart_is_touched(chance: random.Random) -> None:
    events = a_cart(chance, 4 * MOST_INSTANTS, timedelta(hours=20))
    # Of many orders one would come so early that next to nothing is before it.
    orders = [event for event in events if isinstance(event, CartOrdered)]
    events = [event for event in events if event not in orders[chance.randrange(2) :]]
    cart = cart_of(events)

    assert without_money(cart_facts(cart)) == without_money(naive_facts(events))
    assert len(cart.reports) <= 16 * MOST_INSTANTS


def test_what_comes_late_among_instants_that_were_merged_parts_no_spell() -> None:
    often = [cart_event("changed", FIRST + number * IDLE / 2) for number in range(4 * MOST_INSTANTS)]
    late = cart_event("changed", FIRST + 40.1 * IDLE)
    left = ms_of(often[-1].time + IDLE)

    assert (left, "carts_abandoned", 1) in cart_facts(cart_of([*often, late]))


def without_money(facts: set[CartFact] | list[CartFact]) -> set[CartFact]:
    return {fact for fact in facts if fact[1].startswith("carts_") and not fact[1].endswith("_value")}


@pytest.mark.parametrize("gap", [IDLE, IDLE + timedelta(milliseconds=1)])
def test_a_cart_that_is_touched_for_ever_stays_small_and_knows_when_it_was_left(gap: timedelta) -> None:
    events = [cart_event("changed", FIRST + number * gap, value=number) for number in range(1000)]
    left = FIRST if gap > IDLE else FIRST + 999 * gap
    cart = cart_of(events)

    assert (ms_of(left + IDLE), "carts_abandoned", 1) in cart_facts(cart)
    assert counted(cart)["carts_created_value"] == 99_900
    assert len(cart.reports) <= 16 * MOST_INSTANTS


def test_many_names_are_told_apart() -> None:
    chance = random.Random(0)
    events = [
        cart_event("changed", FIRST + timedelta(minutes=chance.randrange(500)), plan=f"p{number}", group=f"g{number}")
        for number in range(300)
    ]
    events.sort(key=lambda event: event.time)
    cart = cart_of(events)

    assert (cart.plan, cart.group) == (naive_name(events, "plan"), naive_name(events, "group"))
    assert len(cart.names) <= 2 * (MOST_INSTANTS + 1)
