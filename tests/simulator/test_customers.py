from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.core.cloudevents import Event, EventDecoder, encode, tag_of
from stream.families.customers import events as e
from stream.simulator.customers.lives import REFERRED, RETURNS
from stream.simulator.customers.matters import ANSWERING, HANDED_OVER, SERVED
from stream.simulator.customers.plan import SUBSCRIPTIONS
from stream.simulator.customers.quarter import simulated_quarter
from stream.simulator.customers.shop import ORDERED_AT_ONCE, RECOVERED, REFUNDED

START = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
MANY = 4000
DAY = timedelta(days=1)
IDLE = timedelta(hours=1)


@pytest.fixture(scope="module")
def quarter() -> list[Event]:
    return list(simulated_quarter(3, MANY, START))


def of(kind: type[Event], events: Iterable[Event]) -> list[Event]:
    return [event for event in events if type(event) is kind]


def by_subject(events: Iterable[Event]) -> dict[str, list[Event]]:
    told: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        told[event.subject].append(event)
    return told


def first_contacts(events: Iterable[Event]) -> list[Event]:
    return [event for event in of(e.CustomerContacted, events) if not event.data.message]


def carts(events: Iterable[Event]) -> Sequence[Sequence[Event]]:
    return [*by_subject(event for event in events if isinstance(event, e.CartEvent)).values()]


@given(st.integers(0, 2**32), st.integers(1, 60))
def test_events_come_in_the_order_of_time_each_once_and_within_a_hundred_days(seed: int, customers: int) -> None:
    events = list(simulated_quarter(seed, customers, START))
    times = [event.time for event in events]

    assert times == sorted(times)
    assert min(times) >= START
    assert max(times) < START + 100 * DAY
    assert len({event.id for event in events}) == len(events)


def test_the_same_seed_gives_the_same_quarter_and_another_one_another() -> None:
    def begin(seed: int) -> list[Event]:
        return list(islice(simulated_quarter(seed, 200, START), 2000))

    assert begin(1) == begin(1)
    assert begin(1) != begin(2)


def test_every_kind_of_event_comes_to_pass_and_is_valid(quarter: list[Event]) -> None:
    decoder = EventDecoder(e.EVENTS)

    assert {tag_of(event) for event in quarter} == {tag_of(kind) for kind in e.EVENTS}
    assert all(decoder.decode(encode(event)) == event for event in quarter)


def test_a_quarter_has_about_22_events_for_each_customer(quarter: list[Event]) -> None:
    assert 19 < len(quarter) / MANY < 25


def test_a_start_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        simulated_quarter(1, 10, START.replace(tzinfo=None))


# They come and go.


@given(st.integers(0, 2**32))
def test_whoever_has_left_does_nothing_until_they_are_back(seed: int) -> None:
    for told in by_subject(simulated_quarter(seed, 80, START)).values():
        for before, event in pairwise(event for event in told if isinstance(event, e.CustomerEvent)):
            gone = isinstance(before, e.CustomerLeft)
            assert not gone or isinstance(event, e.CustomerJoined | e.CustomerForgotten)


@given(st.integers(0, 2**32))
def test_no_cart_is_ordered_by_somebody_who_has_left(seed: int) -> None:
    there: set[str] = set()
    for event in simulated_quarter(seed, 80, START):
        if isinstance(event, e.CustomerJoined):
            there.add(event.subject)
        elif isinstance(event, e.CustomerLeft):
            there.remove(event.subject)
        elif isinstance(event, e.CartOrdered):
            assert event.data.customer in there


def test_whoever_was_a_customer_before_is_told_of_in_the_first_days(quarter: list[Event]) -> None:
    first_days = [event for event in of(e.CustomerJoined, quarter) if event.time < START + 5 * DAY]

    assert MANY <= len(first_days) < MANY * 1.02
    assert sum(event.data.revenue_before > 0 for event in first_days) > 0.9 * MANY


def test_a_few_percent_leave_in_a_month_and_of_the_dearest_plan_the_fewest() -> None:
    events = list(simulated_quarter(5, 20_000, START))
    plans: dict[str, str] = {}
    left: Counter[str] = Counter()
    for event in events:
        if isinstance(event, e.CustomerJoined | e.CustomerChanged):
            plans[event.subject] = event.data.plan or ""
        elif isinstance(event, e.CustomerLeft):
            left[plans[event.subject]] += 1

    # Of the 100 days some 95 are after the joins of those who were there before: three months and a bit.
    there, months = Counter(plans.values()), 96 / 30
    for plan in SUBSCRIPTIONS:
        assert left[plan.name] / there[plan.name] / months == pytest.approx(plan.churn, rel=0.2)


