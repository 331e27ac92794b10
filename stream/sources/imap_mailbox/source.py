"""A mailbox as a source: it is read by IMAP, headers only, and waits for what comes; threads become cases."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import Event
from stream.errors import SettingsError, SourceError
from stream.sdk.factory import utc_now
from stream.sources.imap_mailbox.folder_reading import FolderCursor, FolderReading, FoundMail
from stream.sources.imap_mailbox.login import MailboxLogin
from stream.sources.imap_mailbox.mail import TeamAddresses
from stream.sources.imap_mailbox.mailbox_file import MailboxSettings, mailbox_of
from stream.sources.imap_mailbox.mapper import FolderRole, MailMapper
from stream.sources.imap_mailbox.session import (
    ANSWER_SECONDS,
    ImapSession,
    MailboxAway,
    MailboxRefused,
    MailboxServer,
    MailboxSession,
)
from stream.sources.imap_mailbox.thread_memory import MailThread, instant_of
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import PulledBatch, Source, position_beside, read_position

__all__ = ["SOURCE", "MailboxPosition", "MailboxPuller", "Options"]

logger = logging.getLogger(__name__)

BATCH: Final = 200
"""So many messages at most wait for one acknowledgement."""

FETCH_SECONDS: Final = 5 * ANSWER_SECONDS
"""An answer may come in parts, each in its time; longer than this it does not take."""

_OTHERWISE: Final = "the position is none of a mailbox; remove the file to begin anew, what is told again counts once"

T = TypeVar("T")


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

    What is wrong at the first connection raises SourceError, so that it is mended at once. Later the server may be
    away, or refuse us, as long as it likes: it is asked again, less and less often.
    """

    def __init__(
        self,
        told: MailboxSettings,
        intake: Intake,
        *,
        connect: Callable[[MailboxServer], MailboxSession] = ImapSession,
        clock: Callable[[], datetime] = utc_now,
        back_off: BackOff | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._told = told
        self._intake = intake
        self._connect = connect
        self._clock = clock
        self._pauses = back_off or BackOff()
        self._sleep = sleep
        self._team = TeamAddresses(told.team)
        self._login = MailboxLogin(told, clock)
        self._server = _server_of(told)
        self._session: MailboxSession | None = None
        self._roles: dict[str, FolderRole] = {}
        self._was_connected = False
        self._untold: list[Event] = []
        """What is mapped, and not handed on yet."""
        self._held: dict[tuple[str, int], datetime] = {}
        """Replies that wait for what they reply to, and since when."""

    async def batches(self, saved: bytes | None) -> AsyncGenerator[PulledBatch, None]:
        """Yield what the mailbox has behind *saved*, and then what comes."""
        position = MailboxPosition() if saved is None else MailboxPosition.read(saved)
        mapper = MailMapper(self._told, position.threads, self._intake)
        try:
            while True:
                try:
                    async for _ in self._round(position, mapper):
                        yield self._batch(position, mapper)
                    await self._wait(position)
                except (MailboxAway, MailboxRefused, SettingsError) as failure:
                    self._lost(failure)
                    if self._untold:
                        yield self._batch(position, mapper)
                    await self._pauses.wait()
        finally:
            self._close()

    def _batch(self, position: MailboxPosition, mapper: MailMapper) -> PulledBatch:
        events, self._untold = self._untold, []
        position.threads = list(mapper.memory)
        return PulledBatch(events, msgspec.json.encode(position))

    # The connection.

    async def _connected(self) -> MailboxSession:
        if self._session is None:
            credentials = await self._login.credentials()
            session = self._session = self._connect(self._server)
            await self._asked(lambda: session.open(credentials))
            self._roles = await self._folders(session)
        return self._session

    async def _folders(self, session: MailboxSession) -> dict[str, FolderRole]:
        sent = self._told.sent
        if not sent:
            found = await self._asked(session.sent_folder)
            sent = () if found is None else (found,)
        if not sent:
            logger.warning("%s: no folder of what was sent is known: name it with sent = […]", self._told.source)
        told: tuple[tuple[tuple[str, ...], FolderRole], ...] = (
            (self._told.junk, "junk"),
            (self._told.done, "done"),
            (sent, "sent"),
            (self._told.inbox, "inbox"),
        )
        return {folder: role for folders, role in told for folder in folders}

    async def _asked(self, ask: Callable[[], T], seconds: float = FETCH_SECONDS) -> T:
        """Ask in a thread, since the session waits for the server; never longer than some seconds."""
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.to_thread(ask)
        except TimeoutError as failure:
            raise MailboxAway(f"{self._server.host} takes too long to answer") from failure
        except asyncio.CancelledError:
            self._close()  # which ends the thread, too
            raise

    def _lost(self, failure: Exception) -> None:
        self._close()
        self._intake.connected[self._told.source] = False
        if isinstance(failure, MailboxRefused):
            self._login.refused()
        if not self._was_connected and not isinstance(failure, MailboxAway):
            raise SourceError(str(failure)) from failure
        logger.warning("%s; asking again", failure)

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()

    # One round through all folders.

    async def _round(self, position: MailboxPosition, mapper: MailMapper) -> AsyncGenerator[None, None]:
        """Map what is new in all folders; yields where what is mapped should be handed on."""
        session = await self._connected()
        readings = await self._look(session, position, mapper)
        before, count = msgspec.json.encode(position.folders), 0
        while (reading := await self._next(session, readings, mapper)) is not None:
            self._tell(reading, mapper)
            count += 1
            if count % BATCH == 0:
                yield
        for each in readings:
            each.ended()
        await self._resolve(session, position, mapper)
        is_news = not position.is_caught_up or before != msgspec.json.encode(position.folders)
        position.is_caught_up = True
        if self._untold or is_news:
            yield

    async def _look(
        self, session: MailboxSession, position: MailboxPosition, mapper: MailMapper
    ) -> list[FolderReading]:
        first_from = self._clock() - timedelta(days=self._told.read_back_days)
        readings = [
            FolderReading(folder, role, position.folders.get(folder), self._team)
            for folder, role in self._roles.items()
        ]
        for each in readings:
            await self._asked(lambda each=each: each.look(session, first_from, mapper.open_since()))  # type: ignore[misc]  # mypy does not infer the default
            position.folders[each.folder] = each.cursor
            if each.is_renumbered:
                logger.warning("%s: %s has other numbers (UIDVALIDITY); reading it again", self._told.source, each.folder)
                mapper.renumbered(each.folder)
        self._was_connected = self._intake.connected[self._told.source] = True
        self._pauses.reset()
        return readings

    async def _next(
        self, session: MailboxSession, readings: list[FolderReading], mapper: MailMapper
    ) -> FolderReading | None:
        """Return the folder with the message that was written first; None if nothing is left, or has to wait."""
        for each in readings:
            while each.needs_more:
                await self._asked(lambda each=each: each.fill(session))  # type: ignore[misc]  # as above
        ready = [
            (_time_of(found), number, each)
            for number, each in enumerate(readings)
            if (found := each.head) is not None and not self._must_wait(found, mapper)
        ]
        return min(ready)[2] if ready else None

    def _must_wait(self, found: FoundMail, mapper: MailMapper) -> bool:
        """Tell whether what a message replies to may be in another folder soon: many programs file it after sending."""
        patience, at = timedelta(seconds=self._told.await_sent_seconds), self._clock()
        key = (found.spot.folder, found.spot.uid)
        if found.mail is None or found.received is None or not mapper.lacks(found.mail):
            self._held.pop(key, None)
            return False
        # By our clock, once: that of the server may be wrong.
        is_fresh = at - found.received < patience
        return is_fresh and at - self._held.setdefault(key, at) < patience

    def _tell(self, reading: FolderReading, mapper: MailMapper) -> None:
        found = reading.take()
        self._held.pop((found.spot.folder, found.spot.uid), None)
        self._intake.read += 1
        if found.mail is None:
            place = Location(found.spot.folder, found.spot.uid, found.spot.uid)
            self._intake.refuse(BadLine(place, "unreadable_header", "the server tells no header of it, or no time"))
            return
        # Of what was there at the first start it is not known since when it lies where it is.
        is_history = found.spot.uid <= reading.cursor.history
        self._untold += mapper.tell(found.mail, found.spot, found.mail.at if is_history else self._clock())

    async def _resolve(self, session: MailboxSession, position: MailboxPosition, mapper: MailMapper) -> None:
        match self._told.resolved_by:
            case "folder":
                self._untold += mapper.done()
            case "archive" | "flag":
                for folder in self._told.inbox:
                    await self._resolve_in(folder, session, position, mapper)
            case "answer" | "nothing":
                pass

    async def _resolve_in(
        self, folder: str, session: MailboxSession, position: MailboxPosition, mapper: MailMapper
    ) -> None:
        threads = mapper.open_in(folder)
        if not threads:
            return
        is_archive = self._told.resolved_by == "archive"
        flag = None if is_archive else self._told.flag

        def present() -> set[int]:
            session.select(folder)
            return session.present([thread.uid for thread in threads if thread.uid], flag)

        found = await self._asked(present)
        for thread in threads:
            if (thread.uid in found) != is_archive:
                at = self._clock() if position.is_caught_up else instant_of(thread.newest)
                self._untold += mapper.resolve(thread, at)

    async def _wait(self, position: MailboxPosition) -> None:
        """Wait until something comes, or it is time to ask all folders."""
        session = await self._connected()
        folder = self._told.inbox[0]
        seconds = min(self._told.poll_seconds, self._told.await_sent_seconds or 1) if self._held else self._told.poll_seconds
        cursor = position.folders[folder]
        state = await self._asked(lambda: session.select(folder))
        # What came since it was looked at would not be told by IDLE.
        if not self._held and (state.next_uid or 0) - 1 > cursor.uid and state.validity == cursor.validity:
            return
        if not await self._asked(lambda: session.idle(seconds), seconds + FETCH_SECONDS):
            await self._sleep(seconds)


def _time_of(found: FoundMail) -> datetime:
    if found.mail is not None:
        return found.mail.at
    return found.received or instant_of(0)


def _server_of(told: MailboxSettings) -> MailboxServer:
    return MailboxServer(
        host=told.host,
        port=told.port or (993 if told.security == "tls" else 143),
        tls=None if told.security == "none" else told.tls(),
        starttls=told.security == "starttls",
    )


def _puller(options: Options, intake: Intake) -> Any:
    return _LateMailbox(options, intake)


SOURCE: Final = Source(
    name="imap-mailbox",
    about="A mailbox by IMAP: threads as cases, questions and answers, by their headers alone.",
    options=Options,
    pull=_puller,
    position=lambda options: position_beside(options.file),
)
"""Its entry of the registry."""
