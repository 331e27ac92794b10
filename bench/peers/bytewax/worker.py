"""Bytewax: a stateful step for segments and one for tallies, recovery to SQLite after every second."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSourceMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from bench.peers.job import add, fold_event, queue_of, segment_of
from bench.peers.meter import Meter, Run

run = Run.told()
meter = Meter(run)

Event = dict[str, Any]
Added = tuple[str, tuple[int, ...] | None]


def keyed(message: KafkaSourceMessage[bytes, bytes]) -> tuple[str, Event]:
    """Return the event of a record, keyed by its segment."""
    meter.begin()
    event = orjson.loads(message.value)
    return f"{queue_of(event)}/{segment_of(event)}", event


def fold(segment: list[Any] | None, event: Event) -> tuple[list[Any] | None, Iterable[Added]]:
    """Fold an event into its segment; emits what to add to which minute."""
    change = fold_event(segment, event)
    if change is None:
        return segment, ()
    if change.added is None:
        return change.segment, ()
    return change.segment, ((f"{queue_of(event)}/{change.minute}", change.added),)


def tally(known: list[int] | None, added: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Add to the tally of a minute, and emit it."""
    known = add(known, added)
    return known, known


class Answers(StatelessSinkPartition[tuple[str, list[int]]]):
    """Keeps the newest tally of each minute, and writes them down at the end: Bytewax has no changelog to read."""

    def __init__(self) -> None:
        self._newest: dict[str, list[int]] = {}

    def write_batch(self, items: list[tuple[str, list[int]]]) -> None:
        """Take tallies; a batch has gone through all steps when it is here."""
        meter.mark()
        self._newest.update(items)

    def close(self) -> None:
        """Write the answers; all partitions are at their end."""
        meter.report()
        (run.folder / "answers.json").write_text(json.dumps(self._newest))


class AnswerSink(DynamicSink[tuple[str, list[int]]]):
    """One file of answers."""

    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> Answers:
        """Make it, for the only worker."""
        return Answers()


flow = Dataflow("contacts")
contacts = kop.input("contacts", flow, brokers=[run.brokers], topics=[run.topic], tail=False, batch_size=10_000)
changes = op.stateful_flat_map("segments", op.map("decode", contacts.oks, keyed), fold)
minutes = op.map("minutes", changes, lambda change: change[1])
op.output("answers", op.stateful_map("tallies", minutes, tally), AnswerSink())

if __name__ == "__main__":
    recovery = run.folder / "recovery"
    recovery.mkdir()
    init_db_dir(recovery, 1)
    cli_main(flow, epoch_interval=timedelta(seconds=1), recovery_config=RecoveryConfig(recovery))
