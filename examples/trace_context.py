"""Events that carry the trace of the request that they belong to: python examples/trace_context.py http://127.0.0.1:9109.

No tracing library is needed: the trace comes from the headers of a request, as W3C Trace Context has them. With
OpenTelemetry the trace that goes on is asked for instead:

    from opentelemetry.propagate import inject

    def current_trace(event: Event) -> TraceContext | None:
        carrier: dict[str, str] = {}
        inject(carrier)
        return TraceContext.of(carrier)
"""

import asyncio
import sys
from collections.abc import Mapping
from contextvars import ContextVar

from stream.core.cloudevents import Event
from stream.sdk.factory import EventFactory
from stream.sdk.http_producer import HttpProducer
from stream.sdk.trace import TraceContext

events = EventFactory("/web/callback-form", tenant="acme")
ongoing: ContextVar[TraceContext | None] = ContextVar("ongoing", default=None)


def current_trace(event: Event) -> TraceContext | None:
    """Return the trace of the request that is being answered; the producer asks for each event."""
    del event  # all events of a request belong to its trace
    return ongoing.get()


async def handle(headers: Mapping[str, str], contact: str, producer: HttpProducer) -> None:
    """Answer one request."""
    ongoing.set(TraceContext.of(headers))
    await producer.send(events.enqueued(contact, "sales", channel="chat"))


async def main(gateway: str) -> None:
    """Answer two requests, of which one has a trace; tasks keep their contexts apart."""
    traced = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "vendor=1"}
    async with HttpProducer(gateway, trace=current_trace) as producer, asyncio.TaskGroup() as requests:
        requests.create_task(handle(traced, "chat-1", producer))
        requests.create_task(handle({}, "chat-2", producer))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
