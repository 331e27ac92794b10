"""Events per second of a worker from a filled topic, beside the ceiling of the Kafka client on the same topic."""

import asyncio
import statistics
from time import monotonic, process_time

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition
from msgspec import Struct

from bench.brokers import Broker
from bench.crew import Race, race
from bench.judged import Judged
from bench.processes import cpu_seconds, in_own_process
from bench.report import at_least, fact
from stream.runtime.gc_tuning import GcTuning

__all__ = ["Ceiling", "ceiling", "measure"]

LEAST_EVENTS = 120_000
LEAST_SHARE = 1 / 3


class Ceiling(Struct, frozen=True):
    """A client that fetches and parses, and does nothing else."""

    seconds: float
    cpu: float
    cpu_of_broker: float


def measure(broker: Broker, events: int, partitions: int, *, runs: int = 3) -> list[Judged]:
    """Measure a worker and the ceiling in turns, on a topic that holds so many *events*."""
    in_own_process(ceiling, broker, events, partitions)  # the broker's pages and code are warm for both alike
    ceilings: list[Ceiling] = []
    workers: list[Race] = []
    for _ in range(runs):
        workers.append(asyncio.run(race(broker, 1, events, partitions=partitions)))
        ceilings.append(in_own_process(ceiling, broker, events, partitions))
    shares = [top.seconds / worker.seconds for worker, top in zip(workers, ceilings, strict=True)]
    rates = [worker.rate for worker in workers]
    tops = [events / top.seconds for top in ceilings]
    where = f"{broker.name}, {events:,} events"
    return [
        at_least(f"a worker, events/s ({where})", statistics.median(rates), LEAST_EVENTS, note=_all(rates)),
        fact(f"ceiling: getmany + orjson.loads, records/s ({where})", f"{statistics.median(tops):,.0f}{_all(tops)}"),
        at_least("worker : ceiling, side by side, median", statistics.median(shares), LEAST_SHARE, "{:.2f}"),
        fact("… the same in processor time", f"{_share_of_cpu(workers, ceilings):.2f}"),
        fact("processor time per event: worker", _each(events, [one.cpu_by_worker[0] for one in workers])),
        fact("… its main thread alone", _each(events, [one.cpu_of_main_threads[0] for one in workers])),
        fact("… the broker beside the worker", _each(events, [one.cpu_of_broker for one in workers])),
        fact("… the ceiling", _each(events, [one.cpu for one in ceilings])),
        fact("… the broker beside the ceiling", _each(events, [one.cpu_of_broker for one in ceilings])),
        fact("changelog rows per event", f"{statistics.median(one.rows for one in workers) / events:.2f}"),
    ]


def ceiling(broker: Broker, events: int, partitions: int) -> Ceiling:
    """Measure what nothing in Python on this client can pass; blocks."""
    return asyncio.run(_ceiling(broker, events, partitions))


async def _ceiling(broker: Broker, events: int, partitions: int) -> Ceiling:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.address, max_partition_fetch_bytes=2**20, enable_auto_commit=False
    )
    await consumer.start()
    consumer.assign([TopicPartition("contacts", number) for number in range(partitions)])
    await consumer.seek_to_beginning()
    tuning = GcTuning()
    tuning.apply()  # as a worker does: the ceiling must not pay more for its garbage
    before, cpu, began = cpu_seconds(broker.pid), process_time(), monotonic()
    seen = 0
    while seen < events:
        for records in (await consumer.getmany(timeout_ms=1000)).values():
            for record in records:
                orjson.loads(record.value)
            seen += len(records)
    found = Ceiling(monotonic() - began, process_time() - cpu, cpu_seconds(broker.pid) - before)
    tuning.restore()
    await consumer.stop()
    return found


def _all(rates: list[float]) -> str:
    return f" ({', '.join(f'{rate:,.0f}' for rate in rates)})"


def _each(events: int, seconds: list[float]) -> str:
    return f"{statistics.median(seconds) / events * 1e6:.2f} µs"


def _share_of_cpu(workers: list[Race], ceilings: list[Ceiling]) -> float:
    return statistics.median(top.cpu / worker.cpu_by_worker[0] for worker, top in zip(workers, ceilings, strict=True))
