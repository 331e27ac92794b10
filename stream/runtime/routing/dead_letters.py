"""Records that are no events are set aside in a topic, byte for byte if they fit, with the reason in headers.

They are acknowledged there before their batch counts as applied. Past a limit the worker stops: then
something is misconfigured, and diverting everything would empty the boards in silence.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiokafka.errors import InvalidTimestampError, KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from stream.errors import BrokerError, ContactStreamError, InvalidEvent
from stream.runtime.kafka.topics import HEADER_PREFIX
from stream.runtime.kafka.transport import Producer
from stream.runtime.kafka.unreadable import Unreadable
from stream.runtime.source_topic import Record
from stream.security.refusals import in_words
from stream.status.feed import Feed

__all__ = ["REKEYED", "DeadLetter", "DeadLetterLimitReached", "MisroutedRecord", "Outlet"]

logger = logging.getLogger(__name__)

REKEYED = "rekeyed"
"""Header of a record that was forwarded to its right key: where it came from. It is not forwarded twice."""

RESEND_SECONDS = 0.5

OMISSIONS: tuple[tuple[str, ...], ...] = ((), ("value",), ("value", "headers"), ("value", "headers", "key"))
"""What a dead letter leaves out, tried in turn until it is small enough."""

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
"""Where trying again changes nothing."""

Header = tuple[str, bytes | None]


class DeadLetterLimitReached(ContactStreamError):
    """Only dead letters for a long time: the worker stops instead of diverting everything."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record to be set aside, and why."""

    topic: str
    partition: int
    record: Record
    cause: InvalidEvent

    def headers(self, omitted: Sequence[str] = ()) -> list[Header]:
        """Return the record's own headers, untouched, then ours; *omitted* as in OMISSIONS."""
        ours = {
            "reason": self.cause.reason,
            "field": self.cause.field or "",
            "error": self._error(),
            "topic": self.topic,
            "partition": str(self.partition),
            "offset": str(self.record.offset),
        }
        if omitted:
            ours["omitted"] = ",".join(omitted)
            ours["omitted-bytes"] = str(sum(self._size(part) for part in omitted))
        theirs = [] if "headers" in omitted else self._foreign()
        return [*theirs, *((HEADER_PREFIX + name, text.encode()) for name, text in ours.items())]

    def _error(self) -> str:
        if isinstance(self.record, Unreadable):
            return f"the record itself cannot be read: {self.record.why}"
        return self.cause.detail

    def _foreign(self) -> list[Header]:
        # Without those that look like ours: whoever reads a dead letter believes them.
        return [(name, value) for name, value in self.record.headers if not name.lower().startswith(HEADER_PREFIX)]

    def _size(self, part: str) -> int:
        if part == "headers":
            return sum(len(name.encode()) + len(value or b"") for name, value in self._foreign())
        return len((self.record.value if part == "value" else self.record.key) or b"")


@dataclass(frozen=True, slots=True)
class MisroutedRecord:
    """An event under a key that is not its own, or in a partition where that key does not belong: it is sent there."""

    topic: str
    partition: int
    record: Record
    key: bytes
    """The key it should have."""
    home: int
    """The partition of that key."""


