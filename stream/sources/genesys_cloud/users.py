"""What topics of users and of a queue's members become: what agents have chosen, do, and which queues they serve."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import Event, Instant
from stream.sdk.factory import EventFactory
from stream.sources.genesys_cloud.notifications import Notification
from stream.sources.queue_names import QueueNames
from stream.sources.requests.parts import UnusablePart

__all__ = ["USER_KINDS", "events_of_user"]

_ACTIVITY: Final = "v2.users.{id}.activity"
_PRESENCE: Final = "v2.users.{id}.presence"
_ROUTING: Final = "v2.users.{id}.routingStatus"
_MEMBERS: Final = "v2.routing.queues.{id}.users"

USER_KINDS: Final = frozenset({_ACTIVITY, _PRESENCE, _ROUTING, _MEMBERS})

_ACTIVITIES: Final[dict[str, Literal["idle", "on_contact", "error"]]] = {
    "IDLE": "idle",
    "OFF_QUEUE": "idle",
    "INTERACTING": "on_contact",
    "COMMUNICATING": "on_contact",
    "NOT_RESPONDING": "error",
}
"""By routing status. COMMUNICATING is a call that came by no queue."""


class _Definition(Struct, rename="camel"):
    system_presence: Annotated[str, Meta(max_length=64)]


class _Presence(Struct, rename="camel"):
    presence_definition: _Definition
    modified_date: Instant


class _RoutingStatus(Struct, rename="camel"):
    status: Annotated[str, Meta(max_length=64)]
    start_time: Instant


class _UserActivity(Struct, rename="camel"):
    presence: _Presence | None = None
    routing_status: _RoutingStatus | None = None


class _QueueMember(Struct, rename="camel"):
    id: Annotated[str, Meta(min_length=1, max_length=64)]
    joined: bool


def events_of_user(told: Notification, queues: QueueNames, source: str, tenant: str) -> list[Event]:
    """
    Return what a notification of USER_KINDS tells of an agent; raises UnusablePart, or msgspec's errors.

    Ids are made of what is told, not of the topic: a presence that two topics tell counts once.
    """
    if told.about.startswith("{"):
        raise UnusablePart("no_id", "its topic names nobody")
    match told.kind:
        case "v2.users.{id}.activity":
            activity = msgspec.convert(told.body, _UserActivity)
            presence, routing = activity.presence, activity.routing_status
        case "v2.users.{id}.presence":
            presence, routing = msgspec.convert(told.body, _Presence), None
        case "v2.users.{id}.routingStatus":
            presence, routing = None, msgspec.convert(told.body, _RoutingStatus)
        case _:
            return [_membership(told, queues, source, tenant)]
    events = [_chosen(told.about, presence, source, tenant)] if presence else []
    return events + ([_seen(told.about, routing, source, tenant)] if routing else [])


def _chosen(user: str, presence: _Presence, source: str, tenant: str) -> Event:
    system = presence.presence_definition.system_presence.upper().replace(" ", "_")
    makes = _factory(source, tenant, user, "presence", presence.modified_date, system)
    match system:
        # Available is present, and takes no work from queues: that is what On Queue is.
        case "ON_QUEUE" | "ONQUEUE":
            return makes.availability(user, "available", at=presence.modified_date)
        case "OFFLINE":
            return makes.availability(user, "offline", at=presence.modified_date)
        case _:
            return makes.availability(user, "not_ready", reason=system.lower(), at=presence.modified_date)


def _seen(user: str, routing: _RoutingStatus, source: str, tenant: str) -> Event:
    activity = _ACTIVITIES.get(routing.status)
    if activity is None:
        raise UnusablePart("unknown_status", "a routing status that is not known")
    makes = _factory(source, tenant, user, "routing", routing.start_time, routing.status)
    return makes.activity(user, activity, at=routing.start_time)


def _membership(told: Notification, queues: QueueNames, source: str, tenant: str) -> Event:
    if told.sent_at is None:
        raise UnusablePart("no_time", "it has no time of its own, nor EventBridge's")
    member = msgspec.convert(told.body, _QueueMember)
    makes = _factory(source, tenant, member.id, told.about, told.sent_at, member.joined)
    queue = queues.of(told.about)
    return (makes.joined if member.joined else makes.left)(member.id, queue, at=told.sent_at)


def _factory(source: str, tenant: str, user: str, what: str, at: datetime, value: object) -> EventFactory:
    return EventFactory(source, tenant=tenant, new_id=lambda: f"{user}/{what}/{at.isoformat()}/{value}")
