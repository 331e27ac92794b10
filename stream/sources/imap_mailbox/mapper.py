"""Messages become events: a thread is a case, whose events have ids made of the messages, so that each counts once."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from stream.core.cloudevents import Event
from stream.sdk.cases import CaseEvents
from stream.sdk.factory import EventFactory
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
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location

__all__ = ["FolderRole", "MailMapper", "Spot"]

logger = logging.getLogger(__name__)

FolderRole = Literal["inbox", "sent", "done", "junk"]


class Spot(Struct, frozen=True):
    """Where a message was found."""

    folder: str
    role: FolderRole
    uid: int


class MailMapper:
    """
    Maps the messages of one mailbox, in the order of their times as far as that is known.

    *threads* is what it remembered when it ended. It reads no clock: whoever asks tells the time.
    """

    def __init__(self, told: MailboxSettings, threads: list[MailThread], intake: Intake) -> None:
        self._told = told
        self._intake = intake
        self._ids = MessageIds(told.key_file, told.source)
        self._addresses = AddressIds(told.key_file)
        self._shared = {each.casefold() for each in (*told.shared, told.user)}
        self.memory = ThreadMemory(threads, told.remembered_messages)

    def lacks(self, mail: Mail) -> bool:
        """Tell whether a message replies to others of which none is known, and is itself none that is."""
        return bool(mail.references) and self._known(mail) is None and self._replied_to(mail) is None

    def tell(self, mail: Mail, spot: Spot, found_at: datetime) -> list[Event]:
        """Return what a message tells, which was found at an instant."""
        thread, events = self._known(mail), list[Event]()
        if thread is not None:
            self._intake.ignore("known already")
        elif spot.role == "junk" or not mail.author:
            self._of_no_use(mail, spot)
        else:
            thread = self._thread_of(mail)
            events = self._told_first(mail, thread, spot)
            thread = self._known(mail)
        if thread is not None:
            events += self._found(thread, self._message(mail), spot, found_at)
        self._make_room()
        return events

    def resolve(self, thread: MailThread, at: datetime, *, agent: str | None = None) -> list[Event]:
        """Return that a case is solved; nothing if it is no open one."""
        if thread.state != "open":
            return []
        thread.state = "resolved"
        # A case that was opened again by another message is another one to solve.
        events = self._events(f"{thread.case}/{thread.asked}/resolved")
        return [events.resolved(thread.case, queue=self._told.queue, channel="email", at=at, agent=agent)]

    def done(self) -> list[Event]:
        """Return that those cases are solved which lie where all is done."""
        found = [thread for thread in self.memory if thread.done_at and thread.state == "open"]
        return [
            event for thread in found for event in self.resolve(thread, instant_of(max(thread.done_at, thread.newest)))
        ]

    def renumbered(self, folder: str) -> None:
        """Take note that the messages of a folder have other numbers now, which are to be told again."""
        for thread in self.memory:
            if thread.folder == folder:
                thread.uid = 0

    def open_in(self, folder: str) -> list[MailThread]:
        """Return the open cases whose newest question lies in a folder, or lay there."""
        return [thread for thread in self.memory if thread.state == "open" and thread.folder == folder]

    def open_since(self) -> datetime | None:
        """Return when somebody last wrote in the case that is open and silent for longest."""
        times = [thread.newest for thread in self.memory if thread.state == "open"]
        return instant_of(min(times)) if times else None

    # A message that was not known before.

    def _of_no_use(self, mail: Mail, spot: Spot) -> None:
        if mail.author:
            self._intake.ignore("junk")
        else:
            self._intake.refuse(BadLine(_place_of(spot), "no_author", "a message without the address of its author"))

    def _told_first(self, mail: Mail, thread: MailThread | None, spot: Spot) -> list[Event]:
        if mail.machine is not None:
            return self._by_machine(mail, thread, spot)
        if not mail.customer and thread is None:
            self._intake.ignore("within the house")
            return []
        if thread is not None and thread.state == "deleted":
            self._remember(mail, thread)
            self._intake.ignore("of a case that was deleted")
            return []
        events = self._from_us(mail, thread) if mail.is_ours else self._from_customer(mail, thread)
        if events:
            self._intake.used["answer" if mail.is_ours else "question"] += 1
        return events

    def _by_machine(self, mail: Mail, thread: MailThread | None, spot: Spot) -> list[Event]:
        machine = mail.machine or ""
        if thread is not None and thread.state in {"open", "resolved"}:
            self._remember(mail, thread)
            self._intake.used[machine] += 1
            return [self._automatic(mail, thread)]
        is_request = machine == "auto-generated" and not mail.references and not mail.is_ours
        if is_request and thread is None and self._told.machines_open_cases:
            self._intake.used[machine] += 1
            return self._from_customer(mail, None)
        if mail.unknown_machine:
            bad = BadLine(_place_of(spot), "unknown_machine", "Auto-Submitted has a word that is not known")
            self._intake.wonder("Auto-Submitted", bad)
        else:
            self._intake.ignore(machine)
        return []

    def _automatic(self, mail: Mail, thread: MailThread) -> Event:
        message = self._message(mail)
        events = self._events(f"{message}/message")
        if mail.is_ours:
            return events.message_sent(thread.case, message=message, automatic=True, at=mail.at)
        return events.message_received(thread.case, message=message, automatic=True, at=mail.at)

    def _from_us(self, mail: Mail, thread: MailThread | None) -> list[Event]:
        message, agent = self._message(mail), self._agent(mail)
        if thread is None:
            # Whatever we send unasked, such as invoices, is no case unless somebody answers.
            thread = self._begin(mail, "begun")
            thread.begun_at, thread.begun_with, thread.agent = milliseconds_of(mail.at), message, agent
            is_answer = bool(mail.references)  # to something that was forgotten here, and may be known where it counts
        else:
            is_answer = thread.state != "begun"
        self._remember(mail, thread)
        if not is_answer:
            self._intake.ignore("written first")
            return []
        public = bool(mail.customer)
        sent = self._events(f"{message}/message")
        events: list[Event] = [sent.message_sent(thread.case, message=message, agent=agent, public=public, at=mail.at)]
        if public and self._told.resolved_by == "answer":
            events += self.resolve(thread, instant_of(max(milliseconds_of(mail.at), thread.newest)), agent=agent)
        return events

    def _from_customer(self, mail: Mail, thread: MailThread | None) -> list[Event]:
        message, customer = self._message(mail), self._addresses.of(mail.customer)
        events: list[Event] = []
        if thread is None:
            thread = self._begin(mail, "open")
            opening = self._events(f"{message}/opened")
            events.append(opening.opened(thread.case, self._told.queue, customer=customer, at=mail.at))
            if mail.references:
                # What was forgotten here may be known, and solved, where it is counted.
                events.append(self._events(f"{message}/reopened").reopened(thread.case, at=mail.at))
        elif thread.state == "begun":
            events += self._opened_by_us(thread, customer)
        elif thread.state == "resolved":
            events.append(self._events(f"{message}/reopened").reopened(thread.case, at=mail.at))
        thread.state, thread.done_at = "open", 0
        if milliseconds_of(mail.at) >= thread.newest or not thread.asked:
            thread.asked = message[:16]
            thread.folder, thread.uid = "", 0
        self._remember(mail, thread)
        received = self._events(f"{message}/message")
        return [*events, received.message_received(thread.case, message=message, customer=customer, at=mail.at)]

    def _opened_by_us(self, thread: MailThread, customer: str | None) -> Iterator[Event]:
        at, message = instant_of(thread.begun_at), thread.begun_with
        opening = self._events(f"{message}/opened")
        yield opening.opened(
            thread.case, self._told.queue, opened_by="agent", agent=thread.agent, customer=customer, at=at
        )
        sent = self._events(f"{message}/message")
        yield sent.message_sent(thread.case, message=message, agent=thread.agent, at=at)

    # Where a message lies.

    def _found(self, thread: MailThread, message: str, spot: Spot, found_at: datetime) -> list[Event]:
        if spot.role == "junk" and thread.state in {"open", "resolved"}:
            thread.state = "deleted"
            return [self._events(f"{thread.case}/spam").deleted(thread.case, "spam", at=found_at)]
        if self.memory.is_newest_question(thread, message):
            if spot.role == "inbox":
                thread.folder, thread.uid = spot.folder, spot.uid
            elif spot.role == "done":
                thread.done_at = milliseconds_of(found_at)
        return []

    # Which thread a message belongs to.

    def _known(self, mail: Mail) -> MailThread | None:
        return self.memory.with_message(self._message(mail))

    def _thread_of(self, mail: Mail) -> MailThread | None:
        found = self._replied_to(mail)
        if found is None and mail.subject.is_reply and not mail.references:
            since = mail.at - timedelta(days=self._told.subject_days)
            found = self.memory.with_subject(self._subject(mail), since)
        return found

    def _replied_to(self, mail: Mail) -> MailThread | None:
        for each in reversed(mail.references):
            if (thread := self.memory.with_message(self._ids.of("message", each))) is not None:
                return thread
        # Messages that are too old are forgotten sooner than the case, which is called by the first.
        return self.memory.case(self._ids.of("case", mail.references[0])) if mail.references else None

    def _begin(self, mail: Mail, state: Literal["begun", "open"]) -> MailThread:
        first = mail.references[0] if mail.references else mail.message
        return MailThread(case=self._ids.of("case", first), state=state)

    def _remember(self, mail: Mail, thread: MailThread) -> None:
        self.memory.add(thread, self._message(mail), mail.at, self._subject(mail))

    def _make_room(self) -> None:
        open_ones = self.memory.forget()
        if open_ones:
            logger.warning(
                "%s: %d open threads are forgotten, which nothing will resolve: raise remembered_messages",
                self._told.source,
                open_ones,
            )

    # Ids.

    def _message(self, mail: Mail) -> str:
        return self._ids.of("message", mail.message)

    def _subject(self, mail: Mail) -> str:
        plain = mail.subject.plain
        # Two customers may ask the same.
        return self._ids.of("subject", mail.customer, plain) if plain and mail.customer else ""

    def _agent(self, mail: Mail) -> str | None:
        address = mail.sender or mail.author
        return None if address in self._shared else self._addresses.of(address)

    def _events(self, event_id: str) -> CaseEvents:
        return CaseEvents(EventFactory(self._told.source, tenant=self._told.tenant, new_id=lambda: event_id))


def _place_of(spot: Spot) -> Location:
    return Location(spot.folder, spot.uid, spot.uid)
