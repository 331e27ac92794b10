"""Why a broker refuses: aiokafka tells of a client that cannot connect only that, whatever the reason.

So where no connection comes about, one more is tried, step by step, and what goes wrong is put into a sentence.
"""

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, collect_hosts
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from stream.errors import BrokerAway, BrokerError, BrokerRefused
from stream.security.kafka_security import KafkaSecurity
from stream.security.secret_file import variable
from stream.security.tokens import TokenRefused

__all__ = ["RIGHTS", "cannot", "in_words", "refusal_by", "refused_right"]

KNOCK_SECONDS = 5.0
TLS_CLOSE_SECONDS = 0.2
"""How long to wait for TLS to say goodbye: else a program that ends now would complain."""

EXPIRED, NAMES_OTHER_HOST, NAMES_OTHER_ADDRESS = 10, 62, 64
"""What OpenSSL says of a broker's certificate."""

AT_CLIENT_CERTIFICATE: Final = {
    "CERTIFICATE_REQUIRED": "asks for a certificate",
    "HANDSHAKE_FAILURE": "wants another certificate, or none of the encryptions that this client offers",
    "CERTIFICATE_EXPIRED": "is shown a certificate that has expired",
    "UNKNOWN_CA": "does not know the authority of the certificate it is shown",
    "CERTIFICATE_REVOKED": "is shown a certificate that has been revoked",
    "BAD_CERTIFICATE": "does not accept the certificate it is shown, or asks for one",
    "CERTIFICATE_UNKNOWN": "does not accept the certificate it is shown (its authority, or its dates)",
    "UNSUPPORTED_CERTIFICATE": "is shown a certificate that is not for clients",
}
"""What brokers say of the client's, by the name of the alert that they send."""

PROTOCOL = variable("security_protocol")
RIGHTS = "docs/operations.md lists the rights that are needed"


async def cannot(what: str, brokers: Sequence[str], security: KafkaSecurity, failure: Exception) -> BrokerError:
    """Return the error to raise for a *failure* of aiokafka's: refused, away, or whatever else it was."""
    if refused := refused_right(failure, security.principal) or await refusal_by(brokers, security):
        return refused
    # Also a name that cannot be resolved: in an orchestra the others may start later.
    away = not isinstance(failure, KafkaError) or failure.retriable
    return (BrokerAway if away else BrokerError)(f"{what}: {failure}")


def in_words(failure: BaseException) -> str:
    """Return what to log of a *failure* of a worker's that is tried again."""
    return str(refused_right(failure, "this worker") or repr(failure))


def refused_right(failure: BaseException, principal: str) -> BrokerRefused | None:
    """Return what to say of a request that was refused for want of a right; None for any other failure."""
    about = ", ".join(sorted(_names(failure.args)))
    match failure:
        case TopicAuthorizationFailedError():
            what = f"use the topic {about}" if about else "use a topic"
        case GroupAuthorizationFailedError():
            what = f"join the group {about}" if about else "join the group"
        case ClusterAuthorizationFailedError():
            # Since Kafka 2.8 an idempotent producer needs no more than the right to write some topic.
            what = "write anything, or before Kafka 2.8 not idempotently (IdempotentWrite on the cluster)"
        case _:
            return None
    return BrokerRefused(f"The brokers do not let {principal} {what}: grant it ({RIGHTS})")


def _names(arguments: Sequence[Any]) -> Iterator[str]:
    for argument in arguments:
        yield from [argument] if isinstance(argument, str) else map(str, argument)


async def refusal_by(brokers: Sequence[str], security: KafkaSecurity) -> BrokerRefused | None:
    """Knock at each broker, at the addresses by which they call themselves too; None if none refuses."""
    # In the order of the settings: the sentence names the first broker that refuses, and the same one each
    # time.
    addresses = [(host, port) for host, port, _ in collect_hosts(list(brokers), randomize=False)]
    for host, port in addresses:  # grows
        try:
            async with asyncio.timeout(KNOCK_SECONDS):
                others = await _knock(host, port, security)
        except BrokerRefused as refused:
            return refused
        except (KafkaError, OSError):
            continue
        addresses += [other for other in others if other not in addresses]
    return None


async def _knock(host: str, port: int, security: KafkaSecurity) -> list[tuple[str, int]]:
    """Connect as a client would, and return which brokers there are; raises BrokerRefused, or what aiokafka raises."""
    broker, step = f"The broker at {host}:{port}", "connecting"
    connection = _connection(host, port, security.client_options())
    try:
        await connection.connect()
        step = "asking"
        metadata = await connection.send(MetadataRequest([]))
        if not metadata.brokers:
            # The broker has not come back into its own list yet; or aiokafka took the refusal of a token for
            # an answer: then it hangs up now.
            metadata = await connection.send(MetadataRequest([]))
        return [(other[1], other[2]) for other in metadata.brokers]
    except (KafkaError, OSError, EOFError) as failure:
        said = _in_words(failure, host, security)
        if said is None:
            said = _unanswered(security) if step == "asking" else await _wrong_door(host, port, security)
        if said is None:
            raise
        raise BrokerRefused(f"{broker} {said}") from failure
    finally:
        await _close(connection)


