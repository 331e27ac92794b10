"""Keys of customers are changed one worker after the other, and no figure moves."""

import random
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from stream.app.replay import replay
from stream.app.topics import source_topics
from stream.core.cloudevents import Event, encode, key_of
from stream.core.family import merged
from stream.core.identity import NO_SECRET, CustomerKeys
from stream.core.policies import Policies, Rule
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.family import FAMILY
from stream.families.customers.fold import CustomersFold
from stream.families.registry import FAMILIES
from stream.runtime.routing.processor import home_of
from stream.settings import Settings
from tests.families.customers.test_customer_laws import arrived, chances, some_day, town
from tests.families.customers.told import apply, customer_event, customers_fold_of, on, snapshots_of
from tests.runtime.fakes import Crash, FakeRecord, Fate, MemoryLog
from tests.runtime.members import Member

OLD, NEW = b"o" * 64, b"n" * 64

TWICE = Policies(rules=(Rule(changes={"most_invitations": 2}),))


def handed_on(before: CustomersFold, keys: CustomerKeys) -> CustomersFold:
    """Return the fold of the next worker, with what the changelogs of the one before hold."""
    before.settle()
    after = CustomersFold(TWICE, keys=keys)
    for name, rows in before.tables.items():
        codec = FAMILY.tables[name]
        for key, row in rows.items():
            told = codec.encode_key(key), codec.encode_row(row)
            after.tables[name].load(codec.decode_key(told[0]), codec.decode_row(told[1]))
    after.recovered()
    return after


def digests(fold: CustomersFold) -> set[int]:
    """Those by which a fold knows customers."""
    return {*fold.customers}


def with_carts(events: list[Event], chance: random.Random) -> list[Event]:
    """Return events, and between them those of a few carts."""
    told = [*events]
    for number in range(chance.randint(0, 3)):
        at = on(chance.randint(1, 20))
        told.append(customer_event("cart.created", f"cart{number}", at, value=chance.randint(1, 99)))
        if chance.random() < 0.5:
            told.append(customer_event("cart.ordered", f"cart{number}", at + timedelta(hours=chance.randint(0, 3))))
    return sorted(told, key=lambda one: one.time)


@given(chances, st.lists(st.sampled_from([*permutations([OLD, NEW, b""])]), min_size=1, max_size=8))
def test_every_figure_is_the_same_whichever_key_was_the_first_when(
    chance: random.Random, orders: list[tuple[bytes, ...]]
) -> None:
    events = with_carts(town(chance, timedelta(days=60)), chance)
    told = arrived(events, chance) if chance.random() < 0.5 else events
    fold, share = CustomersFold(TWICE, keys=CustomerKeys(*orders[0])), -(-len(told) // len(orders))
    for number, order in enumerate(orders):
        fold = handed_on(fold, CustomerKeys(*order))
        apply(fold, told[number * share : (number + 1) * share], first=number * share)
        fold.settle()

    straight, at = customers_fold_of(told, TWICE), some_day(chance, events)
    assert snapshots_of(fold, at) == snapshots_of(straight, at)
    assert sorted(row.history for row in fold.customers.values()) == sorted(
        row.history for row in straight.customers.values()
    )
    assert len(fold.tables["carts"]) == len(straight.tables["carts"])


def test_a_customer_is_known_by_the_new_key_after_the_next_event_and_by_no_other() -> None:
    fold = customers_fold_of([customer_event("joined", "ann", on(1))], TWICE, keys=CustomerKeys(OLD))
    fold = handed_on(fold, CustomerKeys(NEW, OLD))
    fold.customers.drain_changed()
    apply(fold, [customer_event("asked", "ann", on(2), survey="s1")], first=1)

    old, new = (CustomerKeys(key).digest("acme", "ann") for key in (OLD, NEW))
    assert digests(fold) == {new}
    assert [(key, row is None) for key, row in fold.customers.drain_changed()] == [(new, False), (old, True)]


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)], ids=["the older key first", "the newer key first"])
def test_after_a_crash_between_the_two_the_newer_row_counts_and_the_customer_is_one(order: tuple[bytes, ...]) -> None:
    fold = customers_fold_of([customer_event("joined", "ann", on(1), monthly=10)], TWICE, keys=CustomerKeys(OLD))
    [(left_over, row)] = fold.customers.items()
    fold = handed_on(fold, CustomerKeys(NEW, OLD))
    bought = customer_event("purchased", "ann", on(2), order="o1", amount=5)
    apply(fold, [bought], first=1)
    fold.customers.put(left_over, row)
    fold = handed_on(fold, CustomerKeys(*order))
    # What the checkpoint had not committed comes again.
    apply(fold, [bought, customer_event("purchased", "ann", on(3), order="o2", amount=7)], first=1)
    fold.settle()

    everybody = snapshots_of(fold, on(3))["", "", "", ""]
    assert digests(fold) == {CustomerKeys(order[0]).digest("acme", "ann")}
    assert (everybody.present, everybody.monthly, everybody.revenue) == (1, 1000, 1200)
    assert everybody.active[-1] == (1, 1, 1)


