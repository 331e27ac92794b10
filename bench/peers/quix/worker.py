"""Quix Streams: one stateful update of a data frame, the state in RocksDB and a changelog."""

from typing import Any

from quixstreams import Application, State
from quixstreams.state.rocksdb import RocksDBOptions

from bench.peers.job import add, fold_event, queue_of, segment_of
from bench.peers.meter import Meter, Run

run = Run.told()
meter = Meter(run)
app = Application(
    broker_address=run.brokers,
    consumer_group=run.group,
    auto_offset_reset="earliest",
    commit_interval=1.0,
    state_dir=run.folder / "state",
    rocksdb_options=RocksDBOptions(use_fsync=False),
    loglevel="WARNING",
)
contacts = app.topic(run.topic, key_deserializer="bytes", value_deserializer="json")


def fold(event: dict[str, Any], state: State) -> None:
    """Fold an event into its segment and its minute, both under the key of the record, which is the queue."""
    visit = segment_of(event)
    change = fold_event(state.get(visit), event)
    if change is not None:
        state.set(visit, change.segment)
        if change.added is not None:
            minute = f"{queue_of(event)}/{change.minute}"
            state.set(minute, add(state.get(minute), change.added))
    if meter.count():
        app.stop()


if __name__ == "__main__":
    app.dataframe(contacts).update(fold, stateful=True)
    app.run()
