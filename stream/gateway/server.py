"""Serves the gateway over HTTP or HTTPS, and lets nobody hold a connection with half a request."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stream.gateway.certificate import ServedCertificate, Tls
from stream.gateway.descriptors import room_for_connections
from stream.gateway.request_head import fault_of_head
from stream.gateway.requests import MAX_HEAD_BYTES
from stream.gateway.spaced_lines import space_lines

__all__ = ["GatewayServer"]

HEAD_SECONDS: Final = 10.0
"""So long a client may take from its connection, or the first byte of a request, to the end of its headers."""

CONNECTIONS: Final = 2000
"""For one more than these, the one that has waited longest for its client is closed."""

BACKLOG: Final = 1024
"""So many may come in at once."""

UNREAD_SECONDS: Final = 30.0
"""A client that has not taken an answer after so long is cut off."""

STOP_SECONDS: Final = 10
"""What is being answered has so long when the server stops."""


class GatewayServer:
    """The application on a port; `address` is known after `start`."""

    def __init__(self, application: ASGIApp, host: str, port: int, tls: Tls | None = None) -> None:
        self._host, self._port = host, port
        self._certificate = ServedCertificate(tls) if tls else None
        context = self._certificate.context if self._certificate else None
        self._scheme = "https" if context else "http"
        space_lines("uvicorn.error", __name__, "stream.gateway.requests", "stream.gateway.application")
        connections = room_for_connections(CONNECTIONS)
        config = uvicorn.Config(
            application,
            http=partial(_BoundedProtocol, idle={}, most=connections),  # type: ignore[arg-type]  # it is only called
            ws="none",
            lifespan="off",
            # Our own logs; and no line for each request.
            log_config=None,
            access_log=False,
            # The address of a client is not used, so no proxy need be believed.
            proxy_headers=False,
            server_header=False,
            backlog=BACKLOG,
            # Reached where each of them waits for us, and for a moment by tasks of those that were closed: with room
            # for these as well, everybody waits for seconds under a flood of slow bodies.
            limit_concurrency=connections,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=STOP_SECONDS,
            ssl_context_factory=(lambda *_: context) if context else None,
        )
        self._server = _Server(config)
        self._socket: socket.socket | None = None
        self._serving: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where it listens, such as `http://127.0.0.1:9109`."""
        assert self._socket is not None
        host, port = self._socket.getsockname()[:2]
        return f"{self._scheme}://[{host}]:{port}" if ":" in host else f"{self._scheme}://{host}:{port}"

    async def start(self) -> None:
        """Listen; raises OSError where the port is taken."""
        self._socket = await _listening(self._host, self._port)
        self._serving = asyncio.create_task(self._server.serve([self._socket]), name="gateway server")
        await self._server.listening.wait()
        if self._certificate is not None:
            self._renewing = asyncio.create_task(self._certificate.renew(), name="gateway certificate")

    async def stop(self) -> None:
        """Answer what has come in, and close the port. Safe to call twice."""
        if self._renewing is not None:
            self._renewing.cancel()
        serving, self._serving = self._serving, None
        if serving is not None:
            self._server.should_exit = True
            await serving


async def _listening(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    family, kind, protocol, _, place = (await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))[0]
    # With its protocol, unlike `socket.create_server`: asyncio sets TCP_NODELAY only where it sees that it is TCP, and
    # without that each answer waits 40 ms for the client's acknowledgement.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
    except OSError:
        listener.close()
        raise
    return listener


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals are the command's: it also has to end what is behind the server.
        yield


class _BoundedProtocol(HttpToolsProtocol):
    """
    uvicorn's protocol, with limits on all that is not body, in size and in time, which it has none of.

    *idle* has every connection that waits for its client, the longest waiting first; *most* may be open.
    """

    _unbodied_bytes = 0
    _unbodied = True
    _in_head = True
    _fault: str | None = None
    _patience: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, idle: "dict[_BoundedProtocol, None]", most: int, **options: Any) -> None:  # noqa: ANN401  # uvicorn's
        super().__init__(*args, **options)
        self._idle = idle
        self._most = most

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        # So that it is known at once when a client does not read. Over TLS, 0 would be reached by nothing.
        transport.set_write_buffer_limits(high=1, low=0)
        self._make_room()
        self._wait_for_client()
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._idle.pop(self, None)
        self._stop_waiting()
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def data_received(self, data: bytes) -> None:
        # Where a body begins or ends in the data, what else came with it is no more than one read: not counted.
        self._unbodied = True
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unbodied:
            self._unbodied_bytes += len(data)
            # The parser keeps a header until it is complete, however long it becomes, and those behind a body as well.
            if self._unbodied_bytes > MAX_HEAD_BYTES:
                self.send_400_response("The headers are too large.")
                return
        # Any byte has ended uvicorn's own wait: an empty line, or the rest of a body that nobody reads.
        if self._patience is None and self.cycle.response_complete:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._wait_for_client()
        self._wait_for_head()

    def on_message_complete(self) -> None:
        self._idle.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Unless the next request has come already.
        if self.cycle.response_complete:
            self._wait_for_client()

    def send_400_response(self, msg: str) -> None:
        super().send_400_response(self._fault or msg)

    def on_header(self, name: bytes, value: bytes) -> None:
        # What stands behind a body is no header (RFC 9110, 6.5.1): uvicorn would take it for one.
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._in_head = False
        self._body_came()
        self._fault = fault_of_head(self.parser, self.url, self.headers)
        if self._fault is not None:
            raise ValueError(self._fault)  # the parser stops, and uvicorn answers with 400
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_came()
        super().on_body(body)

    def _body_came(self) -> None:
        self._unbodied = False
        self._unbodied_bytes = 0

    def _make_room(self) -> None:
        """Close who has been the slowest, where there are too many: who is honest waits for nobody who is not."""
        while len(self.connections) >= self._most and self._idle:
            slowest = next(iter(self._idle))
            del self._idle[slowest]
            self.connections.discard(slowest)
            slowest.transport.abort()

    def _wait_for_client(self) -> None:
        self._idle.pop(self, None)
        self._idle[self] = None

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        logging.getLogger(__name__).info("a client did not send a whole head of a request within %g s", HEAD_SECONDS)
        self.transport.abort()
