"""
Known defects of Faust's offset keeping, each shown in stock Faust and then not in ours.

Numbered as in decision 0007. Stock Faust follows single acknowledgements; here a checkpoint commits what
has been applied, and a processor knows the offset that it wants next.
"""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream.runtime.kafka.transport import Consumer
from tests.runtime.fakes import MemoryLog
from tests.runtime.lives import PARTITION, Life, records_of
from tests.runtime.toy import Ping


class Stock(driver.Consumer):
    """Faust's consumer as it is, fed with messages of ours instead of a broker's."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.delivered: list[int] = []
        self.left_at_revoke: list[int] | None = None
        app = faust.App("stock", broker="kafka://nowhere", web_enabled=False)
        super().__init__(
            app.transport,
            callback=self._deliver,
            on_partitions_revoked=self._revoked,
            on_partitions_assigned=self._revoked,
        )

    async def _deliver(self, message: Any) -> None:
        self.delivered.append(message.offset)

    async def _revoked(self, *_: Any) -> None:
        # What the app does in here is to commit `_acked`.
        self.left_at_revoke = list(self._acked[PARTITION])

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        del timeout
        for message in self.messages:
            yield PARTITION, message
        self._stopped.set()

    def acked(self, *offsets: int, committed: int) -> None:
        """Set what the processors have acknowledged, and what is committed."""
        self._acked[PARTITION] = [*offsets]
        self._acked_index[PARTITION] = set(offsets)
        self._committed_offset[PARTITION] = committed


def life_of(count: int) -> Life:
    return Life(MemoryLog(), records_of([Ping("a", number) for number in range(count)])).begin()


async def committed_by(life: Life) -> int:
    assert await life.checkpoints.write()
    return life.log.shared.committed[PARTITION]


async def test_d1_stock_faust_forgets_what_is_to_be_committed_before_it_commits_at_a_rebalance() -> None:
    stock = Stock()
    stock.acked(0, 1, 2, committed=0)

    await stock.on_partitions_revoked({PARTITION})

    assert stock.left_at_revoke == []


async def test_d1_what_is_applied_is_committed_before_partitions_are_given_up() -> None:
    """Through the real consumer, in the place where Faust waits for acknowledgements at a rebalance."""
    life = life_of(20)
    await life.apply(12)
    life.worker.app.assignment_listener = life.listener
    consumer = cast("Consumer", life.worker.app.consumer)
    consumer._thread._consumer = cast("Any", SimpleNamespace(_coordinator=SimpleNamespace(generation=1)))

    await consumer.wait_empty()

    assert life.log.shared.committed == {PARTITION: 12}
    heir = Life(life.log.shared, life.topic).begin()
    await heir.apply(20)
    assert heir.worker.feed.replayed == 0
    assert heir.counts == {"a": 20}


async def test_d2_stock_faust_commits_one_offset_at_a_time_once_an_offset_is_there_twice() -> None:
    stock = Stock()
    stock.acked(5, 6, 7, 8, committed=5)
    await stock._add_gap(PARTITION, 6, 8)  # as it does when a seek and a fetch overtake each other

    assert stock._new_offset(PARTITION) == 7  # 9 is due


async def test_d2_records_that_are_delivered_twice_do_not_hold_up_the_commit() -> None:
    life = life_of(9)
    await life.apply_batch(life.topic[:6])
    await life.apply_batch(life.topic[3:])
    await life.apply_batch(life.topic[5:8])

    assert await committed_by(life) == 9
    assert life.counts == {"a": 9}


async def test_d3_stock_faust_commits_past_the_record_after_the_last_commit() -> None:
    stock = Stock()
    stock.acked(104, 105, committed=103)

    assert stock._new_offset(PARTITION) == 106  # and nobody has processed 103


async def test_d3_a_record_that_was_not_delivered_is_fetched_again_and_not_stepped_over() -> None:
    life = life_of(106)
    await life.apply_batch(life.topic[:103])
    await committed_by(life)
    await life.apply_batch(life.topic[104:])

    assert await committed_by(life) == 103
    assert life.rewinds == [103]


async def test_d4_stock_faust_takes_the_record_in_work_behind_a_gap_for_a_part_of_the_gap() -> None:
    stock = Stock()
    stock.acked(5, 11, committed=5)
    await stock._add_gap(PARTITION, 6, 10)  # as it does when 10 comes after 5

    assert stock._new_offset(PARTITION) == 12  # and 10 is still in work


async def test_d4_a_record_in_work_behind_a_gap_is_not_committed() -> None:
    life = life_of(12)
    life.topic[10].value = None  # no event: in work until it is acknowledged as a dead letter
    acknowledged, sent = asyncio.Event(), asyncio.Event()

    async def send(*_: Any, **__: Any) -> None:
        sent.set()
        await acknowledged.wait()

    life.producer.send_and_wait = send  # type: ignore[method-assign]  # a slow broker
    await life.apply_batch(life.topic[:6])
    await life.apply_batch([*life.topic[10:]])  # 6 to 9 are missing: fetched again, and
    life.owned.rewound_at = life.owned.position  # really not there
    applying = asyncio.create_task(life.apply_batch(life.topic[10:], seek=life.owned.seek))
    await sent.wait()

    assert await committed_by(life) == 6
    acknowledged.set()
    await applying
    assert await committed_by(life) == 12
    assert life.owned.feed.gaps == 1


async def test_d5_stock_faust_delivers_the_record_at_which_it_resumes_twice() -> None:
    stock = Stock()
    stock.messages = [SimpleNamespace(topic=PARTITION.topic, offset=offset) for offset in (7, 7, 8)]

    await stock._drain_messages(cast("Any", stock))

    assert stock.delivered == [7, 7, 8]


async def test_d5_a_record_that_is_delivered_twice_is_applied_once() -> None:
    life = life_of(9)
    await life.apply_batch(life.topic[:8])
    await life.apply_batch(life.topic[7:8])
    await life.apply_batch(life.topic[7:])

    feed = life.worker.feed
    assert (feed.events["Ping"], feed.duplicates, feed.replayed) == (9, 0, 0)
    assert life.counts == {"a": 9}
