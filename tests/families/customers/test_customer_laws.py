"""What must hold of all customers, whatever order their events arrive in, and wherever a worker dies."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, get_args
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.cloudevents import Event
from stream.core.family import merged
from stream.core.identity import NO_SECRET
from stream.core.policies import Policies, Rule
from stream.families.customers import places
from stream.families.customers.events import CustomerEvent, CustomerForgotten
from stream.families.customers.fold import CustomersFold
from stream.families.customers.history import ACTIVITIES
from stream.families.customers.parts import CUSTOMER_WINDOWS
from stream.families.customers.rules import RULES
from stream.families.customers.tables import CART_ROWS, CUSTOMER_COUNTS, CUSTOMER_ROWS
from tests.families.customers.naive import Naive
from tests.families.customers.told import FIRST, apply, counts_of, customer_event, customers_fold_of, snapshots_of

pytestmark = pytest.mark.slow

ZONE = ZoneInfo("Europe/Ljubljana")

POLICIES = Policies(
    rules=(Rule(changes={"time_zone": ZONE, "most_invitations": 2, "asked_within": timedelta(days=10)}),)
)
BY_TOPIC = Policies(
    rules=(*POLICIES.rules, Rule(changes={"matter_by_topic": True, "repeat_within": timedelta(days=3)}))
)
IN_ONE_MATTER = Policies(rules=(*POLICIES.rules, Rule(changes={"matter": "all", "repeat_within": timedelta(days=14)})))

LONGEST_WINDOW = timedelta(days=92)

chances = st.integers(0, 2**32).map(random.Random)
"""A seed, and not the numbers one by one: these would mostly be the simplest, and nothing ever be cut off."""

policies = st.sampled_from([POLICIES, BY_TOPIC, IN_ONE_MATTER])

KINDS = (
    *["contacted"] * 8,
    *["solved"] * 3,
    *["handed_over", "asked", "active", "purchased", "purchased", "refunded", "joined", "joined", "changed", "left"],
)


def life(chance: random.Random, subject: str, span: timedelta, number: int) -> list[Event]:
    """Return so many events of one customer within a *span*, in order of time."""
    events: list[Event] = []
    # No two at one instant: of these, which comes first is arbitrary.
    for minute in sorted(chance.sample(range(int(span / timedelta(minutes=7))), number)):
        at = FIRST + timedelta(minutes=7 * minute, milliseconds=chance.randrange(1000))
        kind = chance.choice(KINDS)
        events.append(customer_event(kind, subject, at, **data_of(chance, kind, (at - FIRST) // ERA)))
    return events


ERA = timedelta(days=40)
"""Contacts, orders and surveys of one name are no further apart: the names of what is forgotten may come again."""


def data_of(chance: random.Random, kind: str, era: int) -> dict[str, Any]:
    """Return what an event may tell."""
    place = {"queue": chance.choice(["support", "sales"]), "channel": chance.choice(["voice", "voice", "chat"])}
    name = {"contact": f"k{era}{chance.randrange(6)}"}
    contact = {**name, **place}
    match kind:
        case "contacted":
            topic = {"topic": chance.choice(["bill", "login"])} if chance.random() < 0.5 else {}
            if chance.random() < 0.1:
                return name | topic | {"queue": None, "message": True}
            return contact | topic | {"served": chance.random() < 0.7, "message": chance.random() < 0.2}
        case "handed_over":
            return name | {"queue": place["queue"], "transfer": chance.random() < 0.5}
        case "solved":
            topic = {"topic": chance.choice(["bill", "login"])} if chance.random() < 0.4 else {}
            return (contact if chance.random() < 0.8 else name | {"queue": None}) | topic
        case "asked":
            return place | {
                "survey": f"s{era}{chance.randrange(5)}",
                "what": chance.choice(["invited", "invited", "answered"]),
            }
        case "purchased" | "refunded":
            return {"order": f"o{era}{chance.randrange(8)}", "amount": chance.randrange(10_000) / 100}
        case "joined" | "changed":
            told: dict[str, Any] = {"plan": chance.choice(["basic", "plus"])} if chance.random() < 0.6 else {}
            told |= {"group": chance.choice(["private", "business"])} if chance.random() < 0.4 else {}
            told |= {"monthly": chance.randrange(5000) / 100} if chance.random() < 0.7 else {}
            return told | ({"referred": chance.random() < 0.3} if kind == "joined" else {})
    return {}


def cart(chance: random.Random, subject: str, span: timedelta) -> list[Event]:
    """Return the events of one cart, which is left now and then, in order of time."""
    at, told = FIRST + chance.random() * (span - timedelta(days=1)), []
    for kind in ("created", *chance.choices(["changed", "checked_out", "ordered"], [3, 1, 1], k=chance.randrange(5))):
        data: dict[str, Any] = {"value": chance.randrange(10_000) / 100} if chance.random() < 0.7 else {}
        data |= {"currency": "USD"} if chance.random() < 0.1 else {}
        data |= {"plan": chance.choice(["basic", "plus"])} if chance.random() < 0.3 else {}
        data |= {"group": chance.choice(["private", "business"])} if chance.random() < 0.3 else {}
        told.append(customer_event(f"cart.{kind}", subject, at, **data))
        at += timedelta(minutes=chance.choice([1, 20, 59, 60, 61, 240]), milliseconds=chance.randrange(1, 1000))
    return told


def town(chance: random.Random, span: timedelta, *, most: int = 4, each: int = 25) -> list[Event]:
    """Return the events of a few customers and carts, in order of time."""
    told = [one for n in range(chance.randint(1, most)) for one in life(chance, f"c{n}", span, chance.randint(1, each))]
    told += [one for n in range(chance.randrange(4)) for one in cart(chance, f"cart{n}", span)]
    return sorted(told, key=lambda one: one.time)


def with_forgotten(events: Sequence[Event], chance: random.Random) -> list[Event]:
    """Return the events with some customers forgotten just after something they did, or some minutes later."""
    told = [*events]
    for subject in sorted({event.subject for event in events if event.subject.startswith("c")}):
        mine = [event.time for event in events if event.subject == subject]
        while not subject.startswith("cart") and chance.random() < 0.5:
            at = chance.choice(mine) + chance.choice([timedelta(milliseconds=1), timedelta(minutes=3, seconds=7)])
            told.append(customer_event("forgotten", subject, at))
    return sorted(told, key=lambda one: one.time)


def arrived(events: Sequence[Event], chance: random.Random) -> list[Event]:
    """Return the events in any order, some of them more than once."""
    mixed = [*events, *[one for one in events if chance.random() < 0.3]]
    chance.shuffle(mixed)
    return mixed


def assert_equals_the_naive(fold: CustomersFold, events: Sequence[Event], rules: Policies, at: datetime) -> None:
    naive = Naive(events, rules.of(RULES, "acme", "support", "voice"))
    shown = snapshots_of(fold, at)
    parts = {part for part, when, _, _ in naive.told if at - LONGEST_WINDOW < when <= at} | {*naive.standing}
    assert parts <= shown.keys()
    for part, snapshot in shown.items():
        for window in CUSTOMER_WINDOWS:
            assert counts_of(snapshot, window) == naive.counts(part, window, at), (part, window)
        standing = naive.standing[part]
        assert (snapshot.present, snapshot.monthly, snapshot.revenue) == (
            standing["present"],
            standing["monthly"],
            standing["revenue"],
        )
        for kind, active in zip((*ACTIVITIES, "any"), snapshot.active, strict=True):
            assert active == tuple(naive.active_in(part, kind, days, at) for days in (1, 7, 30)), (part, kind)


def some_day(chance: random.Random, events: Sequence[Event]) -> datetime:
    """Return an instant at which somebody looks: when all has happened, or in the weeks after it."""
    return events[-1].time + chance.choice(
        [timedelta(0), timedelta(days=chance.randrange(45), hours=chance.randrange(24))]
    )


@given(chances, policies)
def test_in_any_order_and_told_twice_figures_are_those_of_all_events_at_once(
    chance: random.Random, rules: Policies
) -> None:
    events = town(chance, timedelta(days=29))
    fold = customers_fold_of(arrived(events, chance), rules, batch=chance.randint(1, 9))
    assert_equals_the_naive(fold, events, rules, some_day(chance, events))


@given(chances, policies)
def test_figures_are_the_same_however_few_places_are_remembered(chance: random.Random, rules: Policies) -> None:
    events = town(chance, timedelta(days=29))
    with patch.object(places, "_REMEMBERED", 1):
        fold = customers_fold_of(arrived(events, chance), rules, batch=chance.randint(1, 9))
    assert_equals_the_naive(fold, events, rules, some_day(chance, events))


@given(chances, policies)
def test_over_a_year_figures_are_those_of_all_events_though_most_is_forgotten(
    chance: random.Random, rules: Policies
) -> None:
    events = with_forgotten(town(chance, timedelta(days=400), most=3, each=60), chance)
    fold, applied, committed = CustomersFold(rules), 0, 0
    while applied < len(events):
        some = events[applied : applied + chance.randint(1, 9)]
        apply(fold, some, first=applied)
        applied += len(some)
        if chance.random() < 0.3:
            fold.settle()
            committed = chance.randint(committed, applied)
            fold.committed(committed)  # what is over may go
    fold.settle()
    assert_equals_the_naive(fold, events, rules, some_day(chance, events))


@given(chances, policies)
def test_of_who_is_forgotten_nothing_is_left_once_that_is_durable_and_what_was_counted_stays(
    chance: random.Random, rules: Policies
) -> None:
    events = with_forgotten(town(chance, timedelta(days=29)), chance)
    fold = customers_fold_of(events, rules, batch=chance.randint(1, 9))
    fold.committed(len(events))
    fold.settle()

    last = {event.subject: event for event in events}
    here = {subject for subject, event in last.items() if isinstance(event, get_args(CustomerEvent))}
    gone = {subject for subject in here if isinstance(last[subject], CustomerForgotten)}
    assert fold.customers.keys() <= {NO_SECRET.digest("acme", subject) for subject in here - gone}
    assert_equals_the_naive(fold, events, rules, some_day(chance, events))


@given(chances, policies, st.integers(2, 4))
def test_what_several_partitions_show_is_together_what_one_would_show(
    chance: random.Random, rules: Policies, partitions: int
) -> None:
    events = with_forgotten(town(chance, timedelta(days=60), most=6), chance)
    at, home = some_day(chance, events), {event.subject: chance.randrange(partitions) for event in events}
    folds = [
        customers_fold_of([event for event in events if home[event.subject] == number], rules)
        for number in range(partitions)
    ]

    together = merged(snapshot for fold in folds for _, snapshot in fold.snapshots(at))

    assert together == merged(snapshot for _, snapshot in customers_fold_of(events, rules).snapshots(at))


@given(chances, policies)
def test_a_crash_anywhere_changes_no_figure(chance: random.Random, rules: Policies) -> None:
    town_events = with_forgotten(town(chance, timedelta(days=29)), chance)
    # Who is forgotten is forgotten at that place: of these the order matters.
    events = arrived(town_events, chance) if not any(map(is_forgotten, town_events)) else town_events
    written, crashed = sorted(chance.randint(0, len(events)) for _ in range(2))
    fold = customers_fold_of(events[:written], rules)
    # The rows of a checkpoint were written; its offset may not have been.
    committed = chance.randint(0, written)
    fold.committed(committed)
    fold.settle()
    again = restarted(fold, rules)
    apply(again, events[committed:crashed], first=committed, batch=chance.randint(1, 5))
    apply(again, events[crashed:], first=crashed)
    again.settle()
    at = some_day(chance, sorted(events, key=lambda one: one.time))
    assert_equals_the_naive(again, events, rules, at)


def is_forgotten(event: Event) -> bool:
    """Tell whether an event has a customer forgotten."""
    return isinstance(event, CustomerForgotten)


def restarted(fold: CustomersFold, rules: Policies) -> CustomersFold:
    """Return a fold that has read the rows of another one, as bytes."""
    again = CustomersFold(rules)
    for name, codec in (("customer_counts", CUSTOMER_COUNTS), ("customers", CUSTOMER_ROWS), ("carts", CART_ROWS)):
        for key, row in fold.tables[name].items():
            read = codec.decode_row(codec.encode_row(row))
            again.tables[name].load(codec.decode_key(codec.encode_key(key)), read)
    again.recovered()
    return again
