"""Whatever arrives: a reason in the dead letters or a counted limit; the stream goes on, and no figure moves."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord

from stream.app.replay import replay
from stream.core.cloudevents import encode, key_of
from stream.core.limits import OVERFLOW_QUEUE
from stream.runtime.kafka.topics import DEAD_LETTERS
from stream.simulator import demo_centre, simulate
from tests.brokers import Broker
from tests.running import running_service, scrape, send, send_raw, settings_of_a_test, until
from tests.timeline import event

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def changed(**fields: object) -> bytes:
    good = json.loads(encode(event("answered", "ann", NOON)))
    return json.dumps({**good, **fields}).encode()


BAD: dict[str, list[bytes | None]] = {
    "empty": [None, b""],
    "too_large": [b" " * 1_000_001, b'{"x": "' + b"x" * 2_000_000],
    "not_utf8": [b"\xff\xfe\x00", changed().replace(b"ann", b"a\xff")],
    "not_json": [changed()[:-7], b"ENTERQUEUE", b"[" * 100_000],
    "not_cloudevent": [b"[]", b"7", b"{}", b'{"specversion": "1.0"}'],
    "unknown_type": [changed(type="contact.teleported"), changed(type=None)],
    "missing_field": [changed(data={}), changed(data={"channel": "voice"})],
    "invalid_field": [
        changed(data={"queue": 7}),
        changed(data={"queue": "sales", "wait_ms": "long"}),
        changed(data={"queue": "sales", "wait_ms": 10**30}),
        changed(time="tomorrow"),
        changed(data=None),
    ],
    "absurd_time": [changed(time="1969-12-31T23:59:59Z"), changed(time="2999-01-01T00:00:00Z")],
    "future": [changed(time=(NOON + timedelta(minutes=6)).isoformat())],
    "wrong_topic": [encode(event("agent.logged_in", "eva", NOON))],
}


async def test_every_kind_of_bad_record_is_set_aside_with_its_reason_and_changes_no_figure(
    fresh_broker: Broker,
) -> None:
    day = list(simulate(demo_centre(), start=NOON - timedelta(minutes=20), end=NOON, seed=2))
    bad = [(reason, value) for reason, values in BAD.items() for value in values]
    key = key_of(event("answered"))
    async with running_service(fresh_broker, at=NOON) as service:
        await send(fresh_broker.address, day[: len(day) // 2])
        await send_raw(fresh_broker.address, "contacts", [(key, value) for _, value in bad])
        await send(fresh_broker.address, day[len(day) // 2 :])
        await until(lambda: service.feed.events.total() == len(day) and service.feed.dead_letters == len(bad))

        assert await service.board() == replay(day).board(NOON)
        scraped = await scrape(service)
        assert service.feed.invalid == Counter(reason for reason, _ in bad)
        for reason, count in service.feed.invalid.items():
            assert scraped["contact_events_invalid_total", (("reason", reason),)] == count

    letters = await _dead_letters(fresh_broker, len(bad))
    assert Counter((_header(letter, "reason"), letter.value) for letter in letters) == Counter(
        (reason, value) for reason, value in bad
    )
    for letter in letters:
        assert letter.key == key
        assert _header(letter, "topic") == "contacts"
        assert _header(letter, "partition").isdigit()
        assert _header(letter, "offset").isdigit()
        assert "ann" not in _header(letter, "error")


async def test_a_runaway_producer_of_queue_names_fills_one_series_only(fresh_broker: Broker) -> None:
    """Names beyond the limit share a series; labels, memory and page stay bounded, and nothing is lost."""
    names = 20_000
    settings = settings_of_a_test(max_queues_per_tenant=50)
    flood = [event("answered", f"c{n}", NOON - timedelta(minutes=1), queue=f"queue-{n}") for n in range(names)]
    async with running_service(fresh_broker, at=NOON, settings=settings) as service:
        await send(fresh_broker.address, flood)
        await until(lambda: service.feed.events.total() == names)

        board = await service.board()
        shown = Counter[str]()
        for queue in board.snapshots["contacts"]:
            shown[queue.queue] += queue.total.answered
        scraped = await scrape(service)

    assert shown.total() == names
    assert len(shown) <= settings.partitions * settings.max_queues_per_tenant + settings.partitions
    assert shown[OVERFLOW_QUEUE] == service.feed.overflowed > names / 2
    assert scraped["contact_events_overflowed_total", ()] == service.feed.overflowed


async def test_an_event_under_a_foreign_key_is_forwarded_once_to_its_own(fresh_broker: Broker) -> None:
    told = [event("answered", f"c{n}", NOON) for n in range(20)]
    async with running_service(fresh_broker, at=NOON) as service:
        await send_raw(
            fresh_broker.address, "contacts", [(f"k{n}".encode(), encode(one)) for n, one in enumerate(told)]
        )
        await until(lambda: service.feed.rekeyed == len(told) and service.feed.events.total() == len(told))

        (queue,) = (await service.board()).snapshots["contacts"]
        assert queue.total.answered == len(told)


async def _dead_letters(broker: Broker, count: int) -> list[ConsumerRecord]:
    consumer = AIOKafkaConsumer(
        DEAD_LETTERS,
        bootstrap_servers=broker.address,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2**23,
    )
    await consumer.start()
    try:
        letters: list[ConsumerRecord] = []
        while len(letters) < count:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                letters += records
        return letters
    finally:
        await consumer.stop()


def _header(letter: ConsumerRecord, name: str) -> str:
    headers: dict[str, bytes] = dict(letter.headers)
    return headers.get(f"dead-letter.{name}", b"").decode()
