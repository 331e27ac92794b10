"""Stock Faust: an agent that takes event after event, two tables in memory with changelogs."""

import os
import signal

import faust
from mode import loop

from bench.peers.job import PARTITIONS, add, fold_event, queue_of, segment_of
from bench.peers.meter import Meter, Run

loop.use("uvloop")
run = Run.told()
meter = Meter(run)
app = faust.App(
    run.group,
    broker=f"kafka://{run.brokers}",
    store="memory://",
    datadir=run.folder,
    topic_partitions=PARTITIONS,
    topic_replication_factor=1,
    topic_disable_leader=True,
    table_standby_replicas=0,
    broker_commit_interval=1.0,
    broker_commit_every=100_000,
    producer_threaded=False,
    stream_wait_empty=False,
    web_enabled=False,
)
contacts = app.topic(run.topic, key_serializer="raw", value_serializer="json")
segments = app.Table("segments", partitions=PARTITIONS)
tallies = app.Table("tallies", partitions=PARTITIONS)


@app.agent(contacts)
async def fold(events: faust.Stream) -> None:
    """Fold each event into its segment and its minute."""
    async for event in events:
        queue = queue_of(event)
        visit = f"{queue}/{segment_of(event)}"
        change = fold_event(segments.get(visit), event)
        if change is not None:
            segments[visit] = change.segment
            if change.added is not None:
                minute = f"{queue}/{change.minute}"
                tallies[minute] = add(tallies.get(minute), change.added)
        if meter.count():
            os.kill(os.getpid(), signal.SIGTERM)  # how a worker is stopped in order


if __name__ == "__main__":
    faust.Worker(app, loglevel="warning").execute_from_commandline()
