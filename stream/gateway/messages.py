"""From the body and headers of a request to events: CloudEvents over HTTP, structured, batched or binary.

Knows what CloudEvents demands of any event; what an event of ours must be its decoder says.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
import orjson
from msgspec import Raw, Struct

from stream.core.cloudevents import Event, EventDecoder, key_of
from stream.errors import InvalidEvent
from stream.gateway.keys import SourceKey
from stream.gateway.refusals import EventRefusal, RequestRefused
from stream.sdk.producer import EncodedEvent
from stream.sdk.trace import TraceContext

__all__ = ["BATCHED", "MAX_BATCH", "MAX_DEPTH", "STRUCTURED", "Judged", "judge_events", "refuse_nesting", "values_of"]

MAX_BATCH: Final = 10_000
"""Events in one request."""

MAX_DEPTH: Final = 32
"""Objects and lists within each other; an event of ours has four."""

STRUCTURED: Final = "application/cloudevents+json"
BATCHED: Final = "application/cloudevents-batch+json"
"""Content types of an event, and of a list of events."""

_KNOWN: Final = frozenset(
    {"specversion", "id", "source", "type", "time", "subject", "tenantid", "dataschema", "datacontenttype", "data"}
)
_NAME: Final = re.compile(r"[a-z0-9]+")
_MEDIA_TYPE: Final = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;.*)?")
# Possessive, and the closing quote optional: a text without an end is read once, not once for each quote in it.
_STRING_OR_BRACKET: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)

_OPENING: Final = frozenset({b"[", b"{"})
_CLOSING: Final = frozenset({b"]", b"}"})

_JSON: Final = msgspec.json.Encoder()
_batch_of: Final = msgspec.json.Decoder(list[Raw]).decode
_attributes_of: Final = msgspec.json.Decoder(dict[str, Raw]).decode


class Judged(Struct, frozen=True):
    """The events of one request: those that are good, and why the others are not."""

    good: list[EncodedEvent]
    refused: tuple[EventRefusal, ...]


def values_of(body: bytes, content_type: str, headers: Iterable[tuple[bytes, bytes]]) -> Sequence[bytes]:
    """
    Return each event of a request as structured JSON, by the mode that its content type tells.

    Raises RequestRefused where the request as a whole is none.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == BATCHED:
        return _batched(body)
    if kind == STRUCTURED:
        refuse_nesting(body)
        return [body]
    attributes = _binary_attributes(headers)
    if "specversion" not in attributes:
        raise RequestRefused(415, "unknown_content_type", f"send {STRUCTURED}, {BATCHED}, or ce- headers with JSON")
    if kind != "application/json" and not kind.endswith("+json"):
        raise RequestRefused(415, "unknown_content_type", "the data of an event in binary mode must be JSON")
    return [_structured_of(body, attributes, content_type)]


def judge_events(
    values: Sequence[bytes], decoder: EventDecoder, source: SourceKey, trace: TraceContext | None = None
) -> Judged:
    """
    Read events, and keep apart what is not valid, or not *source*'s to tell.

    *trace* is that of the request; an event may have one of its own.
    """
    good: list[EncodedEvent] = []
    refused: list[EventRefusal] = []
    for index, value in enumerate(values):
        try:
            event, its_trace = _event_of(value, decoder)
        except InvalidEvent as invalid:
            refused.append(EventRefusal(index, invalid.reason, invalid.detail, invalid.field))
            continue
        if source.may_post(event):
            # As it came, and not written anew: extensions that we do not know travel with it.
            found = its_trace or trace
            good.append(EncodedEvent(event.topic, key_of(event), value, found.headers() if found else ()))
        else:
            refused.append(EventRefusal(index, "out_of_scope", "this key is not for this tenant and type of event"))
    return Judged(good, tuple(refused))


def _batched(body: bytes) -> Sequence[bytes]:
    # Before anything looks into them the events are only cut apart, by a parser that gives up where it would be deep
    # in recursion. A bracket within a string would cost more to tell from others than all the rest.
    try:
        values = _batch_of(body)
    except RecursionError:
        raise _too_deep_for_us() from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise RequestRefused(400, "not_json", "the body is not a JSON array") from None
    if len(values) > MAX_BATCH:
        raise RequestRefused(413, "too_many", f"a batch may have {MAX_BATCH} events")
    packed = [bytes(value) for value in values]
    if any(map(_too_deep, packed)):
        raise _too_deep_for_us()
    return packed


