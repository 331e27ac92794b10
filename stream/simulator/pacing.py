"""Simulated time set against real time: the only place of the simulator that waits, with a clock it is given."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import datetime, timedelta

from stream.core.cloudevents import Event
from stream.simulator.centre import Centre
from stream.simulator.engine import simulate

__all__ = ["CASES_BEFORE", "CUSTOMERS_BEFORE", "FOR_EVER", "live", "paced"]

CASES_BEFORE = timedelta(days=7)
"""What a live centre tells of its cases before all else: they last for days, and a board shows windows of a week."""

CUSTOMERS_BEFORE = timedelta(days=100)
"""The same of its customers: a board shows windows of a quarter, and five days tell who was there before."""

# An end there must be; nobody watches a simulated centre for longer.
FOR_EVER = timedelta(days=365)


def live(
    centre: Centre,
    *,
    now: datetime,
    warm_up: timedelta,
    seed: int,
    cases_before: timedelta = timedelta(0),
    customers_before: timedelta | None = None,
) -> Iterator[Event]:
    """
    Yield the past *warm_up* before *now*, then what follows, for a year. `paced` gives the past at once.

    Cases are told of from *cases_before* the warm-up on, customers from *customers_before* it; None: not at all.
    """
    return simulate(
        centre,
        start=now - warm_up,
        end=now + FOR_EVER,
        seed=seed,
        cases_before=cases_before,
        customers_before=customers_before,
    )


async def paced(
    events: Iterable[Event],
    *,
    speed: float,
    clock: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[object]],
    origin: datetime | None = None,
) -> AsyncIterator[Event]:
    """
    Yield each event when it is due: *speed* simulated seconds for each second of *clock*.

    *origin* is the simulated instant at which the first event is asked for (None: what the clock says then).
    What happened before it is the warm-up and comes at once. Who takes the events late gets the late ones
    at once, too, until they have caught up.
    """
    began = clock()
    if origin is None:
        origin = began
    for event in events:
        # Against the begin of the run, not the event before: small delays do not add up.
        ahead = (event.time - origin) / speed - (clock() - began)
        if ahead > timedelta(0):
            await sleep(ahead.total_seconds())
        yield event
