"""Serves the gateway over HTTP or HTTPS, and lets nobody hold a connection with half a request."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from stream.gateway.certificate import ServedCertificate, Tls
from stream.gateway.requests import MAX_HEAD_BYTES

__all__ = ["GatewayServer"]

HEAD_SECONDS: Final = 10.0
"""So long a client may take from its connection, or the first byte of a request, to the end of its headers."""

CONNECTIONS: Final = 2000
"""More than these at a time are answered with 503."""

STOP_SECONDS: Final = 10
"""What is being answered has so long when the server stops."""


class GatewayServer:
    """The application on a port; `address` is known after `start`."""

    def __init__(self, application: ASGIApp, host: str, port: int, tls: Tls | None = None) -> None:
        self._host, self._port = host, port
        self._certificate = ServedCertificate(tls) if tls else None
        context = self._certificate.context if self._certificate else None
        self._scheme = "https" if context else "http"
        config = uvicorn.Config(
            application,
            http=_BoundedProtocol,
            ws="none",
            lifespan="off",
            # Our own logs; and no line for each request.
            log_config=None,
            access_log=False,
            # The address of a client is not used, so no proxy need be believed.
            proxy_headers=False,
            server_header=False,
            backlog=1024,
            limit_concurrency=CONNECTIONS,
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
    """uvicorn's protocol, with limits on all that is not body, in size and in time, which it has none of."""

    _unbodied_bytes = 0
    _unbodied = True
    _in_head = True
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

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
        self._wait_for_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        # What stands behind a body is no header (RFC 9110, 6.5.1): uvicorn would take it for one.
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._in_head = False
        self._body_came()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_came()
        super().on_body(body)

    def _body_came(self) -> None:
        self._unbodied = False
        self._unbodied_bytes = 0

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
