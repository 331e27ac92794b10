"""Simulated centres in trouble, and what their queues promise. They begin at midnight of 1970, as promtool does."""

from collections.abc import Iterator
from datetime import timedelta

from stream.core.cloudevents import Event
from stream.core.windows import EPOCH
from stream.families.contacts.events import ContactEnqueued
from stream.simulator import simulate
from stream.simulator.centre import AgentPlan, Centre, Length, QueuePlan, Shift

__all__ = ["MINUTE", "POLICIES", "day_of", "ends_unreported", "half_the_agents_leave", "nobody_stays"]

MINUTE = timedelta(minutes=1)
NIGHT_SHIFT = Shift(starts=timedelta(0), lasts=40 * MINUTE)
RELIEF = Shift(starts=70 * MINUTE, lasts=timedelta(hours=20))

POLICIES = """
[defaults]
longest_wait_limit_seconds = 60
team = "floor"
"""


def half_the_agents_leave() -> Centre:
    """Two queues; at 0:40 `service` loses five of its ten agents, at 1:10 five others come. `orders` has enough."""
    return Centre(
        name="half",
        queues=(_queue("service"), _queue("orders")),
        agents=(
            *_crew("service", 5),
            *_crew("service", 5, NIGHT_SHIFT, first=5),
            *_crew("service", 5, RELIEF, first=10),
            *_crew("orders", 10),
        ),
    )


def nobody_stays() -> Centre:
    """Everybody of `service` goes home at 0:40, and others come at 1:10; `orders` has one all the time."""
    return Centre(
        name="nobody",
        queues=(_queue("service", capacity=6), _queue("orders", per_hour=6)),
        agents=(*_crew("service", 10, NIGHT_SHIFT), *_crew("service", 10, RELIEF, first=10), *_crew("orders", 1)),
    )


def ends_unreported(events: Iterator[Event]) -> Iterator[Event]:
    """Leave of every tenth contact only its entry: what became of it is never reported."""
    return (event for event in events if isinstance(event, ContactEnqueued) or not event.subject.endswith("7"))


def day_of(centre: Centre, lasts: timedelta) -> Iterator[Event]:
    """Yield the events of a centre."""
    return simulate(centre, start=EPOCH, end=EPOCH + lasts, seed=1)


def _queue(name: str, *, per_hour: float = 240, capacity: int = 12) -> QueuePlan:
    return QueuePlan(
        name=name,
        per_hour=(per_hour,),
        talk=Length(timedelta(seconds=90)),
        wrapup=Length(timedelta(seconds=15)),
        patience=timedelta(seconds=120),
        capacity=capacity,
    )


def _crew(queue: str, many: int, shift: Shift | None = None, *, first: int = 0) -> tuple[AgentPlan, ...]:
    return tuple(AgentPlan(id=f"{queue}-{first + number}", skills=(queue,), shift=shift) for number in range(many))
