"""The customers of a whole centre: each tenant is played apart, and all are told in one order of time."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge
from operator import attrgetter

from stream.core.cloudevents import Event
from stream.simulator.customers.plan import CustomerBase
from stream.simulator.customers.play import CustomerPlay

__all__ = ["simulated_customers"]


def simulated_customers(
    bases: Iterable[CustomerBase],
    *,
    source: str,
    run: str,
    start: datetime,
    contacts_until: datetime,
    end: datetime,
    seed: int,
) -> Iterator[Event]:
    """
    Yield what customers do from *start* (UTC, in whole milliseconds) until before *end*.

    Their contacts are told of until before *contacts_until*: from then on calls and cases tell of them.
    """
    plays = [
        CustomerPlay(
            base,
            start=start,
            seed=f"{seed}",
            # Numbered by tenant: each numbers its events from 1.
            run=f"{run}-{number}",
            source=source,
            contacts_until=contacts_until - start,
        )
        for number, base in enumerate(bases, 1)
    ]
    return merge(*(play.events(end) for play in plays), key=attrgetter("time"))
