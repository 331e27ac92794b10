"""Apache Kafka with TLS, logins and ACLs, and who may come there: the documented principals, and others."""

import asyncio
import base64
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from scripts.apache_kafka.admin import admin_of
from scripts.apache_kafka.cluster import Cluster
from scripts.apache_kafka.distribution import KafkaUnavailable
from scripts.apache_kafka.secured import Doors, secured
from scripts.rights import Right, rights_of
from stream.security.kafka_security import KafkaSecurity, SaslMechanism
from tests.security.certificates import Certificates

__all__ = ["SecuredKafka", "password_of", "running_secured_kafka", "unsigned_token"]

RESOURCES = {"Topic": 2, "Group": 3}
LITERAL, PREFIXED = 3, 4
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
ALLOW = 3

ANOTHER = [f"somebody-{number}" for number in range(20)]
"""Users without rights until a test gives them some."""


class SecuredKafka:
    """A running broker with its doors, and the keys to them."""

    def __init__(self, folder: Path, certificates: Certificates, cluster: Cluster, doors: Doors) -> None:
        self._folder = folder
        self._unused = iter(ANOTHER)
        self._secrets = count()
        self.certificates = certificates
        self.cluster = cluster
        self.doors = doors

    @property
    def plain(self) -> str:
        """Where everything is allowed, without TLS and without a login."""
        return self.cluster.address

    def login(self, user: str, mechanism: SaslMechanism = "SCRAM-SHA-512") -> KafkaSecurity:
        """Return how a user comes through the door with TLS and logins."""
        return KafkaSecurity(
            security_protocol="SASL_SSL",
            ssl_ca_file=self.certificates.authority,
            sasl_mechanism=mechanism,
            sasl_username=user,
            sasl_password_file=self.secret(password_of(user)),
        )

    def certified(self, name: str | None, *, expired: bool = False) -> KafkaSecurity:
        """Return how a user comes through the door with certificates; None: without one."""
        certificate, key = self.certificates.issue(name, expired=expired) if name else (None, None)
        return KafkaSecurity(
            security_protocol="SSL",
            ssl_ca_file=self.certificates.authority,
            ssl_certificate_file=certificate,
            ssl_key_file=key,
        )

    def secret(self, text: str) -> Path:
        """Return a file of its own with a secret in it, and with the end of line that editors add."""
        file = self._folder / f"secret-{next(self._secrets)}"
        file.write_text(f"{text}\n")
        return file

    async def somebody(self, rights: Iterable[Right] = ()) -> str:
        """Return a user that nobody else is, with these rights and no others."""
        user = next(self._unused)
        await self.allow(user, rights)
        return user

    async def allow(self, user: str, rights: Iterable[Right]) -> None:
        """Give a user rights."""
        async with admin_of(self.plain) as admin:
            for right in rights:
                for operation in right.operations:
                    await _allow(admin, user, right, operation)


async def _allow(admin: AIOKafkaAdminClient, user: str, right: Right, operation: str) -> None:
    pattern = PREFIXED if right.name.endswith("*") else LITERAL
    name = right.name.removesuffix("*")
    resource, code = RESOURCES[right.resource], OPERATIONS[operation]
    request = CreateAclsRequest(resource, name, pattern, f"User:{user}", "*", code, ALLOW)
    answer = await admin._send_to_controller(request)
    assert [code for code, _ in answer.creation_responses] == [0], answer
    # The controller has it; the broker reads of it a moment later, and would refuse until then.
    known = DescribeAclsRequest(resource, name, pattern, f"User:{user}", "*", code, ALLOW)
    async with asyncio.timeout(100):
        while not (await admin._send_request(known)).resources:
            await asyncio.sleep(0.01)


def unsigned_token(user: str, *, expired: bool = False) -> str:
    """Return a token as a Kafka for tests takes it: a JSON web token that nobody has signed."""
    issued = int(time.time()) - (7200 if expired else 0)
    parts = ({"alg": "none"}, {"sub": user, "iat": issued, "exp": issued + 3600})
    header, claims = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{header}.{claims}."


def password_of(user: str) -> str:
    """Return the password of any user."""
    return f"the-password-of-{user}"


@contextmanager
def running_secured_kafka(folder: Path) -> Iterator[SecuredKafka]:
    """Run it around a block."""
    certificates = Certificates(folder)
    security = secured(
        keys=certificates.issue_together("broker", "127.0.0.1", "localhost"),
        keys_of_other_name=certificates.issue_together("other", "kafka.example.org"),
        authority=certificates.authority,
        passwords={user: password_of(user) for user in (*rights_of("any"), *ANOTHER)},
    )
    try:
        running = Cluster(folder / "kafka", security=security, short_lived=True).__enter__()
    except KafkaUnavailable as why:
        pytest.skip(str(why))  # names what is missing, Java or Maven, and how to get it
    with running as cluster:
        yield SecuredKafka(folder, certificates, cluster, security.doors)
