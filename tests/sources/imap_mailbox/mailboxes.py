"""A mailbox as tests need it: messages come, move and vanish when the test says so, and the server may be away."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.sources.imap_mailbox.mailbox_file import MailboxSettings
from stream.sources.imap_mailbox.session import Credentials, FetchedHeader, FolderState
from stream.sources.imap_mailbox.source import MailboxPuller
from stream.sources.intake import Intake
from stream.sources.pulling.shipping import BackOff
from stream.sources.source import PulledBatch

__all__ = ["MONDAY", "RECORDED", "Clock", "FakeMailbox", "Inbox", "message", "settings_in", "told_of"]

MONDAY: Final = datetime(2026, 11, 23, 8, tzinfo=UTC)
RECORDED: Final = Path(__file__).parent / "recorded"


class Clock:
    """A clock that a test sets."""

    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


class _Stored(Struct):
    uid: int
    received: datetime
    header: bytes
    flags: set[str] = field(default_factory=set)


class _Folder:
    def __init__(self, validity: int) -> None:
        self.validity = validity
        self.next_uid = 1
        self.stored: list[_Stored] = []


class FakeMailbox:
    """Folders in memory. Errors in `failures` come one by one before anything else does."""

    def __init__(self, *names: str) -> None:
        self.folders = {name: _Folder(7) for name in names or ("INBOX", "Sent")}
        self.failures: list[Exception] = []
        self.changed = asyncio.Event()
        self.idles = 0
        self.can_idle = True

    def add(self, header: bytes, received: datetime, folder: str = "INBOX") -> int:
        """Deliver a message; return its UID."""
        place = self.folders[folder]
        place.stored.append(_Stored(place.next_uid, received, header))
        place.next_uid += 1
        return place.next_uid - 1

    def move(self, uid: int, source: str, target: str | None) -> None:
        """Move a message; None: remove it."""
        (found,) = [each for each in self.folders[source].stored if each.uid == uid]
        self.folders[source].stored.remove(found)
        if target is not None:
            self.add(found.header, found.received, target)

    def flag(self, uid: int, flag: str, folder: str = "INBOX") -> None:
        """Set a flag."""
        next(each for each in self.folders[folder].stored if each.uid == uid).flags.add(flag)

    def renumber(self, folder: str = "INBOX", skip: int = 100) -> None:
        """Give all messages of a folder other UIDs, as after a migration."""
        place = self.folders[folder]
        place.validity += 1
        for number, each in enumerate(place.stored, skip):
            each.uid = number
        place.next_uid = skip + len(place.stored)

    def session(self, _: object = None) -> "_FakeSession":
        """Connect."""
        return _FakeSession(self)


class _FakeSession:
    def __init__(self, mailbox: FakeMailbox) -> None:
        self._mailbox = mailbox
        self._folder: _Folder | None = None

    def _stored(self) -> list[_Stored]:
        if self._mailbox.failures:
            raise self._mailbox.failures.pop(0)
        assert self._folder is not None
        return self._folder.stored

    def open(self, _: Credentials) -> None:
        if self._mailbox.failures:
            raise self._mailbox.failures.pop(0)

    def sent_folder(self) -> str | None:
        return "Sent" if "Sent" in self._mailbox.folders else None

    def select(self, folder: str) -> FolderState:
        self._folder = self._mailbox.folders[folder]
        self._stored()
        return FolderState(self._folder.validity, self._folder.next_uid)

    def enter(self, folder: str) -> None:
        self.select(folder)

    def uids_since(self, day: date) -> list[int]:
        return [each.uid for each in self._stored() if each.received.date() >= day]

    def uids_behind(self, uid: int) -> list[int]:
        return [each.uid for each in self._stored() if each.uid > uid]

    def present(self, uids: Sequence[int], flag: str | None) -> set[int]:
        return {each.uid for each in self._stored() if each.uid in uids and (flag is None or flag in each.flags)}

    def headers(self, uids: Sequence[int]) -> list[FetchedHeader]:
        wanted = {*uids}
        return [FetchedHeader(each.uid, each.received, each.header) for each in self._stored() if each.uid in wanted]

    def idle(self, _: float) -> bool:
        self._mailbox.idles += 1
        return self._mailbox.can_idle

    def close(self) -> None:
        self._folder = None


def message(number: int = 1, /, **fields: str) -> bytes:
    """Return a header: `in_reply_to="…"` is `In-Reply-To: …`, and an empty text leaves the field out."""
    usual = {"From": "c1@example.com", "To": "support@example.org", "Message-ID": f"<m{number}@example.com>"}
    told = usual | {name.replace("_", "-").title().replace("-Id", "-ID"): text for name, text in fields.items()}
    return "".join(f"{name}: {text}\r\n" for name, text in told.items() if text).encode()


def settings_in(folder: Path, **told: Any) -> MailboxSettings:
    """Return settings, with the files that they name."""
    (folder / "key").write_text("a key of ids")
    (folder / "password").write_text("hush")
    usual = MailboxSettings(
        host="127.0.0.1",
        user="support@example.org",
        security="none",
        key_file=folder / "key",
        password_file=folder / "password",
        queue="support",
        team=("example.org",),
        await_sent_seconds=0,
        poll_seconds=0.01,
    )
    return replace(usual, **told)


class Inbox:
    """A puller of a mailbox in memory, taken batch by batch; `restarted` goes on from the last position."""

    def __init__(self, told: MailboxSettings, *folders: str, mailbox: FakeMailbox | None = None) -> None:
        self.told = told
        self.mailbox = mailbox or FakeMailbox(*folders)
        self.clock = Clock(MONDAY + timedelta(days=1))
        self.intake = Intake()
        self.events: list[Event] = []
        self.position: bytes | None = None
        self.slept: list[float] = []

    def puller(self, intake: Intake | None = None) -> MailboxPuller:
        return MailboxPuller(
            lambda: self.told,
            intake or self.intake,
            connect=self.mailbox.session,
            clock=self.clock,
            back_off=BackOff(sleep=self._sleep),
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def news(self) -> list[Event]:
        """Start it behind its position; return what is new, when the mailbox has been read to its end."""
        before = self.mailbox.idles
        told: list[Event] = []
        async with asyncio.timeout(60), aclosing(self.puller().batches(self.position)) as batches:
            async for batch in _until(batches, lambda: self.mailbox.idles > before):
                told += batch.events
                self.position = batch.position
        self.events += told
        return told


async def _until(batches: Any, is_enough: Callable[[], bool]) -> Any:
    """Yield batches until the mailbox is waited on, and nothing is on its way."""
    pending = asyncio.ensure_future(anext(batches))
    try:
        while not is_enough() or pending.done():
            done, _ = await asyncio.wait([pending], timeout=0.002)
            if done:
                yield pending.result()
                pending = asyncio.ensure_future(anext(batches))
    finally:
        pending.cancel()
        await asyncio.wait([pending])


def told_of(events: Iterable[Event]) -> list[str]:
    """Return what events say, in short."""
    return [" ".join(_words(event)) for event in events]


def _words(event: Event) -> list[str]:
    data: Any = event.data
    marks = [name for name in ("automatic", "agent") if getattr(data, name, None)]
    if getattr(data, "public", True) is False:
        marks.append("note")
    if getattr(data, "opened_by", "customer") != "customer":
        marks.append(f"by {data.opened_by}")
    return [f"{event.time:%d %H:%M:%S}", type(event).__name__.removeprefix("Case"), *marks]


def last_position(batches: Sequence[PulledBatch]) -> bytes:
    """Return where the last of them ends."""
    return batches[-1].position
