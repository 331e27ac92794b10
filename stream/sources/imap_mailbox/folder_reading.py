"""How far folders are read: by UIDVALIDITY and UID, and what is to be read where the server has numbered them anew."""

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from stream.sources.imap_mailbox.header_fields import header_fields
from stream.sources.imap_mailbox.imap_session import FETCHED_AT_ONCE
from stream.sources.imap_mailbox.mail import Mail, TeamAddresses, mail_of
from stream.sources.imap_mailbox.mapper import FolderRole, Spot
from stream.sources.imap_mailbox.session import FetchedHeader, MailboxSession
from stream.sources.imap_mailbox.thread_memory import instant_of, milliseconds_of

__all__ = ["FolderCursor", "FolderReading", "FoundMail"]


CLOCKS_APART: Final = timedelta(hours=1)
"""Clocks of servers differ by less."""


class FolderCursor(Struct, kw_only=True):
    """Everything up to a UID is told."""

    validity: int
    uid: int = 0
    newest: int = 0
    """When the newest of it was received; ms since 1970."""
    history: int = 0
    """What is not behind this was there when the folder was read for the first time."""


class FoundMail(Struct, frozen=True):
    """A message, where it lies; `mail` is None where nothing can be read of it."""

    spot: Spot
    received: datetime | None
    mail: Mail | None


class FolderReading:
    """
    One folder in one round: what has come behind its cursor, the oldest first.

    The session has to wait for the server, so `look` and `fill` run in a thread.
    """

    def __init__(
        self, folder: str, role: FolderRole, cursor: FolderCursor | None, team: TeamAddresses, at: datetime
    ) -> None:
        self.folder = folder
        self.role: FolderRole = role
        self.is_renumbered = False
        self.cursor = cursor or FolderCursor(validity=0)
        self._is_new = cursor is None
        self._team = team
        self._at = at
        self._uids: deque[int] = deque()
        self._found: deque[FoundMail] = deque()
        self._looked_to = 0

    def look(self, session: MailboxSession, first_from: datetime, open_since: datetime | None) -> None:
        """Ask what is new: behind the cursor, or from a day on where there is none, or none of these numbers."""
        state = session.select(self.folder)
        self._looked_to = (state.next_uid or 0) - 1
        # A folder that was put back from a backup may have its old numbers, and give them to other messages.
        is_put_back = state.next_uid is not None and self._looked_to < self.cursor.uid
        if self._is_new or is_put_back or state.validity != self.cursor.validity:
            self.is_renumbered = not self._is_new
            since = first_from if self._is_new else self._since(open_since)
            self._uids.extend(session.uids_since(since.date()))
            first = min(self._uids, default=self._looked_to + 1)
            self.cursor = FolderCursor(validity=state.validity, uid=max(first - 1, 0), newest=self.cursor.newest)
            if self._is_new:
                self.cursor.history = max(self._uids, default=0)
        elif state.next_uid is None or self._looked_to > self.cursor.uid:
            self._uids.extend(session.uids_behind(self.cursor.uid))

    def _since(self, open_since: datetime | None) -> datetime:
        # A day more: SEARCH SINCE goes by the server's days, whatever its zone.
        last = instant_of(self.cursor.newest)
        return min(last, open_since or last) - timedelta(days=1)

    @property
    def needs_more(self) -> bool:
        """Whether `fill` has to be called before `head` can tell."""
        return not self._found and bool(self._uids)

    def fill(self, session: MailboxSession) -> None:
        """Fetch the next headers."""
        session.enter(self.folder)
        some = [self._uids.popleft() for _ in range(min(FETCHED_AT_ONCE, len(self._uids)))]
        self._found.extend(self._read(each) for each in session.headers(some))

    @property
    def head(self) -> FoundMail | None:
        """What comes next."""
        return self._found[0] if self._found else None

    def ended(self) -> None:
        """Go on behind all that was asked for, if it is told: some of it may be gone meanwhile."""
        if not self._found and not self._uids:
            self.cursor.uid = max(self.cursor.uid, self._looked_to)

    def pop_head(self) -> FoundMail:
        """Return what comes next, and go on behind it."""
        found = self._found.popleft()
        self.cursor.uid = max(self.cursor.uid, found.spot.uid)
        if found.received is not None:
            self.cursor.newest = max(self.cursor.newest, milliseconds_of(found.received))
        return found

    def _read(self, fetched: FetchedHeader) -> FoundMail:
        spot = Spot(self.folder, self.role, fetched.uid)
        if fetched.received is None:
            return FoundMail(spot, None, None)
        # Of what comes from the future, by the clock of whoever filed it, we have heard now.
        told = received = fetched.received.astimezone(UTC)
        if told > self._at + CLOCKS_APART:
            received = self._at
        fields, is_sent = header_fields(fetched.header), self.role == "sent"
        mail = mail_of(fields, fetched.header, told, self._team, is_sent=is_sent)
        return FoundMail(spot, received, replace(mail, at=min(mail.at, received)))
