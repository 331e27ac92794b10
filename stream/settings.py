"""Everything a deployment may change: one frozen value, built from a mapping such as the environment.

It reads no environment itself; the commands pass it in. `docs/operations.md` documents every field.
"""

from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Final, Literal, cast, get_args, get_origin

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import FieldInfo

from stream.core.collector import Histograms
from stream.core.windows import WINDOWS
from stream.errors import SettingsError
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity

__all__ = ["EMBEDDED", "PREFIX", "LogLevel", "Settings", "are_addresses", "broker_of", "settings_from"]

PREFIX: Final = "CONTACT_STREAM_"
"""Of every environment variable that is a setting."""

EMBEDDED: Final = "embedded:"
"""The broker that comes with the extra `demo`: in memory, on loopback, for a first look."""

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]

Windows = tuple[str, ...]

Port = Annotated[int, Meta(ge=0, le=65535)]


Host = Annotated[str, Meta(pattern=r"^[^\s@/]*\Z")]
"""What is listened on: shown in logs and messages, so nobody's login."""

PublicUrl = Annotated[str, Meta(pattern=r"^(https?://[^\s@?#]+)?\Z")]
"""Likewise."""


class Settings(Struct, frozen=True, kw_only=True):
    """Settings of one process; durations are written as in ISO 8601 (`PT30S`), and more than zero."""

    broker: Annotated[str, Meta(min_length=1)] = EMBEDDED
    """Bootstrap servers, `host:port,…`; `embedded:` starts a broker of its own, `embedded:host:port` uses that one."""
    security: KafkaSecurity = PLAINTEXT
    """How the brokers are reached, by TLS or with a login. Each of its fields is a variable of its own."""
    group: Annotated[str, Meta(min_length=1, max_length=200)] = "contact-stream"
    """Consumer group; workers of one group share the partitions, and name their changelogs after it."""
    partitions: Annotated[int, Meta(ge=1, le=1000)] = 12
    """Partitions of the contacts and agents topics: the largest useful number of workers. Not to be changed later."""
    replication: Annotated[int, Meta(ge=1, le=7)] = 1
    """Copies of every topic on different brokers; 3 where nothing may be lost with a broker."""
    retention: timedelta = timedelta(days=7)
    """How long events stay on the broker: longer than a worker may be down."""
    dead_letter_retention: timedelta = timedelta(days=14)
    """How long dead letters wait for somebody to look at them."""
    create_topics: bool = True
    """Whether a worker creates topics that are missing; false where only an administrator may."""
    policies: Path | None = None
    """TOML file with thresholds, formulas and targets of queues; none: the defaults for all."""
    customer_key_file: Path | None = None
    """File with the keys that digests of customers are made with, the same for all workers; none: without a secret."""
    checkpoint_interval: timedelta = timedelta(seconds=1)
    """How often changed rows and offsets are written, a fifth as often while catching up. Longer: more to replay."""
    session_timeout: timedelta = timedelta(seconds=12)
    """After so long without a sign of life a worker's partitions go to the others."""
    future_tolerance: timedelta = timedelta(minutes=5)
    """Events further ahead of the clock than this are set aside."""
    stale_after: timedelta = timedelta(seconds=30)
    """The board says that it is stale when no event came for so long."""
    dead_after: timedelta = timedelta(seconds=60)
    """With records to apply and none applied for so long, `/healthz` fails."""
    max_queues_per_tenant: Annotated[int, Meta(ge=1)] = 1000
    """About so many queues of a tenant get figures of their own; the others share one series."""
    max_queues: Annotated[int, Meta(ge=1)] = 10_000
    """The same for all tenants together: what a page of figures, and Prometheus, must carry."""
    max_customers: Annotated[int, Meta(ge=1)] = 1_000_000
    """Customers, likewise carts: a partition keeps up to twice its share of them and 20 more. Each is 370 bytes."""
    windows: Windows | None = None
    """Windows shown, such as `5m,30m,today`, each figure in each. None: all on the board, the needed on `/metrics`."""
    histograms: Histograms = "coarse"
    """Buckets of waits and handle times on `/metrics`: a few at the usual thresholds, all, or only count and sum."""
    dead_letter_limit: Annotated[int, Meta(ge=0)] = 0
    """After so many invalid records in a row, without one event, a worker stops; 0: never."""
    http_host: Host = "127.0.0.1"
    """Where `/metrics` and the board listen. They have no authentication: put a proxy before other addresses."""
    http_port: Port = 9108
    """Port of `/metrics` and the board; 0 takes a free one."""
    http_advertised: str = ""
    """Where other workers reach this one, `host` or `host:port`; none: where it listens, or what reaches the broker."""
    allowed_hosts: str = ""
    """Host names, with commas between, that the board answers to beside its own address."""
    gateway_host: Host = "127.0.0.1"
    """Where the gateway listens; other addresses than loopback need keys, or certificates of those who post."""
    gateway_port: Port = 9109
    """Port of the gateway; 0 takes a free one."""
    gateway_keys: Path | None = None
    """TOML file with digests of the keys of those who may post; none: anybody on this machine may."""
    gateway_webhooks: Path | None = None
    """TOML file with a table for each system that calls the gateway in a language of its own; none: nobody does."""
    gateway_public_url: PublicUrl = ""
    """What senders call before `/v1/webhooks/…`, where a proxy is between: some sign it; none: what Host says."""
    gateway_spool: Path | None = None
    """File that keeps what was accepted while the broker is away; none: such posts are answered with 503."""
    gateway_spool_bytes: Annotated[int, Meta(ge=1_000_000)] = 2_000_000_000
    """What the spool may hold; when it is full, posts are answered with 503."""
    gateway_certificate_file: Path | None = None
    """PEM file of the gateway's certificate, with its chain; none: it speaks plain HTTP."""
    gateway_key_file: Path | None = None
    """PEM file of that certificate's key; none: it is in the same file."""
    gateway_client_ca_file: Path | None = None
    """PEM file of the authorities for those who post: then nobody without a certificate of theirs is listened to."""
    log_level: LogLevel = "INFO"
    """Least level that is logged."""


