"""Bytes ⇄ events and rows.

On the wire: CloudEvents 1.0 as JSON, structured or binary. In the changelogs: MessagePack, with the
version of the row format before each row.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from sys import intern
from typing import Any, Generic, TypeVar

import msgspec
import orjson
from msgspec.structs import replace

from stream.domain.agents import AgentKey, AgentRow
from stream.domain.events import AGENT_EVENTS, EVENT_TYPES, Event
from stream.domain.floor import TallyKey
from stream.domain.places import EpisodeKey, EpisodeRow
from stream.domain.segment import Segment, share_limits
from stream.domain.tally import TallyRow
from stream.errors import InvalidEvent, InvalidReason

__all__ = [
    "AGENTS",
    "AGENTS_TOPIC",
    "AGENT_KEY_PARTS",
    "CONTACTS_TOPIC",
    "CONTACT_KEY_PARTS",
    "CONTENT_TYPE",
    "MAX_EVENT_BYTES",
    "SEGMENTS",
    "TALLIES",
    "KeyParts",
    "RowCodec",
    "RowFormatError",
    "decode",
    "decode_all",
    "encode",
    "key_from",
    "key_of",
    "topic_of",
]

CONTACTS_TOPIC = "contacts"
AGENTS_TOPIC = "agents"

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
"""Content type of an event in structured mode."""

MAX_EVENT_BYTES = 1_000_000
"""An event is a few hundred bytes; what is larger than this is a mistake, or an attack."""

_OF_AGENTS = frozenset(AGENT_EVENTS)

Headers = Sequence[tuple[str, bytes | None]]

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2101, 1, 1, tzinfo=UTC)
"""Times outside are a clock that was never set, or milliseconds taken for seconds."""

KeyParts = tuple[str | None, ...]

CONTACT_KEY_PARTS: Callable[[Event], KeyParts] = attrgetter("tenantid", "data.queue")
"""What the key of a contact event is made of; no queue is known before one is chosen."""
AGENT_KEY_PARTS: Callable[[Event], KeyParts] = attrgetter("tenantid", "subject")

_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_JSON = msgspec.json.Encoder()


def decode(value: bytes | None, headers: Headers = ()) -> Event:
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
    try:
        event = _EVENT.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as failure:
        raise _explained(value, failure) from None
    if event.time.tzinfo is not UTC:
        event = _in_utc(event)
    if not _EARLIEST <= event.time < _LATEST:
        raise InvalidEvent("absurd_time", "the time of the event is not between 2000 and 2100", field="time")
    return event


def decode_all(values: Sequence[bytes | None], *, until: datetime) -> list[Event] | None:
    """
    Read many structured records as `decode` does each, at a lower price.

    None where one of them is not an event, or not before the instant *until*, or needs a closer look.
    """
    try:
        if max(map(len, values)) > MAX_EVENT_BYTES:  # type: ignore[arg-type]  # None is a TypeError
            return None
        events = [*map(_EVENT.decode, values)]  # type: ignore[arg-type]  # ditto
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError):
        return None
    times = [event.time for event in events]
    if {time.tzinfo for time in times} != {UTC} or min(times) < _EARLIEST or max(times) >= min(until, _LATEST):
        return None
    return events


def encode(event: Event) -> bytes:
    """Write an event as a structured CloudEvent: compact JSON, UTF-8."""
    return _JSON.encode(event)


def topic_of(event: Event) -> str:
    """Return the topic that carries such events."""
    return AGENTS_TOPIC if type(event) in _OF_AGENTS else CONTACTS_TOPIC


def key_of(event: Event) -> bytes:
    """Return the record key: `tenant/queue`, or `tenant/agent` for events of agents."""
    parts = AGENT_KEY_PARTS if type(event) in _OF_AGENTS else CONTACT_KEY_PARTS
    return key_from(parts(event))


def key_from(parts: KeyParts) -> bytes:
    """Return the record key that is made of *parts*."""
    return "/".join(part or "" for part in parts).encode()


def _in_utc(event: Event) -> Event:
    try:
        return replace(event, time=event.time.astimezone(UTC))
    except OverflowError:
        raise InvalidEvent("absurd_time", "the time of the event is out of range", field="time") from None


def _is_binary(headers: Headers) -> bool:
    for name, value in headers:
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


def _explained(value: bytes, failure: Exception) -> InvalidEvent:
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
    if not isinstance(document["type"], str) or document["type"] not in EVENT_TYPES:
        return InvalidEvent("unknown_type", "the type is not one of this contract", field="type")
    return _field_at_fault(str(failure))


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


class RowFormatError(ValueError):
    """A changelog row was written in a format that this version does not read."""


ROW_FORMAT = 2
"""Written before each row; a row of another format is refused, never misread."""

K = TypeVar("K", bound=tuple[Any, ...])
V = TypeVar("V")


class RowCodec(Generic[K, V]):
    """
    Keys and rows of one table as bytes. Equal keys have equal bytes: compaction depends on it.

    A key is a tuple that begins with two names, a row a struct that is written as an array. Many are
    read at once: a recovery has a million.
    """

    def __init__(self, key_type: object, row_type: object) -> None:
        self._write = msgspec.msgpack.Encoder()
        self.encode_key: Callable[[K], bytes] = self._write.encode
        """Write a key."""
        self._keys: msgspec.msgpack.Decoder[list[K]] = msgspec.msgpack.Decoder(list[key_type])  # type: ignore[valid-type]
        self._rows: msgspec.msgpack.Decoder[list[V]] = msgspec.msgpack.Decoder(list[row_type])  # type: ignore[valid-type]

    def decode_key(self, data: bytes) -> K:
        """Read a key. Raises RowFormatError."""
        return self.decode_keys([data])[0]

    def decode_keys(self, data: Sequence[bytes]) -> list[K]:
        """Read keys, in their order; equal names are one object. Raises RowFormatError."""
        try:
            keys = self._keys.decode(_array(data))
        except msgspec.MsgspecError as failure:
            raise RowFormatError(f"not a key of this table: {failure}") from failure
        return [(intern(key[0]), intern(key[1]), *key[2:]) for key in keys]  # type: ignore[misc]  # the same type again

    def encode_row(self, row: V) -> bytes:
        """Write a row."""
        return _FORMAT_MARK + self._write.encode(row)

    def decode_row(self, data: bytes) -> V:
        """Read a row. Raises RowFormatError."""
        return self.decode_rows([data])[0]

    def decode_rows(self, data: Sequence[bytes]) -> list[V]:
        """Read rows, in their order. Raises RowFormatError if any of them cannot be read."""
        foreign = {row[:1] for row in data} - {_FORMAT_MARK}
        if foreign:
            found = ", ".join(sorted(mark.hex() or "empty" for mark in foreign))
            raise RowFormatError(f"row format {found}, this version reads {ROW_FORMAT}")
        try:
            return self._rows.decode(_array([row[1:] for row in data]))
        except msgspec.MsgspecError as failure:
            raise RowFormatError(f"not a row of this table: {failure}") from failure


class _EpisodeCodec(RowCodec[EpisodeKey, EpisodeRow]):
    """Segments share their limits again once they are read, as they did when they were judged."""

    def decode_rows(self, data: Sequence[bytes]) -> list[EpisodeRow]:
        rows = super().decode_rows(data)
        for row in rows:
            if isinstance(row, Segment) and row.limits is not None:
                row.limits = share_limits(row.limits)
        return rows


def _array(items: Sequence[bytes]) -> bytes:
    """Join values of MessagePack to one array of them."""
    return b"\xdd" + len(items).to_bytes(4, "big") + b"".join(items)


_FORMAT_MARK = bytes([ROW_FORMAT])

TALLIES: RowCodec[TallyKey, TallyRow] = RowCodec(TallyKey, TallyRow)
SEGMENTS: RowCodec[EpisodeKey, EpisodeRow] = _EpisodeCodec(EpisodeKey, EpisodeRow)
AGENTS: RowCodec[AgentKey, AgentRow] = RowCodec(AgentKey, AgentRow)
