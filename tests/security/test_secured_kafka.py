"""A whole centre on Apache Kafka with TLS, logins and ACLs, everybody with just the rights that are documented."""

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from aiokafka.conn import CloseReason
from faust.types import TP
from msgspec.structs import replace

from scripts.rights import rights_of
from stream.app.replay import replay
from stream.app.service import Service
from stream.core.cloudevents import Event, encode
from stream.runtime.kafka.topics import ensure_topics, source_topic
from stream.runtime.kafka.transport import Consumer
from stream.runtime.routing.dead_letter_reader import read_letters
from stream.sdk.blocking import BlockingProducer
from stream.sdk.producer import Producer
from stream.security.kafka_security import KafkaSecurity, SaslMechanism
from stream.settings import PREFIX, Settings
from stream.simulator import demo_centre, newest_event, simulate
from tests.brokers import Broker, delete_topics
from tests.running import running_service, send, send_raw, settings_of_a_test, until
from tests.security.commands import command, environment
from tests.security.secured import SecuredKafka, password_of, unsigned_token

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


Door = Callable[[SecuredKafka], tuple[str, KafkaSecurity]]


def day() -> list[Event]:
    return list(simulate(demo_centre(), start=NOON - timedelta(minutes=40), end=NOON, seed=5))


async def test_everybody_does_their_work_with_the_documented_rights(
    secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    kafka, address = secured_kafka, secured_kafka.doors.sasl_ssl
    await delete_topics(kafka.plain)
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
        await assert_changelogs_are_read_again(service)

    letters = [letter async for letter in read_letters([address], kafka.login("dead-letters"))]
    assert [letter.reason for letter in letters] == ["not_json"]
    assert await newest_event([address], demo_centre(), security=kafka.login("simulator")) is not None


async def assert_changelogs_are_read_again(service: Service) -> None:
    """A worker reads what somebody else has written to a changelog by a client of its own."""
    [owned, *_] = [owned for owned in service.worker.ownership if owned.changelog_ends.get("tallies")]
    changelog = TP(f"{service.settings.group}-tallies-changelog", owned.tp.partition)

    assert await service.worker.checkpoints._log.keys(changelog, range(owned.changelog_ends["tallies"]))


def halves(events: Sequence[Event]) -> tuple[list[Event], list[Event]]:
    middle = len(events) // 2
    return list(events[:middle]), list(events[middle:])


def by_password(mechanism: SaslMechanism) -> Door:
    return lambda kafka: (kafka.doors.sasl_ssl, kafka.login("producer", mechanism))


def by_certificate(kafka: SecuredKafka) -> tuple[str, KafkaSecurity]:
    certificate, key = kafka.certificates.issue("producer", password="open sesame")
    return kafka.doors.ssl, KafkaSecurity(
        security_protocol="SSL",
        ssl_ca_file=kafka.certificates.authority,
        ssl_certificate_file=certificate,
        ssl_key_file=key,
        ssl_key_password_file=kafka.secret("open sesame"),
    )


def without_tls(kafka: SecuredKafka) -> tuple[str, KafkaSecurity]:
    return kafka.doors.sasl_plaintext, replace(
        kafka.login("producer", "PLAIN"), security_protocol="SASL_PLAINTEXT", ssl_ca_file=None
    )


def by_token(kafka: SecuredKafka) -> tuple[str, KafkaSecurity]:
    token = kafka.secret(unsigned_token("producer"))
    return kafka.doors.sasl_plaintext, KafkaSecurity(
        security_protocol="SASL_PLAINTEXT", sasl_mechanism="OAUTHBEARER", sasl_token_file=token
    )


@pytest.mark.parametrize(
    "door",
    [
        by_password("PLAIN"),
        by_password("SCRAM-SHA-256"),
        by_password("SCRAM-SHA-512"),
        by_certificate,
        without_tls,
        by_token,
    ],
    ids=["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "certificate", "without TLS", "token"],
)
def test_a_call_system_comes_in_by_every_door(secured_kafka: SecuredKafka, door: Door) -> None:
    """Each is the same user to the broker, with the same rights."""
    address, security = door(secured_kafka)
    asyncio.run(declared(secured_kafka))

    with BlockingProducer(f"kafka://{address}", security=security) as producer:
        assert producer.send_many(day()[:20]) == 20


async def declared(kafka: SecuredKafka) -> None:
    await kafka.allow("producer", rights_of("any")["producer"])
    topics = {right.name for right in rights_of("any")["producer"]}
    await ensure_topics([kafka.plain], [source_topic(name, 4, retention=Settings().retention) for name in topics])


async def test_a_running_worker_waits_while_its_password_is_wrong_and_takes_the_one_that_comes(
    secured_kafka: SecuredKafka, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.runtime.worker.AWAY_SECONDS", 1.0)
    caplog.set_level("INFO", "stream")
    kafka, settings = secured_kafka, settings_of_a_test()
    user = await kafka.somebody([*rights_of(settings.group)["worker"], *rights_of(settings.group)["topics"]])
    security = kafka.login(user)
    assert security.sasl_password_file is not None
    right = security.sasl_password_file.read_text()
    settings = replace(settings, security=security)
    async with running_service(Broker(kafka.doors.sasl_ssl, real=True), at=NOON, settings=settings) as service:
        security.sasl_password_file.write_text("rotated, but not yet at the broker")
        await until(lambda: "Secrets were read again" in caplog.text)
        await cut_off(service)
        await until(lambda: f"refuses user '{user}' by SCRAM-SHA-512: check" in caplog.text)
        assert service.worker.failure is None
        assert service.feed.broker_silent_since is not None

        security.sasl_password_file.write_text(right)
        await until(lambda: service.feed.broker_silent_since is None)
        await send(kafka.plain, day()[:20])
        await until(lambda: service.feed.events.total() >= 20)


async def cut_off(service: Service) -> None:
    """Close the connections of a worker's consumer, as brokers do when they are restarted."""
    thread = cast("Consumer", service.worker.app.consumer)._thread

    async def close() -> None:
        for connection in thread._ensure_consumer()._client._conns.values():
            connection.close(reason=CloseReason.CONNECTION_BROKEN)

    await thread._in_thread(close())


async def test_no_secret_is_in_the_log_however_much_is_logged(secured_kafka: SecuredKafka) -> None:
    settings = settings_of_a_test()
    security = secured_kafka.login(await secured_kafka.somebody())
    variables = environment(secured_kafka.doors.sasl_ssl, security, settings)

    refused = command("worker", environment=variables | {f"{PREFIX}LOG_LEVEL": "DEBUG"})

    assert refused.returncode == 1
    assert re.search(r"^contact-stream: Topic \S+ is not there, or user", refused.stderr, re.MULTILINE)
    assert password_of(security.sasl_username) not in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
