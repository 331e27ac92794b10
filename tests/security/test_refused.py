"""Whoever is refused is told why, and which setting to change: aiokafka itself says only that it cannot connect."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stream.core.cloudevents import Event, encode
from stream.errors import BrokerError, BrokerRefused
from stream.runtime.kafka.topics import ensure_topics
from stream.sdk.producer import Producer
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity
from stream.security.refusals import refusal_by
from stream.settings import Settings
from stream.simulator import demo_centre, simulate
from tests.security.certificates import Certificates
from tests.security.commands import command, environment
from tests.security.secured import SecuredKafka, unsigned_token

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

Made = Callable[[SecuredKafka], KafkaSecurity]


def login(**changes: Any) -> Made:
    return lambda kafka: replace(kafka.login("worker"), **changes)


def password(secret: str, **changes: Any) -> Made:
    return lambda kafka: replace(kafka.login("worker"), sasl_password_file=kafka.secret(secret), **changes)


def without_tls(mechanism: Any) -> Made:
    return password("no", security_protocol="SASL_PLAINTEXT", sasl_mechanism=mechanism, ssl_ca_file=None)


def anonymous(_: SecuredKafka) -> KafkaSecurity:
    return PLAINTEXT


def certified(name: str | None = None, *, expired: bool = False) -> Made:
    return lambda kafka: kafka.certified(name, expired=expired)


def by_a_stranger(kafka: SecuredKafka) -> KafkaSecurity:
    folder = kafka.secret("").with_suffix(".stranger")
    folder.mkdir()
    certificate, key = Certificates(folder).issue("worker")
    return replace(kafka.certified(None), ssl_certificate_file=certificate, ssl_key_file=key)


def mistrustful(kafka: SecuredKafka) -> KafkaSecurity:
    return replace(kafka.login("worker"), ssl_ca_file=kafka.certificates.stranger)


def login_with_certificate(kafka: SecuredKafka) -> KafkaSecurity:
    certified = kafka.certified("worker")
    return replace(
        kafka.login("worker"), ssl_certificate_file=certified.ssl_certificate_file, ssl_key_file=certified.ssl_key_file
    )


def with_token(token: str) -> Made:
    return lambda kafka: KafkaSecurity(
        security_protocol="SASL_PLAINTEXT", sasl_mechanism="OAUTHBEARER", sasl_token_file=kafka.secret(token)
    )


PASSWORD = r"check CONTACT_STREAM_SASL_USERNAME and what is in /\S+ \(CONTACT_STREAM_SASL_PASSWORD_FILE\)"
CERTIFICATE = "set CONTACT_STREAM_SSL_CERTIFICATE_FILE and CONTACT_STREAM_SSL_KEY_FILE to one that it accepts"
PROTOCOL = "set CONTACT_STREAM_SECURITY_PROTOCOL to"

CASES: dict[str, tuple[str, Made, str]] = {
    "wrong password": ("sasl_ssl", password("no"), rf"refuses user 'worker' by SCRAM-SHA-512: {PASSWORD}"),
    "wrong password, plain": (
        "sasl_ssl",
        password("no", sasl_mechanism="PLAIN"),
        rf"refuses user 'worker' by PLAIN: {PASSWORD}",
    ),
    "unknown user": (
        "sasl_ssl",
        login(sasl_username="nobody"),
        rf"refuses user 'nobody' by SCRAM-SHA-512: {PASSWORD}",
    ),
    "mechanism": (
        "sasl_plaintext",
        without_tls("SCRAM-SHA-512"),
        "does not take SCRAM-SHA-512: set CONTACT_STREAM_SASL_MECHANISM to what it takes",
    ),
    "no token at all": (
        "sasl_plaintext",
        with_token("what is this?"),
        r"refuses the token: see where it comes from \(CONTACT_STREAM_SASL_TOKEN_FILE\), and whether it has expired",
    ),
    "expired token": (
        "sasl_plaintext",
        with_token(unsigned_token("worker", expired=True)),
        r"refuses the token: see where it comes from \(CONTACT_STREAM_SASL_TOKEN_FILE\), and whether it has expired",
    ),
    "neither TLS nor login": ("sasl_ssl", anonymous, f"speaks TLS: {PROTOCOL} SSL or SASL_SSL"),
    "neither TLS nor certificate": ("ssl", anonymous, f"speaks TLS: {PROTOCOL} SSL or SASL_SSL"),
    "login without TLS": ("sasl_ssl", without_tls("PLAIN"), f"speaks TLS: {PROTOCOL} SASL_SSL"),
    "TLS where there is none": ("sasl_plaintext", login(), f"speaks no TLS: {PROTOCOL} SASL_PLAINTEXT, or CONTACT_.*"),
    "no login": ("sasl_plaintext", anonymous, f"expects a login: {PROTOCOL} SASL_PLAINTEXT"),
    "no login with TLS": ("sasl_ssl", certified(), f"expects a login: {PROTOCOL} SASL_SSL"),
    "login where there is none": (
        "ssl",
        login_with_certificate,
        f"takes no login: {PROTOCOL} SSL",
    ),
    "unknown authority": (
        "sasl_ssl",
        mistrustful,
        r"shows a certificate that is not by the authorities in /\S+: set CONTACT_STREAM_SSL_CA_FILE to a PEM file .*",
    ),
    "authority that the system does not know": (
        "sasl_ssl",
        login(ssl_ca_file=None),
        "shows a certificate that is not by an authority that this system trusts: set CONTACT_STREAM_SSL_CA_FILE .*",
    ),
    "other host": (
        "ssl_other_name",
        certified(),
        "shows a certificate that is not for 127.0.0.1: name the broker in CONTACT_STREAM_BROKER as its certificate .*",
    ),
    "no certificate": (
        "ssl",
        certified(),
        f"does not accept the certificate it is shown, or asks for one: {CERTIFICATE}",
    ),
    "expired certificate": (
        "ssl",
        certified("expired", expired=True),
        rf"does not accept the certificate it is shown \(.* dates\): {CERTIFICATE}; now it is /\S+/expired.pem",
    ),
    "certificate of a stranger": (
        "ssl",
        by_a_stranger,
        rf"does not accept the certificate it is shown \(its authority, .*\): {CERTIFICATE}; now it is .*",
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_refusal_says_what_to_change(secured_kafka: SecuredKafka, case: str) -> None:
    door, made, said = CASES[case]
    address = getattr(secured_kafka.doors, door)

    refused = await refusal_by([address], made(secured_kafka))

    assert re.fullmatch(f"The broker at {address} {said}", str(refused))


@pytest.mark.parametrize("case", ["wrong password", "unknown authority", "no login with TLS", "expired token"])
async def test_topics_and_producers_end_at_once_with_the_same_sentence(secured_kafka: SecuredKafka, case: str) -> None:
    door, made, said = CASES[case]
    address, security = getattr(secured_kafka.doors, door), made(secured_kafka)

    with pytest.raises(BrokerRefused, match=f"^The broker at {address} {said}$"):
        await ensure_topics([address], [], security=security)
    async with Producer(f"kafka://{address}", security=security) as producer:
        with pytest.raises(BrokerError, match=f"The broker at {address} {said}$"):
            await producer.send(an_event())


@pytest.mark.parametrize("arguments", [["worker"], ["topics"], ["dead-letters"], ["produce", "FILE"]])
def test_a_command_that_is_refused_ends_with_one_sentence(
    secured_kafka: SecuredKafka, arguments: list[str], tmp_path: Path
) -> None:
    (tmp_path / "one.jsonl").write_bytes(encode(an_event()))
    security = password("not this one")(secured_kafka)
    variables = environment(secured_kafka.doors.sasl_ssl, security, Settings(http_port=0))
    given = [str(tmp_path / "one.jsonl") if argument == "FILE" else argument for argument in arguments]

    refused = command(*given, environment=variables)

    assert refused.returncode == 1
    assert re.search(r"contact-stream: .*The broker at \S+ refuses user 'worker' by SCRAM-SHA-512", refused.stderr)
    assert "not this one" not in refused.stderr
    assert "Traceback" not in refused.stderr


def an_event() -> Event:
    return next(iter(simulate(demo_centre(), start=NOON, end=NOON + timedelta(hours=1), seed=1)))
