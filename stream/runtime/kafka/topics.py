"""Every topic, declared in one place; created where missing, compared where not.

Partitions decide where a key lives and compaction decides what survives, so a topic that differs is
never used: the worker refuses to start and says what to do.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    for_code,
)

from stream.errors import BrokerError, BrokerRefused, SettingsError, TopicMismatch
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity
from stream.security.refusals import RIGHTS, cannot
from stream.settings import EMBEDDED

__all__ = [
    "DEAD_LETTERS",
    "HEADER_PREFIX",
    "TopicDeclaration",
    "changelog_topic",
    "dead_letter_topic",
    "ensure_topics",
    "source_topic",
]

logger = logging.getLogger(__name__)

DEAD_LETTERS = "dead-letters"

HEADER_PREFIX = "dead-letter."
"""
Begins the names of headers that say of a dead letter why it is one: `reason`, `field`, `error`, `topic`, `partition`,
`offset`; and of what was too large: `omitted` says which of `value,headers,key`, `omitted-bytes` how many bytes they
had.
"""

_TANSU = "tansu_cluster"
"""The cluster that a broker of Tansu is of, as the embedded one is, where nobody says otherwise."""

MAX_RECORD_BYTES = 4 * 2**20
"""What a source topic takes: more than an event may have, so that the mistake is seen as a dead letter."""

DEAD_LETTER_ROOM = 64 * 2**10
"""By how much a dead letter may be larger than its record: our headers."""

STAMPED_ON_ARRIVAL = {"message.timestamp.type": "LogAppendTime"}
"""A broker refuses records stamped by a client whose clock is an hour fast, and deletes those stamped years ago."""

APPEAR_SECONDS = 10.0
"""How long a created topic may take until the brokers know it."""

UNTOLD = (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)

AT_LEAST = frozenset({"max.message.bytes"})
"""Settings that may be larger on the broker than declared."""


@dataclass(frozen=True, slots=True)
class TopicDeclaration:
    """What a topic must be."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


def source_topic(name: str, partitions: int, *, retention: timedelta) -> TopicDeclaration:
    """Declare a topic of events. It is never compacted: each event counts."""
    return TopicDeclaration(
        name,
        partitions,
        {
            "cleanup.policy": "delete",
            "retention.ms": _milliseconds(retention),
            "max.message.bytes": str(MAX_RECORD_BYTES),
            **STAMPED_ON_ARRIVAL,
        },
    )


def dead_letter_topic(name: str, partitions: int, *, retention: timedelta) -> TopicDeclaration:
    """Declare the topic of dead letters, which must take every record of a source topic and our headers."""
    return TopicDeclaration(
        name,
        partitions,
        {
            "cleanup.policy": "delete",
            "retention.ms": _milliseconds(retention),
            "max.message.bytes": str(MAX_RECORD_BYTES + DEAD_LETTER_ROOM),
            **STAMPED_ON_ARRIVAL,
        },
    )


def changelog_topic(name: str, partitions: int) -> TopicDeclaration:
    """Declare a changelog, with as many partitions as its source topic."""
    return TopicDeclaration(
        name,
        partitions,
        {
            "cleanup.policy": "compact",
            # A stale row of a worker that had lost its partition is outvoted by its applied offset at recovery,
            # and written over, as long as compaction has not yet removed the newer row before it.
            # Counted from when the broker gets the row: a stopped process may send one that is older.
            "min.compaction.lag.ms": _milliseconds(timedelta(minutes=10)),
            "message.timestamp.type": "LogAppendTime",
            # Recovery reads the whole log: keep it short. Of a row that is gone a tombstone stays for a day otherwise.
            "delete.retention.ms": _milliseconds(timedelta(minutes=10)),
            # Kafka compacts only segments that it does not write to any more: a new one has to begin often enough.
            "segment.ms": _milliseconds(timedelta(minutes=10)),
            # By default a log is compacted when half of it is new: recovery would read twice as much.
            "min.cleanable.dirty.ratio": "0.1",
            # A changelog in which little is written never gets as dirty as that.
            "max.compaction.lag.ms": _milliseconds(timedelta(hours=1)),
        },
    )


