"""Each right that is missing: what is said, and whether the worker ends or waits until somebody grants it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from scripts.rights import Right, rights_of
from stream.app.service import Service
from stream.core.cloudevents import Event
from stream.doctor.kafka_checks import look_at_brokers
from stream.errors import BrokerError, BrokerRefused, TopicMismatch
from stream.runtime.kafka.topics import ensure_topics
from stream.runtime.routing.dead_letter_reader import read_letters
from stream.sdk.producer import Producer
from stream.simulator import demo_centre, simulate
from tests.running import send, send_raw, settings_of_a_test, until
from tests.security.secured import SecuredKafka

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
GROUP = "group-of-somebody"
"""One for all: workers that are refused leave nothing in it. It is in the names of tests, which all processes know."""


def events() -> list[Event]:
    return list(simulate(demo_centre(), start=NOON - timedelta(minutes=2), end=NOON, seed=5))


def split(resource: str, name: str, operation: str) -> tuple[Sequence[Right], Right]:
    """Return the rights of a worker but for one operation, and what is missing."""
    rest, missing = [], []
    for right in rights_of(GROUP)["worker"]:
        if (right.resource, right.name) == (resource, name):
            missing.append(right._replace(operations=[operation]))
            right = right._replace(operations=[one for one in right.operations if one != operation])  # noqa: PLW2901
        rest.append(right)
    [lacking] = missing
    return rest, lacking


@asynccontextmanager
async def a_worker(kafka: SecuredKafka, rights: Sequence[Right], *, creates: bool = False) -> AsyncIterator[Service]:
    """Yield a worker of a user with these rights, not started; the topics are there."""
    settings = replace(settings_of_a_test(create_topics=creates), group=GROUP)
    security = kafka.login(await kafka.somebody(rights))
    service = Service(replace(settings, security=security), brokers=kafka.doors.sasl_ssl, clock=lambda: NOON)
    await ensure_topics([kafka.plain], service.worker.topics)
    try:
        yield service
    finally:
        await service.stop()


@pytest.mark.parametrize(
    ("resource", "name", "said"),
    [
        ("Topic", "contacts", "use the topic contacts: grant it"),
        ("Group", GROUP, f"join the group {GROUP}: grant it"),
    ],
)
async def test_a_worker_that_may_not_read_ends_and_says_what(
    secured_kafka: SecuredKafka, resource: str, name: str, said: str
) -> None:
    rights, _ = split(resource, name, "Read")
    async with a_worker(secured_kafka, rights) as service, asyncio.timeout(100):
        with pytest.raises(BrokerRefused, match=rf"^The brokers do not let user 'somebody-\d+' {said}"):
            await service.run()


async def test_a_worker_that_may_not_read_its_changelogs_ends_and_says_what(secured_kafka: SecuredKafka) -> None:
    rights, missing = split("Topic", f"{GROUP}-*", "Read")
    async with a_worker(secured_kafka, [*rights, missing]) as service:
        await service.start()
        await send(secured_kafka.plain, events())
        await until(lambda: service.feed.checkpoints.rows > 0)

    async with a_worker(secured_kafka, rights) as service, asyncio.timeout(100):
        with pytest.raises(BrokerRefused, match=rf"use the topic {GROUP}-\w+-changelog: grant it"):
            await service.run()


async def test_a_worker_that_may_not_write_its_changelogs_shows_figures_says_so_and_waits(
    secured_kafka: SecuredKafka, caplog: pytest.LogCaptureFixture
) -> None:
    rights, missing = split("Topic", f"{GROUP}-*", "Write")
    async with a_worker(secured_kafka, rights) as service:
        await service.start()
        await send(secured_kafka.plain, events())
        await until(lambda: service.feed.checkpoints.failures > 0)
        assert f"The brokers do not let this worker use the topic {GROUP}-" in caplog.text
        assert service.feed.events.total() > 0

        await secured_kafka.allow(service.settings.security.sasl_username, [missing])
        await until(lambda: service.feed.checkpoints.failing_since is None)


async def test_a_worker_that_may_not_set_aside_waits_and_says_so(
    secured_kafka: SecuredKafka, caplog: pytest.LogCaptureFixture
) -> None:
    rights, missing = split("Topic", "dead-letters", "Write")
    describe = missing._replace(operations=["Describe"])
    async with a_worker(secured_kafka, [*rights, describe]) as service:
        await service.start()
        await send_raw(secured_kafka.plain, "contacts", [(b"default/sales", b"ENTERQUEUE")])
        await until(lambda: "do not let this worker use the topic dead-letters: grant it" in caplog.text)
        assert service.feed.dead_letters == 0

        await secured_kafka.allow(service.settings.security.sasl_username, [missing])
        await until(lambda: service.feed.dead_letters > 0)


async def test_without_the_right_to_compare_a_worker_works_and_says_that_nothing_is_compared(
    secured_kafka: SecuredKafka, caplog: pytest.LogCaptureFixture
) -> None:
    rights, _ = split("Topic", "contacts", "DescribeConfigs")
    async with a_worker(secured_kafka, rights) as service:
        await service.start()

    assert "do not tell how contacts are set up: nothing is compared (right DescribeConfigs)" in caplog.text


async def test_topics_that_may_not_be_seen_are_told_from_topics_that_are_missing(
    secured_kafka: SecuredKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_worker(secured_kafka, []) as service:
        with pytest.raises(TopicMismatch, match=r"^Missing topics: .*, or let user '\S+' describe them\.$"):
            await service.run()
    async with a_worker(secured_kafka, [], creates=True) as service:
        with pytest.raises(
            BrokerRefused, match=r"is not there, or user '\S+' may not describe it, and may not create it"
        ):
            await service.run()
    monkeypatch.setattr("stream.runtime.kafka.topics.APPEAR_SECONDS", 0.5)
    create = [right._replace(operations=["Create"]) for right in rights_of(GROUP)["topics"]]
    async with a_worker(secured_kafka, create, creates=True) as service:
        with pytest.raises(BrokerRefused, match=r"^Topics that exist are not shown: .* Let user '\S+' describe them"):
            await service.run()


async def test_a_producer_that_may_not_write_is_told_at_once(secured_kafka: SecuredKafka) -> None:
    event = events()[0]
    user = await secured_kafka.somebody()
    for more, said in (([], "write anything"), (["other"], f"use the topic {event.topic}")):
        await secured_kafka.allow(user, [Right("Topic", name, ["Write"], "") for name in more])
        async with Producer(f"kafka://{secured_kafka.doors.sasl_ssl}", security=secured_kafka.login(user)) as producer:
            with pytest.raises(BrokerError, match=f"The brokers do not let user '{user}' {said}"):
                await producer.send(event)


async def test_dead_letters_that_may_not_be_read_are_not_taken_for_none(secured_kafka: SecuredKafka) -> None:
    security = secured_kafka.login(await secured_kafka.somebody())

    with pytest.raises(BrokerError, match=r"^there is no topic dead-letters, or user '\S+' may not read it"):
        [letter async for letter in read_letters([secured_kafka.doors.sasl_ssl], security)]


async def test_the_doctor_sees_with_its_rights_that_no_worker_is_there_and_says_which_right_is_missing(
    secured_kafka: SecuredKafka,
) -> None:
    *of_topics, of_group = rights_of(GROUP)["doctor"]
    user = await secured_kafka.somebody(of_topics)
    async with a_worker(secured_kafka, []) as service:
        topics = service.worker.topics

    async def findings() -> list[tuple[str, str, str]]:
        security = secured_kafka.login(user)
        found = look_at_brokers([secured_kafka.doors.sasl_ssl], security, topics, GROUP)
        return [(finding.about, finding.verdict, finding.said) async for finding in found]

    *rest, group = await findings()
    assert [(about, verdict) for about, verdict, _ in rest] == [("broker", "good"), ("topics", "good")]
    assert group == ("group", "look", f"user '{user}' may not describe the group {GROUP}")

    await secured_kafka.allow(user, [of_group])
    async with asyncio.timeout(100):  # the first who asks for a coordinator has the brokers make one
        while (await findings())[-1] != ("group", "bad", f"no worker is in the group {GROUP}"):
            await asyncio.sleep(0.2)


async def test_the_doctor_says_who_is_not_let_in(secured_kafka: SecuredKafka) -> None:
    stranger = replace(
        secured_kafka.login(await secured_kafka.somebody()), sasl_password_file=secured_kafka.secret("a wrong one")
    )
    found = look_at_brokers([secured_kafka.doors.sasl_ssl], stranger, [], GROUP)

    assert [(finding.about, finding.verdict) async for finding in found] == [("broker", "bad")]
