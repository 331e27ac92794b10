"""`make bench`: the first figures of speed, as ratios of one run; exit status 1 if one is missed."""

import argparse
import asyncio
import gc
import os
import platform
import statistics
import sys

from bench.material import material
from bench.scrape import Scrapes, scrape_many
from bench.worker import ceiling, fill_topic, fold_alone, whole_worker
from stream.broker.embedded import EmbeddedBroker

QUEUES = 200
PARTITIONS = 16
LEAST_EVENTS = 60_000
LEAST_SHARE = 1 / 5
LONGEST_SCRAPE = 0.25
LONGEST_HOLD = 0.05


def main() -> int:
    """Measure, print, and judge."""
    arguments = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--runs", type=int, default=3, help="of the worker, each between two of the ceiling")
    arguments.add_argument("--scrape-queues", type=int, default=1000)
    chosen = arguments.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.platform()}")
    missed = _speed(chosen.events, chosen.runs) + _scrape(chosen.scrape_queues)
    for what in missed:
        print(f"MISSED: {what}")
    return 1 if missed else 0


def _speed(events: int, runs: int) -> list[str]:
    what = material(events, QUEUES, PARTITIONS)
    gc.freeze()  # the material is not the garbage of what is measured
    print(f"{events} events of {QUEUES} queues on {PARTITIONS} partitions, {what.size / events:.0f} bytes each")
    alone = statistics.median(fold_alone(what) for _ in range(runs))
    ceilings: list[float] = []
    workers: list[float] = []
    with EmbeddedBroker() as broker:
        asyncio.run(fill_topic(broker.address, what))
        for run in range(runs):
            ceilings.append(asyncio.run(ceiling(broker.address, what)))
            gc.collect()
            workers.append(asyncio.run(whole_worker(broker.address, what, group=f"bench-{run}")))
    share = statistics.median(worker / top for worker, top in zip(workers, ceilings, strict=True))
    _row("(a) decode + fold, in memory", [alone])
    _row("(b) worker on the embedded broker", workers)
    _row("(c) ceiling: getmany + orjson.loads", ceilings)
    print(f"{'(b) : (c), run by run, median':<40} {share:>10.2f}")
    missed = []
    if statistics.median(workers) < LEAST_EVENTS:
        missed.append(f"a worker takes fewer than {LEAST_EVENTS} events/s")
    if share < LEAST_SHARE:
        missed.append(f"a worker is slower than {LEAST_SHARE:.2f} of the ceiling")
    return missed


def _row(what: str, rates: list[float]) -> None:
    print(f"{what:<40} {statistics.median(rates):>10,.0f} events/s   ({', '.join(f'{rate:,.0f}' for rate in rates)})")


def _scrape(queues: int) -> list[str]:
    figures = asyncio.run(scrape_many(material(queues * 60, queues, PARTITIONS)))
    _tell(figures)
    missed = []
    if figures.median_seconds > LONGEST_SCRAPE:
        missed.append(f"a scrape takes more than {LONGEST_SCRAPE} s")
    if figures.longest_hold_seconds > LONGEST_HOLD:
        missed.append(f"a scrape holds up the loop for more than {LONGEST_HOLD} s")
    return missed


def _tell(figures: Scrapes) -> None:
    print(
        f"scrape of {figures.queues} queues, 5 windows: median {figures.median_seconds * 1000:.0f} ms, "
        f"slowest {figures.slowest_seconds * 1000:.0f} ms, {figures.samples} samples, {figures.bytes} bytes; "
        f"the loop was held up for {figures.longest_hold_seconds * 1000:.0f} ms at most"
    )


if __name__ == "__main__":
    sys.exit(main())
