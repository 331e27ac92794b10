"""What TaskRouter tells of a worker, who is an agent here: the activity chosen, and what reservations show."""

from typing import Literal

from stream.core.cloudevents import Event
from stream.sdk.factory import EventFactory
from stream.sources.twilio.records import TaskRouterRecord
from stream.sources.twilio.vocabulary import TwilioVocabulary

__all__ = ["WorkerEvents"]


class WorkerEvents:
    """Tells what one record says of its worker as events. An agent is a worker's SID: names may be personal."""

    def __init__(self, record: TaskRouterRecord, vocabulary: TwilioVocabulary, factory: EventFactory) -> None:
        self._record = record
        self._vocabulary = vocabulary
        self._factory = factory
        self._worker = record.get("WorkerSid")

    def activity_changed(self) -> list[Event]:
        """The worker chose another activity."""
        name = self._record.get("WorkerActivityName")
        now = self._vocabulary.presence_of(name, self._record.get("WorkerAvailable"))
        before = self._vocabulary.presence_of(self._record.get("WorkerPreviousActivityName"))
        if now == "offline":
            return self.gone()
        came = [self._factory.logged_in(self._worker)] if before == "offline" else []
        reason = None if now == "available" else name or None
        return [*came, self._factory.availability(self._worker, now, reason=reason)]

    def gone(self) -> list[Event]:
        """The worker is off duty, or deleted."""
        return [self._factory.logged_out(self._worker)]

    def seen(self, activity: Literal["idle", "reserved", "on_contact", "acw"]) -> list[Event]:
        """A reservation shows what the worker does, and that the queue is one of the worker's."""
        if not self._worker:
            return []
        told: list[Event] = [self._factory.activity(self._worker, activity)]
        queue = self._record.get("TaskQueueName") or self._record.get("TaskQueueSid")
        if activity == "reserved" and queue:
            told.append(self._factory.joined(self._worker, queue))
        return told
