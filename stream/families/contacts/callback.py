"""One promised call back, told by events in any order, with any of them repeated or missing."""

from datetime import datetime
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from stream.core.windows import EPOCH
from stream.families.contacts.contributions import CallbackStep, Contribution
from stream.families.contacts.events import (
    CallbackAttempted,
    CallbackConnected,
    CallbackEvent,
    CallbackFailed,
    CallbackRequested,
)

__all__ = ["NEW_CALLBACK", "Callback", "fold_callback", "steps_of"]

_MAX_ATTEMPTS = 100
"""Attempts kept of one callback: a runaway producer must not fill the memory."""


class Callback(Struct, frozen=True, array_like=True, gc=False, tag="callback"):
    """What is known of one callback, and what it has been counted for; every instant is the earliest reported."""

    applied_offset: int = -1
    requested: datetime | None = None
    attempts: tuple[tuple[int, datetime], ...] = ()
    """Attempts by number."""
    connected: datetime | None = None
    failed: datetime | None = None
    counted: tuple[Contribution, ...] = ()

    @property
    def waiting_since(self) -> datetime | None:
        """When the callback was promised, if nobody has kept the promise or given it up."""
        return self.requested if not (self.connected or self.failed) else None

    @property
    def newest(self) -> datetime:
        """When the newest step happened; of a callback of which something is known."""
        steps = (self.requested, self.connected, self.failed, *(at for _, at in self.attempts))
        # Twice: with a single argument `max` would take it for a sequence.
        return max(*(at for at in steps if at), EPOCH, EPOCH)


NEW_CALLBACK = Callback()
"""A callback of which nothing is known yet."""


def fold_callback(callback: Callback, event: CallbackEvent) -> Callback:
    """Return the callback with what *event* reports; the very same object if that is nothing new."""
    match event:
        case CallbackRequested(time=at):
            return _note(callback, "requested", at)
        case CallbackAttempted(time=at, data=data):
            return _attempt(callback, data.attempt, at)
        case CallbackConnected(time=at):
            return _note(callback, "connected", at)
        case CallbackFailed(time=at):
            return _note(callback, "failed", at)
        case _:
            assert_never(event)


def _note(callback: Callback, step: str, at: datetime) -> Callback:
    known: datetime | None = getattr(callback, step)
    return callback if known is not None and known <= at else replace(callback, **{step: at})


def _attempt(callback: Callback, number: int, at: datetime) -> Callback:
    attempts = dict(callback.attempts)
    if number in attempts and attempts[number] <= at:
        return callback
    attempts[number] = at
    return replace(callback, attempts=tuple(sorted(attempts.items()))[:_MAX_ATTEMPTS])


def steps_of(callback: Callback) -> tuple[Contribution, ...]:
    """Return what the callback counts for, by what is known of it now. A connected one has not failed."""
    steps = [CallbackStep(at, "attempted", number) for number, at in callback.attempts]
    if callback.requested is not None:
        steps.append(CallbackStep(callback.requested, "requested"))
    if callback.connected is not None:
        steps.append(CallbackStep(callback.connected, "connected"))
    elif callback.failed is not None:
        steps.append(CallbackStep(callback.failed, "failed"))
    return tuple(steps)
