"""`make bench`: every promise about speed and size, measured; exit status 1 if one is not kept."""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

from bench import (
    gateway,
    growth,
    key_timing,
    latency,
    memory,
    ordinary,
    outage,
    page,
    profile,
    prometheus,
    recovery,
    scaling,
    scrape,
    slow_clients,
    throughput,
)
from bench.brokers import Broker, broker
from bench.day import Day, filled_broker
from bench.judged import Judged
from bench.processes import Others
from bench.report import fact, table

ON_THE_DAY: dict[str, Callable[[Broker, Day, int], list[Judged]]] = {
    "throughput": lambda on, day, runs: throughput.measure(on, day.events, day.partitions, runs=runs),
    "scaling": lambda on, day, _: scaling.measure(on, day.events, day.partitions),
    "profile": lambda on, day, _: profile.measure(on, day.events, day.partitions),
}
"""On one broker that holds the same day for all."""

BY_THEMSELVES: dict[str, Callable[[str, int], list[Judged]]] = {
    "latency": lambda kind, _: latency.measure(kind),
    "growth": lambda _, runs: growth.measure(runs=runs),
    "recovery": lambda kind, _: _recovery(kind),
    "memory": lambda *_: memory.measure(),
    "page": lambda *_: page.measure(),
    "scrape": lambda kind, _: scrape.measure(kind),
    "ordinary": lambda kind, _: ordinary.measure(kind),
    "gateway": gateway.measure,
    "key_timing": lambda *_: key_timing.measure(),
    "slow_clients": lambda *_: slow_clients.measure(),
    "outage": lambda kind, _: outage.measure(kind),
    "prometheus": lambda *_: prometheus.measure(),
}


def main() -> int:
    """Measure, print, and judge."""
    names = [*ON_THE_DAY, *BY_THEMSELVES]
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("only", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all if none is given")
    arguments.add_argument("--broker", choices=["apache", "embedded"], default="apache")
    arguments.add_argument("--events", type=int, default=Day().events)
    arguments.add_argument("--compression", choices=["gzip", "lz4", "snappy", "zstd"], help="of the filled topic")
    arguments.add_argument("--runs", type=int, default=3, help="of what is compared side by side")
    chosen = arguments.parse_args()
    if unknown := set(chosen.only) - set(names):
        arguments.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(names)}")
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.platform()}")
    day = Day(events=chosen.events, compression=chosen.compression)
    found = _measured(chosen.only or names, chosen.broker, day, chosen.runs)
    print(f"\n`python -m bench {' '.join(sys.argv[1:])}`, {datetime.now(UTC):%d %B %Y}\n\n{table(found)}")
    return 0 if all(figure.held for figure in found) else 1


def _measured(names: Sequence[str], kind: str, day: Day, runs: int) -> list[Judged]:
    found: list[Judged] = []
    with ExitStack() as stack:
        shared = [name for name in names if name in ON_THE_DAY]
        if shared:
            on = stack.enter_context(filled_broker(kind, day))
            for name in shared:
                found += _told(name, partial(ON_THE_DAY[name], on, day, runs), on.pid)
    for name in names:
        if name in BY_THEMSELVES:
            found += _told(name, partial(BY_THEMSELVES[name], kind, runs))
    return found


def _told(name: str, measure: Callable[[], list[Judged]], *ours: int) -> list[Judged]:
    """Print the figures of one benchmark as soon as they are there: the whole takes a while."""
    others = Others(*ours)
    figures = [*measure(), fact(f"({name}: other processes on this machine meanwhile)", f"{others.cores():.1f} cores")]
    print(f"\n{name}\n{table(figures)}", flush=True)
    return figures


def _recovery(kind: str) -> list[Judged]:
    with broker(kind) as running:
        return recovery.measure(address=running.address if running.idempotent else None)


if __name__ == "__main__":
    sys.exit(main())
