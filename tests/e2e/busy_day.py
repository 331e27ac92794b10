"""A morning of many small centres, as it arrives: calls, agents, cases of days, surveys; some late, some repeated."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge
from operator import attrgetter
from zlib import crc32

from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.families.contacts.events import ContactEnded
from stream.simulator import demo_centre, simulate, with_surveys
from tests.families.contacts.test_laws import with_repeats

__all__ = ["NOON", "POLICY", "busy_day"]

POLICY = """
[defaults]
follow_up_dispositions = ["ticket"]
survey_after_solution = "ces"
"""
"""Has cases follow from calls, and surveys from cases."""

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MORNING = timedelta(hours=6)


def busy_day(*, centres: int, seed: int) -> list[Event]:
    """Return the events until noon in the order in which they are sent: about 62,000 of each centre."""
    mornings = [_morning(number, seed) for number in range(centres)]
    return with_repeats(list(merge(*mornings, key=attrgetter("time"))), random.Random(seed))


def _morning(number: int, seed: int) -> Iterator[Event]:
    """Yield the morning of one centre, whose tenants are its own: queues spread over all partitions."""
    morning = simulate(
        demo_centre(), start=NOON - MORNING, end=NOON, seed=100 * seed + number, cases_before=timedelta(days=3)
    )
    for told in with_surveys(morning):
        yield _to_follow_up(replace(told, tenantid=f"{told.tenantid}-{number}"))


def _to_follow_up(told: Event) -> Event:
    """Have every fifth call end with a disposition that the policy opens a case after."""
    if not isinstance(told, ContactEnded) or crc32(told.id.encode()) % 5:
        return told
    return replace(told, data=replace(told.data, disposition="ticket"))
