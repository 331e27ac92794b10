"""What Genesys Cloud sends: notifications, each of a topic, alone or in the envelope of Amazon EventBridge."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import MsgspecError, Struct

from stream.sources.requests.json_webhook import objects_in
from stream.sources.requests.parts import UnusablePart
from stream.sources.unquoted import unquoted

__all__ = ["Notification", "notifications_in"]

_TOPIC: Final = re.compile(r"v2\.(detail\.events\.conversation|users|routing\.queues)\.([^.]{1,64})\.([a-zA-Z.]{1,40})")
_ID: Final = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}")


class Notification(Struct, frozen=True, kw_only=True):
    """One notification: of what kind, about whom, and what it says."""

    kind: str
    """The topic with `{id}` in place of the id."""
    about: str
    """The id in the topic's name: of a conversation, user or queue."""
    body: dict[str, Any]
    sent_at: datetime | None
    """When EventBridge got it, in whole seconds; some topics tell no other time."""


class _Topic(Struct, rename="camel"):
    topic_name: str
    event_body: dict[str, Any] = {}


class _Envelope(Struct):
    detail: _Topic
    time: datetime | None = None


def notifications_in(body: bytes) -> Iterator[Notification | UnusablePart]:
    """Yield each notification of a request's body, which is one or a list of them; what is none as such."""
    for part in objects_in(body):
        try:
            yield part if isinstance(part, UnusablePart) else _notification(part)
        except UnusablePart as problem:
            yield problem


def _notification(part: dict[str, Any]) -> Notification:
    try:
        envelope = msgspec.convert(part if "detail" in part else {"detail": part}, _Envelope)
    except (MsgspecError, RecursionError) as failure:
        raise UnusablePart("no_notification", f"no notification of Genesys Cloud: {unquoted(failure)}") from None
    topic = envelope.detail
    kind, about = _kind_of(topic.topic_name)
    at = envelope.time if envelope.time and envelope.time.tzinfo else None
    return Notification(kind=kind, about=about, body=topic.event_body, sent_at=at)


def _kind_of(name: str) -> tuple[str, str]:
    """Return the topic without its id, and the id; of a topic that is not known, its name."""
    if found := _TOPIC.fullmatch(name):
        family, about, what = found.groups()
        return f"v2.{family}.{{id}}.{what}", about
    return _ID.sub("{id}", name), ""
