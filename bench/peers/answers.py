"""The final answers of each peer, read from where it made them durable, and those of an oracle to compare with.

Answers are tallies by queue, channel and minute: `(queue, channel, minutes since 1970) -> sums by TALLY_FIELDS`,
and for each queue and channel the sum of all its minutes, with the minute None.
"""

import json
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from bench.peers.job import PARTITIONS, add, fold_event, queue_of, segment_of
from stream.families.contacts.tables import TALLIES
from stream.families.contacts.tally import Tally

__all__ = ["READERS", "Answers", "oracle", "wrong_answers"]

Answers = dict[tuple[str, str, int | None], tuple[int, ...]]
Reader = Callable[[str, str, str, Path], Awaitable[Answers]]


def oracle(values: Iterable[bytes]) -> Answers:
    """Return the right answers of events given in the order of their partition: the job over two dicts."""
    segments: dict[str, list[Any]] = {}
    tallies: dict[str, list[int]] = {}
    for value in values:
        event = orjson.loads(value)
        queue = queue_of(event)
        visit = f"{queue}/{segment_of(event)}"
        change = fold_event(segments.get(visit), event)
        if change is None:
            continue
        segments[visit] = change.segment
        if change.added is not None:
            minute = f"{queue}/{change.minute}"
            tallies[minute] = add(tallies.get(minute), change.added)
    return _answers(tallies)


def wrong_answers(found: Answers, right: Answers) -> int:
    """
    Return how many answers differ, are missing, or should not be there.

    Minutes may be missing where the sum of all is right: a worker of ours forgets those that no window
    reaches any more, and while it catches up most come and go between two checkpoints.
    """
    differ = sum(figures != right.get(key) for key, figures in found.items())
    return differ + sum(key not in found for key in right if key[2] is None)


async def _of_own(brokers: str, _topic: str, group: str, _folder: Path) -> Answers:
    answers: Answers = {}
    for packed, row in (await _newest_rows(brokers, f"{group}-tallies-changelog")).items():
        _tenant, queue, channel, scope, minute = TALLIES.decode_key(packed)
        figures = _figures(TALLIES.decode_row(row).tally)
        if scope in {"minute", "total"} and any(figures):
            answers[queue, channel, minute if scope == "minute" else None] = figures
    return answers


def _figures(tally: Tally) -> tuple[int, ...]:
    return (
        *(tally.offered, tally.answered, tally.answered_in_target, tally.answer_wait_ms),
        *(tally.abandoned, tally.handled, tally.handle_ms),
    )


async def _of_faust(brokers: str, _topic: str, group: str, _folder: Path) -> Answers:
    rows = await _newest_rows(brokers, f"{group}-tallies-changelog")
    return _answers({orjson.loads(key): orjson.loads(row) for key, row in rows.items()})


async def _of_quix(brokers: str, topic: str, group: str, _folder: Path) -> Answers:
    """Segments and tallies are in one store, under the key of the record: `tenant/queue|key in JSON`."""
    tallies = {}
    for packed, row in (await _newest_rows(brokers, f"changelog__{group}--{topic}--default")).items():
        _queue, _, key = packed.partition(b"|")
        tally = orjson.loads(row)
        if isinstance(tally[-1], int):  # the last of a segment is a list
            tallies[orjson.loads(key)] = tally
    return _answers(tallies)


async def _of_kafka_streams(brokers: str, _topic: str, group: str, _folder: Path) -> Answers:
    rows = await _newest_rows(brokers, f"{group}-tallies-changelog")
    return _answers({key.decode(): struct.unpack(">7q", row) for key, row in rows.items()})


async def _of_bytewax(_brokers: str, _topic: str, _group: str, folder: Path) -> Answers:
    return _answers(json.loads((folder / "answers.json").read_text()))


READERS: dict[str, Reader] = {
    "own": _of_own,
    "faust": _of_faust,
    "quix": _of_quix,
    "bytewax": _of_bytewax,
    "kafka_streams": _of_kafka_streams,
}


def _answers(tallies: Mapping[str, Sequence[int]]) -> Answers:
    """Return tallies by `queue/channel/minute` as answers, with the sums of all minutes."""
    answers: Answers = {}
    sums: dict[tuple[str, str], list[int]] = {}
    for key, tally in tallies.items():
        queue, channel, minute = key.rsplit("/", 2)
        answers[queue, channel, _number(minute)] = tuple(tally)
        sums[queue, channel] = add(sums.get((queue, channel)), tally)
    return answers | {(*queue, None): tuple(tally) for queue, tally in sums.items()}


def _number(minute: str) -> int:
    return int(minute) if minute.isdecimal() else int(datetime.fromisoformat(f"{minute}Z").timestamp()) // 60


async def _newest_rows(brokers: str, topic: str) -> dict[bytes, bytes]:
    """Return the newest row of each key of a changelog; deleted ones are left out."""
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False, max_partition_fetch_bytes=2**22)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        rows: dict[bytes, bytes | None] = {}
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                rows.update((record.key, record.value) for record in records)
        return {key: row for key, row in rows.items() if row is not None}
    finally:
        await consumer.stop()
