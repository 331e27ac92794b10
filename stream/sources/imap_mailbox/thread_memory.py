"""Which messages belong to which case: what a restart needs to know of threads, and no more of them than is allowed."""

import hmac
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from stream.core.windows import EPOCH
from stream.sources.requests.secret_lines import SecretLines

__all__ = ["MailThread", "MessageIds", "ThreadMemory", "instant_of", "milliseconds_of", "shortened"]

_MESSAGES_OF_A_THREAD: Final = 200
"""The latest: a reply names one of these, and the first, which the case is called by."""

_SHORT: Final = 16

_OUTSIDERS_OF_A_THREAD: Final = 20
_SHORTEST: Final = 8
"""Of an id, where it is compared with few others."""

ThreadState = Literal["begun", "open", "resolved", "deleted"]
"""Begun: one of us wrote first, and nobody has answered: no case yet."""


class MailThread(Struct, kw_only=True, omit_defaults=True):
    """What is known of a thread; of messages and subjects only the begin of their ids."""

    case: str
    state: ThreadState
    messages: list[str] = []
    subject: str = ""
    newest: int = 0
    """When somebody last wrote; ms since 1970, as all times here."""
    asked: str = ""
    """The newest message of the customer."""
    asked_at: int = 0
    answered: str = ""
    """The newest answer."""
    answered_at: int = 0
    resolved_at: int = 0
    outsiders: list[str] = []
    """Who takes part of those who are none of us; the begin of the ids of some addresses."""
    folder: str = ""
    """Where that lies in the inbox."""
    uid: int = 0
    done_at: int = 0
    """When it was found in a folder of what is done."""
    begun_at: int = 0
    begun_with: str = ""
    """The message that one of us began with."""
    agent: str | None = None
    """Who that was."""


class MessageIds:
    """Ids for what must not be kept by its name. A mailbox has its own: mail to two of them is two cases."""

    def __init__(self, key_file: Path, source: str) -> None:
        self._keys = SecretLines(key_file)
        self._source = source

    def of(self, *parts: str) -> str:
        """Return the id of a message, case or subject."""
        text = "\0".join((self._source, *parts))
        key = self._keys.all()[0].encode()
        return hmac.digest(key, text.encode(errors="surrogatepass"), "sha256").hex()[:32]


class ThreadMemory:
    """Threads by their messages and subjects; of more messages than *most* those go that were silent for longest."""

    def __init__(self, threads: Iterable[MailThread], most: int) -> None:
        self._most = most
        self._by_case: dict[str, MailThread] = {}
        """The one that was heard of last is the last."""
        self._by_message: dict[str, MailThread] = {}
        self._by_subject: dict[str, MailThread] = {}
        for thread in threads:
            self._by_case[thread.case] = thread
            self._by_message.update(dict.fromkeys(thread.messages, thread))
            if thread.subject:
                self._by_subject[thread.subject] = thread

    def __iter__(self) -> Iterator[MailThread]:
        return iter(self._by_case.values())

    def case(self, case: str) -> MailThread | None:
        """Return the thread of a case."""
        return self._by_case.get(case)

    def with_message(self, message: str) -> MailThread | None:
        """Return the thread that a message belongs to."""
        return self._by_message.get(shortened(message))

    def with_subject(self, subject: str, since: datetime) -> MailThread | None:
        """Return the thread of a subject in which somebody has written since then."""
        thread = self._by_subject.get(shortened(subject))
        return thread if thread is not None and thread.newest >= milliseconds_of(since) else None

    def add(self, thread: MailThread, message: str, at: datetime, subject: str) -> None:
        """Put a message into a thread, which may be new."""
        short = shortened(message)
        # Again at the end: what is silent for longest stays in front.
        self._by_case.pop(thread.case, None)
        self._by_case[thread.case] = thread
        thread.messages.append(short)
        thread.newest = max(thread.newest, milliseconds_of(at))
        self._by_message[short] = thread
        if subject and not thread.subject:
            thread.subject = shortened(subject)
            self._by_subject[thread.subject] = thread
        if len(thread.messages) > _MESSAGES_OF_A_THREAD:
            self._forget_message(thread.messages.pop(1))

    def admit(self, thread: MailThread, outsiders: Iterable[str]) -> None:
        """Take note of who takes part in a thread."""
        for each in outsiders:
            if each[:_SHORTEST] not in thread.outsiders and len(thread.outsiders) < _OUTSIDERS_OF_A_THREAD:
                thread.outsiders.append(each[:_SHORTEST])

    def has_any(self, thread: MailThread, outsiders: Iterable[str]) -> bool:
        """Tell whether one of them takes part in a thread; of a thread of nobody everybody may."""
        return not thread.outsiders or any(each[:_SHORTEST] in thread.outsiders for each in outsiders)

    def written_behind(self, thread: MailThread, messages: Iterable[str]) -> int:
        """Return when the newest question or answer was written of which one is among these messages; else 0."""
        replied = {shortened(each) for each in messages}
        told = ((thread.asked, thread.asked_at), (thread.answered, thread.answered_at))
        return max((at for message, at in told if message in replied), default=0)

    def forget(self) -> int:
        """Make room; tell how many threads went that were open."""
        open_ones = 0
        while len(self._by_message) > self._most and self._by_case:
            thread = self._by_case.pop(next(iter(self._by_case)))
            for message in thread.messages:
                self._forget_message(message)
            if self._by_subject.get(thread.subject) is thread:
                del self._by_subject[thread.subject]
            open_ones += thread.state == "open"
        return open_ones

    def _forget_message(self, message: str) -> None:
        self._by_message.pop(message, None)

    def is_newest_question(self, thread: MailThread, message: str) -> bool:
        """Tell whether the customer has written nothing behind this message."""
        return thread.asked == shortened(message)


def shortened(identity: str) -> str:
    """Return the begin of the id of a message or subject, by which it is known here."""
    return identity[:_SHORT]


def milliseconds_of(at: datetime) -> int:
    """Return an instant as ms since 1970."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def instant_of(milliseconds: int) -> datetime:
    """Return the instant so many ms after 1970."""
    return (EPOCH + timedelta(milliseconds=milliseconds)).astimezone(UTC)
