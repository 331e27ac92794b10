"""Where events go in tests of sources: sinks that keep or count them, and can be away, slow, or break down."""

import asyncio
from collections import Counter
from collections.abc import Iterable

from stream.core.cloudevents import Event
from stream.errors import BrokerError
from stream.sdk.producer import checked

__all__ = ["CountingSink", "Topic", "WatchedTopic"]


class Topic:
    """A sink that keeps what it got; it can be away for some sends, and break down for good after some events."""

    def __init__(self, *, away: int = 0, breaks_after: int | None = None) -> None:
        self.events: list[Event] = []
        self.away = away
        self.breaks_after = breaks_after

    async def send_many(self, events: Iterable[Event]) -> int:
        batch = []
        if self.away:
            self.away -= 1
            raise BrokerError("away")
        for event in events:
            checked(event)
            batch.append(event)
            self.events.append(event)
        if self.breaks_after is not None and len(self.events) >= self.breaks_after:
            raise ConnectionAbortedError
        return len(batch)


class WatchedTopic(Topic):
    """A sink on which somebody waits until so many events have arrived, and which may hold up whoever sends."""

    def __init__(self, *, away: int = 0, breaks_after: int | None = None, holds_after: int | None = None) -> None:
        """*holds_after* so many sends it takes no more, until `may_go_on` is set."""
        super().__init__(away=away, breaks_after=breaks_after)
        self.may_go_on = asyncio.Event()
        self.holds = asyncio.Event()
        """Set once somebody waits for `may_go_on`."""
        self._left = holds_after
        self._grown = asyncio.Condition()
        self._arrived: set[tuple[str, str]] = set()
        if holds_after != 0:
            self.may_go_on.set()

    async def send_many(self, events: Iterable[Event]) -> int:
        if not self.may_go_on.is_set():
            self.holds.set()
        await self.may_go_on.wait()
        batch = list(events)
        sent = await super().send_many(batch)
        if self._left:
            self._left -= 1
            if not self._left:
                self.may_go_on.clear()
        self._arrived.update((event.source, event.id) for event in batch)
        async with self._grown:
            self._grown.notify_all()
        return sent

    async def until(self, count: int) -> None:
        """Wait until so many are there, without those that came again."""
        async with self._grown:
            await self._grown.wait_for(lambda: len(self._arrived) >= count)


class CountingSink:
    """Counts what arrives, by source and id, and keeps nothing of it."""

    def __init__(self) -> None:
        self.arrived: Counter[tuple[str, str]] = Counter()

    async def send_many(self, events: Iterable[Event]) -> int:
        batch = [(event.source, event.id) for event in events]
        self.arrived.update(batch)
        return len(batch)
