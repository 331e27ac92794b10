"""What became of events: for those who wait for them, and for hooks that are told of each batch."""

import asyncio
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from stream.errors import BrokerError
from stream.sdk.encoding import EncodedEvent

__all__ = ["Delivery", "DeliveryReport", "Failure", "GivenUp", "NotAcknowledged", "OnDelivery"]

NAMED: Final = 100
"""So many of the events that were given up an error has with it; the others are counted."""


class Failure(Struct, frozen=True):
    """Why an event was given up; never with a value of it."""

    why: str
    reason: str | None = None
    """The stable code of a gateway, or broker (`EventRefusalReason`), that refused this very event."""
    field: str | None = None
    """Path of the field at fault, where the gateway names one."""


class GivenUp(Struct, frozen=True):
    """An event that was not acknowledged; sent again, by `send_encoded`, it has the id that it had."""

    event: EncodedEvent
    failure: Failure


class DeliveryReport(Struct, frozen=True):
    """What became of the events of one batch, in their order."""

    acknowledged: tuple[EncodedEvent, ...]
    given_up: tuple[GivenUp, ...]


OnDelivery = Callable[[DeliveryReport], object]
"""Told of each batch, on the thread of the producer, which it should not hold up; what it raises is logged."""


class NotAcknowledged(BrokerError):
    """Events that were given up; `given_up` has the first 100 of them, each with the reason."""

    def __init__(self, lost: int, sent: int, given_up: tuple[GivenUp, ...]) -> None:
        # The last reason stands for all: a broker that is away gives the same to each.
        super().__init__(f"{lost} of {sent} events were not acknowledged: {given_up[-1].failure.why}")
        self.lost = lost
        self.given_up = given_up


class Delivery:
    """Events that somebody waits for together: done when each was acknowledged or given up."""

    def __init__(self) -> None:
        self.accepted = 0
        self._lost = 0
        self._given_up: list[GivenUp] = []
        self._outstanding = 0
        self._done = asyncio.Event()
        self._done.set()

    def add(self) -> None:
        """One more event was handed over."""
        self.accepted += 1
        self._outstanding += 1
        self._done.clear()

    def settle(self, given_up: GivenUp | None) -> None:
        """One event was acknowledged, or given up."""
        if given_up is not None:
            self._lost += 1
            if len(self._given_up) < NAMED:
                self._given_up.append(given_up)
        self._outstanding -= 1
        if not self._outstanding:
            self._done.set()

    async def wait(self) -> int:
        """Wait for all of them and return how many they were; raises NotAcknowledged if any was given up."""
        await self._done.wait()
        accepted, lost, given_up = self.accepted, self._lost, tuple(self._given_up)
        # Counted anew from here: what `post` hands over is waited for again and again, by `flush`.
        self.accepted = self._lost = 0
        self._given_up.clear()
        if lost:
            raise NotAcknowledged(lost, accepted, given_up)
        return accepted
