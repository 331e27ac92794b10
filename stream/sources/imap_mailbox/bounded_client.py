"""IMAPClient with limits: how long an answer may be, how long a connection may take, and nothing in a log."""

import imaplib
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

from imapclient import IMAPClient, SocketTimeout
from imapclient.imap4 import IMAP4WithTimeout
from imapclient.tls import IMAP4_TLS

__all__ = ["BoundedClient"]

# At DEBUG it logs every line, addresses and subjects among them.
logging.getLogger("imapclient").setLevel(logging.WARNING)

MOST_ANSWER_BYTES: Final = 32 * 1024 * 1024
"""No answer to one command is longer: one that is would fill the memory."""

CONNECT_SECONDS: Final = 10.0


class _Bounded(imaplib.IMAP4):
    """Reads no more than an answer may have."""

    left = MOST_ANSWER_BYTES
    opened: Callable[[socket.socket], None]
    """Is told of the socket before anything is read from it: who says hello letter by letter can be left."""

    def read(self, size: int) -> bytes:
        self._spend(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._spend(len(line))
        return line

    def begin_idle(self) -> tuple[bytes, bool]:
        """Begin to wait; return the tag of it, and whether the server had something to say before it agreed."""
        tag: bytes = self._command("IDLE")
        told = False
        while self._get_response():
            if self.tagged_commands[tag]:
                raise self.error("no IDLE")
            told = True
        return tag, told

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        made: socket.socket = super()._create_socket(timeout)  # type: ignore[misc]  # as above
        self.opened(made)
        return made

    def _spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise self.abort("an answer is too long")


class _BoundedPlain(_Bounded, IMAP4WithTimeout):  # type: ignore[misc]  # imapclient ships no types
    pass


class _BoundedTls(_Bounded, IMAP4_TLS):  # type: ignore[misc]  # as above
    pass


class BoundedClient(IMAPClient):  # type: ignore[misc]  # as above
    """A client whose answers have an end."""

    def __init__(
        self,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        *,
        answer_seconds: float,
        opened: Callable[[socket.socket], None],
    ) -> None:
        self._opened = opened
        timeout = SocketTimeout(connect=CONNECT_SECONDS, read=answer_seconds)
        super().__init__(host, port, ssl=tls is not None, ssl_context=tls, timeout=timeout)

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802  # its name there
        kind = _BoundedTls if self.ssl else _BoundedPlain
        # It connects when it is made, and must know by then.
        knowing: Any = type(kind.__name__, (kind,), {"opened": staticmethod(self._opened)})
        place = (self.host, self.port, self.ssl_context) if self.ssl else (self.host, self.port)
        connected: imaplib.IMAP4 = knowing(*place, CONNECT_SECONDS)
        return connected

    def begin_answer(self) -> None:
        """Allow the next answer as much as any."""
        self._imap.left = MOST_ANSWER_BYTES

    def begin_idle(self) -> bool:
        """Begin to wait; tell whether the server had something to say before it agreed."""
        self._idle_tag, told = self._imap.begin_idle()
        return bool(told)

    def has_heard(self) -> bool:
        """Tell whether something is there already that came with an answer: `idle_check` looks at the socket alone."""
        lines = getattr(self._imap, "_readbuf", None)  # since Python 3.14
        if lines is not None:
            return bool(lines)
        self.socket().settimeout(0)
        try:
            return bool(self._imap.file.peek(1))
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
