"""A broker as companies run it: TLS, logins, certificates and ACLs, each on a listener of its own.

The plain listener stays, for the broker itself and for whoever sets it up: who comes there may do everything.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from stream.broker.child import HOST, free_port

__all__ = ["Doors", "Secured", "secured"]


class Doors(NamedTuple):
    """Where a secured broker listens, `host:port`, beside its plain listener."""

    sasl_ssl: str
    """TLS and a login by password."""
    ssl: str
    """TLS, and a certificate of the client's."""
    sasl_plaintext: str
    """A login without TLS, by password or token."""
    ssl_other_name: str
    """TLS, with a certificate that is for another host."""


class Secured(NamedTuple):
    """What makes a broker a secured one."""

    doors: Doors
    listeners: Mapping[str, tuple[str, str]]
    """By name, protocol and address."""
    settings: Mapping[str, str]
    passwords: Mapping[str, str]
    """By user, for SCRAM."""


def secured(keys: Path, keys_of_other_name: Path, authority: Path, passwords: Mapping[str, str]) -> Secured:
    """
    Return what secures a cluster of one broker, with ports that are free now.

    The files are PEM: the broker's key with its certificates, the same for another name, and the authority that
    vouches for clients.
    """
    doors = Doors(*(f"{HOST}:{free_port()}" for _ in Doors._fields))
    listeners = {
        "SASLSSL": ("SASL_SSL", doors.sasl_ssl),
        "MUTUAL": ("SSL", doors.ssl),
        "SASLPLAIN": ("SASL_PLAINTEXT", doors.sasl_plaintext),
        "OTHERNAME": ("SSL", doors.ssl_other_name),
    }
    settings = {
        **_login("saslssl", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], passwords),
        **_login("saslplain", ["PLAIN", "OAUTHBEARER"], passwords),
        **_stores("saslssl", keys, authority),
        **_stores("mutual", keys, authority),
        "listener.name.mutual.ssl.client.auth": "required",
        **_stores("othername", keys_of_other_name, authority),
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+),.*$/$1/,DEFAULT",  # the user has the name of the certificate
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",  # the plain listener and the controllers
    }
    return Secured(doors, listeners, settings, passwords)


def _login(listener: str, mechanisms: Sequence[str], passwords: Mapping[str, str]) -> dict[str, str]:
    prefix = f"listener.name.{listener}"
    users = " ".join(f'user_{name}="{password}"' for name, password in passwords.items())
    modules = {
        "PLAIN": f"org.apache.kafka.common.security.plain.PlainLoginModule required {users};",
        "SCRAM": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        # Takes tokens that nobody has signed: for tests.
        "OAUTHBEARER": (
            "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
            'unsecuredLoginStringClaim_sub="broker";'
        ),
    }
    return {
        f"{prefix}.sasl.enabled.mechanisms": ",".join(mechanisms),
        **{
            f"{prefix}.{mechanism.lower()}.sasl.jaas.config": modules[mechanism.partition("-")[0]]
            for mechanism in mechanisms
        },
    }


def _stores(listener: str, keys: Path, authority: Path) -> dict[str, str]:
    prefix = f"listener.name.{listener}.ssl"
    return {
        f"{prefix}.keystore.type": "PEM",
        f"{prefix}.keystore.location": str(keys),
        f"{prefix}.truststore.type": "PEM",
        f"{prefix}.truststore.location": str(authority),
    }
