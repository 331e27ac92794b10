"""
One connection to an IMAP server: headers are read, and nothing on it is ever changed (EXAMINE, BODY.PEEK).

Its methods wait for the server, so they run in a thread; `close` may be called by another, and ends what waits.
"""

import imaplib
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, Final, TypeGuard, TypeVar

from imapclient.exceptions import IMAPClientError, LoginError, ProtocolError
from imapclient.tls import create_default_context

from stream.sources.imap_mailbox.bounded_client import BoundedClient
from stream.sources.imap_mailbox.header_fields import FETCHED_FIELDS
from stream.sources.imap_mailbox.session import (
    Credentials,
    FetchedHeader,
    FolderState,
    MailboxAway,
    MailboxRefused,
    MailboxServer,
)

__all__ = ["FETCHED_AT_ONCE", "IMAP_ANSWER_SECONDS", "ImapSession"]

FETCHED_AT_ONCE: Final = 200

HEADER_BYTES: Final = 64 * 1024
"""Of a header so much is asked for."""

IMAP_ANSWER_SECONDS: Final = 60.0

LARGEST_NUMBER: Final = 2**63 - 1
"""What is larger no position could keep; RFC 3501 has UIDs of half as many bits."""

_HEADER: Final = f"BODY.PEEK[HEADER.FIELDS ({' '.join(FETCHED_FIELDS)})]<0.{HEADER_BYTES}>".upper()

T = TypeVar("T")


class _Unreadable(MailboxAway):
    """An answer that came to its end, and that the library cannot read."""


class ImapSession:
    """A session of one user; raises MailboxAway and MailboxRefused, which quote no server."""

    def __init__(self, server: MailboxServer) -> None:
        self._server = server
        self._place = f"{server.host}:{server.port}"
        self._client: Any = None
        self._socket: socket.socket | None = None
        self._folder = ""
        self._can_idle = True

    def open(self, credentials: Credentials) -> None:
        """Connect, and log in."""
        self._ask(self._connect, "the connection")
        try:
            self._ask(lambda: self._login(credentials), "the login")
        except MailboxAway as failure:
            if isinstance(failure.__cause__, LoginError) and not _is_for_a_while(failure.__cause__):
                raise MailboxRefused(f"{self._place} refuses the login") from failure
            raise

    def _connect(self) -> None:
        server = self._server
        self._client = client = BoundedClient(
            server.host,
            server.port,
            None if server.starttls else server.tls,
            answer_seconds=IMAP_ANSWER_SECONDS,
            opened=self._opened,
        )
        client.normalise_times = False
        if server.starttls:
            if not client.has_capability("STARTTLS"):
                raise MailboxRefused(f"{self._place} offers no STARTTLS")
            client.starttls(server.tls or create_default_context())

    def _opened(self, made: socket.socket) -> None:
        self._socket = made

    def _login(self, who: Credentials) -> None:
        if who.is_token:
            self._client.oauth2_login(who.user, who.secret)
        elif self._client.has_capability("AUTH=PLAIN"):
            # The one that takes any letter.
            self._client.plain_login(who.user, who.secret)
        else:
            self._client.login(who.user, who.secret)

    def sent_folder(self) -> str | None:
        """Return the folder for what was sent; None if the server names none."""
        found: str | None = self._ask(lambda: self._client.find_special_folder(b"\\Sent"), "LIST")
        return found

    def select(self, folder: str) -> FolderState:
        """Choose the folder of what follows, to read only."""
        self._folder = ""
        try:
            told = self._ask(lambda: self._client.select_folder(folder, readonly=True), "EXAMINE")
        except MailboxAway as failure:
            if _is_no(failure):
                raise MailboxRefused(f"{self._place} does not open the folder {folder}") from failure
            raise
        validity, next_uid = told.get(b"UIDVALIDITY"), told.get(b"UIDNEXT")
        if not _is_number(validity):
            raise MailboxAway(f"{self._place} tells no UIDVALIDITY")
        self._folder = folder
        return FolderState(validity, next_uid if _is_number(next_uid) else None)

    def enter(self, folder: str) -> None:
        """Choose a folder, unless it is chosen: to look at a large one again takes longer than to fetch from it."""
        if self._folder != folder:
            self.select(folder)

    def uids_since(self, day: date) -> list[int]:
        """Return the messages that were received on that day, or later."""
        return self._search(["SINCE", day])

    def uids_behind(self, uid: int) -> list[int]:
        """Return the messages that came behind one."""
        # Where there is none, the last one answers for *.
        return [each for each in self._search(["UID", f"{uid + 1}:*"]) if each > uid]

    def present(self, uids: Sequence[int], flag: str | None) -> set[int]:
        """Return which of these messages are there, or have a flag."""
        found: set[int] = set()
        for begin in range(0, len(uids), FETCHED_AT_ONCE):
            some = ",".join(map(str, uids[begin : begin + FETCHED_AT_ONCE]))
            found.update(self._search(["UID", some, *_criterion(flag)]))
        return found & set(uids)

    def headers(self, uids: Sequence[int]) -> list[FetchedHeader]:
        """Return the headers of some messages, those that are still there."""
        try:
            found = self._fetch(uids)
        except MailboxAway as failure:
            if not (isinstance(failure, _Unreadable) or _is_no(failure)):
                raise
            found = self._one_by_one(uids, failure)
        return sorted(found, key=lambda each: each.uid)

    def _one_by_one(self, uids: Sequence[int], failure: MailboxAway) -> list[FetchedHeader]:
        """Return those of some messages that can be read; one that cannot be has no header."""
        found: list[FetchedHeader] = []
        refused: list[int] = []
        for uid in uids:
            try:
                found += self._fetch([uid])
            except MailboxAway as of_it:
                if _is_no(of_it):
                    refused.append(uid)
                elif isinstance(of_it, _Unreadable):
                    found.append(FetchedHeader(uid, None, b""))
                else:
                    raise
        # Who refuses all of them is busy, and tells them another time.
        if refused and not found:
            raise failure
        return [*found, *(FetchedHeader(uid, None, b"") for uid in refused)]

    def _fetch(self, uids: Sequence[int]) -> list[FetchedHeader]:
        told = self._ask(lambda: self._client.fetch(uids, ["INTERNALDATE", _HEADER]), "FETCH")
        # A server may tell of others meanwhile, such as those that somebody has just read.
        wanted = {*uids}
        return [_header_in(uid, items) for uid, items in told.items() if uid in wanted and _is_answer(items)]

    def _search(self, criteria: list[Any]) -> list[int]:
        found = self._ask(lambda: self._client.search(criteria), "SEARCH")
        return sorted(uid for uid in found if _is_number(uid))

    def idle(self, seconds: float) -> bool:
        """Wait until something comes, for so many seconds at most; False if the server cannot tell."""
        if not self._ask(lambda: self._client.has_capability("IDLE"), "CAPABILITY"):
            return False
        if not self._can_idle:
            return False
        try:
            self._ask(lambda: self._idle(seconds), "IDLE")
        except MailboxAway as failure:
            if not _is_no(failure):
                raise
            # It says that it can, and does not: it is asked now and then instead.
            self._can_idle = False
        return self._can_idle

    def _idle(self, seconds: float) -> None:
        if not self._client.begin_idle() and not self._client.has_heard():
            self._client.idle_check(seconds)
        # What could not be read of a connection that is lost, this finds.
        self._client.socket().settimeout(IMAP_ANSWER_SECONDS)
        self._client.idle_done()

    def close(self) -> None:
        """End the connection, at once."""
        # It may be closed already, or be read from in a thread that this ends, even before the server has said hello.
        if self._socket is not None:
            with suppress(OSError, ValueError):
                self._socket.shutdown(socket.SHUT_RDWR)
        if self._client is not None:
            with suppress(OSError, AttributeError, ValueError):
                self._client.socket().shutdown(socket.SHUT_RDWR)
            with suppress(OSError, ValueError, imaplib.IMAP4.error):
                self._client.shutdown()

    def _ask(self, ask: Callable[[], T], what: str) -> T:
        if self._client is not None:
            self._client.begin_answer()
        # The name alone of what the library raises: its texts quote the server, and that may quote a person.
        try:
            return ask()
        except MailboxRefused:
            raise
        except ssl.SSLCertVerificationError as failure:
            raise MailboxRefused(f"{self._place} shows a certificate that is not trusted: look at ca_file") from failure
        except ProtocolError as failure:
            raise _Unreadable(f"{self._place}: {what} has no answer of IMAP") from failure
        except (OSError, EOFError, imaplib.IMAP4.error) as failure:
            raise MailboxAway(f"{self._place}: {what} failed: {type(failure).__name__}") from failure
        except Exception as failure:  # garbage makes a parser raise anything, and must not end us
            raise _Unreadable(f"{self._place}: {what} has no answer of IMAP: {type(failure).__name__}") from failure


