"""The trace that an event belongs to, by W3C Trace Context, as the distributed tracing extension of CloudEvents has it.

Knows the two texts, and no tracing library: whoever has one hands over what it would put into the headers of a request.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, Self

import msgspec
from msgspec import Struct

from stream.core.cloudevents import Event

__all__ = ["TraceContext", "TraceOf"]

_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]{1,512})?"
)
# What a header may hold; the list in it is the business of those who wrote it.
_TRACESTATE: Final = re.compile(r"[\t -~]{1,1024}")

_JSON: Final = msgspec.json.Encoder()


class TraceContext(Struct, frozen=True, omit_defaults=True):
    """Where in a trace an event began."""

    traceparent: str
    tracestate: str | None = None

    @classmethod
    def of(cls, carrier: Mapping[str, str]) -> Self | None:
        """
        Return what a carrier of headers says, its names in lower case; None where there is no trace.

        Text that is no trace context is none either, as the standard demands: a trace never stands in an event's way.
        """
        traceparent, tracestate = carrier.get("traceparent", "").strip(), carrier.get("tracestate", "").strip()
        if not _TRACEPARENT.fullmatch(traceparent):
            return None
        return cls(traceparent, tracestate if _TRACESTATE.fullmatch(tracestate) else None)

    def added_to(self, value: bytes) -> bytes:
        """Return an event, as structured JSON, with this as its extension attributes."""
        return value[:-1] + b"," + _JSON.encode(self)[1:]

    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """Return it as headers of a record, where the instrumentation of Kafka clients looks for it."""
        parent = ("traceparent", self.traceparent.encode())
        return (parent,) if self.tracestate is None else (parent, ("tracestate", self.tracestate.encode()))


TraceOf = Callable[[Event], TraceContext | None]
"""Tells the trace of an event that is handed over, such as the one that goes on right now."""
