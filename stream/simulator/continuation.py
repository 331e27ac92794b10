"""A live simulated centre goes on where it ended: what a broker has of its run, and what follows.

A restarted simulator would otherwise tell the past a second time, with other contacts, and leave those waiting who
waited when it ended.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import dropwhile
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stream.core.cloudevents import Event
from stream.errors import InvalidEvent
from stream.families.registry import DECODER, EVENT_TYPES
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity
from stream.security.refusals import cannot
from stream.simulator.centre import Centre
from stream.simulator.engine import run_mark, simulate
from stream.simulator.events_out import source_of
from stream.simulator.pacing import FOR_EVER

__all__ = ["going_on", "newest_event"]

AGAIN = timedelta(minutes=5)
"""How much is told twice: a broker lacks less than that, and each event is still known as a repetition."""

HOUR = timedelta(hours=1)

QUIET_MS = 1500
"""When nothing came for so long, all has been read."""


def going_on(
    centre: Centre,
    newest: Event | None,
    *,
    now: datetime,
    past: timedelta,
    seed: int,
    cases_before: timedelta = timedelta(0),
    customers_before: timedelta | None = None,
) -> Iterator[Event]:
    """
    Yield what follows *newest*, the newest event of this centre that a broker has, for a year.

    The last minutes before it come again, with the same ids. A run that no broker knows, or that was of another
    seed, begins at a whole hour, at least the *past* before *now*; its cases *cases_before* that, and its customers
    *customers_before* (None: nobody tells of them), as they did when the run began.
    """
    longest_before = max(cases_before, customers_before or timedelta(0))
    begun = None if newest is None else _begun(centre, newest, seed, longest_before)
    start = begun or _whole_hour(now - past)
    events = simulate(
        centre,
        start=start,
        end=start + FOR_EVER,
        seed=seed,
        cases_before=cases_before,
        customers_before=customers_before,
    )
    if begun is None or newest is None:
        return events
    # Not exactly after the newest: of the partitions of a topic some may lack what came shortly before it.
    known = newest.time - AGAIN
    return dropwhile(lambda event: event.time < known, events)


def _begun(centre: Centre, newest: Event, seed: int, before: timedelta) -> datetime | None:
    """Return when its run began: at one of the whole hours before it. None for a run of another centre or seed."""
    run, _, _ = newest.id.partition("-")
    # Whoever was stopped while it told of the time before its start has not begun with the calls.
    latest = _whole_hour(newest.time + before)
    # Ids begin with a hash of centre, start and seed: it cannot be read back, but runs begin at whole hours,
    # and a year has few of these.
    starts = (latest - hours * HOUR for hours in range((FOR_EVER + before) // HOUR))
    return next((start for start in starts if run_mark(centre, start, seed) == run), None)


def _whole_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


async def newest_event(brokers: Sequence[str], centre: Centre, *, security: KafkaSecurity = PLAINTEXT) -> Event | None:
    """Return the newest of the last events that a simulated *centre* has told these brokers. Raises BrokerError."""
    try:
        options = {"bootstrap_servers": list(brokers), **security.client_options()}
        last = [_of(centre, value) for value in await _last_values(options, await _partitions(options))]
    except (KafkaError, OSError) as failure:
        what = f"what {','.join(brokers)} has of the simulated centre cannot be read"
        raise await cannot(what, brokers, security, failure) from failure
    return max((event for event in last if event is not None), key=lambda event: event.time, default=None)


async def _partitions(options: Mapping[str, Any]) -> list[TopicPartition]:
    # Closed also where the start fails: aiokafka has sockets and tasks by then.
    admin = AIOKafkaAdminClient(**options)
    try:
        await admin.start()
        # Asking for all topics first: some brokers create a topic when it is asked for by name.
        topics = {event.topic for event in EVENT_TYPES.values()} & set(await admin.list_topics())
        described = await admin.describe_topics([*topics]) if topics else []
    finally:
        await admin.close()
    return [TopicPartition(topic["topic"], one["partition"]) for topic in described for one in topic["partitions"]]


async def _last_values(options: Mapping[str, Any], partitions: Sequence[TopicPartition]) -> list[bytes | None]:
    """Return the last record of each partition that has one."""
    if not partitions:
        return []
    consumer = AIOKafkaConsumer(**options)
    try:
        await consumer.start()
        # Assigned, not subscribed: no group is needed, and none is left behind on the broker.
        consumer.assign(partitions)
        begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
        filled = [partition for partition in partitions if begins[partition] < ends[partition]]
        for partition in filled:
            # One record of each partition is enough: of one producer the newest event of a partition is its
            # last.
            consumer.seek(partition, ends[partition] - 1)
        values: list[bytes | None] = []
        while len(values) < len(filled) and (fetched := await consumer.getmany(timeout_ms=QUIET_MS)):
            values += [record.value for records in fetched.values() for record in records]
        return values
    finally:
        await consumer.stop()


def _of(centre: Centre, value: bytes | None) -> Event | None:
    try:
        event = DECODER.decode(value)
    except InvalidEvent:
        return None
    # Others may write to these topics, too.
    return event if event.source == source_of(centre.name) else None