def _connection(host: str, port: int, options: dict[str, Any]) -> AIOKafkaConnection:
    return AIOKafkaConnection(host, port, request_timeout_ms=int(1000 * KNOCK_SECONDS), **options)


async def _close(connection: AIOKafkaConnection) -> None:
    if (closed := connection.close()) is not None:
        await asyncio.wait([closed], timeout=TLS_CLOSE_SECONDS)


def _in_words(failure: BaseException, host: str, security: KafkaSecurity) -> str | None:
    # aiokafka wraps what OpenSSL says in errors of its own, some without a cause: the way back leads over both
    # links.
    cause: BaseException | None = failure
    while cause is not None:
        match cause:
            case ssl.SSLCertVerificationError():
                return _about_broker_certificate(cause, host, security)
            case ssl.SSLError():
                return _about_client_certificate(cause, security)
            case KafkaError() if said := _about_login(cause, security):
                return said
        cause = cause.__cause__ or cause.__context__
    return None


def _about_broker_certificate(failure: ssl.SSLCertVerificationError, host: str, security: KafkaSecurity) -> str:
    if failure.verify_code == EXPIRED:
        return "shows a certificate that has expired: renew it at the broker"
    if failure.verify_code in {NAMES_OTHER_HOST, NAMES_OTHER_ADDRESS}:
        return (
            f"shows a certificate that is not for {host}: name the broker in {variable('broker')} as its "
            f"certificate does, or have the brokers advertise that name (advertised.listeners)"
        )
    known = (
        f"the authorities in {security.ssl_ca_file}" if security.ssl_ca_file else "an authority that this system trusts"
    )
    return (
        f"shows a certificate that is not by {known}: set {variable('ssl_ca_file')} to a PEM file with the "
        f"authority that issued it ({failure.verify_message})"
    )


def _about_client_certificate(failure: ssl.SSLError, security: KafkaSecurity) -> str | None:
    alert = (failure.reason or "").rpartition("ALERT_")[2]
    if alert not in AT_CLIENT_CERTIFICATE:
        return None
    shown = f"; now it is {security.ssl_certificate_file}" if security.ssl_certificate_file else ""
    return (
        f"{AT_CLIENT_CERTIFICATE[alert]}: set {variable('ssl_certificate_file')} and {variable('ssl_key_file')} to one "
        f"that it accepts{shown}"
    )


def _about_login(failure: KafkaError, security: KafkaSecurity) -> str | None:
    match failure:
        case SaslAuthenticationFailed():
            return _login_refused(security)
        case UnsupportedSaslMechanismError():
            return f"does not take {security.sasl_mechanism}: set {variable('sasl_mechanism')} to what it takes"
        case IllegalSaslStateError():
            return f"takes no login: set {PROTOCOL} to {'SSL' if security.tls else 'PLAINTEXT'}"
        case TokenRefused():
            return f"cannot be shown a token: {failure}"
        case _:
            return None


def _login_refused(security: KafkaSecurity) -> str:
    if security.sasl_mechanism == "OAUTHBEARER":
        where = variable("sasl_token_file" if security.sasl_token_file else "sasl_token_endpoint")
        return f"refuses the token: see where it comes from ({where}), and whether it has expired"
    return (
        f"refuses {security.principal} by {security.sasl_mechanism}: check {variable('sasl_username')} and "
        f"what is in {security.sasl_password_file} ({variable('sasl_password_file')})"
    )


def _unanswered(security: KafkaSecurity) -> str:
    """Explain that a broker takes a connection, and closes it as soon as it is asked something."""
    if security.sasl:
        return _login_refused(security)  # a token's refusal is in words that aiokafka does not read
    return f"expects a login: set {PROTOCOL} to {'SASL_SSL' if security.tls else 'SASL_PLAINTEXT'}"


async def _wrong_door(host: str, port: int, security: KafkaSecurity) -> str | None:
    """Find out what a broker that hangs up without a word does not like: our speaking TLS, or not, or the login."""
    if security.tls and await _answers(host, port, {}):
        without = "SASL_PLAINTEXT" if security.sasl else "PLAINTEXT"
        return f"speaks no TLS: set {PROTOCOL} to {without}, or {variable('broker')} to its port for TLS"
    if not security.tls and await _speaks_tls(host, port):
        return f"speaks TLS: set {PROTOCOL} to {'SASL_SSL' if security.sasl else 'SSL or SASL_SSL'}"
    if security.sasl and await _answers(host, port, security.without_login()):
        return _login_refused(security)
    return None


async def _answers(host: str, port: int, options: dict[str, Any]) -> bool:
    connection = _connection(host, port, options)
    try:
        await connection.connect()
    except (KafkaError, OSError, EOFError):
        return False
    await _close(connection)
    return True


async def _speaks_tls(host: str, port: int) -> bool:
    # Whoever it is: nothing is sent to it. Only whether it shakes hands is of interest.
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        _, writer = await asyncio.open_connection(host, port, ssl=anybody)
    except ssl.SSLError as failure:
        return (failure.reason or "").rpartition("ALERT_")[2] in AT_CLIENT_CERTIFICATE
    except OSError:
        return False
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()
    return True
