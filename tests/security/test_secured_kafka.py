"""A whole centre on Apache Kafka with TLS, logins and ACLs, everybody with just the rights that are documented."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scripts.rights import rights_of
from stream.app.replay import replay
from stream.core.cloudevents import Event, encode
from stream.runtime.routing.dead_letter_reader import read_letters
from stream.sdk.producer import Producer
from stream.simulator import demo_centre, newest_event, simulate
from tests.brokers import Broker
from tests.running import running_service, send_raw, settings_of_a_test, until
from tests.security.commands import command, environment
from tests.security.secured import SecuredKafka

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def day() -> list[Event]:
    return list(simulate(demo_centre(), start=NOON - timedelta(minutes=40), end=NOON, seed=5))


async def test_everybody_does_their_work_with_the_documented_rights(
    secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    kafka, address = secured_kafka, secured_kafka.doors.sasl_ssl
    settings = settings_of_a_test(create_topics=False, security=kafka.login("worker"))
    for user, rights in rights_of(settings.group).items():
        await kafka.allow(user, rights)
    first, second = halves(day())
    file = tmp_path / "second.jsonl"
    file.write_bytes(b"\n".join(map(encode, second)))

    declared = command("topics", environment=environment(address, kafka.login("topics"), settings))
    assert (declared.returncode, declared.stderr) == (0, "")
    broker = Broker(address, real=True)
    async with running_service(broker, at=NOON, settings=settings) as service:
        async with Producer(f"kafka://{address}", security=kafka.login("producer")) as producer:
            await producer.send_many(first)
        stray = encode(next(event for event in first if event.topic == "contacts"))
        await send_raw(kafka.plain, "contacts", [(b"default/sales", b"ENTERQUEUE"), (b"wrong/key", stray)])
        await until(lambda: service.feed.events.total() == len(first) + 1)
        assert await service.board() == replay(first).board(NOON)
    assert (service.feed.dead_letters, service.feed.rekeyed) == (1, 1)
    assert service.feed.checkpoints.failures == 0

    sent = command("produce", str(file), environment=environment(address, kafka.login("producer"), settings))
    assert f"{len(second)} events were acknowledged" in sent.stderr
    async with running_service(broker, at=NOON, settings=settings) as service:  # the rows come from the changelogs
        await until(lambda: service.feed.events.total() == len(second))
        assert await service.board() == replay([*first, *second]).board(NOON)

    letters = [letter async for letter in read_letters([address], kafka.login("dead-letters"))]
    assert [letter.reason for letter in letters] == ["not_json"]
    assert await newest_event([address], demo_centre(), security=kafka.login("simulator")) is not None


def halves(events: Sequence[Event]) -> tuple[list[Event], list[Event]]:
    middle = len(events) // 2
    return list(events[:middle]), list(events[middle:])
