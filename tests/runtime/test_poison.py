"""Records that a client library cannot read or a broker will not take again: set aside, and the partition goes on."""

import gc
import weakref
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition

from stream.runtime.kafka.unreadable import MAX_STAND_INS, WholeFetch, keep_batches
from stream.runtime.routing.dead_letter_reader import read_letters
from stream.runtime.routing.processor import home_of
from tests.runtime.cluster import PARTITIONS, Cluster, until
from tests.runtime.toy import encode

pytestmark = pytest.mark.slow

NOT_UTF8 = b"\xff\xfe"


class BrokenName(str):
    """The name of a header, in bytes that are no text."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002  # str's own
        return NOT_UTF8


async def told(cluster: Cluster, count: int) -> list[dict[str, str]]:
    return [
        {name.removeprefix("dead-letter."): (value or b"").decode() for name, value in letter.headers}
        for letter in await cluster.read(cluster.dead_letters, count)
    ]


async def send_batch(
    cluster: Cluster, records: list[tuple[bytes | None, bytes | None, Any]], compression: str | None
) -> None:
    """Send *records* (key, value, headers) to the home of key a, in one batch."""
    await cluster.declare()
    producer = AIOKafkaProducer(
        bootstrap_servers=cluster.brokers, max_request_size=2**26, max_batch_size=2**25, compression_type=compression
    )
    await producer.start()
    try:
        batch = producer.create_batch()
        for key, value, headers in records:
            assert batch.append(key=key, value=value, timestamp=None, headers=headers) is not None
        await (await producer.send_batch(batch, cluster.topic, partition=home_of(b"a", PARTITIONS)))
    finally:
        await producer.stop()


@pytest.mark.parametrize("compression", [None, "gzip"])
async def test_of_a_batch_only_the_record_that_cannot_be_read_is_lost(
    cluster: Cluster, compression: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The compiled builder takes the text itself; the one in Python asks the text for its bytes.
    monkeypatch.setattr("aiokafka.producer.message_accumulator.DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    await cluster.send("a", 0)
    headers = [[], [(BrokenName("x"), b"1")], [("y", None)], [(BrokenName("x"), b"1")], []]
    await send_batch(cluster, [(b"a", encode("a", n + 1), own) for n, own in enumerate(headers)], compression)
    worker = await cluster.start_worker()
    await cluster.send("a", 6)
    await until(lambda: cluster.counts() == {"a": 5})
    found = await told(cluster, 2)

    assert sorted(letter["offset"] for letter in found) == ["2", "4"]
    assert {letter["error"] for letter in found} == {
        "the record itself cannot be read: the name of a header is not UTF-8"
    }
    assert worker.feed.invalid == {"empty": 2}
    assert worker.feed.gaps == 0


async def test_a_batch_in_an_unknown_compression_is_set_aside_record_by_record(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send_batch(cluster, [(b"a", encode("a", number), []) for number in range(3)], "gzip")
    monkeypatch.setattr("aiokafka.codec.has_gzip", lambda: False)
    worker = await cluster.start_worker()
    await cluster.send("a", 4)
    await until(lambda: cluster.counts() == {"a": 1})
    found = await told(cluster, 3)

    assert sorted(letter["offset"] for letter in found) == ["0", "1", "2"]
    assert all(letter["error"].endswith("Libraries for gzip compression codec not found") for letter in found)
    assert worker.feed.invalid == {"empty": 3}
    assert worker.feed.gaps == 0


@pytest.mark.parametrize("large", ["key", "headers"])
async def test_what_grows_when_unpacked_does_not_hold_up_its_partition(cluster: Cluster, large: str) -> None:
    worker = await cluster.start_worker()
    huge = b"x" * 12_000_000
    poison = (huge, b"junk", []) if large == "key" else (b"other", encode("a", 1), [("x", huge)])
    await send_batch(cluster, [poison], "gzip")
    await cluster.send("a", 2)
    await until(lambda: cluster.counts() == {"a": 1})
    [letter] = await told(cluster, 1)

    assert letter["reason"] == ("not_json" if large == "key" else "too_large")
    assert letter["omitted"] == ("value,headers,key" if large == "key" else "value,headers")
    assert int(letter["omitted-bytes"]) >= len(huge)
    assert worker.feed.gaps == 0


async def test_a_record_of_nothing_at_all_is_set_aside(cluster: Cluster) -> None:
    worker = await cluster.start_worker()
    await send_batch(cluster, [(None, None, [])], None)
    await cluster.send("a", 1)
    await until(lambda: cluster.counts() == {"a": 1})

    assert worker.feed.dead_letters == 1


async def test_a_header_without_a_value_is_kept_and_listed(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.runtime.routing.dead_letter_reader.DEAD_LETTERS", cluster.dead_letters)
    await cluster.start_worker()
    await cluster.send("a", 1, value=b"junk", headers=[("x", None), ("dead-letter.field", b"spoofed")])
    await until(lambda: cluster.workers[0].feed.dead_letters == 1)

    [listed] = [letter async for letter in read_letters([cluster.brokers])]

    assert listed.reason == "not_json"
    assert listed.field == ""


def batch_at(base: int, values: list[bytes]) -> bytearray:
    builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 2**20)
    for delta, value in enumerate(values):
        builder.append(delta, timestamp=0, key=b"a", value=value, headers=[])
    batch = bytearray(builder.build())
    batch[:8] = base.to_bytes(8, "big")
    return batch


def records_of(fetched: bytes, *, at: int) -> Any:
    keep_batches()
    batches, committed = fetcher.MemoryRecords(fetched), fetcher.READ_UNCOMMITTED
    return fetcher.PartitionRecords(
        TopicPartition("toys", 0), batches, [], at, None, None, check_crcs=True, isolation_level=committed
    )


def read(fetched: bytes, *, at: int) -> list[tuple[int, bytes | None]]:
    return [(record.offset, record.value) for record in WholeFetch(records_of(fetched, at=at), stand_ins=True)]


def test_a_fetch_that_was_read_needs_no_collector_to_be_let_go() -> None:
    fetched = records_of(bytes(batch_at(0, [b"0", b"1"])), at=0)
    left = weakref.ref(fetched)
    gc.disable()
    try:
        assert len([*WholeFetch(fetched, stand_ins=True)]) == 2
        del fetched

        assert left() is None
    finally:
        gc.enable()


def test_a_batch_with_a_wrong_checksum_is_passed_from_the_position_on() -> None:
    broken = batch_at(10, [b"0", b"1", b"2"])
    broken[-5] ^= 0xFF
    after = batch_at(13, [b"3"])

    assert read(bytes(broken + after), at=11) == [(11, None), (12, None), (13, b"3")]


def test_a_batch_that_claims_to_be_endless_gets_a_bounded_number_of_stand_ins() -> None:
    broken = batch_at(0, [b"0"])
    broken[23:27] = (2**31 - 1).to_bytes(4, "big")  # the last offset

    passed = read(bytes(broken), at=0)

    assert len(passed) == MAX_STAND_INS
    assert passed[-1] == (2**31 - 1, None)


@pytest.mark.parametrize("timestamp_ms", [10**13, 1_767_603_600_000_000, 2**62])
async def test_a_record_whose_time_stamp_is_no_time_counts_like_any_other(cluster: Cluster, timestamp_ms: int) -> None:
    worker = await cluster.start_worker()
    producer = AIOKafkaProducer(bootstrap_servers=cluster.brokers)
    await producer.start()
    try:
        await producer.send_and_wait(cluster.topic, encode("a", 1), key=b"a", timestamp_ms=timestamp_ms)
    finally:
        await producer.stop()
    await cluster.send("a", 2)
    await until(lambda: cluster.counts() == {"a": 2})

    assert worker.failure is None
    assert worker.feed.dead_letters == 0


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
async def test_producers_may_compress_as_they_like(cluster: Cluster, compression: str) -> None:
    await cluster.start_worker()

    await send_batch(cluster, [(b"a", encode("a", number), []) for number in range(50)], compression)

    await until(lambda: cluster.counts() == {"a": 50})
