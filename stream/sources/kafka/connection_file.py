"""How somebody else's Kafka is reached, as a TOML file says it: brokers, and TLS or a login where it wants them."""

import re
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from stream.errors import SettingsError
from stream.security.kafka_security import KafkaSecurity
from stream.settings import are_addresses
from stream.sources.kafka.topic import ForeignTopics
from stream.sources.toml_file import paths_beside

__all__ = ["BrokerAddresses", "SecurityTable", "foreign_topics"]

BrokerAddresses = Annotated[tuple[str, ...], Meta(min_length=1)]
"""`brokers` of a file: each `host:port`."""

SecurityTable = dict[str, Any]
"""`[security]` of a file: the fields of KafkaSecurity; files stand beside the file, unless they are absolute."""

_VARIABLE: Final = re.compile(r"CONTACT_STREAM_([A-Z_]+)")


def foreign_topics(
    file: Path, brokers: tuple[str, ...], topics: tuple[str, ...], security: SecurityTable
) -> ForeignTopics:
    """Return what *file* says of a cluster; raises SettingsError, which names the file and what is wrong in it."""
    if not all(are_addresses(broker) for broker in brokers):
        raise SettingsError(f"{file}: brokers: each must be host:port")
    unknown = security.keys() - set(KafkaSecurity.__struct_fields__)
    if unknown:
        known = ", ".join(KafkaSecurity.__struct_fields__)
        raise SettingsError(f"{file}: security has no {', '.join(sorted(unknown))}; it has: {known}")
    try:
        found = msgspec.convert(security, KafkaSecurity, dec_hook=paths_beside(file))
        found.client_options()  # what cannot be read is to be told now, not when a connection is lost
    except msgspec.ValidationError as failure:
        raise SettingsError(f"{file}: security: {failure}") from None
    except SettingsError as failure:
        # The settings of our own Kafka are variables; here they are lines of a file.
        said = _VARIABLE.sub(lambda name: f"security.{name[1].lower()}", str(failure))
        raise SettingsError(f"{file}: {said}") from None
    return ForeignTopics(brokers=brokers, topics=topics, security=found)
