"""A quarter of customers alone, for tests and benchmarks: every kind of event of the family, and nothing of others."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from stream.core.cloudevents import Event
from stream.simulator.customers.plan import ContactWay, CustomerBase
from stream.simulator.customers.play import CustomerPlay

__all__ = ["simulated_quarter"]

_TOLD: Final = timedelta(days=100)
"""The longest quarter of a year, and the days in which customers are told of who were there before."""

_WAYS: Final = (
    ContactWay(queue="support", usually=0.5, after_purchase=0.2),
    ContactWay(queue="support-chat", channel="chat", usually=0.2, after_purchase=0.6),
    ContactWay(queue="support-email", channel="email", usually=0.3, after_purchase=0.2),
)
"""Who has just bought something asks by chat most of all."""


def simulated_quarter(seed: int, customers: int, start: datetime) -> Iterator[Event]:
    """
    Yield the events of so many *customers* for 100 days from *start*, in order of time, lazily.

    There are about 22 events for each customer. In the first five days all those join who were customers before; some
    join and leave later. *start* must be aware; the same seed, number and start give the same events.
    """
    if start.tzinfo is None:
        raise ValueError("start needs a time zone")
    start = start.astimezone(UTC)
    play = CustomerPlay(
        CustomerBase(number=customers, ways=_WAYS),
        start=start,
        seed=f"{seed}",
        run=f"quarter-{seed}-{customers}-{start:%Y%m%dT%H%M%S}",
        source="/sim/quarter",
    )
    return play.events(start + _TOLD)
