"""Keys of customers are changed one worker after the other, and no figure moves; no id of a customer is ever kept."""

import random
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from stream.app.replay import replay
from stream.app.topics import source_topics
from stream.core.cloudevents import Event, encode, key_of
from stream.core.identity import NO_SECRET, CustomerKeys
from stream.core.policies import Policies, Rule
from stream.families.registry import FAMILIES
from stream.families.surveys.family import FAMILY
from stream.families.surveys.fold import SurveysFold
from stream.runtime.routing.processor import home_of
from stream.settings import Settings
from tests.families.surveys.told import on, snapshots_of, survey_event, surveys_fold_of
from tests.runtime.fakes import Crash, FakeRecord, Fate, MemoryLog
from tests.runtime.members import Member

OLD, NEW = b"o" * 64, b"n" * 64

END = on(80)
TWICE = Policies(rules=(Rule(changes={"most_invitations": 2}),))


def handed_on(before: SurveysFold, keys: CustomerKeys) -> SurveysFold:
    """Return the fold of the next worker, with what the changelogs of the one before hold."""
    before.settle()
    after = SurveysFold(TWICE, customer_keys=keys)
    for name, rows in before.tables.items():
        codec = FAMILY.tables[name]
        for key, row in rows.items():
            told = codec.encode_key(key), codec.encode_row(row)
            after.tables[name].load(codec.decode_key(told[0]), codec.decode_row(told[1]))
    after.recovered()
    return after


def customers_of(fold: SurveysFold) -> set[int]:
    """The digests by which a fold knows customers."""
    return {digest for _, _, digest in fold.customers}


@st.composite
def invitations(draw: st.DrawFn) -> list[Event]:
    """Invitations of a few customers by two queues, some of them late, and some told twice."""
    told = [
        survey_event(
            "invited",
            f"s{draw(st.integers(0, 30))}",
            on(draw(st.integers(1, 79))),
            customer=draw(st.sampled_from(["ann", "bob", "none"])),
            queue=draw(st.sampled_from(["sales", "support"])),
        )
        for _ in range(draw(st.integers(1, 25)))
    ]
    return told if draw(st.booleans()) else sorted(told, key=lambda one: one.time)


@given(invitations(), st.lists(st.sampled_from([*permutations([OLD, NEW, b""])]), min_size=1, max_size=8))
def test_whoever_was_asked_too_often_is_so_whichever_key_was_the_first_when(
    told: list[Event], orders: list[tuple[bytes, ...]]
) -> None:
    fold, share = SurveysFold(TWICE, customer_keys=CustomerKeys(*orders[0])), -(-len(told) // len(orders))
    for number, order in enumerate(orders):
        fold = handed_on(fold, CustomerKeys(*order))
        events = told[number * share : (number + 1) * share]
        assert not fold.apply(events, range(number * share, number * share + len(events))).failed
        fold.settle()

    straight = surveys_fold_of(told, TWICE)
    assert snapshots_of(fold, END) == snapshots_of(straight, END)
    assert sorted(row.invitations for row in fold.customers.values()) == sorted(
        row.invitations for row in straight.customers.values()
    )


def test_a_customer_is_known_by_the_new_key_after_the_next_invitation_and_by_no_other() -> None:
    fold = SurveysFold(TWICE, customer_keys=CustomerKeys(OLD))
    fold.apply([survey_event("invited", "s1", on(1), customer="ann")], [0])
    fold = handed_on(fold, CustomerKeys(NEW, OLD))
    fold.tables["survey_customers"].drain_changed()
    fold.apply([survey_event("invited", "s2", on(2), customer="ann")], [1])

    old, new = (CustomerKeys(key).digest("acme", "ann") for key in (OLD, NEW))
    assert customers_of(fold) == {new}
    assert [(key[2], row is None) for key, row in fold.customers.drain_changed()] == [(new, False), (old, True)]


def test_after_a_crash_between_the_two_the_newer_row_counts_whichever_key_is_the_first() -> None:
    fold = SurveysFold(TWICE, customer_keys=CustomerKeys(OLD))
    fold.apply([survey_event("invited", "s1", on(1), customer="ann")], [0])
    [(left_over, row)] = fold.customers.items()
    fold = handed_on(fold, CustomerKeys(NEW, OLD))
    fold.apply([survey_event("invited", "s2", on(2), customer="ann")], [1])
    fold.customers.put(left_over, row)
    fold = handed_on(fold, CustomerKeys(OLD, NEW))
    fold.apply([survey_event("invited", "s3", on(3), customer="ann")], [2])

    [(key, kept)] = fold.customers.items()
    assert key == left_over
    assert [(one.survey, one.too_often) for one in kept.invitations] == [("s1", False), ("s2", False), ("s3", True)]


def test_a_key_may_go_when_no_invitation_of_its_time_is_kept_any_more() -> None:
    fold = SurveysFold(TWICE, customer_keys=CustomerKeys(OLD))
    fold.apply([survey_event("invited", "s1", on(1), customer="silent")], [0])
    fold = handed_on(fold, CustomerKeys(NEW, OLD))
    fold.committed(1)
    sizes = []
    for number, day in enumerate((191, 192), 1):
        fold.apply([survey_event("invited", f"late{day}", on(day), customer="ann")], [number])
        fold.settle()
        sizes.append(len(fold.customers))

    assert sizes == [2, 1]
    assert customers_of(fold) == {CustomerKeys(NEW).digest("acme", "ann")}


# A worker that dies while keys are changed, on a changelog that keeps the order of what is written.

NOON = on(40)
PARTITIONS = 2
SETTINGS = Settings(group="surveys", partitions=PARTITIONS)
CHUNK = 12


def a_month() -> list[Event]:
    chance = random.Random(19)
    return [
        survey_event(
            "invited",
            f"s{number}",
            on(1) + timedelta(hours=8 * number),
            customer=f"c{chance.randrange(6)}",
            queue=chance.choice(["sales", "support", "claims"]),
        )
        for number in range(110)
    ]


MONTH = a_month()
EXPECTED = replay(MONTH, policies=TWICE).board(NOON).snapshots["surveys"]


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
        max_customers=100_000,
        future_tolerance=timedelta(hours=1),
        clock=lambda: NOON,
    )
    return Member(log, topics, sources, SETTINGS, NOON)


async def finish(worker: Member) -> tuple[Any, ...]:
    while not worker.done:
        await worker.apply(CHUNK)
        assert await worker.checkpoints.write()
    shown = [one for _, fold in worker.ownership.shown() for _, one in fold.snapshots(NOON)]
    return tuple(sorted(filter(None, shown), key=lambda one: one.key))


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


def test_the_month_has_customers_who_were_asked_too_often_and_change_their_key() -> None:
    fold = surveys_fold_of(MONTH, TWICE)

    assert sum(one.too_often for row in fold.customers.values() for one in row.invitations) > 10
    assert {NO_SECRET.digest("acme", f"c{number}") for number in range(6)} == customers_of(fold)
    assert EXPECTED
    assert datetime(2026, 12, 1, tzinfo=UTC) < NOON
