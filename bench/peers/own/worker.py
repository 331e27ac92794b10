"""contact-stream: a worker as `contact-stream worker` runs it, without its HTTP server."""

import asyncio
from datetime import UTC, datetime

from bench.peers.job import PARTITIONS
from bench.peers.meter import Meter, Run
from stream.app.topics import source_topics
from stream.core.policies import Policies
from stream.runtime.app import create_app
from stream.settings import Settings

AFTER_ALL_EVENTS = datetime(2100, 1, 1, tzinfo=UTC)


async def main(run: Run) -> None:
    """Work from the first record to the last, and stop in order."""
    meter = Meter(run)
    sources = source_topics(
        Policies(),
        partitions=PARTITIONS,
        max_queues_per_tenant=Settings().max_queues_per_tenant,
        max_queues=Settings().max_queues,
        max_customers=Settings().max_customers,
        future_tolerance=Settings().future_tolerance,
        clock=lambda: AFTER_ALL_EVENTS,  # the material may go on beyond today
    )
    worker = create_app(Settings(group=run.group, partitions=PARTITIONS), sources, brokers=run.brokers)
    running = asyncio.create_task(worker.run())
    while not (worker.feed.partitions and worker.feed.recovery == "ready"):
        assert not running.done(), running
        await asyncio.sleep(0.001)
    meter.begin()
    while worker.feed.events.total() < run.events:
        assert not running.done(), running
        await asyncio.sleep(0.005)
    meter.mark()
    meter.report()
    await worker.stop()
    await running
    assert worker.feed.dead_letters == worker.feed.gaps == 0


if __name__ == "__main__":
    asyncio.run(main(Run.told()))
