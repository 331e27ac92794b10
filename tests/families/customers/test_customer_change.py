"""What an event changes, found by a short way or a long one, is what all facts together differ by."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import time
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from stream.families.customers.account import account_facts
from stream.families.customers.change import enter, touch
from stream.families.customers.history import AccountKind, CustomerPlace, History, Told, Touch, entry_of
from stream.families.customers.local_days import LocalDays
from stream.families.customers.matters import (
    NOWHERE,
    CustomerFact,
    asked_facts,
    came_facts,
    contacts_in,
    journey_facts,
    matter_facts,
    matter_of,
)

MINUTE_MS = 60_000
DAY_MS = 1440 * MINUTE_MS
FIRST_MS = 20_000 * DAY_MS
LONGEST_DAYS = 100
"""Nothing is so old that it is forgotten."""

PLACES = (
    CustomerPlace("support", "voice", "support", 7 * DAY_MS, 2, 10 * DAY_MS),
    CustomerPlace("support", "chat", "support", 2 * DAY_MS, 2, 10 * DAY_MS),
    CustomerPlace("sales", "voice", "sales", 30 * DAY_MS, 1, 30 * DAY_MS),
    CustomerPlace(NOWHERE, "", "", 7 * DAY_MS, 2, 10 * DAY_MS),
    CustomerPlace("support", "voice", "topic bill", 7 * DAY_MS, 2, 10 * DAY_MS, tells_topic=True),
    CustomerPlace(NOWHERE, "", "topic login", 7 * DAY_MS, 2, 10 * DAY_MS, tells_topic=True),
)

NEXT_DAY = LocalDays(ZoneInfo("Europe/Ljubljana"), time(4)).next_day
DAYS = [NEXT_DAY] * (len(PLACES) + 1)

KINDS = (*[Touch.CAME, Touch.SERVED, Touch.SOLVED] * 3, Touch.MESSAGE, Touch.HANDED_OVER, Touch.IS_WITH, Touch.ASKED)

chances = st.integers(0, 2**32).map(random.Random)


def facts_of(history: History) -> Counter[tuple[int, int, object]]:
    """Return all that a history counts for, field by field."""
    contacts = contacts_in(history.touchpoints, PLACES)
    facts = asked_facts(history.touchpoints, PLACES) + account_facts(history.account, NEXT_DAY)
    facts += journey_facts([*contacts.values()], PLACES, history.account, NEXT_DAY)
    for matter in {place.matter for place in PLACES}:
        of_it = [one for one in contacts.values() if matter_of(one, PLACES) == matter]
        facts += matter_facts(of_it, PLACES, DAYS)
    if history.account:
        facts += came_facts(contacts.values(), PLACES)
    return by_field(facts)


def by_field(facts: Iterable[CustomerFact]) -> Counter[tuple[int, int, object]]:
    counted: Counter[tuple[int, int, object]] = Counter()
    for place, at_ms, fields, number in facts:
        for field in [fields] if isinstance(fields[-1], int) else fields:
            counted[place, at_ms, field] += number
    return counted


def less(one: Counter[tuple[int, int, object]], other: Counter[tuple[int, int, object]]) -> dict[object, int]:
    return {key: one[key] - other[key] for key in {*one, *other} if one[key] != other[key]}


def add_one(history: History, chance: random.Random, at_ms: int) -> None:
    """Add an event to a history, and claim that it changes what all facts differ by, and takes nothing back in vain."""
    before = facts_of(history)
    if chance.random() < 0.8:
        touched = (at_ms << 16 | chance.choice(KINDS) << 8 | chance.randrange(len(PLACES)), chance.randrange(6))
        change = touch(history, touched, PLACES, DAYS)
    else:
        kind = chance.choice([AccountKind.JOINED, AccountKind.LEFT, AccountKind.CHANGED, *[AccountKind.PURCHASED] * 3])
        told = Told.MONTHLY * chance.randrange(2) if kind in {AccountKind.JOINED, AccountKind.CHANGED} else 0
        reference = chance.randrange(1, 5) if kind == AccountKind.PURCHASED else 0
        change = enter(history, [entry_of(at_ms, kind, reference, chance.randrange(3), told=told)], PLACES, DAYS)
    gone, new = ([], []) if change is None else (change.gone, change.new)

    assert less(by_field(new), by_field(gone)) == less(facts_of(history), before)
    assert not {*gone} & {*new}


@given(chances, st.integers(1, 30))
def test_an_event_in_its_turn_changes_what_all_facts_differ_by(chance: random.Random, number: int) -> None:
    history = History()
    for minute in sorted(chance.sample(range(LONGEST_DAYS * 1440), number)):
        add_one(history, chance, FIRST_MS + minute * MINUTE_MS)


@given(chances, st.integers(1, 20))
@example(random.Random(1), 20)
def test_so_does_an_event_that_comes_late(chance: random.Random, number: int) -> None:
    history = History()
    for minute in chance.sample(range(29 * 1440), number):
        add_one(history, chance, FIRST_MS + minute * MINUTE_MS)


@given(chances, st.integers(0, 30))
def test_a_history_reads_as_it_was_written_whatever_was_added_to_it(chance: random.Random, number: int) -> None:
    written = History()
    for minute in chance.sample(range(29 * 1440), number):
        add_one(written, chance, FIRST_MS + minute * MINUTE_MS)
        read = History(written.pack())

        assert (read.touchpoints, read.account) == (written.touchpoints, written.account)
        assert (read.active_on, read.paid_before) == (written.active_on, written.paid_before)
        written = read
