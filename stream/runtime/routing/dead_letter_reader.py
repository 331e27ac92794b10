"""Reads the dead letters back: what was set aside, why, and where it came from."""

from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord
from msgspec import Struct

from stream.errors import BrokerError
from stream.runtime.kafka.topics import DEAD_LETTERS, HEADER_PREFIX
from stream.security.kafka_security import PLAINTEXT, KafkaSecurity
from stream.security.refusals import RIGHTS, cannot

__all__ = ["Letter", "read_letters"]

QUIET_MS = 1500
"""When nothing came for so long, all has been read."""


class Letter(Struct, frozen=True, kw_only=True):
    """One dead letter; `value` and `key` are as they came, and may hold personal data."""

    place: str
    """Where the record was: `topic/partition/offset`."""
    reason: str
    field: str
    error: str
    key: bytes | None
    value: bytes | None


async def read_letters(brokers: Sequence[str], security: KafkaSecurity = PLAINTEXT) -> AsyncIterator[Letter]:
    """Yield every dead letter that is still there, then end. Raises BrokerError."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=list(brokers),
        auto_offset_reset="earliest",
        # More than the largest dead letter has: a record of 4 MiB, and our headers.
        max_partition_fetch_bytes=2**23,
        **security.client_options(),
    )
    try:
        await consumer.start()
        # Asking for all topics first: some brokers create a topic when it is asked for by name.
        if DEAD_LETTERS not in await consumer.topics():
            if security == PLAINTEXT:
                return
            raise BrokerError(f"there is no topic {DEAD_LETTERS}, or {security.principal} may not read it: {RIGHTS}")
        # Without a group: aiokafka then gives this consumer all partitions, and nothing is committed anywhere.
        consumer.subscribe([DEAD_LETTERS])
        while fetched := await consumer.getmany(timeout_ms=QUIET_MS):
            for records in fetched.values():
                for record in records:
                    yield _letter(record)
    except (KafkaError, OSError) as failure:
        what = f"the dead letters on {','.join(brokers)} cannot be read"
        raise await cannot(what, brokers, security, failure) from failure
    finally:
        await consumer.stop()


def _letter(record: ConsumerRecord) -> Letter:
    headers: dict[str, str] = {name: (value or b"").decode(errors="replace") for name, value in record.headers}

    def told(name: str) -> str:
        return headers.get(HEADER_PREFIX + name, "")

    return Letter(
        place=f"{told('topic')}/{told('partition')}/{told('offset')}",
        reason=told("reason"),
        field=told("field"),
        error=told("error"),
        key=record.key,
        value=record.value,
    )