def broker_of(settings: Settings) -> tuple[str | None, bool]:
    """
    Return the address of the broker (None: an embedded one is to be started), and whether it is a real one.

    Raises SettingsError for what is no address: a broker that is only away is waited for.
    """
    embedded = settings.broker.startswith(EMBEDDED)
    address = settings.broker.removeprefix(EMBEDDED if embedded else "kafka://")
    if embedded and settings.security != PLAINTEXT:
        raise SettingsError(
            f"CONTACT_STREAM_BROKER: the embedded broker knows neither TLS nor logins; name another one, or leave out "
            f"CONTACT_STREAM_SECURITY_PROTOCOL={settings.security.security_protocol}"
        )
    if embedded and not address:
        return None, False
    if not are_addresses(address):
        # Not quoted: it may have a password in it, as addresses of other systems do.
        raise SettingsError(
            f"CONTACT_STREAM_BROKER: expected host:port[,host:port…], or {EMBEDDED}; a login is told by "
            "CONTACT_STREAM_SASL_USERNAME and CONTACT_STREAM_SASL_PASSWORD_FILE"
        )
    return address, not embedded


_OF_NO_HOST: Final = frozenset("@/?#\\ \t\r\n")
"""Of URLs, which may have a login in them: it would be shown wherever an address is."""


def are_addresses(text: str) -> bool:
    """Tell whether *text* is `host:port`, or several with commas between."""
    return all(_is_host_and_port(part) for part in text.split(","))


def _is_host_and_port(text: str) -> bool:
    host, _, port = text.strip().rpartition(":")
    return bool(host) and not _OF_NO_HOST & {*host} and port.isascii() and port.isdigit() and 0 < int(port) < 65536


def settings_from(environ: Mapping[str, str], **overrides: str | float | Path | timedelta | None) -> Settings:
    """
    Return the settings of an environment; *overrides* that are not None win.

    Raises SettingsError, which names every variable at fault, also where the value came from an override.
    """
    fields = _fields()
    given: dict[str, object] = {}
    mistakes: list[str] = []
    for variable, text in environ.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in fields:
            mistakes.append(f"{variable} is no setting{_hint(name, fields)}")
            continue
        given[name] = text
    given |= {name: value for name, value in overrides.items() if value is not None}
    values: dict[str, Any] = {}
    for name, value in given.items():
        try:
            values[name] = _convert(value, fields[name].type)
        except (msgspec.ValidationError, ValueError) as failure:
            mistakes.append(f"{PREFIX}{name.upper()}: {failure}")
    if mistakes:
        raise SettingsError("\n".join(mistakes))
    security = {name: values.pop(name) for name in KafkaSecurity.__struct_fields__ if name in values}
    return Settings(**values, security=KafkaSecurity(**security))


def _fields() -> dict[str, FieldInfo]:
    every = (*msgspec.structs.fields(Settings), *msgspec.structs.fields(KafkaSecurity))
    return {field.name: field for field in every if field.type is not KafkaSecurity}


def _hint(name: str, fields: Mapping[str, Any]) -> str:
    close = get_close_matches(name, fields, n=1)
    return f"; did you mean {PREFIX}{close[0].upper()}?" if close else "; see docs/operations.md"


def _convert(value: object, kind: object) -> object:
    # msgspec knows no paths: where one may stand, the text is one.
    if kind == Path | None:
        return Path(str(value)) if value else None
    if kind == Windows | None:
        return _windows(str(value))
    optional = NoneType in get_args(kind)
    choices = get_args(kind)[0] if optional else kind
    if get_origin(choices) is Literal:
        return _choice(str(value), get_args(choices)) if value or not optional else None
    given = value.strip() if isinstance(value, str) else value
    converted: object = msgspec.convert(given, cast("type", kind), strict=False)
    if isinstance(converted, timedelta) and converted <= timedelta(0):
        raise ValueError("must be more than zero, such as PT30S")
    return converted


def _choice(text: str, choices: tuple[str, ...]) -> str:
    for choice in choices:
        if choice.upper() == text.strip().upper():
            return choice
    raise ValueError(f"must be one of {', '.join(choices)}")


def _windows(text: str) -> Windows:
    """Return the windows of a list in their own order."""
    named = {part.strip() for part in text.split(",")}
    if unknown := named.difference(WINDOWS):
        found = ", ".join(sorted(map(repr, unknown)))
        raise ValueError(f"{found}: must be some of {', '.join(WINDOWS)}, with commas between")
    return tuple(window for window in WINDOWS if window in named)
