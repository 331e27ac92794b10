"""
A worker that dies at any step of a checkpoint changes no figure of customers, whatever family they were told by.

What is derived goes to the topic of customers, and the next worker reads it from there, as from a broker.
"""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import pytest
from faust.types import TP

from stream.app.policy_file import policies_of
from stream.app.replay import replay
from stream.app.topics import source_topics
from stream.core.cloudevents import Event, encode, key_of
from stream.core.family import merged
from stream.core.identity import CustomerKeys
from stream.families.customers.events import CustomerForgotten, CustomerJoined
from stream.families.customers.family import FAMILY
from stream.families.customers.snapshot import CustomersSnapshot
from stream.families.customers.tables import CUSTOMER_ROWS
from stream.families.registry import FAMILIES
from stream.runtime.routing.processor import home_of
from stream.settings import Settings
from stream.simulator import demo_centre, simulate
from stream.simulator.customers.quarter import simulated_quarter
from tests.families.customers.told import counts_of, customer_event
from tests.runtime.fakes import Crash, FakeRecord, Fate, MemoryLog
from tests.runtime.members import Member

pytestmark = pytest.mark.slow

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PARTITIONS = 2
SETTINGS = Settings(group="customers", partitions=PARTITIONS)
CHUNK = 80
KEYS = CustomerKeys(b"k" * 64)
POLICIES = policies_of('[defaults]\nsolved_dispositions = ["solved"]\n', "policies")

STEPS = ["begun", "cut", "written 0", "committed", "told"]
FATES = [f"{table} {share}" for table in FAMILY.tables for share in (0, 0.5, 1)]


def told() -> list[Event]:
    """
    A quarter of few customers, and half an hour of a centre; some events come twice, some customers are forgotten.

    Only such of whom no other family tells: what is derived may come before they are forgotten or after.
    """
    chance, events = random.Random(7), []
    half_an_hour = simulate(
        demo_centre(), start=NOON - timedelta(minutes=30), end=NOON, seed=7, customers_before=timedelta(hours=30)
    )
    quarter = simulated_quarter(seed=7, customers=20, start=NOON - timedelta(days=101))
    weeks = takewhile(lambda event: event.time < NOON - timedelta(hours=31), quarter)
    for event in (*weeks, *half_an_hour):
        events.append(event)
        if chance.random() < 0.2:
            events.append(chance.choice(events[-40:]))
    own = [event for event in events if event.tenantid == "northwind"]
    named = {getattr(event.data, "customer", None) for event in own}
    known = {event.subject for event in own if isinstance(event, CustomerJoined)} - named
    return [*events, *(customer_event("forgotten", one, NOON, tenant="northwind") for one in sorted(known)[::20])]


TOLD = told()


def topics_of(log: MemoryLog) -> dict[TP, list[FakeRecord]]:
    """Return the topics, each as a list of the log: so what is derived is appended to that of customers."""
    topics = {TP(one.name, n): log.changelogs[one.name, n] for one in FAMILIES for n in range(PARTITIONS)}
    if not any(topics.values()):
        for event in TOLD:
            topic = topics[TP(event.topic, home_of(key_of(event), PARTITIONS))]
            topic.append(FakeRecord(len(topic), key_of(event), encode(event)))
    return topics


def member(log: MemoryLog) -> Member:
    sources = source_topics(
        POLICIES,
        customer_keys=KEYS,
        partitions=PARTITIONS,
        max_queues_per_tenant=1000,
        max_queues=1000,
        max_customers=100_000,
        future_tolerance=timedelta(hours=1),
        clock=lambda: NOON,
    )
    return Member(log, topics_of(log), sources, SETTINGS, NOON)


Shown = dict[tuple[str, ...], tuple[Any, ...]]


def shown(snapshots: Iterable[CustomersSnapshot]) -> Shown:
    """Return what is shown of each part; corrections depend on the order in which events come."""
    return {
        one.key: (one.present, one.monthly, one.revenue, one.active, *(counts_of(one, name) for name in FAMILY.windows))
        for one in merged(snapshots)
    }


