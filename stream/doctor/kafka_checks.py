"""The brokers: whether they answer, whether the topics are as declared, what we may do, and who is in the group."""

from collections.abc import AsyncIterator, Sequence

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, GroupCoordinatorNotAvailableError, KafkaError

from stream.doctor.finding import Finding, bad, good, look
from stream.errors import BrokerAway, BrokerError, ContactStreamError
from stream.runtime.kafka.topics import TopicDeclaration, ensure_topics
from stream.security.kafka_security import KafkaSecurity
from stream.security.refusals import RIGHTS, refusal_by

__all__ = ["look_at_brokers"]

_BROKER = "broker"
_TOPICS = "topics"
_GROUP = "group"


async def look_at_brokers(
    brokers: Sequence[str], security: KafkaSecurity, declared: Sequence[TopicDeclaration], group: str
) -> AsyncIterator[Finding]:
    """Yield what there is to say of the brokers; of those that do not answer nothing else is."""
    if not brokers:
        advice = "name one by --broker or CONTACT_STREAM_BROKER; the embedded one is looked at by nobody"
        yield look(_BROKER, "none is named, so neither topics nor rights nor the group were looked at", advice)
        return
    where = ",".join(brokers)
    try:
        await ensure_topics(brokers, declared, create=False, security=security)
    except BrokerAway:
        yield bad(_BROKER, f"no broker answers at {where}", "start it, or name another in CONTACT_STREAM_BROKER")
        return
    except BrokerError as refused:
        yield bad(_BROKER, str(refused), f"mend what it says; rights: {RIGHTS}")
        return
    except ContactStreamError as mismatch:
        yield good(_BROKER, f"{where} answers")
        for line in str(mismatch).splitlines():
            yield bad(_TOPICS, line, "a worker does not start before that")
        return
    if (refusal := await refusal_by(brokers, security)) is not None:
        yield bad(_BROKER, str(refusal), "mend it: a client that is sent there by the others does not get in")
    else:
        yield good(_BROKER, f"{where} answers, and so does each broker that it names")
    yield good(_TOPICS, f"all {len(declared)} are there, and as declared")
    yield await _look_at_group(brokers, security, group)


async def _look_at_group(brokers: Sequence[str], security: KafkaSecurity, group: str) -> Finding:
    admin = AIOKafkaAdminClient(bootstrap_servers=list(brokers), **security.client_options())
    try:
        await admin.start()
        (answer,) = await admin.describe_consumer_groups([group])
        ((code, _, state, _, _, members, *_),) = answer.groups
    except GroupAuthorizationFailedError:
        return look(_GROUP, f"{security.principal} may not describe the group {group}", f"grant it: {RIGHTS}")
    except GroupCoordinatorNotAvailableError:
        said = f"nobody coordinates the group {group}: no worker has ever joined it, or the broker in charge is away"
        return bad(_GROUP, said, "start a worker: contact-stream worker")
    except (KafkaError, OSError, ValueError) as failure:
        return look(_GROUP, f"the brokers do not tell who is in the group {group} ({type(failure).__name__})")
    finally:
        await admin.close()
    if code or not members:
        return bad(_GROUP, f"no worker is in the group {group}", "start one: contact-stream worker")
    workers = "1 worker" if len(members) == 1 else f"{len(members)} workers"
    if state != "Stable":
        return look(_GROUP, f"{workers} in the group {group}, which is just sharing out the partitions")
    return good(_GROUP, f"{workers} in the group {group}")
