"""Tells what is known of a contact as events, whose ids are the same whichever document tells them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, Literal

from msgspec.structs import replace

from stream.core.cloudevents import Event, tag_of
from stream.families.contacts import events as e
from stream.families.contacts.payloads import CallbackAttemptData, CallbackData, DequeueReason
from stream.sdk.factory import EventFactory, Where
from stream.sources.amazon_connect.contacts import ToldContact

__all__ = ["events_of_contact"]

_HANDED_ON: Final = frozenset({"TRANSFER", "QUEUE_TRANSFER"})

_EXITS: Final[dict[str, DequeueReason]] = {
    "CONTACT_FLOW_DISCONNECT": "system",
    "API": "system",
    "SYSTEM_ERROR": "system",
    "EXPIRED": "timeout",
}
"""How a wait ended that no agent ended, and that the customer did not give up."""

_ENDED_BY: Final[dict[str, Literal["customer", "agent"]]] = {
    "CUSTOMER_DISCONNECT": "customer",
    "AGENT_DISCONNECT": "agent",
    "AGENT_COMPLETED": "agent",
}


def events_of_contact(told: ToldContact, tenant: str) -> list[Event]:
    """Return the events of a contact that is, or was, in a queue; of others there are none."""
    if told.queue is None:
        return []
    teller = _Teller(told, told.queue, tenant)
    found: list[Event] = []
    if told.method == "CALLBACK":
        found += teller.callback()
    if not told.is_outbound:
        found += teller.wait()
    # Of a call out only one that reached the customer is a conversation.
    if told.answered_at is not None and (told.reached_at is not None or not told.is_outbound):
        found += teller.conversation()
    return [replace(event, id=_id_of(event, told)) for event in found]


def _id_of(event: Event, told: ToldContact) -> str:
    # What a record says of the same instant may be more, or corrected, so it is another event.
    version = f":{told.revision}" if told.revision else ""
    return f"{told.contact}:{tag_of(event)}:{event.time:%Y%m%dT%H%M%SZ}{version}"


class _Teller:
    def __init__(self, told: ToldContact, queue: str, tenant: str) -> None:
        self.told = told
        self.queue = queue
        self.events = EventFactory(told.instance, tenant=tenant, new_id=lambda: "-")
        self.where = Where(
            channel=told.channel,
            agent=told.agent,
            direction="outbound" if told.is_outbound else "inbound",
            revision=told.revision,
        )

    def wait(self) -> Iterator[Event]:
        """Yield how a contact came into the queue, and how it left it without an agent."""
        told = self.told
        # A flow may choose a queue for a contact that it then never puts there.
        if told.enqueued_at is None:
            return
        reason: Literal["transfer", "new"] = "transfer" if told.method in _HANDED_ON else "new"
        yield self.events.enqueued(told.contact, self.queue, reason=reason, at=told.enqueued_at, **self.where)
        if told.answered_at is not None or told.disconnected_at is None:
            return
        if told.goes_on:
            # No later than the hang-up, which contact events without this knowledge have taken for an abandon.
            at = min(told.dequeued_at or told.disconnected_at, told.disconnected_at)
            yield self.events.dequeued(told.contact, self.queue, "moved", at=at, **self.where)
        elif told.disconnect_reason in _EXITS:
            exit_by = _EXITS[told.disconnect_reason]
            yield self.events.dequeued(told.contact, self.queue, exit_by, at=told.disconnected_at, **self.where)
        else:
            yield self.events.abandoned(told.contact, self.queue, at=told.disconnected_at, **self.where)

    def conversation(self) -> Iterator[Event]:
        """Yield what an agent did with a contact, as far as it is known."""
        told, left_at = self.told, self.told.left_at
        yield self.events.answered(told.contact, self.queue, at=told.answered_at, **self.where)
        if told.held_at is not None:
            yield self.events.held(told.contact, self.queue, at=told.held_at, **self.where)
        if told.resumed_at is not None:
            yield self.events.resumed(told.contact, self.queue, at=told.resumed_at, **self.where)
        if left_at is None or told.answered_at is None:
            return
        talk = self._talk(left_at - told.answered_at)
        if told.goes_on or told.goes_elsewhere:
            kind: Literal["attended", "queue"] = "attended" if told.goes_elsewhere else "queue"
            transferred = self.events.transferred(
                told.contact, self.queue, kind, talk=talk, hold=told.hold, at=left_at, **self.where
            )
            data = replace(transferred.data, wrapup=True, to_external=told.goes_elsewhere)
            yield replace(transferred, data=data)
        # Whether a wrap-up follows is told when it is over, with an empty one where there was none.
        yield self.events.ended(
            told.contact,
            self.queue,
            ended_by=_ENDED_BY.get(told.disconnect_reason),
            talk=talk,
            hold=told.hold,
            wrapup=True,
            at=left_at,
            **self.where,
        )
        if told.is_complete:
            over_at = told.wrapup_ended_at or left_at
            wrapup = max(over_at - left_at, timedelta())
            yield self.events.wrapup_ended(told.contact, self.queue, wrapup=wrapup, at=over_at, **self.where)

    def _talk(self, together: timedelta) -> timedelta | None:
        """Return how long they talked; None where it is what holds leave over, which events told one by one."""
        told = self.told
        # Its own count comes first: an agent may leave a conference before it is over.
        if told.talk is not None or (told.hold is None and not told.pause):
            return told.talk
        return max(together - told.pause - (told.hold or timedelta()), timedelta())

    def callback(self) -> Iterator[Event]:
        """Yield how a promised call back went: the contact is the callback."""
        told = self.told
        if told.initiated_at is not None:
            requested = self.events.envelope(told.contact, told.initiated_at)
            yield e.CallbackRequested(**requested, data=CallbackData(queue=self.queue, channel=told.channel))
        data = CallbackAttemptData(queue=self.queue, channel=told.channel, agent=told.agent)
        if told.answered_at is not None:
            yield e.CallbackAttempted(**self.events.envelope(told.contact, told.answered_at), data=data)
        if told.reached_at is not None:
            yield e.CallbackConnected(**self.events.envelope(told.contact, told.reached_at), data=data)
        elif told.disconnected_at is not None:
            yield e.CallbackFailed(**self.events.envelope(told.contact, told.disconnected_at), data=data)
