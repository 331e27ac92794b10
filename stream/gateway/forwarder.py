"""Brings accepted events to the broker: at once while it answers, by the spool while it does not."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import monotonic
from typing import Final, Protocol

from stream.errors import BrokerError, EventRefusalReason, EventsRefused
from stream.gateway.letters import letter_about
from stream.gateway.spool import Spool, SpoolBroken
from stream.sdk.producer import EncodedEvent

__all__ = ["EncodedSink", "Forwarder"]

logger = logging.getLogger(__name__)


SPOOL_RETRY_SECONDS: Final = 0.5
"""Between attempts to empty the spool; each attempt has the patience of the producer beside it."""

TOPIC_PATIENCE_SECONDS: Final = 600.0
"""So long a topic may be missing, or closed to us, until its events go to the dead letters: it is soon mended."""


class EncodedSink(Protocol):
    """Where events go; `stream.sdk.producer.Producer` is one."""

    async def send_encoded(self, events: Sequence[EncodedEvent]) -> int:
        """Return when all of them have arrived, or raise BrokerError."""
        ...


class Forwarder:
    """Accepts events, and answers for them: what `accept` returned for arrives, at least once."""

    def __init__(self, sink: EncodedSink, spool: Spool | None, clock: Callable[[], float] = monotonic) -> None:
        self._sink = sink
        self._clock = clock
        self.spool = spool
        self.set_aside_counts: Counter[str] = Counter()
        """Dead letters, by reason."""
        self._closed_since: dict[str, float] = {}
        """Topics that are missing, or closed to us, and since when."""

    async def accept(self, events: Sequence[EncodedEvent]) -> None:
        """
        Return when the broker has acknowledged all of them, or the spool has them on the disk.

        Raises BrokerError, SpoolFull or SpoolBroken where neither can: then the sender keeps them. Some may have
        arrived all the same; sent again, with the same ids, they count once.
        """
        # Behind what waits already, so that order is kept.
        if self.spool is None or not self.spool.events:
            try:
                await self._send(events)
            except BrokerError as failure:
                if self.spool is None:
                    raise
                logger.warning("%s; to the spool", failure)
            else:
                return
        await self.spool.append(events)

    async def run(self) -> None:
        """Send what is in the spool, oldest first, for ever."""
        if self.spool is None:
            return
        while True:
            await self.spool.wait()
            with suppress(BrokerError, SpoolBroken):
                await (self._send_first(self.spool) if self.spool.events else self.spool.try_again())
                continue
            await asyncio.sleep(SPOOL_RETRY_SECONDS)

    async def _send_first(self, spool: Spool) -> None:
        batch = await spool.first()
        await self._send(batch.events)
        # In this order: after a crash between the two they are sent once more, and their ids make them count once.
        # A disk that is full may not be able to forget them: they are not sent again for that, and forgotten later.
        with suppress(SpoolBroken):
            await spool.remove(batch)
        if not spool.events:
            logger.warning("the broker has all that was in the spool")

    async def _send(self, events: Sequence[EncodedEvent]) -> None:
        """Return when the broker has them, those that it will never take as dead letters; raises BrokerError."""
        left = list(events)
        while left:
            try:
                await self._sink.send_encoded(left)
            except EventsRefused as refused:
                useless = self._refused_for_good(left, refused.reasons)
                if not useless:
                    raise
                for place, reason in useless.items():
                    await self._give_up(left[place], reason)
                left = [event for place, event in enumerate(left) if place not in useless]
            else:
                break
        for topic in {event.topic for event in left}:
            self._closed_since.pop(topic, None)

    def _refused_for_good(
        self, events: Sequence[EncodedEvent], reasons: Mapping[int, EventRefusalReason]
    ) -> dict[int, EventRefusalReason]:
        now = self._clock()
        for place, reason in reasons.items():
            if reason != "too_large":
                self._closed_since.setdefault(events[place].topic, now)
        return {
            place: reason
            for place, reason in reasons.items()
            if reason == "too_large" or now - self._closed_since[events[place].topic] >= TOPIC_PATIENCE_SECONDS
        }

    async def _give_up(self, event: EncodedEvent, reason: EventRefusalReason) -> None:
        letter = letter_about(event, reason, f"the broker does not take it on {event.topic}: {_SAID[reason]}")
        encoded = letter.encoded()
        try:
            await self._sink.send_encoded([encoded])
        except EventsRefused as refused:
            if self.spool is None or not self._refused_for_good([encoded], refused.reasons):
                raise
            await self.spool.keep_aside(event, reason)
            logger.error("an event for %s, and a dead letter about it, is refused; it stays in the spool", event.topic)  # noqa: TRY400  # said already
        else:
            logger.error("an event for %s is refused (%s); it is a dead letter now", event.topic, reason)
        self.set_aside_counts[reason] += 1


_SAID: Final[Mapping[EventRefusalReason, str]] = {
    "too_large": "it is larger than max.message.bytes of that topic",
    "no_topic": "there is no such topic; create it with `contact-stream topics`",
    "no_right": "the gateway may not write there",
}