class Outlet:
    """
    Sends what the processor of one topic must not fold: dead letters, and misrouted to where they belong.

    After *limit* dead letters with not a single event among them it raises DeadLetterLimitReached: the topic, the
    producers or this worker are misconfigured. 0: it goes on for ever.
    """

    def __init__(self, producer: Callable[[], object], feed: Feed, *, topic: str, limit: int) -> None:
        self._producer = producer
        self._feed = feed
        self._topic = topic
        self._limit = limit
        self._in_a_row = 0

    def event_seen(self) -> None:
        """Note that the topic does carry events."""
        self._in_a_row = 0

    async def set_aside(self, letters: Sequence[DeadLetter]) -> None:
        """Send *letters* and return when all are acknowledged, however long the broker takes."""
        await asyncio.gather(*(self._deliver(self._send_letter, letter) for letter in letters))
        # Counted when they are in the topic: whoever is alerted by the counter finds them there.
        for letter in letters:
            self._feed.invalid[letter.cause.reason] += 1
        self._feed.dead_letters += len(letters)
        self._in_a_row += len(letters)
        if 0 < self._limit <= self._in_a_row:
            last = letters[-1]
            raise DeadLetterLimitReached(
                f"{last.topic}: {self._in_a_row} records in a row were no events (the last: {last.cause.reason}, "
                f"partition {last.partition}, offset {last.record.offset}). Check what is sent to this topic; "
                f"the records are in {self._topic}."
            )

    async def forward(self, misrouted: Sequence[MisroutedRecord]) -> None:
        """Send *misrouted* to their right keys and return when all are acknowledged; those too large are set aside."""
        sent = await asyncio.gather(*(self._deliver(self._send_misrouted, one) for one in misrouted))
        self._feed.rekeyed += sum(sent)
        too_large = InvalidEvent("too_large", "under a foreign key, and with our header too large to be forwarded")
        letters = [
            DeadLetter(one.topic, one.partition, one.record, too_large)
            for one, was_sent in zip(misrouted, sent, strict=True)
            if not was_sent
        ]
        if letters:
            await self.set_aside(letters)

    async def _deliver(self, send: Callable[[Any], Any], item: DeadLetter | MisroutedRecord) -> bool:
        """Return whether *item* was sent; False if it is too large for that."""
        self._feed.letters_on_their_way += 1
        try:
            return await self._deliver_for_sure(send, item)
        finally:
            self._feed.letters_on_their_way -= 1

    async def _deliver_for_sure(self, send: Callable[[Any], Any], item: DeadLetter | MisroutedRecord) -> bool:
        # For ever, since nothing may be dropped: the topic waits, its lag grows, and that is seen.
        while True:
            try:
                await send(item)
            except TOO_LARGE:
                return False
            except (KafkaError, OSError) as failure:
                where = (item.topic, item.partition, item.record.offset)
                logger.warning("%s, partition %d, offset %d: not sent on, trying again: %s", *where, in_words(failure))
                await asyncio.sleep(RESEND_SECONDS)
            else:
                return True

    async def _send_letter(self, letter: DeadLetter) -> None:
        # The origin is in the headers, so what is left out can be found.
        for omitted in OMISSIONS:
            try:
                await self._send_without(letter, omitted)
            except TOO_LARGE:
                continue
            return
        raise BrokerError(f"{self._topic} takes no dead letter, not even an empty one: raise its max.message.bytes.")

    async def _send_without(self, letter: DeadLetter, omitted: Sequence[str]) -> None:
        record = letter.record
        value = b"" if "value" in omitted else record.value
        key = None if "key" in omitted else record.key
        if key is None and value is None:  # aiokafka refuses to send that
            value = b""
        await self._send(self._topic, value, _time_of(record), key=key, headers=letter.headers(omitted))

    async def _send_misrouted(self, misrouted: MisroutedRecord) -> None:
        record = misrouted.record
        origin = f"{misrouted.topic}/{misrouted.partition}/{record.offset}".encode()
        # The mark keeps two workers that disagree about keys from sending a record to and fro for ever.
        headers = [*record.headers, (REKEYED, origin)]
        at = _time_of(record)
        await self._send(
            misrouted.topic, record.value, at, key=misrouted.key, partition=misrouted.home, headers=headers
        )

    async def _send(self, topic: str, value: bytes | None, timestamp_ms: int | None, **options: Any) -> None:
        send = cast("Producer", self._producer()).client.send_and_wait
        try:
            await send(topic, value, timestamp_ms=timestamp_ms, **options)
        except InvalidTimestampError:  # so far from now that the broker refuses it, as it always will
            await send(topic, value, timestamp_ms=None, **options)


def _time_of(record: Record) -> int | None:
    """Return the record's time; None, which means now, for one that no client may send."""
    return record.timestamp if record.timestamp is not None and record.timestamp >= 0 else None
