"""Customers of whom there is more than is kept: figures are a lower bound then, and never wrong otherwise."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.cloudevents import Event
from stream.families.customers.fold import CustomersFold
from stream.families.customers.history import MOST_KEPT
from tests.families.customers.told import (
    FIRST,
    apply,
    counts_of,
    customer_event,
    customers_fold_of,
    figure,
    on,
    snapshots_of,
)

EVERYBODY = ("", "", "", "")
SUPPORT = ("support", "voice", "", "")

chances = st.integers(0, 2**32).map(random.Random)


def ordered(number: int) -> list[Event]:
    """Return joining, and so many orders, one a day."""
    orders = [customer_event("purchased", "ann", on(day), order=f"o{day}", amount=10) for day in range(2, number + 2)]
    return [customer_event("joined", "ann", on(1)), *orders]


def counted(fold: CustomersFold, number: int) -> Mapping[tuple[str, ...], Counter[str]]:
    """Return what every part has counted in 90 days, field by field, but for what was dropped."""
    at = FIRST + timedelta(days=number)
    found: dict[tuple[str, ...], Counter[str]] = {}
    for key, snapshot in snapshots_of(fold, at).items():
        counts = found[key] = Counter()
        for name, told in counts_of(snapshot, "90d").items():
            counts.update({name: told} if isinstance(told, int) else {f"{name} {n}": one for n, one in enumerate(told)})
        del counts["dropped"]
    return found


@pytest.mark.parametrize("again", [slice(None), slice(0, 25), slice(60, 70), slice(-5, None)])
def test_orders_that_are_told_again_count_once_however_many_there_are(again: slice) -> None:
    events = ordered(90)
    fold = customers_fold_of(events)
    before = counted(fold, 92)
    apply(fold, events[again], first=len(events))
    fold.settle()

    assert counted(fold, 92) == before
    assert figure(fold, on(92), "customer_value_so_far", "today") == 900
    assert before[EVERYBODY]["purchases"] == 89


def test_an_order_that_comes_late_to_a_full_account_is_told_as_dropped() -> None:
    fold = customers_fold_of([*ordered(90)[5:], customer_event("purchased", "ann", on(3), order="o3", amount=10)])

    assert figure(fold, on(92), "customer_dropped_total", "today") == 90 - 4 - MOST_KEPT + 1


def touched(chance: random.Random, number: int) -> list[Event]:
    """Return so many contacts of one customer, with what follows them."""
    events: list[Event] = []
    for contact in range(number):
        at = FIRST + timedelta(hours=chance.randrange(24 * 60))
        place = {"contact": f"k{contact}", "queue": chance.choice(["support", "sales"]), "channel": "voice"}
        events.append(customer_event("contacted", "ann", at, served=chance.random() < 0.5, **place))
        if chance.random() < 0.5:
            events.append(customer_event("solved", "ann", at + timedelta(hours=chance.randrange(60)), **place))
        if chance.random() < 0.2:
            events.append(customer_event("contacted", "ann", at + timedelta(hours=9), message=True, **place))
    return events


@given(chances, st.booleans())
def test_no_count_is_ever_negative_and_nothing_told_again_counts_again(
    chance: random.Random,
    in_order: bool,  # noqa: FBT001  # hypothesis gives it
) -> None:
    events = touched(chance, 60)
    if in_order:
        events.sort(key=lambda event: event.time)
    fold = customers_fold_of(events)
    before = counted(fold, 80)
    apply(fold, chance.sample(events, len(events)), first=len(events))
    fold.settle()

    for counts in before.values():
        assert min([0, *counts.values()]) == 0
        assert counts["repeats"] + counts["first_served"] <= counts["contacts"]
    assert counted(fold, 80) == before


def test_contacts_beyond_what_is_kept_are_repeats_of_those_that_are_forgotten() -> None:
    hours = range(300)
    events = [customer_event("contacted", "ann", FIRST + timedelta(hours=hour), contact=f"k{hour}") for hour in hours]
    counts = counted(customers_fold_of(events), 14)[SUPPORT]

    assert (counts["contacts"], counts["repeats"], counts["first_served"]) == (300, 299, 1)
