"""A synchronous web application that sends an event for each request: POST /calls/NAME?queue=sales.

    python examples/web_application.py kafka://kafka:9092 8000

It is plain WSGI, which Flask and Django are underneath. In Flask `post_event` is the body of a view, and `producer` the
same: one for each process, made at the first request, so that servers that fork their workers may do so before.
"""

import signal
import sys
from collections.abc import Callable, Iterable
from functools import cache
from threading import Thread
from urllib.parse import parse_qs
from wsgiref.simple_server import make_server

from stream.errors import InvalidEvent
from stream.sdk.blocking import BlockingProducer
from stream.sdk.buffered import BufferFull
from stream.sdk.factory import EventFactory

events = EventFactory("/web/calls", tenant="acme")


@cache
def producer() -> BlockingProducer:
    """Return the producer of this process."""
    return BlockingProducer(sys.argv[1])


def post_event(call: str, queue: str) -> str:
    """Tell that a call waits, and answer the request; the event goes out in the background."""
    try:
        producer().post_nowait(events.enqueued(call, queue))
    except InvalidEvent as wrong:
        return f"400 {wrong.field} is wrong"
    except BufferFull:
        return "503 too many events wait for the broker"
    return "202 Accepted"


def application(environ: dict[str, str], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Answer one request."""
    call = environ["PATH_INFO"].removeprefix("/calls/")
    queue = parse_qs(environ["QUERY_STRING"]).get("queue", [""])[0]
    start_response(post_event(call, queue), [("Content-Type", "text/plain")])
    return [b"\n"]


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[2]), application) as server:
        # On a thread, since it waits for the loop below; an exception could be swallowed by a request that is answered.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: Thread(target=server.shutdown).start())
        print(f"listening on {server.server_port}", flush=True)
        server.serve_forever()
    # What is in the buffer is delivered; what could not be is told.
    producer().close()
