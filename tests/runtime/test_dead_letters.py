"""What is no event is set aside byte for byte, and everything around it is counted."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.errors import InvalidTimestampError, KafkaError, MessageSizeTooLargeError

from stream.errors import BrokerError, InvalidEvent
from stream.runtime.routing.dead_letters import (
    REKEYED,
    DeadLetter,
    DeadLetterLimitReached,
    MisroutedRecord,
    Outlet,
)
from stream.runtime.routing.processor import home_of
from stream.settings import Settings
from stream.status.feed import Feed
from tests.runtime.cluster import PARTITIONS, Cluster, until
from tests.runtime.fakes import FakeProducer, record
from tests.runtime.toy import encode


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
        "dead-letter.field": "",
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


WRONG = InvalidEvent("not_json", "the value is not JSON")


def letters(count: int) -> list[DeadLetter]:
    return [DeadLetter("toys", 0, record(offset), InvalidEvent("empty", "no value")) for offset in range(count)]


async def test_a_worker_whose_settings_say_nothing_of_it_never_stops_for_dead_letters() -> None:
    assert Settings().dead_letter_limit == 0
    outlet = Outlet(FakeProducer, Feed(), topic="dead", limit=0)

    await outlet.set_aside(letters(1000))


async def test_past_the_limit_the_worker_stops_instead_of_diverting_everything() -> None:
    outlet = Outlet(FakeProducer, Feed(), topic="dead", limit=3)

    await outlet.set_aside(letters(2))
    with pytest.raises(DeadLetterLimitReached, match=r"toys: 3 records in a row were no events.*offset 0"):
        await outlet.set_aside(letters(1))


async def test_an_event_in_between_starts_the_limit_anew() -> None:
    outlet = Outlet(FakeProducer, Feed(), topic="dead", limit=3)
    await outlet.set_aside(letters(2))
    outlet.event_seen()
    await outlet.set_aside(letters(2))


async def test_a_dead_letter_is_sent_until_the_broker_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.runtime.routing.dead_letters.RESEND_SECONDS", 0)
    producer = FakeProducer(failures=3)
    feed = Feed()
    await Outlet(lambda: producer, feed, topic="dead", limit=0).set_aside(letters(1))

    assert len(producer.sent) == 1
    assert feed.dead_letters == 1


class Narrow(FakeProducer):
    """Takes so many bytes of key, value and foreign headers, and refuses a time that it finds odd."""

    def __init__(self, room: int, *, odd_time: int | None = None) -> None:
        super().__init__()
        self.room = room
        self.odd_time = odd_time
        self.refused: list[type[KafkaError]] = []

    async def send_and_wait(self, topic: str, value: bytes | None, **options: Any) -> None:
        headers: Sequence[tuple[str, bytes]] = options["headers"]
        foreign = sum(len(text) for name, text in headers if not name.startswith("dead-letter."))
        if len(value or b"") + len(options["key"] or b"") + foreign > self.room:
            self.refused.append(MessageSizeTooLargeError)
            raise MessageSizeTooLargeError
        if options["timestamp_ms"] == self.odd_time and self.odd_time is not None:
            self.refused.append(InvalidTimestampError)
            raise InvalidTimestampError
        await super().send_and_wait(topic, value, **options)


@pytest.mark.parametrize(
    ("room", "omitted", "size"),
    [(60, None, 0), (50, "value", 30), (20, "value,headers", 51), (5, "value,headers,key", 61)],
)
async def test_of_a_letter_that_is_too_large_parts_are_left_out_in_turn(
    room: int, omitted: str | None, size: int
) -> None:
    producer = Narrow(room)
    whole = record(7, key=b"k" * 10, value=b"v" * 30, headers=[("x", b"h" * 20)])
    await Outlet(lambda: producer, Feed(), topic="dead", limit=0).set_aside([DeadLetter("toys", 0, whole, WRONG)])

    [(_, value, options)] = producer.sent
    told = {name: text.decode() for name, text in options["headers"]}
    assert told.get("dead-letter.omitted") == omitted
    assert told.get("dead-letter.omitted-bytes", "0") == str(size)
    assert told["dead-letter.offset"] == "7"
    assert (value == whole.value, "x" in told, options["key"] == whole.key) == tuple(
        part not in (omitted or "") for part in ("value", "headers", "key")
    )
    assert len(producer.refused) == len((omitted or "").split(",")) * bool(omitted)


async def test_where_not_even_an_empty_letter_fits_the_worker_says_so_and_stops() -> None:
    with pytest.raises(BrokerError, match=r"dead takes no dead letter.*max\.message\.bytes"):
        await Outlet(lambda: Narrow(-1), Feed(), topic="dead", limit=0).set_aside(letters(1))


async def test_a_misrouted_record_that_is_too_large_to_forward_is_set_aside() -> None:
    producer = Narrow(50)
    feed = Feed()
    large = record(1, key=b"b", value=b"v", headers=[("x", b"h" * 60)])
    small = record(2, key=b"b", value=b"v")
    await Outlet(lambda: producer, feed, topic="dead", limit=0).forward(
        [MisroutedRecord("toys", 0, one, b"a", 1) for one in (large, small)]
    )

    assert feed.rekeyed == 1
    assert feed.invalid == {"too_large": 1}
    assert [topic for topic, _, _ in producer.sent] == ["toys", "dead"]


async def test_a_time_that_no_broker_takes_is_left_out() -> None:
    producer = Narrow(50, odd_time=10**17)
    odd = [DeadLetter("toys", 0, record(n, timestamp=time), WRONG) for n, time in enumerate((-5, 10**17, 10**12))]
    await Outlet(lambda: producer, Feed(), topic="dead", limit=0).set_aside(odd)

    assert sorted(options["timestamp_ms"] or 0 for _, _, options in producer.sent) == [0, 0, 10**12]


def test_headers_that_look_like_ours_are_left_out() -> None:
    spoofed = record(3, headers=[("dead-letter.field", b"\x1b[2J"), ("Dead-Letter.omitted", b"key"), ("x", None)])

    headers = DeadLetter("toys", 0, spoofed, WRONG).headers()

    assert headers[0] == ("x", None)
    assert dict(headers)["dead-letter.field"] == b""
    assert len(headers) == 7
