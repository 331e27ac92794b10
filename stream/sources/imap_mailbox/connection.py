"""The connection to a mailbox: made when it is needed, closed when it is lost. Who waits for the server is a thread."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

from stream.sources.imap_mailbox.imap_session import IMAP_ANSWER_SECONDS, ImapSession
from stream.sources.imap_mailbox.login import MailboxLogin
from stream.sources.imap_mailbox.mailbox_file import MailboxSettings
from stream.sources.imap_mailbox.mapper import FolderRole
from stream.sources.imap_mailbox.session import MailboxAway, MailboxRefused, MailboxServer, MailboxSession

__all__ = ["ConnectMailbox", "MailboxConnection"]

logger = logging.getLogger(__name__)

FETCH_SECONDS: Final = 5 * IMAP_ANSWER_SECONDS
"""An answer may come in parts, each in its time; longer than this it does not take."""

T = TypeVar("T")

ConnectMailbox = Callable[[MailboxServer], MailboxSession]


class MailboxConnection:
    """One session at a time; raises SettingsError where a file that it needs is of no use."""

    def __init__(self, told: MailboxSettings, connect: ConnectMailbox | None, clock: Callable[[], datetime]) -> None:
        self._told = told
        self._connect = connect or ImapSession
        self._login = MailboxLogin(told, clock)
        self._server = _server_of(told)
        self._session: MailboxSession | None = None
        self.roles: dict[str, FolderRole] = {}
        """What each folder is for, of those that are read."""

    async def session(self) -> MailboxSession:
        """Return a session that is logged in; raises MailboxAway or MailboxRefused."""
        if self._session is None:
            credentials = await self._login.credentials()
            session = self._session = self._connect(self._server)
            await self.asked(lambda: session.open(credentials))
            self.roles = await self._folders(session)
        return self._session

    async def asked(self, ask: Callable[[], T], seconds: float = 0) -> T:
        """Ask in a thread; an answer that takes *seconds* may take some more."""
        try:
            async with asyncio.timeout(seconds + FETCH_SECONDS):
                return await asyncio.to_thread(ask)
        except TimeoutError as failure:
            raise MailboxAway(f"{self._server.host} takes too long to answer") from failure
        except asyncio.CancelledError:
            self.close()  # which ends the thread, too
            raise

    def lost(self, failure: Exception) -> None:
        """Close the session, for it is of no use any more."""
        self.close()
        if isinstance(failure, MailboxRefused):
            self._login.refused()

    def close(self) -> None:
        """Close the session, if there is one."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    async def _folders(self, session: MailboxSession) -> dict[str, FolderRole]:
        sent = self._told.sent
        if not sent:
            found = await self.asked(session.sent_folder)
            sent = () if found is None else (found,)
        if not sent:
            logger.warning("%s: no folder of what was sent is known: name it with sent = […]", self._told.source)
        told: tuple[tuple[tuple[str, ...], FolderRole], ...] = (
            *((self._told.junk, "junk"), (self._told.done, "done")),
            *((sent, "sent"), (self._told.inbox, "inbox")),
        )
        return {folder: role for folders, role in told for folder in folders}


def _server_of(told: MailboxSettings) -> MailboxServer:
    return MailboxServer(
        host=told.host,
        port=told.port or (993 if told.security == "tls" else 143),
        tls=None if told.security == "none" else told.tls(),
        starttls=told.security == "starttls",
    )
