"""The customers of a whole centre: each tenant is played apart, and all are told in one order of time."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from heapq import merge
from operator import attrgetter

from stream.core.cloudevents import Event
from stream.simulator.callers import MILLISECOND
from stream.simulator.customers.known import DueMatter, WhoComes
from stream.simulator.customers.matters import HandedOn
from stream.simulator.customers.plan import ContactWay, CustomerBase
from stream.simulator.customers.play import CustomerPlay

__all__ = ["simulated_customers"]


def simulated_customers(
    bases: Iterable[CustomerBase],
    *,
    source: str,
    run: str,
    start: datetime,
    calls_start: datetime,
    end: datetime,
    seed: int,
    who_comes: WhoComes,
) -> Iterator[Event]:
    """
    Yield what customers do from *start* (UTC, in whole milliseconds) until before *end*.

    Their contacts are told of until before *calls_start*: from then on calls and cases tell of them, and *who_comes* is
    told who is to be expected.
    """
    plays = [
        CustomerPlay(
            base,
            start=start,
            seed=f"{seed}",
            # Numbered by tenant: each numbers its events from 1.
            run=f"{run}-{number}",
            source=source,
            handed_on=_to(who_comes, base.tenant, (calls_start - start) // MILLISECOND),
        )
        for number, base in enumerate(bases, 1)
    ]
    return merge(*(play.events(end) for play in plays), key=attrgetter("time"))


def _to(who_comes: WhoComes, tenant: str, begins: int) -> HandedOn:
    def hand_on(at: int, who: int, way: ContactWay, topic: str | None) -> bool:
        if at < begins:
            return False
        who_comes.expect(tenant, way, DueMatter(at - begins, who, topic))
        return True

    return hand_on
