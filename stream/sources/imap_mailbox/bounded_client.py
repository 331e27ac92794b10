"""IMAPClient with limits: how long an answer may be, how long a connection may take, and nothing in a log."""

import imaplib
import logging
import ssl
from typing import Final

from imapclient import IMAPClient
from imapclient.imap4 import IMAP4WithTimeout
from imapclient.tls import IMAP4_TLS

__all__ = ["CONNECT_SECONDS", "BoundedClient"]

# At DEBUG it logs every line, addresses and subjects among them.
logging.getLogger("imapclient").setLevel(logging.WARNING)

MOST_ANSWER_BYTES: Final = 32 * 1024 * 1024
"""No answer to one command is longer: one that is would fill the memory."""

CONNECT_SECONDS: Final = 10.0


class _Bounded(imaplib.IMAP4):
    """Reads no more than an answer may have."""

    left = MOST_ANSWER_BYTES

    def read(self, size: int) -> bytes:
        self._spend(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._spend(len(line))
        return line

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

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802  # its name there
        if self.ssl:
            tls: imaplib.IMAP4 = _BoundedTls(self.host, self.port, self.ssl_context, CONNECT_SECONDS)  # type: ignore[call-arg]  # as above
            return tls
        return _BoundedPlain(self.host, self.port, CONNECT_SECONDS)

    def begin_answer(self) -> None:
        """Allow the next answer as much as any."""
        self._imap.left = MOST_ANSWER_BYTES

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
