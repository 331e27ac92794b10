"""A morning of many small centres, as it arrives: calls, agents, cases, surveys, customers; some late, some twice."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge
from operator import attrgetter
from zlib import crc32

from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.core.family import Board
from stream.families.contacts.events import ContactEnded
from stream.families.customers.events import CustomerForgotten, CustomerJoined
from stream.simulator import demo_centre, simulate, with_surveys
from tests.families.contacts.test_laws import with_repeats

__all__ = ["NOON", "POLICY", "busy_day", "without_corrections"]

POLICY = """
[defaults]
follow_up_dispositions = ["ticket"]
survey_after_solution = "ces"
solved_dispositions = ["solved"]
"""
"""Has cases follow from calls, surveys from cases, and what customers did from all of them."""

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MORNING = timedelta(hours=6)


def busy_day(*, centres: int, seed: int) -> list[Event]:
    """Return the events until noon in the order in which they are sent: about 65,000 of each centre."""
    mornings = [_morning(number, seed) for number in range(centres)]
    day = with_repeats(list(merge(*mornings, key=attrgetter("time"))), random.Random(seed))
    return [*day, *_forgotten(day)]


def _forgotten(day: Sequence[Event]) -> Iterator[Event]:
    """Yield that some customers are forgotten: of whom no other family tells, since that might come after it."""
    named = {(told.tenantid, getattr(told.data, "customer", None)) for told in day}
    joined = {(told.tenantid, told.subject) for told in day if isinstance(told, CustomerJoined)}
    for number, (tenant, subject) in enumerate(sorted(joined - named)):
        if number % 10 == 0:
            yield CustomerForgotten(
                specversion="1.0",
                id=f"{tenant}-{subject}-forgotten",
                source="/crm",
                time=NOON - timedelta(milliseconds=1),
                subject=subject,
                tenantid=tenant,
            )


def without_corrections(board: Board) -> Board:
    """
    Return a board whose customers' counters leave out what was counted and taken back.

    That depends on the order of events. What contacts, cases and surveys tell of customers a worker reads when it has
    been written, and a replay at once.
    """
    customers = tuple(
        replace(one, counted=replace(one.counted, taken_back=b"")) for one in board.snapshots["customers"]
    )
    return replace(board, snapshots={**board.snapshots, "customers": customers})


def _morning(number: int, seed: int) -> Iterator[Event]:
    """Yield the morning of one centre, whose tenants are its own: queues spread over all partitions."""
    morning = simulate(
        demo_centre(),
        start=NOON - MORNING,
        end=NOON,
        seed=100 * seed + number,
        cases_before=timedelta(days=3),
        customers_before=timedelta(days=5),
    )
    for told in with_surveys(morning):
        yield _to_follow_up(replace(told, tenantid=f"{told.tenantid}-{number}"))


def _to_follow_up(told: Event) -> Event:
    """Have every fifth call end with a disposition that the policy opens a case after."""
    if not isinstance(told, ContactEnded) or crc32(told.id.encode()) % 5:
        return told
    return replace(told, data=replace(told.data, disposition="ticket"))
