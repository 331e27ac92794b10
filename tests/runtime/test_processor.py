"""Batches that are void are not applied, and no jump in the offsets goes unseen."""

import asyncio

from msgspec.structs import replace

from stream.runtime.routing.processor import MAX_VAIN_REWINDS, SLICE, home_of
from stream.runtime.source_topic import Headers
from tests.runtime.fakes import MemoryLog
from tests.runtime.lives import PARTITION, Life, records_of
from tests.runtime.toy import Ping


def life_of(count: int) -> Life:
    return Life(MemoryLog(), records_of([Ping("a", number) for number in range(count)])).begin()


async def test_a_batch_is_folded_in_slices_that_let_others_run() -> None:
    life = life_of(3 * SLICE)
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(others())
    await life.apply(3 * SLICE)
    running.cancel()

    assert life.counts == {"a": 3 * SLICE}
    assert turns >= 3


async def test_what_was_fetched_before_a_seek_is_void() -> None:
    life = life_of(10)
    life.owned.seek += 1
    await life.apply_batch(life.topic, seek=life.owned.seek - 1)

    assert life.owned.position == 0


async def test_what_was_fetched_for_a_partition_that_is_being_given_up_is_void() -> None:
    life = life_of(10)
    life.worker.ownership.freeze()
    await life.apply_batch(life.topic)

    assert life.owned.position == 0


async def test_a_partition_lost_while_dead_letters_are_sent_gets_nothing_more() -> None:
    life = life_of(10)
    life.topic[3].value = None

    async def lose(*_: object) -> None:
        life.worker.ownership.freeze(lost=True)

    life.processor._outlet.set_aside = lose  # type: ignore[method-assign,assignment]  # the moment at which it is lost
    await life.apply_batch(life.topic)

    assert life.counts == {}
    assert life.owned.position == 0


async def test_records_that_are_already_applied_are_skipped() -> None:
    life = life_of(10)
    await life.apply_batch(life.topic[:6])
    await life.apply_batch(life.topic[2:])

    assert life.counts == {"a": 10}
    assert life.worker.feed.replayed == 0


async def test_records_missing_before_a_fetch_are_fetched_again_before_they_are_called_a_gap() -> None:
    life = life_of(10)
    await life.apply_batch(life.topic[:3])
    await life.apply_batch(life.topic[6:])

    assert life.rewinds == [3]
    assert life.worker.feed.gaps == 0
    await life.apply_batch(life.topic[3:])
    assert life.counts == {"a": 10}
    assert life.worker.feed.gaps == 0


async def test_a_batch_on_its_way_during_a_rewind_is_void() -> None:
    life = life_of(10)
    await life.apply_batch(life.topic[:3])
    seek = life.owned.seek
    await life.apply_batch(life.topic[6:8])
    await life.apply_batch(life.topic[8:], seek=seek)

    assert life.rewinds == [3]
    assert life.owned.position == 3


async def test_records_that_are_really_gone_are_counted_and_passed_over() -> None:
    life = life_of(10)
    await life.apply_batch(life.topic[:3])
    await life.apply_batch(life.topic[6:])
    await life.apply_batch(life.topic[6:])

    assert life.counts == {"a": 7}
    assert life.worker.feed.gaps == life.owned.feed.gaps == 1


async def test_a_gap_within_a_fetch_is_counted() -> None:
    life = life_of(10)
    await life.apply_batch([*life.topic[:3], *life.topic[5:7], *life.topic[8:]])

    assert life.worker.feed.gaps == 2
    assert life.owned.position == 10


async def test_a_topic_full_of_holes_is_not_fetched_twice_for_ever() -> None:
    life = life_of(40)
    for start in range(1, 40, 4):
        await life.apply_batch(life.topic[start : start + 2])
        if life.owned.position < start:
            await life.apply_batch(life.topic[start : start + 2])

    assert len(life.rewinds) == MAX_VAIN_REWINDS
    assert life.worker.feed.gaps == 10


async def test_a_defect_of_the_decoder_costs_one_record_only() -> None:
    life = life_of(10)
    source = life.processor._source

    def decode(value: bytes | None, headers: Headers) -> object:
        if value == life.topic[4].value:
            raise ZeroDivisionError("personal data")
        return source.decode(value, headers)

    life.processor._source = replace(source, decode=decode)
    await life.apply_batch(life.topic)

    assert life.counts == {"a": 9}
    assert life.worker.feed.invalid == {"processing_failed": 1}
    headers = dict(life.producer.sent[0][2]["headers"])
    assert headers["dead-letter.error"] == b"a defect of this version: ZeroDivisionError"


def test_keys_live_where_kafka_puts_them() -> None:
    # Values of org.apache.kafka.common.utils.Utils.murmur2, as in its own tests.
    assert home_of(b"21", 1_000_000_007) == (-973932308 & 0x7FFFFFFF) % 1_000_000_007
    assert home_of(b"foobar", 1_000_000_007) == (-790332482 & 0x7FFFFFFF) % 1_000_000_007


async def test_the_feed_follows_what_is_applied() -> None:
    life = life_of(10)
    await life.apply_batch(life.topic[:4])
    feed = life.worker.feed.partitions[PARTITION.topic, 0]

    assert (feed.position, feed.highwater, feed.lag) == (4, 10, 6)
    assert feed.record_at is not None
    assert life.worker.feed.events == {"Ping": 4}
    assert list(life.worker.feed.sources) == ["toy"]
