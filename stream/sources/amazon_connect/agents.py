"""What an agent event says: what the agent chose, is seen doing, and serves; and at whom a contact rang in vain."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal

from msgspec.structs import replace

from stream.core.cloudevents import Channel, Event, tag_of
from stream.families.contacts.events import OfferEnded
from stream.families.contacts.payloads import OfferEndedData
from stream.sdk.factory import EventFactory
from stream.sources.amazon_connect.arns import AGENT_QUEUES, last_part, queue_of
from stream.sources.amazon_connect.aws_object import AwsObject
from stream.sources.amazon_connect.contacts import AWS_CHANNELS
from stream.sources.queue_names import QueueNames
from stream.sources.requests.parts import UnusablePart

__all__ = ["KINDS_OF_AGENT_EVENTS", "events_of_agent"]

_Activity = Literal["idle", "reserved", "on_contact", "acw", "error"]
_Status = Literal["available", "not_ready", "offline"]

KINDS_OF_AGENT_EVENTS: Final = frozenset({"LOGIN", "LOGOUT", "STATE_CHANGE", "HEART_BEAT"})

_ACTIVITIES: Final[tuple[tuple[_Activity, frozenset[str]], ...]] = (
    # Who let a contact ring in vain gets no other one until that is cleared: Amazon Connect counts that as an error.
    ("error", frozenset({"ERROR", "MISSED", "REJECTED"})),
    ("on_contact", frozenset({"CONNECTED", "CONNECTED_ONHOLD", "PAUSED"})),
    ("acw", frozenset({"ENDED"})),
    ("reserved", frozenset({"INCOMING", "PENDING", "CONNECTING"})),
)
"""Of several contacts the state that comes first here is the agent's, as in the real-time metrics of Amazon Connect."""

_IN_VAIN: Final[dict[str, Literal["missed", "rejected"]]] = {"MISSED": "missed", "REJECTED": "rejected"}


def events_of_agent(kind: str, document: AwsObject, names: QueueNames, tenant: str) -> list[Event]:
    """Return the events of an agent event, which is one of KINDS_OF_AGENT_EVENTS; raises UnusablePart."""
    event_id, at = document.required("EventId"), document.instant("EventTimestamp")
    if at is None:
        raise UnusablePart("missing_field", "the field EventTimestamp is missing")
    teller = _Teller(document, names, tenant, at)
    told = [*teller.presence(kind), *teller.memberships(kind)]
    numbered = [replace(event, id=f"{event_id}:{tag_of(event)}:{number}") for number, event in enumerate(told)]
    return [*numbered, *teller.offers_in_vain()]


class _Teller:
    def __init__(self, document: AwsObject, names: QueueNames, tenant: str, at: datetime) -> None:
        self.names = names
        self.at = at
        self.agent = last_part(document.required("AgentARN")) or ""
        self.now, self.before = document.part("CurrentAgentSnapshot"), document.part("PreviousAgentSnapshot")
        self.events = EventFactory(document.required("InstanceARN"), tenant=tenant, new_id=lambda: "-")

    def presence(self, kind: str) -> Iterator[Event]:
        """Yield what the agent chose and is seen doing, each time anew: a heartbeat says that it still holds."""
        if kind == "LOGOUT":
            yield self.events.logged_out(self.agent, at=self.at)
            return
        if kind == "LOGIN":
            yield self.events.logged_in(self.agent, at=self.at)
        status = self.now.part("AgentStatus")
        if (chosen := _status_of(status)) is not None:
            reason = status.text("Name") if chosen == "not_ready" else None
            yield self.events.availability(self.agent, chosen, reason=reason, at=self.at)
            yield self.events.activity(self.agent, _activity_of(self.now), at=self.at)

    def memberships(self, kind: str) -> Iterator[Event]:
        """Yield which queues the agent serves, where that may be news."""
        now, before = self._queues(self.now), self._queues(self.before)
        if now is None:
            return
        # With a heartbeat, too: who connects us in the middle of a day hears of no login.
        if kind in {"LOGIN", "HEART_BEAT"} or now != before:
            yield from (self.events.joined(self.agent, queue, at=self.at) for queue in now)
        yield from (self.events.left(self.agent, queue, at=self.at) for queue in before or [] if queue not in now)

    def offers_in_vain(self) -> Iterator[Event]:
        """Yield each contact that the agent missed or rejected; every event until it is cleared has it again."""
        for contact in self.now.parts("Contacts"):
            result = _IN_VAIN.get(contact.text("State") or "")
            queue, rang_at = (
                queue_of(contact.part("Queue").text("ARN"), self.names),
                contact.second("StateStartTimestamp"),
            )
            subject, channel = contact.text("ContactId"), AWS_CHANNELS.get((contact.text("Channel") or "").lower())
            if result and queue and rang_at and subject and channel:
                yield self._offer(subject, queue, channel, result, rang_at)

    def _offer(
        self, contact: str, queue: str, channel: Channel, result: Literal["missed", "rejected"], at: datetime
    ) -> Event:
        offer = f"{contact}:{self.agent}:{at:%Y%m%dT%H%M%SZ}"
        data = OfferEndedData(queue=queue, channel=channel, agent=self.agent, offer_id=offer, result=result)
        return OfferEnded(**self.events.envelope(contact, at) | {"id": f"{offer}:offer_ended"}, data=data)

    def _queues(self, snapshot: AwsObject) -> list[str] | None:
        """Return the queues of the routing profile, None where a snapshot has no profile."""
        profile = snapshot.part("Configuration").part("RoutingProfile")
        if not profile:
            return None
        named = (queue_of(queue.text("ARN"), self.names) for queue in profile.parts("InboundQueues"))
        # Its own queue every agent serves.
        return sorted({name for name in named if name is not None and name != AGENT_QUEUES})


def _status_of(status: AwsObject) -> _Status | None:
    match status.text("Type") or status.text("Name"):
        case "ROUTABLE" | "Available":
            return "available"
        case "OFFLINE" | "Offline":
            return "offline"
        case None:
            return None
        case _:
            return "not_ready"


def _activity_of(snapshot: AwsObject) -> _Activity:
    states = {contact.text("State") for contact in snapshot.parts("Contacts")}
    return next((activity for activity, found in _ACTIVITIES if found & states), "idle")