EXPECTED = shown(replay(TOLD, policies=POLICIES).board(NOON).snapshots["customers"])


def customers_of(worker: Member) -> Shown:
    folds = [fold for feed, fold in worker.ownership.shown() if feed.topic == "customers"]
    return shown(snapshot for fold in folds for _, snapshot in fold.snapshots(NOON) if snapshot is not None)


async def finish(worker: Member) -> Shown:
    while not worker.done:
        await worker.apply(CHUNK)
        assert await worker.checkpoints.write()
    return customers_of(worker)


def compact(log: MemoryLog) -> None:
    """Compact the changelogs, and not the topics."""
    names = {family.name for family in FAMILIES}
    topics = {place: [*records] for place, records in log.changelogs.items() if place[0] in names}
    log.compact()
    for place, records in topics.items():
        log.changelogs[place][:] = records


def test_there_is_something_of_every_table_and_kind_to_lose() -> None:
    assert {event.topic for event in TOLD} >= {"contacts", "cases", "customers"}
    everybody = EXPECTED["northwind", "", "", "", ""]
    assert everybody[0] > 300
    assert any(key[1] for key in EXPECTED)
    assert sum(one[-1].get("carts_created", 0) for one in EXPECTED.values()) > 10
    assert sum(isinstance(event, CustomerForgotten) for event in TOLD) > 10


@pytest.mark.parametrize("step", [*STEPS, *FATES, "commit 0", "commit 1"])
async def test_a_worker_that_dies_at_any_step_of_a_checkpoint_changes_no_figure_of_customers(step: str) -> None:
    for checkpoints in (1, 2):
        worker = member(MemoryLog()).begin()
        for _ in range(checkpoints):
            await worker.apply(CHUNK)
            assert await worker.checkpoints.write()
        await worker.apply(CHUNK)
        if step in STEPS:
            worker.crash_at = step
        else:
            request, _, share = step.partition(" ")
            for partition in range(1 if request == "commit" else PARTITIONS):
                worker.log.fates[request, partition] = Fate(float(share), Crash(step))
        with pytest.raises(Crash):
            await worker.checkpoints.write()

        heir = member(worker.log.shared).begin()
        assert await finish(heir) == EXPECTED
        compact(heir.log.shared)
        assert customers_of(member(heir.log.shared).begin()) == EXPECTED


async def test_of_who_is_forgotten_the_compacted_changelogs_have_nothing_but_tombstones() -> None:
    log = MemoryLog()
    worker = member(log).begin()
    await finish(worker)
    # What is erased goes once that is durable: with what comes next.
    for n in range(PARTITIONS):
        for number in range(2):
            event = customer_event("active", f"new-{n}-{number}", NOON, tenant="northwind")
            topic = log.changelogs["customers", n]
            topic.append(FakeRecord(len(topic), key_of(event), encode(event)))
            worker.topics["customers", n] = topic  # type: ignore[index]  # a TP is a tuple
            await worker.apply(CHUNK)
            assert await worker.checkpoints.write()

    gone = {event.subject for event in TOLD if isinstance(event, CustomerForgotten)}
    keys = {CUSTOMER_ROWS.encode_key(KEYS.digest("northwind", one)) for one in gone}
    changelogs = {
        place: records for place, records in log.changelogs.items() if place[0].endswith("-customers-changelog")
    }
    written = {record.key for records in changelogs.values() for record in records if record.value is not None}
    assert keys <= written, "they were known"
    compact(log)
    left = [record for records in changelogs.values() for record in records if record.key in keys]
    assert all(record.value is None for record in left)
    every = [record for place, records in log.changelogs.items() if "changelog" in place[0] for record in records]
    names = [one.encode() for one in gone]
    assert not any(
        name in part for record in every for part in (record.key or b"", record.value or b"") for name in names
    )