def _event_of(value: bytes, decoder: EventDecoder) -> tuple[Event, TraceContext | None]:
    trace = _check_attributes(value)
    return decoder.decode(value), trace


def _check_attributes(value: bytes) -> TraceContext | None:
    """
    Refuse what CloudEvents forbids and our decoder, which skips what it does not know, would not see.

    Returns the trace that the event belongs to, which is such an extension.
    """
    try:
        attributes = _attributes_of(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None  # the decoder says what is wrong with it
    if not _KNOWN.issuperset(attributes):
        _check_extensions(attributes)
    for name in ("datacontenttype", "dataschema"):
        if name in attributes and not _is_well_formed(name, attributes[name]):
            raise InvalidEvent("not_cloudevent", f"the attribute {name} is not what CloudEvents wants", field=name)
    return _trace_in(attributes) if "traceparent" in attributes else None


def _trace_in(attributes: Mapping[str, Raw]) -> TraceContext | None:
    said = {name: msgspec.json.decode(attributes[name]) for name in ("traceparent", "tracestate") if name in attributes}
    return TraceContext.of({name: text for name, text in said.items() if isinstance(text, str)})


def _check_extensions(attributes: Mapping[str, Raw]) -> None:
    if "data_base64" in attributes:
        both = "data" in attributes
        detail = "data and data_base64 exclude each other" if both else "send data as JSON, not as data_base64"
        raise InvalidEvent("not_cloudevent" if both else "invalid_field", detail, field="data_base64")
    for name in attributes:
        # The name of an extension is no value of a field, but may be anything: it is not quoted either.
        if name not in _KNOWN and not _NAME.fullmatch(name):
            raise InvalidEvent("not_cloudevent", "names of attributes are lower-case letters and digits")


def _is_well_formed(name: str, value: Raw) -> bool:
    text: Any = msgspec.json.decode(value)
    if text is None:
        return True
    return isinstance(text, str) and bool(text) and (name == "dataschema" or bool(_MEDIA_TYPE.fullmatch(text)))


def _binary_attributes(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for name, value in headers:
        if not name.startswith(b"ce-"):
            continue
        attribute = name[3:].decode("latin-1")
        if attribute in attributes:
            raise RequestRefused(400, "repeated_header", "a ce- header stands there twice")
        if attribute in {"data", "datacontenttype"}:
            raise RequestRefused(400, "reserved_header", "ce-data and ce-datacontenttype are no attributes over HTTP")
        attributes[attribute] = _decoded(value)
    return attributes


def _decoded(value: bytes) -> str:
    """Return the text of a header as the HTTP binding, 3.1.3.2, writes it: percent-encoded, by old senders quoted."""
    text = value.strip()
    if len(text) >= 2 and text.startswith(b'"') and text.endswith(b'"'):
        text = re.sub(rb"\\(.)", rb"\1", text[1:-1])
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise RequestRefused(400, "broken_header", "a ce- header is not UTF-8, percent-encoded") from None


def _structured_of(body: bytes, attributes: dict[str, str], content_type: str) -> bytes:
    refuse_nesting(body)
    if not body:
        return _JSON.encode({**attributes, "datacontenttype": content_type})
    try:
        orjson.loads(body)  # so that broken data cannot break out of its place
    except orjson.JSONDecodeError:
        raise RequestRefused(400, "not_json", "the body is not JSON") from None
    return _JSON.encode({**attributes, "datacontenttype": content_type, "data": Raw(body)})


def refuse_nesting(body: bytes) -> None:
    """Raise RequestRefused for JSON that is deeper than MAX_DEPTH, before a parser sees it."""
    if _too_deep(body):
        raise _too_deep_for_us()


def _too_deep_for_us() -> RequestRefused:
    return RequestRefused(400, "too_deep", f"more than {MAX_DEPTH} objects or lists within each other")


def _too_deep(value: bytes) -> bool:
    # Nothing is deeper than it has brackets: all that nearly every event costs here.
    if value.count(b"{") + value.count(b"[") <= MAX_DEPTH:
        return False
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(value):
        text = found[0]
        if text in _OPENING:
            depth += 1
        elif text in _CLOSING:
            depth -= 1
        if depth > MAX_DEPTH:
            return True
    return False
