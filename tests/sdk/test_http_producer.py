"""What the producer does with the answers of a gateway, a scripted one and the real one, and of what stands between."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from stream.errors import SettingsError
from stream.gateway.application import EVENTS_PATH
from stream.gateway.keys import new_key
from stream.sdk import http_producer
from stream.sdk.buffered import ProducerPolicy
from stream.sdk.delivery import DeliveryReport, NotAcknowledged
from stream.sdk.factory import EventFactory
from stream.sdk.http_producer import HttpProducer
from stream.security import watched_file
from tests.brokers import Broker
from tests.gateway.posting import NOWHERE, running_gateway
from tests.sdk.records import create_topics, records_of
from tests.sdk.scripted_gateway import ScriptedGateway, scripted_gateway
from tests.security.certificates import Certificates

EVENTS = EventFactory("/test", tenant="acme")
SECRET = "pbx.c2VjcmV0LXRoYXQtbm9ib2R5LW1heS1yZWFk"

HASTY = ProducerPolicy(delivery_timeout=timedelta(seconds=3), request_timeout=timedelta(seconds=3))
"""Long enough to be answered, also where others keep the machine busy."""


@pytest.fixture
async def gateway() -> AsyncIterator[ScriptedGateway]:
    async with scripted_gateway() as scripted:
        yield scripted


def problem(status: int, detail: str = "no", headers: dict[str, str] | None = None, **more: Any) -> web.Response:
    return web.json_response({"reason": "a_reason", "detail": detail, **more}, status=status, headers=headers)


def named(*contacts: str) -> Iterator[Any]:
    return (EVENTS.enqueued(contact, "q") for contact in contacts)


async def test_events_are_posted_in_batches_that_are_packed(gateway: ScriptedGateway) -> None:
    async with HttpProducer(gateway.address) as producer:
        await producer.send_many(named(*map(str, range(5000))))
        await producer.send(EVENTS.enqueued("last", "q"))

    assert [contact for batch in gateway.subjects for contact in batch] == [*map(str, range(5000)), "last"]
    assert len(gateway.requests) < 50
    heads = [request.headers for _, request in gateway.requests]
    assert {head["Content-Type"] for head in heads} == {"application/cloudevents-batch+json"}
    assert {request.path for _, request in gateway.requests} == {EVENTS_PATH}
    # A single small event would only grow.
    assert [head.get("Content-Encoding") for head in heads] == ["gzip"] * (len(heads) - 1) + [None]
    assert all("Authorization" not in head for head in heads)


async def test_no_request_is_larger_than_the_policy_says(gateway: ScriptedGateway) -> None:
    async with HttpProducer(gateway.address, policy=ProducerPolicy(batch_bytes=5000)) as producer:
        await producer.send_many(named(*map(str, range(100)), "x" * 200))

    assert all(len(msgspec.json.encode(events)) < 5200 for events, _ in gateway.requests)
    assert sum(map(len, gateway.subjects)) == 101


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_what_may_pass_is_sent_again_as_it_was(gateway: ScriptedGateway, status: int) -> None:
    gateway.answers = [problem(status), web.Response(status=status, text="<html>busy</html>")]
    async with HttpProducer(gateway.address) as producer:
        await producer.send(EVENTS.enqueued("a", "q"))

    assert len(gateway.requests) == 3
    assert len({msgspec.json.encode(events) for events, _ in gateway.requests}) == 1


async def test_it_comes_back_when_the_gateway_says(gateway: ScriptedGateway) -> None:
    gateway.answers = [problem(429, headers={"Retry-After": "1"}), problem(503, headers={"Retry-After": "0"})]
    async with HttpProducer(gateway.address) as producer:
        await producer.send(EVENTS.enqueued("a", "q"))

    first, second, third = gateway.times
    assert second - first >= 0.99
    assert third - second >= 0.1


async def test_who_is_told_to_come_back_too_late_gives_up_in_time(gateway: ScriptedGateway) -> None:
    gateway.answers = [problem(429, "not so fast", {"Retry-After": "3600"})]
    async with HttpProducer(gateway.address, policy=HASTY) as producer:
        with pytest.raises(NotAcknowledged, match="answers 429: not so fast"):
            await producer.send(EVENTS.enqueued("a", "q"))

    assert len(gateway.requests) == 1


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 415, 422, 431])
async def test_what_will_not_pass_is_told_at_once(gateway: ScriptedGateway, status: int) -> None:
    gateway.answers = [problem(status, "mend\nthis", {"Location": gateway.address + "/elsewhere"})]
    async with HttpProducer(gateway.address) as producer:
        with pytest.raises(NotAcknowledged, match=rf"2 of 2 .*the gateway at \S+ answers {status}: mend this"):
            await producer.send_many(named("a", "b"))

    assert len(gateway.requests) == 1


async def test_a_key_that_was_good_is_awaited_and_one_that_never_was_is_not(
    gateway: ScriptedGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_file, "CHECKED_EVERY_SECONDS", 0)
    file = tmp_path / "gateway.key"
    file.write_text("pbx.old\n")
    async with HttpProducer(gateway.address, key_file=file) as producer:
        await producer.send(EVENTS.enqueued("a", "q"))
        file.write_text("pbx.brand-new\n")
        gateway.answers = [problem(401)]
        await producer.send(EVENTS.enqueued("b", "q"))

    assert gateway.subjects == [["a"], ["b"], ["b"]]
    keys = [request.headers["Authorization"] for _, request in gateway.requests]
    assert keys == ["Bearer pbx.old", "Bearer pbx.brand-new", "Bearer pbx.brand-new"]


async def test_smaller_batches_are_sent_where_a_proxy_takes_no_large_ones(gateway: ScriptedGateway) -> None:
    gateway.answers = [web.Response(status=413, text="<html>nginx</html>")]
    async with HttpProducer(gateway.address) as producer:
        await producer.send_many(named(*"abcdefgh"))
        assert gateway.subjects == [[*"abcdefgh"], [*"abcd"], [*"efgh"]]

        gateway.answers = [problem(413, "too much")]
        with pytest.raises(NotAcknowledged, match="413: too much"):
            await producer.send(EVENTS.enqueued("alone", "q"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Welcome!</html>",
        b"[]",
        b"{}",
        b'{"accepted":7}',
        b'{"accepted":0,"refused_count":1}',
        b"\xff",
        b"[" * 100_000,
        b" " * 1_100_000 + b'{"accepted":1}',
    ],
    ids=lambda body: f"{body[:12]!r}",
)
async def test_what_is_no_answer_of_a_gateway_acknowledges_nothing(gateway: ScriptedGateway, body: bytes) -> None:
    gateway.answers = [web.Response(status=200, body=body)]
    async with HttpProducer(gateway.address) as producer:
        await producer.send(EVENTS.enqueued("a", "q"))

    assert gateway.subjects == [["a"], ["a"]]


async def test_events_that_were_refused_are_named_and_hold_up_no_others(gateway: ScriptedGateway) -> None:
    refused = {"index": 1, "reason": "invalid_field", "detail": "the field data.queue: no", "field": "data.queue"}
    gateway.answers = [web.json_response({"accepted": 2, "refused_count": 1, "refused": [refused]}, status=202)]
    reports: list[DeliveryReport] = []
    async with HttpProducer(gateway.address, on_delivery=reports.append) as producer:
        with pytest.raises(NotAcknowledged, match=r"1 of 3 .*\(invalid_field\): the field data.queue: no") as told:
            await producer.send_many(named("a", "b", "c"))

    (one,) = told.value.given_up
    assert msgspec.json.decode(one.event.value)["subject"] == "b"
    assert (one.failure.reason, one.failure.field) == ("invalid_field", "data.queue")
    assert [(len(report.acknowledged), report.given_up) for report in reports] == [(2, (one,))]


async def test_a_gateway_that_starts_late_is_waited_for() -> None:
    started = ScriptedGateway()
    server = TestServer(web.Application())
    await server.start_server()
    port = server.port
    await server.close()
    async with HttpProducer(f"http://127.0.0.1:{port}") as producer:
        sending = asyncio.create_task(producer.send_many(named(*"abc")))
        application = web.Application()
        application.router.add_post(EVENTS_PATH, started.handle)
        async with TestServer(application, port=port):
            assert await sending == 3
    assert started.subjects == [[*"abc"]]


async def test_an_answer_that_does_not_come_is_not_waited_for_for_ever() -> None:
    reached: list[str] = []

    async def silent(_: web.BaseRequest) -> web.StreamResponse:
        reached.append("")
        await asyncio.Event().wait()
        raise AssertionError

    application = web.Application()
    application.router.add_post(EVENTS_PATH, silent)
    async with TestServer(application) as server:
        policy = ProducerPolicy(request_timeout=timedelta(seconds=0.2), delivery_timeout=timedelta(seconds=0.9))
        async with HttpProducer(str(server.make_url("/")), policy=policy) as producer:
            with pytest.raises(NotAcknowledged, match=r"did not take them within 0.9 s .*TimeoutError"):
                await producer.send(EVENTS.enqueued("a", "q"))
    assert len(reached) >= 2


async def test_neither_log_nor_error_nor_name_tells_the_key(
    gateway: ScriptedGateway, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.answers = [problem(500), problem(401)]
    with caplog.at_level(logging.DEBUG):
        async with HttpProducer(gateway.address, key=SECRET) as producer:
            with pytest.raises(NotAcknowledged) as told:
                await producer.send(EVENTS.enqueued("05550000001", "q"))
            said = f"{told.value!r} {producer!r} {producer} {caplog.text}"

    assert "500" in caplog.text
    assert SECRET.partition(".")[2] not in said
    assert gateway.requests[0][1].headers["Authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("address", "key", "warnings"),
    [
        ("http://gateway.example.org:9109", SECRET, 2),
        ("http://192.0.2.1", SECRET, 2),
        ("http://localhost:9109", SECRET, 0),
        ("http://[::1]:9109", SECRET, 0),
        ("https://gateway.example.org", SECRET, 0),
        ("http://gateway.example.org:9109", "", 0),
    ],
)
def test_a_key_that_would_be_sent_unencrypted_is_warned_of(
    address: str, key: str, warnings: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "key").write_text(key or "none")
    HttpProducer(address, key=key)
    if key:
        HttpProducer(address, key_file=tmp_path / "key")

    said = "the key goes to the gateway at http://"
    assert [said in line for line in caplog.messages] == [True] * warnings
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "gateway:9109",
        "ftp://gateway",
        "http://",
        "http://a:b@gateway",
        "http://gateway?key=1",
        "http://[",
        "kafka://k:1",
    ],
)
def test_an_address_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match="address of a gateway"):
        HttpProducer(wrong)


@pytest.mark.parametrize("wrong", ["a b", "key\r\nX-Other: 1", "schlüssel"])
def test_a_key_that_is_none_is_refused_without_quoting_it(wrong: str, tmp_path: Path) -> None:
    file = tmp_path / "gateway.key"
    file.write_text(wrong)

    for options in ({"key": wrong}, {"key_file": file}):
        with pytest.raises(SettingsError, match="one word of visible ASCII") as told:
            HttpProducer("http://gateway", **options)
        assert wrong not in str(told.value)


def test_a_file_of_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"gateway.key cannot be read: No such file"):
        HttpProducer("http://gateway", key_file=tmp_path / "gateway.key")
    with pytest.raises(SettingsError, match="exclude each other"):
        HttpProducer("http://gateway", key="k", key_file=tmp_path / "gateway.key")


def test_the_path_is_that_of_the_gateway() -> None:
    assert http_producer.PATH == EVENTS_PATH
    assert str(HttpProducer("https://proxy/contact/")._url) == "https://proxy/contact/v1/events"


# On the real gateway.


@asynccontextmanager
async def keyed_gateway(broker: str, tmp_path: Path, more: str) -> AsyncIterator[tuple[str, str]]:
    """Run a gateway that wants a key; its address, and the key."""
    key, digest = new_key("pbx")
    keys = tmp_path / "keys.toml"
    keys.write_text(f'[keys.pbx]\ndigests = ["{digest}"]\n{more}\n')
    async with running_gateway(broker, gateway_keys=keys) as posts:
        yield posts.address, key


@pytest.fixture
def tenant() -> str:
    return f"t-{uuid4().hex}"


@pytest.fixture(scope="module")
def broker_with_topics(own_broker: Broker) -> str:
    asyncio.run(create_topics(own_broker.address))
    return own_broker.address


async def test_more_events_than_a_gateway_names_are_refused_each_by_itself(
    broker_with_topics: str, tmp_path: Path, tenant: str
) -> None:
    mine, others = EventFactory("/test", tenant=tenant), EventFactory("/test", tenant="somebody-else")
    day = [(mine if number % 3 else others).enqueued(f"c{number}", "q") for number in range(450)]
    reports: list[DeliveryReport] = []
    async with (
        keyed_gateway(broker_with_topics, tmp_path, f'tenants = ["{tenant}"]') as (address, key),
        HttpProducer(address, key=key, on_delivery=reports.append) as producer,
    ):
        with pytest.raises(NotAcknowledged, match=r"150 of 450 .*out_of_scope"):
            await producer.send_many(day)

    arrived = [one.event for one in await records_of(broker_with_topics, tenant)]
    assert {one.id for one in arrived} == {one.id for one in day if one.tenantid == tenant}
    given_up = [one for report in reports for one in report.given_up]
    assert {one.failure.reason for one in given_up} == {"out_of_scope"}
    assert [msgspec.json.decode(one.event.value)["id"] for one in given_up] == [one.id for one in day[::3]]


async def test_a_wrong_key_is_told_at_once(broker_with_topics: str, tmp_path: Path) -> None:
    async with (
        keyed_gateway(broker_with_topics, tmp_path, "") as (address, _),
        HttpProducer(address, key="pbx.wrong") as producer,
    ):
        with pytest.raises(NotAcknowledged, match="answers 401: send a key"):
            await producer.send(EVENTS.enqueued("a", "q"))


async def test_events_that_a_gateway_could_not_bring_to_its_broker_are_sent_again() -> None:
    async with running_gateway(NOWHERE, patience=0.1) as posts:
        policy = ProducerPolicy(delivery_timeout=timedelta(seconds=2))
        async with HttpProducer(posts.address, policy=policy) as producer:
            with pytest.raises(NotAcknowledged, match="answers 503: the broker is away"):
                await producer.send(EVENTS.enqueued("a", "q"))


async def test_over_tls_with_a_certificate_of_its_own(broker_with_topics: str, tmp_path: Path, tenant: str) -> None:
    certificates = Certificates(tmp_path)
    certificate, key = certificates.issue("gateway", "127.0.0.1")
    tls = ssl.create_default_context(cafile=certificates.authority)
    tls.load_cert_chain(*certificates.issue("pbx"))
    async with running_gateway(
        broker_with_topics,
        gateway_certificate_file=certificate,
        gateway_key_file=key,
        gateway_client_ca_file=certificates.authority,
    ) as posts:
        async with HttpProducer(posts.address, tls=tls) as producer:
            await producer.send(EventFactory("/test", tenant=tenant).enqueued("a", "q"))
        async with HttpProducer(posts.address, policy=HASTY) as stranger:
            with pytest.raises(NotAcknowledged, match="Certificate"):
                await stranger.send(EVENTS.enqueued("b", "q"))

    assert [one.event.subject for one in await records_of(broker_with_topics, tenant)] == ["a"]
