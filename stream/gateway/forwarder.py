"""Brings accepted events to the broker: at once while it answers, by the spool while it does not."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol

from stream.errors import BrokerError
from stream.gateway.spool import Spool, SpoolBroken
from stream.sdk.producer import EncodedEvent

__all__ = ["EncodedSink", "Forwarder"]

logger = logging.getLogger(__name__)


SPOOL_RETRY_SECONDS: Final = 0.5
"""Between attempts to empty the spool; each attempt has the patience of the producer beside it."""


class EncodedSink(Protocol):
    """Where events go; `stream.sdk.producer.Producer` is one."""

    async def send_encoded(self, events: Sequence[EncodedEvent]) -> int:
        """Return when all of them have arrived, or raise BrokerError."""
        ...


class Forwarder:
    """Accepts events, and answers for them: what `accept` returned for arrives, at least once."""

    def __init__(self, sink: EncodedSink, spool: Spool | None) -> None:
        self._sink = sink
        self.spool = spool

    async def accept(self, events: Sequence[EncodedEvent]) -> None:
        """
        Return when the broker has acknowledged all of them, or the spool has them on the disk.

        Raises BrokerError, SpoolFull or SpoolBroken where neither can: then the sender keeps them. Some may have
        arrived all the same; sent again, with the same ids, they count once.
        """
        # Behind what waits already, so that order is kept.
        if self.spool is None or not self.spool.events:
            try:
                await self._sink.send_encoded(events)
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
                await self._send_first(self.spool)
                continue
            await asyncio.sleep(SPOOL_RETRY_SECONDS)

    async def _send_first(self, spool: Spool) -> None:
        batch = await spool.first()
        await self._sink.send_encoded(batch.events)
        # In this order: after a crash between the two they are sent once more, and their ids make them count once.
        await spool.remove(batch)
        if not spool.events:
            logger.warning("the broker has all that was in the spool")
