"""Records that are no events are set aside in a topic, byte for byte, with the reason in headers.

They are acknowledged there before their batch counts as applied. Past a limit the worker stops: then
something is misconfigured, and diverting everything would empty the boards in silence.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from stream.errors import ContactStreamError, InvalidEvent
from stream.metrics.feed import Feed
from stream.processing.fold import Record
from stream.processing.transport import Producer

__all__ = ["REKEYED", "DeadLetter", "DeadLetterLimit", "DeadLetterLimitReached", "Outlet", "Stray"]

logger = logging.getLogger(__name__)

PREFIX = "dead-letter."
"""Begins the names of our headers: `reason`, `field`, `error`, `topic`, `partition`, `offset`, `omitted-bytes`."""

REKEYED = "rekeyed"
"""Header of a record that was forwarded to its right key: where it came from. It is not forwarded twice."""

RETRY_SECONDS = 0.5

Headers = list[tuple[str, bytes]]


class DeadLetterLimitReached(ContactStreamError):
    """Only dead letters for a long time: the worker stops instead of diverting everything."""


@dataclass(frozen=True, slots=True)
class DeadLetterLimit:
    """When dead letters mean that the topic, the producers or this worker are misconfigured."""

    in_a_row: int | None = 100_000
    """Records of one topic set aside with not a single event among them; None: go on for ever."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record to be set aside, and why."""

    topic: str
    partition: int
    record: Record
    cause: InvalidEvent

    def headers(self) -> Headers:
        """Return the record's own headers, untouched, then ours."""
        ours = {
            "reason": self.cause.reason,
            "field": self.cause.field,
            "error": self.cause.detail,
            "topic": self.topic,
            "partition": str(self.partition),
            "offset": str(self.record.offset),
        }
        return [*self.record.headers, *((PREFIX + name, text.encode()) for name, text in ours.items() if text)]


@dataclass(frozen=True, slots=True)
class Stray:
    """An event under a key that is not its own, or in a partition where that key does not belong."""

    topic: str
    partition: int
    record: Record
    key: bytes
    """The key it should have."""
    home: int
    """The partition of that key."""


class Outlet:
    """Sends what the processor of one topic must not fold: dead letters, and strays to where they belong."""

    def __init__(
        self, producer: Callable[[], object], feed: Feed, *, topic: str, limit: DeadLetterLimit | None = None
    ) -> None:
        self._producer = producer
        self._feed = feed
        self._topic = topic
        self._limit = limit or DeadLetterLimit()
        self._in_a_row = 0

    def event_seen(self) -> None:
        """Note that the topic does carry events."""
        self._in_a_row = 0

    async def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        """Send *letters* and return when all are acknowledged, however long the broker takes."""
        await asyncio.gather(*(self._deliver(self._send_letter, letter) for letter in letters))
        for letter in letters:
            self._feed.invalid[letter.cause.reason] += 1
        self._feed.dead_letters += len(letters)
        self._in_a_row += len(letters)
        if self._limit.in_a_row is not None and self._in_a_row >= self._limit.in_a_row:
            last = letters[-1]
            raise DeadLetterLimitReached(
                f"{last.topic}: {self._in_a_row} records in a row were no events (the last: {last.cause.reason}, "
                f"partition {last.partition}, offset {last.record.offset}). Check what is sent to this topic; "
                f"the records are in {self._topic}."
            )

    async def forward(self, strays: Sequence[Stray]) -> None:
        """Send *strays* to their right keys and return when all are acknowledged."""
        await asyncio.gather(*(self._deliver(self._send_stray, stray) for stray in strays))
        self._feed.rekeyed += len(strays)

    async def _deliver(self, send: Callable[[Any], Any], item: DeadLetter | Stray) -> None:
        # For ever, since nothing may be dropped: the partition waits, its lag grows, and that is seen.
        while True:
            try:
                await send(item)
            except (KafkaError, OSError) as failure:
                where = (item.topic, item.partition, item.record.offset)
                logger.warning("%s, partition %d, offset %d: not sent on, trying again: %r", *where, failure)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _send_letter(self, letter: DeadLetter) -> None:
        record, headers = letter.record, letter.headers()
        try:
            await self._send(self._topic, record.value, key=record.key, timestamp_ms=record.timestamp, headers=headers)
        except MessageSizeTooLargeError:
            # The topic was declared smaller by somebody. The origin is in the headers, so the value can be found.
            headers.append((PREFIX + "omitted-bytes", str(len(record.value or b"")).encode()))
            await self._send(self._topic, b"", key=record.key, timestamp_ms=record.timestamp, headers=headers)

    async def _send_stray(self, stray: Stray) -> None:
        record = stray.record
        origin = f"{stray.topic}/{stray.partition}/{record.offset}".encode()
        await self._send(
            stray.topic,
            record.value,
            key=stray.key,
            partition=stray.home,
            timestamp_ms=record.timestamp,
            headers=[*record.headers, (REKEYED, origin)],
        )

    async def _send(self, topic: str, value: bytes | None, **options: Any) -> None:
        await cast("Producer", self._producer()).client.send_and_wait(topic, value, **options)