@pytest.mark.parametrize("order", [(OLD, NEW), (NEW, OLD)], ids=["the older key first", "the newer key first"])
def test_after_a_crash_between_the_two_a_cart_is_one_and_is_abandoned_only_when_it_is_due(
    order: tuple[bytes, ...],
) -> None:
    created, changed = (
        customer_event(f"cart.{kind}", "cart", on(1, clock), value=5)
        for kind, clock in (("created", "12:00"), ("changed", "12:10"))
    )
    fold = customers_fold_of([created], TWICE, keys=CustomerKeys(OLD))
    [(left_over, row)] = fold.tables["carts"].items()
    fold = handed_on(fold, CustomerKeys(NEW, OLD))
    apply(fold, [changed], first=1)
    fold.tables["carts"].put(left_over, row)
    fold = handed_on(fold, CustomerKeys(*order))
    apply(fold, [changed], first=1)
    fold.settle()

    abandoned = [
        snapshots_of(fold, on(1, clock))["", "", "", ""].counted.window("today", CustomerCounts).carts_abandoned
        for clock in ("12:30", "13:05", "13:15")
    ]
    assert abandoned == [0, 0, 1]
    assert len(fold.tables["carts"]) == 1


def test_who_was_to_be_forgotten_is_so_by_whatever_key() -> None:
    fold = customers_fold_of([customer_event("joined", "ann", on(1))], TWICE, keys=CustomerKeys(OLD))
    fold = handed_on(fold, CustomerKeys(NEW, OLD))
    apply(fold, [customer_event("forgotten", "ann", on(2))], first=1)
    fold.committed(2)
    fold.settle()

    assert not fold.customers
    assert snapshots_of(fold, on(2))["", "", "", ""].present == 0


# A worker that dies while keys are changed, on a changelog that keeps the order of what is written.

NOON = on(40)
PARTITIONS = 2
SETTINGS = Settings(group="customers", partitions=PARTITIONS)
CHUNK = 24

NAMES = [f"c{number}" for number in range(6)]


def a_month() -> list[Event]:
    chance = random.Random(19)
    told = [customer_event("joined", name, on(1), plan="basic", monthly=10) for name in NAMES]
    for number in range(160):
        name, at = chance.choice(NAMES), on(1) + timedelta(hours=5 * number + 1)
        kind = chance.choice(["asked", "contacted", "purchased", "active"])
        told.append(customer_event(kind, name, at, **data_of(kind, number)))
        told.append(customer_event("cart.changed", f"cart-{name}", at + timedelta(minutes=5), value=number))
    return told


def data_of(kind: str, number: int) -> dict[str, Any]:
    """Return what an event tells beside the customer."""
    data: dict[str, dict[str, Any]] = {
        "asked": {"survey": f"s{number}", "queue": ("sales", "support")[number % 2]},
        "contacted": {"contact": f"k{number}"},
        "purchased": {"order": f"o{number}", "amount": number},
    }
    return data.get(kind, {})


MONTH = a_month()
EXPECTED = replay(MONTH, policies=TWICE).board(NOON).snapshots["customers"]


def member(log: MemoryLog, *keys: bytes) -> Member:
    topics: dict[TP, list[FakeRecord]] = {TP(one.name, n): [] for one in FAMILIES for n in range(PARTITIONS)}
    for event in MONTH:
        topic = topics[TP(event.topic, home_of(key_of(event), PARTITIONS))]
        topic.append(FakeRecord(len(topic), key_of(event), encode(event)))
    sources = source_topics(
        TWICE,
        customer_keys=CustomerKeys(*keys),
        partitions=PARTITIONS,
        max_queues_per_tenant=100,
        max_queues=100,
        max_customers=100,
        future_tolerance=timedelta(hours=1),
        clock=lambda: NOON,
    )
    return Member(log, topics, sources, SETTINGS, NOON)


async def finish(worker: Member) -> tuple[Any, ...]:
    while not worker.done:
        await worker.apply(CHUNK)
        assert await worker.checkpoints.write()
    return merged([one for _, fold in worker.ownership.shown() for _, one in fold.snapshots(NOON) if one is not None])


@pytest.mark.parametrize("share", [0, 0.2, 0.4, 0.5, 0.6, 0.8, 1])
@pytest.mark.parametrize("table", FAMILY.tables)
async def test_a_worker_that_dies_while_a_row_changes_its_key_changes_no_figure(table: str, share: float) -> None:
    """By three workers: of the old key, of the new one until it dies, and of whichever is started after it."""
    for order in ((NEW, OLD), (OLD, NEW)):
        first = member(MemoryLog(), OLD, NEW).begin()
        for _ in range(2):
            await first.apply(CHUNK)
            assert await first.checkpoints.write()
        second = member(first.log.shared, NEW, OLD).begin()
        await second.apply(CHUNK)
        for partition in range(PARTITIONS):
            second.log.fates[table, partition] = Fate(share, Crash(table))
        with pytest.raises(Crash):
            await second.checkpoints.write()

        heir = member(second.log.shared, *order).begin()
        assert await finish(heir) == EXPECTED
        heir.log.shared.compact()
        assert await finish(member(heir.log.shared, NEW, OLD).begin()) == EXPECTED


def test_the_month_has_customers_who_were_asked_too_often_and_who_change_their_key() -> None:
    fold = customers_fold_of(MONTH, TWICE)

    shown = snapshots_of(fold, NOON)
    assert sum(one.counted.window("30d", CustomerCounts).asked_too_often for one in shown.values()) > 10
    assert digests(fold) == {NO_SECRET.digest("acme", name) for name in NAMES}
    assert EXPECTED


def test_an_empty_change_has_a_silent_customer_go_over_to_the_new_key_and_changes_nothing() -> None:
    fold = customers_fold_of([customer_event("joined", "ann", on(1), monthly=10)], TWICE, keys=CustomerKeys(OLD))
    fold = handed_on(fold, CustomerKeys(NEW, OLD))
    before = snapshots_of(fold, on(3))
    apply(fold, [customer_event("changed", "ann", on(2))], first=1)
    fold.settle()

    assert digests(fold) == {CustomerKeys(NEW).digest("acme", "ann")}
    assert snapshots_of(fold, on(3)) == before
