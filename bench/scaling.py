"""One and two workers from the same topic, and where the processor time of the machine goes meanwhile."""

import asyncio
import os

from bench.brokers import Broker
from bench.crew import Race, race
from bench.judged import Judged
from bench.report import fact

__all__ = ["measure"]


def measure(broker: Broker, events: int, partitions: int) -> list[Judged]:
    """Measure on a topic that holds so many *events*. Nothing is promised: the broker needs the cores as well."""
    alone, pair = (asyncio.run(race(broker, workers, events, partitions=partitions)) for workers in (1, 2))
    cores = f"{os.cpu_count()} cores shared with {broker.name}"
    return [
        fact(f"one worker, {cores}", f"{alone.rate:,.0f} events/s; {_split(alone)}"),
        fact(f"two workers, {cores}, while both are busy", f"{pair.together_rate:,.0f} events/s; {_split(pair)}"),
        fact("… each of the two, events", " and ".join(f"{events:,}" for events in pair.by_worker)),
        fact("… two against one", f"{pair.together_rate / alone.rate:.2f}"),
        fact("… processor time of workers and broker per event, one → two", f"{_cost(alone)} → {_cost(pair)}"),
    ]


def _split(race: Race) -> str:
    """Tell how many cores each took on average."""
    workers = " + ".join(f"{cpu / race.seconds:.2f}" for cpu in race.cpu_by_worker)
    others = race.cpu_of_machine - sum(race.cpu_by_worker) - race.cpu_of_broker
    return (
        f"cores: workers {workers}, broker {race.cpu_of_broker / race.seconds:.2f}, others {others / race.seconds:.2f}"
    )


def _cost(race: Race) -> str:
    return f"{(sum(race.cpu_by_worker) + race.cpu_of_broker) / race.events * 1e6:.1f} µs"