def test_some_come_back_and_some_were_referred(quarter: list[Event]) -> None:
    joined = [event for event in of(e.CustomerJoined, quarter) if event.time > START + 5 * DAY]
    new = {event.subject for event in joined} - {event.subject for event in of(e.CustomerLeft, quarter)}
    referred = [event for event in joined if event.data.referred]

    assert len(referred) / len(new) == pytest.approx(REFERRED, abs=0.04)
    left = Counter(event.subject for event in of(e.CustomerLeft, quarter))
    back = [event for event in joined if event.subject in left and not event.data.referred]
    # Some of them come after the quarter.
    assert 0 < len(back) / left.total() < RETURNS + 0.15


# They buy.


def test_37_percent_of_carts_are_ordered_and_some_of_them_after_an_idle_hour(quarter: list[Event]) -> None:
    # A cart of the last days may not be over yet.
    over = [cart for cart in carts(quarter) if cart[0].time < START + 97 * DAY]
    ordered = [cart for cart in over if isinstance(cart[-1], e.CartOrdered)]
    recovered = [cart for cart in ordered if max(after.time - before.time for before, after in pairwise(cart)) > IDLE]

    assert len(ordered) / len(over) == pytest.approx(ORDERED_AT_ONCE + RECOVERED, abs=0.02)
    assert len(recovered) / len(over) == pytest.approx(RECOVERED, abs=0.01)


def test_a_cart_is_created_changed_up_to_four_times_checked_out_and_ordered(quarter: list[Event]) -> None:
    for cart in carts(quarter):
        kinds = [type(event) for event in cart]
        changes = kinds.count(e.CartChanged)
        way = [e.CartCreated, *[e.CartChanged] * changes, e.CartCheckedOut, e.CartOrdered]

        assert changes <= 4
        assert kinds == way[: len(kinds)]


def test_money_is_paid_back_for_some_orders_and_only_for_what_was_ordered(quarter: list[Event]) -> None:
    paid = {
        event.data.order: event.data.amount if isinstance(event, e.CustomerPurchased) else event.data.value
        for event in quarter
        if isinstance(event, e.CustomerPurchased | e.CartOrdered)
    }
    back = of(e.CustomerRefunded, quarter)

    assert all(event.data.amount <= paid[event.data.order] for event in back)
    assert len(back) / len(paid) == pytest.approx(REFUNDED, abs=0.012)


# They come to us.


def test_about_a_fifth_of_contacts_are_repeats_within_seven_days(quarter: list[Event]) -> None:
    came = [event for event in first_contacts(quarter) if event.time > START + 10 * DAY]
    latest: dict[tuple[str, str], datetime] = {}
    repeats = 0
    for event in came:
        matter = event.subject, event.data.queue
        before = latest.get(matter)
        repeats += before is not None and event.time - before <= 7 * DAY
        latest[matter] = event.time

    assert repeats / len(came) == pytest.approx(0.2, abs=0.03)


def test_a_purchase_raises_the_contacts_of_the_thirty_days_after_it_and_chats_most_of_all(
    quarter: list[Event],
) -> None:
    came = defaultdict(list)
    for event in first_contacts(quarter):
        came[event.subject].append(event)
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for event in of(e.CustomerPurchased, quarter):
        # Only where both spells are in the quarter, and all customers have been told of.
        if START + 35 * DAY < event.time < START + 70 * DAY:
            for contact in came[event.subject]:
                passed = contact.time - event.time
                before[contact.data.channel] += -30 * DAY <= passed < timedelta(0)
                after[contact.data.channel] += timedelta(0) < passed <= 30 * DAY

    rise = {channel: after[channel] / before[channel] for channel in after}
    assert 1.3 < after.total() / before.total() < 2.6
    assert max(rise, key=lambda channel: rise[channel]) == "chat"
    assert rise["chat"] > 1.5 * rise["voice"]


def test_most_contacts_are_served_some_handed_over_and_some_asked(quarter: list[Event]) -> None:
    came = first_contacts(quarter)
    asked = Counter(event.data.what for event in of(e.CustomerAsked, quarter))

    assert sum(event.data.served for event in came) / len(came) == pytest.approx(SERVED, abs=0.02)
    assert len(of(e.CustomerHandedOver, quarter)) / len(came) == pytest.approx(SERVED * HANDED_OVER, abs=0.02)
    assert 0.6 < len(of(e.CustomerSolved, quarter)) / len(came) < 0.8
    assert asked["answered"] / asked["invited"] == pytest.approx(ANSWERING, abs=0.03)


def test_what_is_told_of_a_contact_is_told_after_it_came_and_of_the_same_customer(quarter: list[Event]) -> None:
    customer_of = {event.data.contact: event.subject for event in first_contacts(quarter)}
    came = set()
    for event in quarter:
        if isinstance(event, e.CustomerContacted):
            came.add(event.data.contact)
        elif isinstance(event, e.CustomerHandedOver | e.CustomerSolved):
            assert event.data.contact in came
            assert customer_of[event.data.contact] == event.subject
