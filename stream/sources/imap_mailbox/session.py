"""What is asked of a mailbox, and what it answers; who speaks IMAP for us is not known here."""

import ssl
from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import Struct

__all__ = [
    "Credentials",
    "FetchedHeader",
    "FolderState",
    "MailboxAway",
    "MailboxRefused",
    "MailboxServer",
    "MailboxSession",
]


class MailboxAway(Exception):
    """The server does not answer, or not as IMAP wants it."""


class MailboxRefused(Exception):
    """The server does not want us: the login, or a folder, is wrong."""


class MailboxServer(Struct, frozen=True, kw_only=True):
    """Where it is, and how it is spoken to."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    """None: in plain text."""
    starttls: bool = False


class Credentials(Struct, frozen=True):
    """Who logs in."""

    user: str
    secret: str
    is_token: bool
    """Of OAuth, for XOAUTH2; else it is a password."""


class FolderState(Struct, frozen=True):
    """What a server says of a folder."""

    validity: int
    next_uid: int | None
    """None: it does not say."""


class FetchedHeader(Struct, frozen=True):
    """A message as the server tells it."""

    uid: int
    received: datetime | None
    """None: there is no header, or the server told no instant."""
    header: bytes


class MailboxSession(Protocol):
    """What a puller asks of a server; `ImapSession` is one."""

    def open(self, credentials: Credentials) -> None:
        """Connect, and log in."""
        ...

    def sent_folder(self) -> str | None:
        """Return the folder for what was sent; None if the server names none."""
        ...

    def select(self, folder: str) -> FolderState:
        """Choose the folder of what follows, to read only."""
        ...

    def enter(self, folder: str) -> None:
        """Choose a folder, unless it is chosen: to look at a large one again takes longer than to fetch from it."""
        ...

    def uids_since(self, day: date) -> list[int]:
        """Return the messages that were received on that day, or later."""
        ...

    def uids_behind(self, uid: int) -> list[int]:
        """Return the messages that came behind one."""
        ...

    def present(self, uids: Sequence[int], flag: str | None) -> set[int]:
        """Return which of these messages are there, or have a flag."""
        ...

    def headers(self, uids: Sequence[int]) -> list[FetchedHeader]:
        """Return the headers of some messages, those that are still there."""
        ...

    def idle(self, seconds: float) -> bool:
        """Wait until something comes, for so many seconds at most; False if the server cannot tell."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...