async def ensure_topics(
    brokers: Sequence[str],
    declared: Iterable[TopicDeclaration],
    *,
    replication: int = 1,
    create: bool = True,
    security: KafkaSecurity = PLAINTEXT,
    idempotent: bool = False,
) -> list[str]:
    """
    Create the topics that are missing, compare the others; returns the names of those created.

    Raises TopicMismatch for what differs (or is missing and must not be created), BrokerAway when
    the brokers do not answer, BrokerRefused or another BrokerError when they refuse, SettingsError
    when they are to know *idempotent* producers and are the embedded broker, which does not.
    """
    wanted = {declaration.name: declaration for declaration in declared}
    async with _admin(brokers, security) as admin:
        if idempotent:
            await _refuse_embedded(admin, ",".join(brokers))
        # Not by describing them: some brokers create a topic because somebody asks for it.
        existing = set(await admin.list_topics())
        missing = [declaration for name, declaration in wanted.items() if name not in existing]
        if missing and not create:
            names = ", ".join(declaration.name for declaration in missing)
            unseen = f", or let {security.principal} describe them" if security != PLAINTEXT else ""
            raise TopicMismatch(f"Missing topics: {names}. Create them with `contact-stream topics`{unseen}.")
        problems = await _problems(admin, [wanted[name] for name in wanted if name in existing])
        if problems:
            raise TopicMismatch("\n".join(problems))
        if missing:
            await _create(admin, missing, replication, security)
        return [declaration.name for declaration in missing]


@asynccontextmanager
async def _admin(brokers: Sequence[str], security: KafkaSecurity) -> Any:
    admin = AIOKafkaAdminClient(bootstrap_servers=list(brokers), **security.client_options())
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError) as failure:
        what = f"The brokers {', '.join(brokers)} cannot be asked for topics"
        raise await cannot(what, brokers, security, failure) from failure
    finally:
        await admin.close()


async def _refuse_embedded(admin: Any, address: str) -> None:
    # Its own answer, to a producer that asks for an id, is an unknown error, again and again.
    if (await admin.describe_cluster())["cluster_id"] == _TANSU:
        raise SettingsError(
            f"CONTACT_STREAM_BROKER: {address} is an embedded broker, which knows no idempotent producers; "
            f"name it {EMBEDDED}{address}"
        )


async def _problems(admin: Any, declared: Sequence[TopicDeclaration]) -> list[str]:
    if not declared:
        return []
    described = {topic["topic"]: topic for topic in await admin.describe_topics([topic.name for topic in declared])}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in declared]
    answers = await admin.describe_configs(resources)
    found = [resource for answer in answers for resource in answer.resources]
    configs = {resource[3]: {entry[0]: entry[1] for entry in resource[4]} for resource in found}
    if untold := [resource[3] for resource in found if for_code(resource[0]) in UNTOLD]:
        logger.warning(
            "The brokers do not tell how %s are set up: nothing is compared (right DescribeConfigs)", ", ".join(untold)
        )
    return [
        problem
        for topic in declared
        for problem in _differences(topic, len(described[topic.name]["partitions"]), configs.get(topic.name, {}))
    ]


def _differences(topic: TopicDeclaration, partitions: int, config: Mapping[str, str | None]) -> list[str]:
    problems = []
    if partitions != topic.partitions:
        problems.append(
            f"Topic {topic.name} has {partitions} partitions, but {topic.partitions} are configured. Set the number of "
            f"partitions to {partitions}; to change it, make new topics and a new group: it cannot be done in place."
        )
    for name, wanted in topic.config.items():
        found = config.get(name)
        # A broker that does not tell a setting has not been told another one.
        if found is not None and found != wanted and not (name in AT_LEAST and int(found) >= int(wanted)):
            problems.append(
                f"Topic {topic.name} has {name}={found}, but {wanted} is declared. Change it with `kafka-configs.sh "
                f"--alter --entity-type topics --entity-name {topic.name} --add-config {name}={wanted}`."
            )
    return problems


async def _create(admin: Any, topics: Sequence[TopicDeclaration], replication: int, security: KafkaSecurity) -> None:
    requests = [
        NewTopic(topic.name, topic.partitions, replication, topic_configs=dict(topic.config)) for topic in topics
    ]
    answer = await admin.create_topics(requests)
    for name, code, *reason in answer.topic_errors:
        error = for_code(code)
        # Another worker that starts at the same moment declares the same.
        if error in UNTOLD:
            raise BrokerRefused(
                f"Topic {name} is not there, or {security.principal} may not describe it, and may not create it: have "
                f"it created with `contact-stream topics` by somebody who may, or grant what is missing ({RIGHTS})"
            )
        if code and error is not TopicAlreadyExistsError:
            raise BrokerError(f"Topic {name} cannot be created: {error.__name__} {reason[0] if reason else ''}".strip())
        logger.info("Topic %s created", name)
    wanted, deadline = {topic.name for topic in topics}, time.monotonic() + APPEAR_SECONDS
    while unseen := wanted - set(await admin.list_topics()):
        if time.monotonic() > deadline:
            raise BrokerRefused(
                f"Topics that exist are not shown: {', '.join(sorted(unseen))}. Let {security.principal} describe them "
                f"({RIGHTS})"
            )
        await asyncio.sleep(0.05)


def _milliseconds(length: timedelta) -> str:
    return str(length // timedelta(milliseconds=1))
