"""Which thread a message belongs to: by what it replies to, by the name of the case, by its subject at last."""

from datetime import timedelta
from typing import Literal

from msgspec.structs import replace

from stream.sources.address_ids import AddressIds
from stream.sources.imap_mailbox.mail import Mail
from stream.sources.imap_mailbox.mailbox_file import MailboxSettings
from stream.sources.imap_mailbox.thread_memory import (
    MailThread,
    MessageIds,
    ThreadMemory,
    instant_of,
    milliseconds_of,
)

__all__ = ["MailThreads"]


class MailThreads:
    """The threads of one mailbox; *threads* is what was remembered when it ended."""

    def __init__(self, told: MailboxSettings, threads: list[MailThread]) -> None:
        self._subject_days = told.subject_days
        self._ids = MessageIds(told.key_file, told.source)
        self._addresses = AddressIds(told.key_file)
        self.memory = ThreadMemory(threads, told.remembered_messages)

    def known(self, mail: Mail) -> MailThread | None:
        """Return the thread of a message that was told already."""
        return self.memory.with_message(self.message(mail))

    def thread_of(self, mail: Mail) -> MailThread | None:
        """Return the thread that a message belongs to; None if it begins one."""
        # A reply may be here before what it replies to.
        found = self.replied_to(mail) or self.memory.case(self._ids.of("case", mail.message))
        if found is None and mail.subject.is_reply and not mail.references:
            since = mail.at - timedelta(days=self._subject_days)
            found = self.memory.with_subject(self._subject(mail), since)
        return found

    def replied_to(self, mail: Mail) -> MailThread | None:
        """Return the thread of what a message replies to."""
        if not mail.references:
            return None
        outsiders = self.outsiders(mail)
        for message in reversed(self.replied(mail)):
            thread = self.memory.with_message(message)
            # What we wrote first may have gone to many, who know nothing of each other.
            if thread and (message != thread.begun_with or self.memory.has_any(thread, outsiders)):
                return thread
        # Messages that are too old are forgotten sooner than the case, which is called by the first.
        first = mail.references[0]
        named = map(self.memory.case, (self._ids.of("case", first), self._ids.of("case", first, mail.customer)))
        return next((each for each in named if each and self.memory.has_any(each, outsiders)), None)

    def begin(self, mail: Mail, state: Literal["begun", "open"]) -> MailThread:
        """Return a new thread, which is in no memory yet."""
        first = mail.references[0] if mail.references else mail.message
        case = self._ids.of("case", first)
        if self.memory.case(case) is not None:
            # Another customer has answered the same message, such as news to many.
            case = self._ids.of("case", first, mail.customer)
        return MailThread(case=case, state=state)

    def is_first(self, mail: Mail, thread: MailThread) -> bool:
        """Tell whether a case is called by this message."""
        return thread.case == self._ids.of("case", mail.message)

    def in_order(self, mail: Mail, thread: MailThread | None) -> Mail:
        """Return a message with a time behind that of what it replies to, whatever clocks say."""
        if thread is None or not mail.references:
            return mail
        before = self.memory.written_behind(thread, self.replied(mail))
        return replace(mail, at=instant_of(before + 1)) if before >= milliseconds_of(mail.at) else mail

    def is_sent_on(self, mail: Mail, thread: MailThread | None) -> bool:
        """Tell whether a message goes on to somebody who has no part in its thread: that answers nobody."""
        if not mail.subject.is_forward:
            return False
        return thread is None or not self.memory.has_any(thread, self.outsiders(mail))

    def remember(self, mail: Mail, thread: MailThread, *, is_forward: bool = False) -> None:
        """Put a message into its thread."""
        self.memory.add(thread, self.message(mail), mail.at, self._subject(mail))
        if mail.machine is None and not is_forward:
            self.memory.admit(thread, self.outsiders(mail))

    def replied(self, mail: Mail) -> list[str]:
        """Return the ids of the messages that a message replies to."""
        return [self._ids.of("message", each) for each in mail.references]

    def message(self, mail: Mail) -> str:
        """Return the id of a message."""
        return self._ids.of("message", mail.message)

    def _subject(self, mail: Mail) -> str:
        plain = mail.subject.plain
        # Two customers may ask the same.
        return self._ids.of("subject", mail.customer, plain) if plain and mail.customer else ""

    def outsiders(self, mail: Mail) -> list[str]:
        """Return the ids of those who take part and are none of us."""
        return [told for each in mail.outsiders if (told := self._addresses.of(each)) is not None]