_FOR_A_WHILE: Final = frozenset({"UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA", "SERVERBUG", "THROTTLED"})
"""Codes of RFC 5530, and of those who wrote none, for what may go well a moment later."""


def _is_for_a_while(failure: BaseException) -> bool:
    said = str(failure).upper()
    return any(f"[{code}" in said for code in _FOR_A_WHILE) or "TOO MANY" in said


def _is_no(failure: MailboxAway) -> bool:
    """Tell whether a server said no, for good, where the connection stands."""
    cause = failure.__cause__
    return (
        isinstance(cause, IMAPClientError)
        and not isinstance(cause, (imaplib.IMAP4.abort, ProtocolError))
        and not _is_for_a_while(cause)
    )


def _is_number(told: object) -> TypeGuard[int]:
    return isinstance(told, int) and 0 <= told <= LARGEST_NUMBER


def _is_answer(items: dict[bytes, Any]) -> bool:
    return b"INTERNALDATE" in items or any(name.startswith(b"BODY[") for name in items)


def _criterion(flag: str | None) -> list[str]:
    if flag is None:
        return []
    return [flag[1:].upper()] if flag.startswith("\\") else ["KEYWORD", flag]


def _header_in(uid: int, items: dict[bytes, Any]) -> FetchedHeader:
    received = items.get(b"INTERNALDATE")
    header = next((value for name, value in items.items() if name.startswith(b"BODY[HEADER.FIELDS")), None)
    if not isinstance(received, datetime) or received.tzinfo is None or not isinstance(header, bytes):
        return FetchedHeader(uid, None, b"")
    try:
        return FetchedHeader(uid, received.astimezone(UTC), header)
    except OverflowError:  # a year that UTC does not have
        return FetchedHeader(uid, None, b"")
