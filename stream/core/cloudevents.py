"""
Events as CloudEvents 1.0, and their bytes: JSON, structured or binary.

Knows the envelope, not what happened: the events themselves belong to the families.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import orjson
from msgspec import Meta, Struct
from msgspec.structs import replace

from stream.errors import InvalidEvent, InvalidReason

__all__ = [
    "CONTENT_TYPE",
    "DEFAULT_TENANT",
    "MAX_EVENT_BYTES",
    "Channel",
    "Count",
    "Event",
    "EventDecoder",
    "Headers",
    "Id",
    "Instant",
    "KeyParts",
    "Millis",
    "Name",
    "encode",
    "key_from",
    "key_of",
    "tag_of",
]

DEFAULT_TENANT = "default"
"""Tenant of events whose envelope names none."""

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
"""Content type of an event in structured mode."""

MAX_EVENT_BYTES = 1_000_000
"""An event is a few hundred bytes; what is larger than this is a mistake, or an attack."""

Channel = Literal["voice", "chat", "sms", "messaging", "email", "social", "video", "task"]

Id = Annotated[str, Meta(min_length=1, max_length=256)]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Millis = Annotated[int, Meta(ge=0, le=31 * 24 * 3_600_000)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Instant = Annotated[datetime, Meta(tz=True)]

Headers = Sequence[tuple[str, bytes | None]]

KeyParts = tuple[str | None, ...]
"""What a record key is made of, joined by `/`."""

_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(2101, 1, 1, tzinfo=UTC)
"""Times outside are a clock that was never set, or milliseconds taken for seconds."""

_JSON = msgspec.json.Encoder()


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False, tag_field="type"):
    """CloudEvents 1.0 attributes. `source` and `id` together identify the event; `time` is when it happened (UTC)."""

    topic: ClassVar[str]
    """The topic that carries such events."""
    key_parts: ClassVar[Callable[[Any], KeyParts]]
    """What the record key of an event is made of: it decides the partition, and so the worker that shows it."""

    id: Id
    source: Id
    time: Instant
    """When it happened, by the clock of the call system; aware, UTC."""
    subject: Id
    """The contact, callback or agent that it happened to."""
    specversion: Literal["1.0"]
    tenantid: Name = DEFAULT_TENANT
    dataschema: str | None = None
    """Carries the version of the contract that the producer wrote against."""
    data: Any
    """What happened: each kind of event has a type of its own for it."""


def tag_of(event: type[Event] | Event) -> str:
    """Return the CloudEvents `type` of an event or event class."""
    tag = event.__struct_config__.tag
    assert isinstance(tag, str)
    return tag


def encode(event: Event) -> bytes:
    """Write an event as a structured CloudEvent: compact JSON, UTF-8."""
    return _JSON.encode(event)


def key_of(event: Event) -> bytes:
    """Return the record key of an event."""
    return key_from(type(event).key_parts(event))


def key_from(parts: KeyParts) -> bytes:
    """Return the record key that is made of *parts*."""
    return "/".join(part or "" for part in parts).encode()


class EventDecoder:
    """Reads records as events of some kinds; what is none of them raises InvalidEvent, with the reason."""

    def __init__(self, kinds: Iterable[type[Event]]) -> None:
        self.kinds = {tag_of(kind): kind for kind in kinds}
        """Event classes by their CloudEvents `type`."""
        # One decoder for all: msgspec finds the class by the tag while it reads, in one pass over the bytes.
        union: Any = reduce(or_, self.kinds.values())
        self._decode: Callable[[bytes], Event] = msgspec.json.Decoder(union).decode

    def decode(self, value: bytes | None, headers: Headers = ()) -> Event:
        """
        Read one record as an event; its `time` is in UTC.

        Structured and binary CloudEvents are told apart by the `content-type` header, as the Kafka
        binding of CloudEvents says; without headers the value is taken for a structured one.

        Raises InvalidEvent.
        """
        if not value:
            raise InvalidEvent("empty", "the record has no value")
        if len(value) > MAX_EVENT_BYTES:
            raise InvalidEvent("too_large", f"the record has {len(value)} bytes, an event at most {MAX_EVENT_BYTES}")
        if headers and _is_binary(headers):
            value = _structured(value, headers)
        decode = self._decode  # a call through `self` would look for a method, in vain, with every event
        try:
            event = decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as failure:
            raise self._explained(value, failure) from None
        # For `Z` msgspec sets this very object: comparing it is all that nearly every event costs here.
        if event.time.tzinfo is not UTC:
            event = _in_utc(event)
        if not _EARLIEST <= event.time < _LATEST:
            raise InvalidEvent("absurd_time", "the time of the event is not between 1970 and 2100", field="time")
        return event

    def decode_all(self, values: Sequence[bytes | None], *, until: datetime) -> list[Event] | None:
        """
        Read many structured records as `decode` does each, at a lower price.

        None where one of them is not an event, or not before the instant *until*, or needs a closer look.
        """
        try:
            if max(map(len, values)) > MAX_EVENT_BYTES:  # type: ignore[arg-type]  # None is a TypeError
                return None
            events = [*map(self._decode, values)]  # type: ignore[arg-type]  # ditto
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError):
            return None
        # Asked of the whole slice at once: hardly any has a record that fails this.
        times = [event.time for event in events]
        if {time.tzinfo for time in times} != {UTC} or min(times) < _EARLIEST or max(times) >= min(until, _LATEST):
            return None
        return events

    def _explained(self, value: bytes, failure: Exception) -> InvalidEvent:
        """Say what is wrong with a record that did not decode; never on the hot path, never with the value itself."""
        try:
            document = orjson.loads(value)
        except orjson.JSONDecodeError:
            reason = _json_reason(value)
            return InvalidEvent(reason, "the value is not UTF-8" if reason == "not_utf8" else "the value is not JSON")
        if not isinstance(document, dict):
            return InvalidEvent("not_cloudevent", "the value is JSON, but no object")
        for attribute in ("specversion", "type", "source", "id", "subject", "time"):
            if attribute not in document:
                return InvalidEvent("not_cloudevent", f"the attribute {attribute} is missing", field=attribute)
        if not isinstance(document["type"], str) or document["type"] not in self.kinds:
            return InvalidEvent("unknown_type", "the type is not one of this contract", field="type")
        return _field_at_fault(str(failure))


def _in_utc(event: Event) -> Event:
    try:
        return replace(event, time=event.time.astimezone(UTC))
    except OverflowError:
        raise InvalidEvent("absurd_time", "the time of the event is out of range", field="time") from None


def _is_binary(headers: Headers) -> bool:
    for name, value in headers:
        # By the Kafka binding the content type decides: with this one the value is the whole event, whatever
        # else the headers say.
        if value and name.lower() == "content-type" and value.lower().startswith(b"application/cloudevents"):
            return False
    return any(name.lower() == "ce_specversion" for name, _ in headers)


def _structured(value: bytes, headers: Headers) -> bytes:
    """Put the attributes of a binary CloudEvent and its data together."""
    try:
        # A header may have no value at all, whatever the types say: then the attribute is missing.
        said = ((name.lower(), text) for name, text in headers if text is not None)
        attributes = {name[3:]: text.decode() for name, text in said if name.startswith("ce_")}
        orjson.loads(value)  # so that broken data cannot break out of its place
    except UnicodeDecodeError:
        raise InvalidEvent("not_utf8", "a ce_ header is not UTF-8") from None
    except orjson.JSONDecodeError as failure:
        raise InvalidEvent(_json_reason(value), "the data of a binary event is not JSON") from failure
    return _JSON.encode({**attributes, "data": msgspec.Raw(value)})


def _json_reason(value: bytes) -> InvalidReason:
    try:
        value.decode()
    except UnicodeDecodeError:
        return "not_utf8"
    return "not_json"


def _field_at_fault(message: str) -> InvalidEvent:
    """Turn msgspec's sentence, which names path and expectation but not the value, into a reason."""
    problem, _, path = message.partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    if problem.startswith("Object missing required field"):
        missing = problem.rpartition("`")[0].rpartition("`")[2]
        field = f"{field}.{missing}" if field else missing
        return InvalidEvent("missing_field", f"the field {field} is missing", field=field)
    if problem.startswith(("Invalid enum value", "Invalid value")):
        problem = "not one of the values of this field"
    return InvalidEvent("invalid_field", f"the field {field}: {problem}", field=field or None)
