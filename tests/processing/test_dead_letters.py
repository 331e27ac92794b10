"""What is no event is set aside byte for byte, and everything around it is counted."""

from typing import Any

import pytest

from stream.errors import InvalidEvent
from stream.metrics.feed import Feed
from stream.processing.dead_letters import (
    REKEYED,
    DeadLetter,
    DeadLetterLimit,
    DeadLetterLimitReached,
    Outlet,
)
from stream.processing.processors import home_of
from tests.processing.cluster import PARTITIONS, Cluster, until
from tests.processing.fakes import FakeProducer, record
from tests.processing.toy import encode


def ours(letter: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in letter.headers if name.startswith("dead-letter.")}


async def test_an_invalid_record_keeps_its_bytes_and_says_why_and_where_from(cluster: Cluster) -> None:
    worker = await cluster.start_worker()
    await cluster.send("a", 1)
    sent = await cluster.send("a", 2, value=b'{"key": \xff', headers=[("trace", b"\x00\x01")])
    await cluster.send("a", 3)
    await until(lambda: cluster.counts() == {"a": 2})
    [letter] = await cluster.read(cluster.dead_letters, 1)

    assert letter.value == b'{"key": \xff'
    assert letter.key == b"a"
    assert letter.headers[0] == ("trace", b"\x00\x01")
    assert ours(letter) == {
        "dead-letter.reason": "not_json",
        "dead-letter.error": "the value is not JSON",
        "dead-letter.topic": cluster.topic,
        "dead-letter.partition": str(sent.partition),
        "dead-letter.offset": str(sent.offset),
    }
    assert worker.feed.invalid == {"not_json": 1}
    assert worker.feed.gaps == 0


async def test_a_value_of_more_than_a_megabyte_fits_into_the_dead_letters(cluster: Cluster) -> None:
    huge = b"x" * 3_000_000
    await cluster.start_worker()
    await cluster.send("a", 1, value=huge)
    await cluster.send("a", 2)
    await until(lambda: cluster.counts() == {"a": 1})
    [letter] = await cluster.read(cluster.dead_letters, 1)

    assert letter.value == huge


async def test_of_a_batch_only_the_poison_record_is_set_aside(cluster: Cluster) -> None:
    await cluster.send_many([("a", number) for number in range(1000)])
    sent = await cluster.send("a", 1000, value=encode("a", 1000, poison=True))
    await cluster.send_many([("a", number) for number in range(1001, 2000)])
    worker = await cluster.start_worker()
    await until(lambda: cluster.counts() == {"a": 1999})
    [letter] = await cluster.read(cluster.dead_letters, 1)

    assert ours(letter)["dead-letter.reason"] == "processing_failed"
    assert ours(letter)["dead-letter.error"] == "a defect of this version: KeyError"
    assert ours(letter)["dead-letter.offset"] == str(sent.offset)
    assert worker.feed.dead_letters == 1


async def test_an_event_under_a_foreign_key_or_in_a_foreign_partition_is_forwarded_once(cluster: Cluster) -> None:
    home = home_of(b"a", PARTITIONS)
    worker = await cluster.start_worker()
    await cluster.send("a", 1, key=b"somebody else", partition=home)
    await cluster.send("a", 2, key=None, partition=(home + 1) % PARTITIONS)
    await cluster.send("a", 3, partition=(home + 2) % PARTITIONS)
    await cluster.send("a", 4)
    await until(lambda: cluster.counts() == {"a": 4})

    assert worker.feed.rekeyed == 3
    assert worker.feed.dead_letters == 0
    forwarded = [found for found in await cluster.read(cluster.topic, 7) if REKEYED in dict(found.headers)]
    assert {(found.key, found.partition) for found in forwarded} == {(b"a", home)}
    origins = {dict(found.headers)[REKEYED].decode() for found in forwarded}
    assert origins == {f"{cluster.topic}/{(home + away) % PARTITIONS}/0" for away in range(3)}


async def test_an_event_that_is_still_astray_after_forwarding_is_set_aside(cluster: Cluster) -> None:
    worker = await cluster.start_worker()
    await cluster.send("a", 1, key=b"b", headers=[(REKEYED, b"toys/0/0")])
    await until(lambda: worker.feed.dead_letters == 1)

    assert worker.feed.invalid == {"invalid_field": 1}
    assert worker.feed.rekeyed == 0


def letters(count: int) -> list[DeadLetter]:
    return [DeadLetter("toys", 0, record(offset), InvalidEvent("empty", "no value")) for offset in range(count)]


async def test_past_the_limit_the_worker_stops_instead_of_diverting_everything() -> None:
    outlet = Outlet(FakeProducer, Feed(), topic="dead", limit=DeadLetterLimit(in_a_row=3))

    await outlet.set_aside(letters(2))
    with pytest.raises(DeadLetterLimitReached, match=r"toys: 3 records in a row were no events.*offset 0"):
        await outlet.set_aside(letters(1))


async def test_an_event_in_between_starts_the_limit_anew() -> None:
    outlet = Outlet(FakeProducer, Feed(), topic="dead", limit=DeadLetterLimit(in_a_row=3))
    await outlet.set_aside(letters(2))
    outlet.event_seen()
    await outlet.set_aside(letters(2))


async def test_a_dead_letter_is_sent_until_the_broker_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.processing.dead_letters.RETRY_SECONDS", 0)
    producer = FakeProducer(failures=3)
    feed = Feed()
    await Outlet(lambda: producer, feed, topic="dead").set_aside(letters(1))

    assert len(producer.sent) == 1
    assert feed.dead_letters == 1
