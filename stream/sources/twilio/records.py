"""What a request of Twilio holds: one callback as a form, or a batch of Event Streams, read alike."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from stream.core.windows import EPOCH
from stream.sources.instants import instant_in
from stream.sources.lines import Location
from stream.sources.requests.parts import UnusablePart
from stream.sources.source import Received
from stream.sources.twilio.signature import FORM, parameters_of

__all__ = ["TaskRouterRecord", "records_in"]

TASKROUTER_TYPES: Final = "com.twilio.taskrouter."

_WORKSPACE: Final = re.compile(r"WS[0-9a-f]{32}")

_LONGEST_ID: Final = 128


class TaskRouterRecord(Struct, frozen=True):
    """One event of TaskRouter; its `id` is the same whenever Twilio tells it."""

    place: Location
    id: str
    kind: str
    """As Twilio names it: `reservation.accepted`."""
    at: datetime
    streamed: bool
    """It came by Event Streams, which may send it hours later."""
    fields: Mapping[str, str]
    """By the names that they have in callbacks."""

    def get(self, name: str) -> str:
        """Return a field; empty if it is missing."""
        return self.fields.get(name, "")


class _StreamedData(Struct, frozen=True):
    sid: str = ""
    payload: dict[str, object] = {}


class _Streamed(Struct):
    """An event of Event Streams, as far as it matters here."""

    type: str
    id: str = ""
    source: str = ""
    time: str = ""
    data: _StreamedData = _StreamedData()


def records_in(request: Received) -> Iterator[TaskRouterRecord | UnusablePart]:
    """Yield each event of a request that is signed; what is none is a bad line, and never raises."""
    file = request.url.partition("?")[0]
    if request.headers.get("content-type", "").lower().startswith(FORM):
        yield _of_form(request.body, Location(file, 1, 0))
        return
    try:
        parts = msgspec.json.decode(request.body, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        yield UnusablePart("not_json", "the body is neither a form nor a JSON array")
        return
    for number, part in enumerate(parts):
        yield _of_stream(part, Location(file, 1, number))


def _of_form(body: bytes, place: Location) -> TaskRouterRecord | UnusablePart:
    try:
        told = {(name.decode(), value.decode()) for name, value in parameters_of(body)}
    except UnicodeDecodeError:
        return UnusablePart("not_utf8", "a parameter is not UTF-8")
    fields = dict(told)
    if len(fields) < len(told):
        return UnusablePart("repeated_parameter", "a parameter has two values, and only one can be meant")
    kind = fields.get("EventType", "")
    # `Timestamp` is in whole seconds.
    return _record(place, kind, fields, fields.get("TimestampMs") or fields.get("Timestamp", ""))


def _of_stream(part: msgspec.Raw, place: Location) -> TaskRouterRecord | UnusablePart:
    try:
        told = msgspec.json.decode(part, type=_Streamed)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return UnusablePart("not_cloudevent", "the element is no CloudEvent of Event Streams")
    fields = {_as_in_callbacks(name): str(value) for name, value in told.data.payload.items() if _is_plain(value)}
    # The number that callbacks have, too: who has set up both counts once.
    fields["Sid"] = told.data.sid or fields.get("Sid") or told.id
    if "WorkspaceSid" not in fields and (workspace := _WORKSPACE.search(told.source)):
        fields["WorkspaceSid"] = workspace[0]
    time = fields.get("TimestampMs") or fields.get("Timestamp") or told.time
    return _record(place, told.type.removeprefix(TASKROUTER_TYPES), fields, time, streamed=True)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


def _as_in_callbacks(name: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _record(
    place: Location, kind: str, fields: Mapping[str, str], time: str, *, streamed: bool = False
) -> TaskRouterRecord | UnusablePart:
    if not kind:
        return UnusablePart("no_type", "the request does not say what happened")
    at = instant_in(time)
    if at is None:
        return UnusablePart("no_time", f"{_printable(kind)} does not say when it happened")
    # Not `I-Twilio-Idempotency-Token`: it is not signed, so whoever has heard a request could change it.
    own = fields.get("Sid") or "-".join((kind, fields.get("ResourceSid", ""), str((at - EPOCH).total_seconds())))
    if len(own) > _LONGEST_ID:
        return UnusablePart("no_id", f"{_printable(kind)} has an id that is too long")
    return TaskRouterRecord(place, own, _printable(kind), at, streamed, fields)


def _printable(kind: str) -> str:
    """Return a kind as it may stand in a summary and a label."""
    plain = kind.replace(".", "").replace("-", "")
    return kind if len(kind) <= 64 and plain.isascii() and plain.isalpha() else "(no plain name)"
