"""What TaskRouter tells of a task: that it waits, rings, is answered, handed on, and how it ends.

Each method looks at one record alone. A visit is the task in a queue since the second in which it entered that, which
every record of it says; so records of one visit find each other, whatever came in between.
"""

from datetime import timedelta
from typing import Final, Literal

import msgspec
from msgspec import Struct

from stream.core.cloudevents import Event
from stream.families.contacts import events as e
from stream.families.contacts import payloads
from stream.families.contacts.payloads import DequeueReason
from stream.sdk.factory import EventFactory, Where
from stream.sources.instants import instant_in
from stream.sources.twilio.records import TaskRouterRecord
from stream.sources.twilio.vocabulary import TwilioVocabulary

__all__ = ["TaskEvents"]

_MOST_VISITS: Final = 1_000_000
"""As in the contract, `enqueue_seq`: seconds are counted anew after eleven days, and few tasks wait so long."""

_AT_ONCE: Final = timedelta(seconds=1)
"""Two times in whole seconds that are one apart may be a millisecond apart."""


class _Attributes(Struct):
    """What Twilio itself and Flex put into the attributes of a task. The rest may be personal, and is not looked at."""

    direction: object = None


class TaskEvents:
    """Tells what one record of a task says as events."""

    def __init__(self, record: TaskRouterRecord, vocabulary: TwilioVocabulary, factory: EventFactory) -> None:
        self._record = record
        self._vocabulary = vocabulary
        self._factory = factory
        self._task = record.get("TaskSid")
        self._queue = record.get("TaskQueueName") or record.get("TaskQueueSid")
        self._channel = vocabulary.channel_of(record.get("TaskChannelUniqueName"))

    def created(self) -> list[Event]:
        """A task is there; it is in no queue yet."""
        return [self._factory.offered(self._task, channel=self._channel)]

    def entered(self) -> list[Event]:
        """The task waits in a queue from now on."""
        reason: Literal["new", "transfer", "requeue", "callback"] = "new"
        if self._record.get("TaskChannelUniqueName").casefold() == "callback":
            reason = "callback"
        elif self._came_later():
            reason = "transfer" if self._record.get("TaskTransferSid") else "requeue"
        told = self._record.get("TaskPriority")
        priority = int(told) if told.isdecimal() and len(told) <= len("2147483647") else None
        return [self._factory.enqueued(self._task, self._queue, reason=reason, priority=priority, **self._where())]

    def left(self, reason: DequeueReason) -> list[Event] | None:
        """A step of the workflow is over, and with it the wait in this queue; None where it does not name that."""
        before = self._record.get("PreviousTaskQueueSid")
        if before and before != self._record.get("TaskQueueSid"):
            return None
        return [self._factory.dequeued(self._task, self._queue, reason, **self._where())]

    def rings(self) -> list[Event]:
        """A worker is asked to accept the task."""
        data = payloads.OfferData(queue=self._queue, **self._with_agent(), offer_id=self._reservation())
        return [e.ContactOfferedToAgent(**self._factory.envelope(self._task), data=data)]

    def rang_in_vain(self, result: Literal["missed", "rejected", "rescinded", "canceled"]) -> list[Event]:
        """The worker did not accept."""
        where, offer = self._with_agent(), self._reservation()
        data = payloads.OfferEndedData(queue=self._queue, **where, offer_id=offer, result=result)
        return [e.OfferEnded(**self._factory.envelope(self._task), data=data)]

    def accepted(self) -> list[Event]:
        """The worker accepted."""
        data = payloads.AnsweredData(queue=self._queue, **self._with_agent(), offer_id=self._reservation())
        return [e.ContactAnswered(**self._factory.envelope(self._task), data=data)]

    def canceled(self) -> list[Event]:
        """The task is over, and nobody has accepted it."""
        end = self._vocabulary.end_of(self._record.get("TaskCanceledReason") or self._record.get("Reason"))
        if end == "abandoned":
            return [self._factory.abandoned(self._task, self._queue, **self._where())]
        return [self._factory.dequeued(self._task, self._queue, end, **self._where())]

    def hung_up(self) -> list[Event]:
        """The conversation is over, the work after it is not."""
        return [self._factory.ended(self._task, self._queue, wrapup=True, **self._where())]

    def completed(self) -> list[Event]:
        """All is over. Where nobody told the end of the conversation this is it: of two ends the earlier stands."""
        return [*self.hung_up(), self._factory.wrapup_ended(self._task, self._queue, **self._where())]

    def transfer_begins(self) -> list[Event] | None:
        """A worker hands the task on: a cold one leaves it at that; a warm one (None) stays until it is completed."""
        return self._transferred("blind") if self._mode() == "COLD" else None

    def transfer_completed(self) -> list[Event] | None:
        """
        Another worker has accepted what was handed on.

        None where that is known already, and where the record names the queue to which the task has gone: which visit
        is over it does not say.
        """
        entered = instant_in(self._record.get("TaskQueueEnteredDate"))
        begun = instant_in(self._record.get("TransferStarted"))
        if self._mode() == "COLD" or entered is None or begun is None or entered >= begun:
            return None
        return self._transferred("attended")

    def _transferred(self, kind: Literal["blind", "attended"]) -> list[Event]:
        to = self._record.get("TransferTo")
        agent = to if to.startswith("WK") else None
        return [self._factory.transferred(self._task, self._queue, kind, to_agent=agent, **self._where())]

    def _mode(self) -> str:
        return self._record.get("TransferMode").upper()

    def _reservation(self) -> str | None:
        return self._record.get("ReservationSid") or None

    def _with_agent(self) -> Where:
        return {**self._where(), "agent": self._record.get("WorkerSid") or None}

    def _where(self) -> Where:
        return Where(channel=self._channel, enqueue_seq=self._visit(), direction=self._direction())

    def _visit(self) -> int:
        """Return which visit it is: the number of the second in which the task entered the queue."""
        entered = instant_in(self._record.get("TaskQueueEnteredDate"))
        # In whole seconds: a callback has no more, an event of Event Streams has.
        return 1 if entered is None else int(entered.timestamp()) % _MOST_VISITS + 1

    def _came_later(self) -> bool:
        """Tell whether the task had been somewhere else before it entered this queue."""
        entered = instant_in(self._record.get("TaskQueueEnteredDate"))
        created = instant_in(self._record.get("TaskDateCreated"))
        return entered is not None and created is not None and entered - created > _AT_ONCE

    def _direction(self) -> Literal["inbound", "outbound"]:
        try:
            told = msgspec.json.decode(self._record.get("TaskAttributes") or "{}", type=_Attributes)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return "inbound"  # attributes are anybody's text
        return "outbound" if told.direction == "outbound" else "inbound"
