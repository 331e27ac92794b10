"""A mailbox as a source: it is read by IMAP, headers only, and waits for what comes; threads become cases."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import Event
from stream.errors import SettingsError, SourceError
from stream.sdk.factory import utc_now
from stream.sources.imap_mailbox.answers import MAILBOX_SETUP
from stream.sources.imap_mailbox.connection import ConnectMailbox, MailboxConnection
from stream.sources.imap_mailbox.folder_reading import FolderCursor, FolderReading, FoundMail
from stream.sources.imap_mailbox.mail import TeamAddresses
from stream.sources.imap_mailbox.mailbox_file import MailboxSettings, mailbox_of
from stream.sources.imap_mailbox.mapper import MailMapper
from stream.sources.imap_mailbox.session import MailboxAway, MailboxRefused, MailboxSession
from stream.sources.imap_mailbox.thread_memory import MailThread, instant_of
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import PulledBatch, Source, position_beside, read_position

__all__ = ["SOURCE", "MailboxPosition", "MailboxPuller", "Options"]

logger = logging.getLogger(__name__)

REFUSED_SECONDS: Final = 300.0
"""So long a login that was refused twice is not tried again: servers lock accounts of which somebody seems to guess."""

LEAST_WAIT_SECONDS: Final = 1.0
"""No round follows the last one sooner: who tells of something all the time would be asked in a tight loop."""

MAIL_BATCH: Final = 200
"""So many messages at most wait for one acknowledgement."""

_OTHERWISE: Final = "the position is none of a mailbox; remove the file to begin anew, what is told again counts once"


class Options(Struct, frozen=True, kw_only=True):
    """What a person says of the mailbox."""

    file: Annotated[
        Path, Meta(description="A TOML file: host, user, key_file, queue, team, a login, and where needed more.")
    ]


class MailboxPosition(Struct, kw_only=True):
    """Everything that a restart needs: how far each folder is told, and which messages belong to which case."""

    folders: dict[str, FolderCursor] = {}
    threads: list[MailThread] = []
    is_caught_up: bool = False
    """Whether all that was there at the first start is told."""
    version: Literal[1] = 1

    @classmethod
    def read(cls, saved: bytes) -> "MailboxPosition":
        """Return what was saved; raises UnreadablePosition."""
        return read_position(saved, lambda data: msgspec.json.decode(data, type=cls), _OTHERWISE)


class MailboxPuller:
    """
    Reads the folders of a mailbox, and again whenever something comes; a `Puller`.

    *read* tells what a person says of it. What is wrong at the first connection raises SourceError, so that it is
    mended at once. Later the server may be away, or refuse us, as long as it likes: it is asked again, less and less
    often.
    """

    def __init__(
        self,
        read: Callable[[], MailboxSettings],
        intake: Intake,
        *,
        connect: ConnectMailbox | None = None,
        clock: Callable[[], datetime] = utc_now,
        back_off: BackOff | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._read = read
        self._intake = intake
        self._connect = connect
        self._clock = clock
        self._pauses = back_off or BackOff()
        self._sleep = sleep

    async def batches(self, saved: bytes | None) -> AsyncGenerator[PulledBatch, None]:
        """Yield what the mailbox has behind *saved*, and then what comes."""
        position = MailboxPosition() if saved is None else MailboxPosition.read(saved)
        told = self._read()
        connection = MailboxConnection(told, self._connect, self._clock)
        mailbox = _Mailbox(told, position, connection, self._intake, self._clock)
        try:
            while True:
                try:
                    async for _ in mailbox.news():
                        yield mailbox.batch()
                    await mailbox.wait(self._sleep)
                    # Only now: who lets us in and ends each wait would be asked in a tight loop.
                    self._pauses.reset()
                except (MailboxAway, MailboxRefused, SettingsError) as failure:
                    mailbox.lost(failure)
                    if mailbox.has_untold:
                        yield mailbox.batch()
                    await self._pauses.wait(REFUSED_SECONDS if mailbox.is_refused else 0)
        finally:
            connection.close()


class _Mailbox:
    """Round after round through its folders."""

    def __init__(
        self,
        told: MailboxSettings,
        position: MailboxPosition,
        connection: MailboxConnection,
        intake: Intake,
        clock: Callable[[], datetime],
    ) -> None:
        self._told = told
        self._position = position
        self._connection = connection
        self._intake = intake
        self._clock = clock
        self._mapper = MailMapper(told, position.threads, intake)
        self._team = TeamAddresses(told.team)
        self._was_connected = False
        self._refusals = 0
        self._untold: list[Event] = []
        """What is mapped, and not handed on yet."""
        self._held: dict[tuple[str, int], datetime] = {}
        """Replies that wait for what they reply to, and since when."""

    @property
    def has_untold(self) -> bool:
        """Whether there is something to hand on."""
        return bool(self._untold)

    @property
    def is_refused(self) -> bool:
        """Whether the login was refused, and once more when it had been renewed."""
        return self._refusals > 1

    def batch(self) -> PulledBatch:
        """Return what is mapped, with the position behind it."""
        events, self._untold = self._untold, []
        self._position.threads = list(self._mapper.memory)
        return PulledBatch(events, msgspec.json.encode(self._position))

    def lost(self, failure: Exception) -> None:
        """Take note that the connection is lost; raises SourceError if there never was one, and a person must act."""
        self._connection.lost(failure)
        self._refusals = self._refusals + 1 if isinstance(failure, MailboxRefused) else 0
        self._intake.connected[self._told.source] = False
        if not self._was_connected and not isinstance(failure, MailboxAway):
            raise SourceError(str(failure)) from failure
        logger.warning("%s; asking again", failure)

    async def news(self) -> AsyncGenerator[None, None]:
        """Map what is new in all folders; yields where what is mapped should be handed on."""
        position, at = self._position, self._clock()
        patience = timedelta(seconds=self._told.await_sent_seconds)
        # Of one that is gone meanwhile nothing more is heard.
        self._held = {key: since for key, since in self._held.items() if at - since < patience}
        before, count = msgspec.json.encode(position.folders), 0
        session = await self._connection.session()
        readings = await self._look(session)
        while (reading := await self._next(session, readings)) is not None:
            self._tell(reading)
            count += 1
            if count % MAIL_BATCH == 0:
                yield
        for each in readings:
            each.ended()
        await self._resolve(session)
        is_news = not position.is_caught_up or before != msgspec.json.encode(position.folders)
        position.is_caught_up = True
        if self._untold or is_news:
            yield

    async def _look(self, session: MailboxSession) -> list[FolderReading]:
        at = self._clock()
        first_from = at - timedelta(days=self._told.read_back_days)
        found: list[FolderReading] = []
        for folder, role in self._connection.roles.items():
            each = FolderReading(folder, role, self._position.folders.get(folder), self._team, at)
            await self._connection.asked(partial(each.look, session, first_from, self._mapper.open_since()))
            found.append(each)
            if each.is_renumbered:
                logger.warning("%s: %s has other numbers (UIDVALIDITY); reading it again", self._told.source, folder)
                self._mapper.renumbered(folder)
        # Only now: of a folder that is new the cursor says what was there at the start, of all of them together.
        self._position.folders.update((each.folder, each.cursor) for each in found)
        self._was_connected = self._intake.connected[self._told.source] = True
        return found

    async def _next(self, session: MailboxSession, readings: list[FolderReading]) -> FolderReading | None:
        """Return the folder with the message that came first; None if nothing is left, or has to wait."""
        for each in readings:
            while each.needs_more:
                await self._connection.asked(partial(each.fill, session))
        ready = [
            (_time_of(found), number, each)
            for number, each in enumerate(readings)
            if (found := each.head) is not None and not self._must_wait(found)
        ]
        return min(ready)[2] if ready else None

    def _must_wait(self, found: FoundMail) -> bool:
        """Tell whether what a message replies to may be in another folder soon: many programs file it after sending."""
        patience, at = timedelta(seconds=self._told.await_sent_seconds), self._clock()
        if found.mail is None or found.received is None or not self._mapper.lacks(found.mail):
            return False
        # By our clock, once: that of the server may be wrong.
        is_fresh = at - found.received < patience
        return is_fresh and at - self._held.setdefault(_key_of(found), at) < patience

    def _tell(self, reading: FolderReading) -> None:
        found = reading.pop_head()
        self._held.pop(_key_of(found), None)
        self._intake.read += 1
        if found.mail is None:
            place = Location(found.spot.folder, found.spot.uid, found.spot.uid)
            self._intake.refuse(BadLine(place, "unreadable_header", "the server tells no header of it, or no time"))
            return
        # Of what was there at the first start nobody knows since when it lies where it is.
        is_history = found.spot.uid <= reading.cursor.history
        self._untold += self._mapper.tell(found.mail, found.spot, found.mail.at if is_history else self._clock())

    async def _resolve(self, session: MailboxSession) -> None:
        match self._told.resolved_by:
            case "folder":
                self._untold += self._mapper.done()
            case "archive" | "flag":
                for folder in self._told.inbox:
                    await self._resolve_in(folder, session)
            case "answer" | "nothing":
                pass

    async def _resolve_in(self, folder: str, session: MailboxSession) -> None:
        threads = self._mapper.open_in(folder)
        if not threads:
            return
        is_archive = self._told.resolved_by == "archive"
        uids = [thread.uid for thread in threads if thread.uid]
        look = partial(_present, session, folder, uids, None if is_archive else self._told.flag)
        found = await self._connection.asked(look)
        for thread in threads:
            if (thread.uid in found) != is_archive:
                at = self._clock() if self._position.is_caught_up else instant_of(thread.newest)
                self._untold += self._mapper.resolve(thread, at)

    async def wait(self, sleep: Callable[[float], Awaitable[object]]) -> None:
        """Wait until something comes, or it is time to ask all folders."""
        seconds, began = self._told.poll_seconds, monotonic()
        if self._held:
            seconds = min(seconds, max(self._told.await_sent_seconds / 4, 0.1))
        if not await self._hears(seconds):
            await sleep(seconds)
        elif (left := min(seconds, LEAST_WAIT_SECONDS) - (monotonic() - began)) > 0:
            await sleep(left)

    async def _hears(self, seconds: float) -> bool:
        """Wait until something comes, for so many seconds at most; False if the server cannot tell."""
        session, folder = await self._connection.session(), self._told.inbox[0]
        cursor = self._position.folders[folder]
        state = await self._connection.asked(partial(session.select, folder))
        # What came since it was looked at IDLE would not tell.
        if not self._held and (state.next_uid or 0) - 1 > cursor.uid:
            return True
        return await self._connection.asked(partial(session.idle, seconds), seconds)


def _present(session: MailboxSession, folder: str, uids: list[int], flag: str | None) -> set[int]:
    session.enter(folder)
    return session.present(uids, flag)


def _key_of(found: FoundMail) -> tuple[str, int]:
    return found.spot.folder, found.spot.uid


def _time_of(found: FoundMail) -> datetime:
    # By one clock, that of the server: by those of the authors a reply may be older than what it replies to.
    return found.received or instant_of(0)


def _puller(options: Options, intake: Intake) -> MailboxPuller:
    return MailboxPuller(lambda: mailbox_of(options.file), intake)


SOURCE: Final = Source(
    name="imap-mailbox",
    about="A mailbox by IMAP: threads as cases, questions and answers, by their headers alone.",
    options=Options,
    pull=_puller,
    position=lambda options: position_beside(options.file),
    setup=MAILBOX_SETUP,
)
"""Its entry of the registry."""
