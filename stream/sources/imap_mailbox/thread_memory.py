"""Which messages belong to which case: what a restart needs to know of threads, and no more of them than is allowed."""

import hmac
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from stream.core.windows import EPOCH
from stream.sources.requests.secret_lines import SecretLines

__all__ = ["MailThread", "MessageIds", "ThreadMemory", "instant_of", "milliseconds_of"]

_MESSAGES_OF_A_THREAD: Final = 200
"""The latest: a reply names one of these, and the first, which the case is called by."""

_SHORT: Final = 16

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
        return self._by_message.get(message[:_SHORT])

    def with_subject(self, subject: str, since: datetime) -> MailThread | None:
        """Return the thread of a subject in which somebody has written since then."""
        thread = self._by_subject.get(subject[:_SHORT])
        return thread if thread is not None and thread.newest >= milliseconds_of(since) else None

    def add(self, thread: MailThread, message: str, at: datetime, subject: str) -> None:
        """Put a message into a thread, which may be new."""
        short = message[:_SHORT]
        # Again at the end: what is silent for longest stays in front.
        self._by_case.pop(thread.case, None)
        self._by_case[thread.case] = thread
        thread.messages.append(short)
        thread.newest = max(thread.newest, milliseconds_of(at))
        self._by_message[short] = thread
        if subject and not thread.subject:
            thread.subject = subject[:_SHORT]
            self._by_subject[thread.subject] = thread
        if len(thread.messages) > _MESSAGES_OF_A_THREAD:
            self._forget_message(thread.messages.pop(1))

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
        return thread.asked == message[:_SHORT]


def milliseconds_of(at: datetime) -> int:
    """Return an instant as ms since 1970."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def instant_of(milliseconds: int) -> datetime:
    """Return the instant so many ms after 1970."""
    return (EPOCH + timedelta(milliseconds=milliseconds)).astimezone(UTC)
