"""What the benchmarks rest on: even material, honest ages, every sample in one room; and a small run of a worker."""

import asyncio
from collections import Counter
from itertools import islice

import pytest

from bench.brokers import Broker
from bench.crew import race
from bench.day import Day, filled_broker
from bench.growth import InMemory
from bench.latency import Scrape, ages_of
from bench.live import Acknowledged, probe_of
from bench.lives import EVENTS_OF_A_CONTACT, LONGEST_LIFE, lives
from bench.material import Sent, by_home
from bench.profile import room_of
from bench.report import at_least, at_most, fact, table
from bench.soak import OUTCOMES
from bench.throughput import ceiling
from stream.app.catalogue import CATALOGUE
from stream.core.cloudevents import key_of
from stream.core.metric import Kind
from stream.families.registry import DECODER
from stream.runtime.routing.processor import home_of


@pytest.mark.parametrize(("queues", "still_open"), [(10, 50), (1000, 50), (10, 500)])
def test_every_step_has_the_same_kinds_of_events_whatever_the_sizes(queues: int, still_open: int) -> None:
    steps = islice(lives(queues, still_open), still_open + LONGEST_LIFE, still_open + LONGEST_LIFE + 20)

    kinds = [Counter(type(DECODER.decode(sent.value)).__name__ for sent in step) for step in steps]

    assert len(kinds[0]) == kinds[0].total() == EVENTS_OF_A_CONTACT
    assert kinds == kinds[:1] * 20


def test_events_are_the_same_but_for_their_queues() -> None:
    few, many = ([sent for step in islice(lives(queues, 10), 5000) for sent in step] for queues in (10, 1000))

    assert [(DECODER.decode(a.value).time, DECODER.decode(a.value).id, len(a.value)) for a in few] == [
        (DECODER.decode(b.value).time, DECODER.decode(b.value).id, len(b.value)) for b in many
    ]
    assert (len({sent.key for sent in few}), len({sent.key for sent in many})) == (10, 1000)


def test_as_many_contacts_wait_as_were_asked_for() -> None:
    job, steps = InMemory(), lives(10, 300)

    job.fold(by_home((sent for step in islice(steps, 6000) for sent in step), 16))

    assert sum(len(queue.phases.waiting) for fold in job.folds for queue in fold.queues.values()) == 300


def test_records_lie_where_kafka_would_put_them_under_the_key_of_their_event() -> None:
    records = [sent for step in islice(lives(50, 10), 200) for sent in step]

    shares = by_home(records, 16)

    assert sorted(sent for share in shares for sent in share) == sorted(records)
    assert all(home_of(sent.key, 16) == home for home, share in enumerate(shares) for sent in share)
    assert all(sent == Sent(key_of(DECODER.decode(sent.value)), sent.value) for sent in records)


def test_a_probe_lies_in_its_own_partition() -> None:
    homes = [home_of(f"default/{probe_of(partition, 16)}".encode(), 16) for partition in range(16)]

    assert homes == list(range(16))


def test_a_page_is_as_old_as_the_newest_probe_it_knows_partition_by_partition() -> None:
    sent = Acknowledged(began=0, ended=10, events=9, latest_seconds=0, probes=[[1.0, 2.0, 3.0], [1.5], [2.5]])

    # It knows two of three, all there are, and none of which it should know.
    ages = ages_of(Scrape(asked_at=3.9, read_at=4.0, counted={0: 2, 1: 1}), sent)

    assert ages == [2.0, 2.5, 4.0]


@pytest.mark.parametrize(
    ("stack", "room"),
    [
        (
            "run (bench/worker.py;_apply (stream/runtime/routing/processor.py;decode (stream/core/cloudevents.py",
            "decode",
        ),
        (
            "run (bench/worker.py;_apply (stream/runtime/routing/processor.py;take (stream/families/contacts/x.py",
            "fold",
        ),
        (
            "Checkpoints._cut (stream/runtime/checkpoint/checkpoint.py;encode_row (stream/core/row_codec.py",
            "checkpoint: cut",
        ),
        ("_fetch_batches (stream/runtime/kafka/consumer_thread.py;__next__ (aiokafka/consumer/fetcher.py", "fetch"),
        ("run_forever (asyncio/base_events.py", "event loops"),
    ],
)
def test_a_sample_is_counted_in_the_room_where_the_time_goes(stack: str, room: str) -> None:
    assert room_of(stack.split(";")).startswith(room)


def test_the_table_says_which_promises_are_missed() -> None:
    rows = table([at_least("rate", 9, 10), at_most("growth", 1.2, 1.3, "{:.1f}"), fact("size", "7")]).splitlines()

    assert rows[2:] == ["| rate | 9 | ≥ 10 | **missed** |", "| growth | 1.2 | ≤ 1.3 | kept |", "| size | 7 |  |  |"]


@pytest.mark.slow
def test_a_worker_and_the_ceiling_see_every_event_of_a_filled_topic_once() -> None:
    day = Day(events=3000, queues=20, partitions=4)
    with filled_broker("embedded", day) as running:
        found = asyncio.run(race(running, 1, day.events, partitions=day.partitions))
        top = ceiling(running, day.events, day.partitions)

    assert isinstance(running, Broker)
    assert found.by_worker == [found.events] == [day.events]
    assert 0 < top.seconds < 60
    assert 0 < found.cpu_of_main_threads[0] < found.cpu_by_worker[0]


def test_the_soak_compares_series_that_a_page_has() -> None:
    counted = {one.name.removesuffix("_total") + "_total" for one in CATALOGUE if one.kind is Kind.COUNTER}
    counted |= {f"{one.name}_count" for one in CATALOGUE if one.kind is Kind.HISTOGRAM}

    assert {f"contact_{series}" for series in OUTCOMES.values()} <= counted
