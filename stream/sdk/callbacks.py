"""Events of promised call backs, for call systems and web forms that promise them.

events = CallbackEvents(EventFactory(source="/pbx/berlin", tenant="acme"))
await producer.send(events.requested("callback-7", queue="sales", origin="call-17"))
"""

from datetime import datetime
from typing import Unpack

from stream.families.contacts import events as e
from stream.families.contacts.payloads import CallbackAttemptData, CallbackData
from stream.sdk.factory import EventFactory, Where, checked_where

__all__ = ["CallbackEvents"]


class CallbackEvents:
    """
    Makes events of promised call backs for the source and tenant of an `EventFactory`.

    Each method has the id of the callback and its queue first, and `at`: when it happened, if that was not now.
    """

    def __init__(self, factory: EventFactory) -> None:
        self._envelope = factory.envelope

    def requested(
        self,
        callback: str,
        queue: str,
        *,
        origin: str | None = None,
        due_at: datetime | None = None,
        at: datetime | None = None,
        **where: Unpack[Where],
    ) -> e.CallbackRequested:
        """A customer asked to be called back, not before `due_at`; `origin` is the contact that asked for it."""
        data = CallbackData(queue=queue, origin=origin, due_at=due_at, **checked_where(where))
        return e.CallbackRequested(**self._envelope(callback, at), data=data)

    def attempted(
        self, callback: str, queue: str, *, attempt: int = 1, at: datetime | None = None, **where: Unpack[Where]
    ) -> e.CallbackAttempted:
        """The customer was called back, and has not answered yet; attempts are counted from 1."""
        data = CallbackAttemptData(queue=queue, attempt=attempt, **checked_where(where))
        return e.CallbackAttempted(**self._envelope(callback, at), data=data)

    def connected(
        self, callback: str, queue: str, *, attempt: int = 1, at: datetime | None = None, **where: Unpack[Where]
    ) -> e.CallbackConnected:
        """The customer answered this attempt."""
        data = CallbackAttemptData(queue=queue, attempt=attempt, **checked_where(where))
        return e.CallbackConnected(**self._envelope(callback, at), data=data)

    def failed(
        self, callback: str, queue: str, *, attempt: int = 1, at: datetime | None = None, **where: Unpack[Where]
    ) -> e.CallbackFailed:
        """The call back was given up for good, after this attempt."""
        data = CallbackAttemptData(queue=queue, attempt=attempt, **checked_where(where))
        return e.CallbackFailed(**self._envelope(callback, at), data=data)
