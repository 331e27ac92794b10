"""Messages become events: a thread is a case, whose events have ids made of the messages, so that each counts once."""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from msgspec import Struct

from stream.core.cloudevents import Event
from stream.sdk.cases import CaseEvents
from stream.sdk.factory import EventFactory
from stream.sources.address_ids import AddressIds
from stream.sources.imap_mailbox.mail import Mail
from stream.sources.imap_mailbox.mail_threads import MailThreads
from stream.sources.imap_mailbox.mailbox_file import MailboxSettings
from stream.sources.imap_mailbox.thread_memory import (
    MailThread,
    instant_of,
    milliseconds_of,
    shortened,
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
        self._addresses = AddressIds(told.key_file)
        self._shared = {each.casefold() for each in (*told.shared, told.user)}
        self._threads = MailThreads(told, threads)
        self.memory = self._threads.memory

    def lacks(self, mail: Mail) -> bool:
        """Tell whether a message replies to others of which none is known, and is itself none that is."""
        return bool(mail.references) and self._threads.known(mail) is None and self._threads.replied_to(mail) is None

    def tell(self, mail: Mail, spot: Spot, found_at: datetime) -> list[Event]:
        """Return what a message tells, which was found at an instant."""
        thread, events = self._threads.known(mail), list[Event]()
        if thread is not None:
            self._intake.ignore("known already")
        elif spot.role == "junk" or not mail.author:
            self._of_no_use(mail, spot)
        else:
            thread = self._threads.thread_of(mail)
            events = self._told_first(self._threads.in_order(mail, thread), thread, spot)
            thread = self._threads.known(mail)
        if thread is not None:
            events += self._found(thread, self._threads.message(mail), spot, found_at)
        self._make_room()
        return events

    def resolve(self, thread: MailThread, at: datetime) -> list[Event]:
        """Return that a case is solved; nothing if it is no open one."""
        if thread.state != "open":
            return []
        thread.state, thread.resolved_at = "resolved", milliseconds_of(at)
        # A case that was opened again by another message is another one to solve.
        return [self._resolved(f"{thread.case}/{thread.asked}/resolved", thread, at, None)]

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
        """Return when the oldest question was written that is the newest of an open case."""
        times = [thread.asked_at or thread.newest for thread in self.memory if thread.state == "open"]
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
            self._threads.remember(mail, thread)
            self._intake.ignore("of a case that was deleted")
            return []
        events = self._from_us(mail, thread) if mail.is_ours else self._from_customer(mail, thread)
        if events:
            self._intake.used["answer" if mail.is_ours else "question"] += 1
        return events

    def _by_machine(self, mail: Mail, thread: MailThread | None, spot: Spot) -> list[Event]:
        machine = mail.machine or ""
        if thread is not None and thread.state in {"open", "resolved"}:
            self._threads.remember(mail, thread)
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
        message = self._threads.message(mail)
        events = self._events(f"{message}/message")
        if mail.is_ours:
            return events.message_sent(thread.case, message=message, automatic=True, at=mail.at)
        return events.message_received(thread.case, message=message, automatic=True, at=mail.at)

    def _from_us(self, mail: Mail, thread: MailThread | None) -> list[Event]:
        message, agent = self._threads.message(mail), self._agent(mail)
        is_forward = self._threads.is_sent_on(mail, thread)
        is_first = thread is None or self._threads.is_first(mail, thread)
        # Whatever we send unasked, such as invoices, is no case unless somebody answers. What replies to something that
        # is forgotten here may be an answer where it counts.
        is_answer = not is_first or (bool(mail.references) and not is_forward)
        thread = thread or self._threads.begin(mail, "begun")
        if is_first:
            thread.begun_at, thread.begun_with, thread.agent = milliseconds_of(mail.at), message, agent
        self._threads.remember(mail, thread, is_forward=is_forward)
        if is_first and thread.state != "begun":
            return [*self._opened_by_us(thread, self._addresses.of(mail.customer))]
        if not is_answer:
            self._intake.ignore("written first")
            return []
        return self._answer(mail, thread, agent, public=bool(mail.customer) and not is_forward)

    def _answer(self, mail: Mail, thread: MailThread, agent: str | None, *, public: bool) -> list[Event]:
        message = self._threads.message(mail)
        sent = self._events(f"{message}/message")
        events: list[Event] = [sent.message_sent(thread.case, message=message, agent=agent, public=public, at=mail.at)]
        if public and milliseconds_of(mail.at) >= thread.answered_at:
            thread.answered, thread.answered_at = shortened(message), milliseconds_of(mail.at)
        if public and self._told.resolved_by == "answer":
            events.append(self._resolved(f"{message}/resolved", thread, mail.at, agent))
            self._stand_by_answers(thread)
        return events

    def _stand_by_answers(self, thread: MailThread) -> None:
        """Have a thread be solved if its newest question is answered, in whatever order they have come."""
        if thread.state != "begun":
            thread.state = "open" if thread.asked_at > thread.answered_at else "resolved"

    def _from_customer(self, mail: Mail, thread: MailThread | None) -> list[Event]:
        message, customer = self._threads.message(mail), self._addresses.of(mail.customer)
        events: list[Event] = []
        if thread is None or self._threads.is_first(mail, thread):
            thread = thread or self._threads.begin(mail, "begun")
            opening = self._events(f"{message}/opened")
            events.append(opening.opened(thread.case, self._told.queue, customer=customer, at=mail.at))
            # What was forgotten here may be known, and solved, where it is counted.
            opens_again_at = mail.at if mail.references else None
        else:
            opens_again_at = self._opens_again_at(mail, thread)
            if thread.state == "begun":
                events += self._opened_by_us(thread, customer)
        if opens_again_at is not None:
            events.append(self._events(f"{message}/reopened").reopened(thread.case, at=opens_again_at))
        if thread.state == "begun" or opens_again_at is not None:
            thread.state = "open"
        self._ask(thread, message, mail)
        received = self._events(f"{message}/message")
        return [*events, received.message_received(thread.case, message=message, customer=customer, at=mail.at)]

    def _opens_again_at(self, mail: Mail, thread: MailThread) -> datetime | None:
        """Return when a further question opens a case again, or would if it were solved; None if it does not."""
        if self._told.resolved_by == "answer":
            # Also where no answer is known: the sent folder may come later. Before a reply to our first there is none.
            is_first_reply = thread.state == "begun" and {*self._threads.replied(mail)} == {thread.begun_with}
            return None if is_first_reply else mail.at
        if thread.state != "resolved" or milliseconds_of(mail.at) < thread.asked_at:
            return None
        # What is found behind the solution was not solved by it, whenever it was written.
        return max(mail.at, instant_of(thread.resolved_at + 1))

    def _ask(self, thread: MailThread, message: str, mail: Mail) -> None:
        if milliseconds_of(mail.at) >= thread.asked_at:
            thread.asked, thread.asked_at = shortened(message), milliseconds_of(mail.at)
            thread.folder, thread.uid, thread.done_at = "", 0, 0
        if self._told.resolved_by == "answer":
            self._stand_by_answers(thread)
        self._threads.remember(mail, thread)

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

    def _make_room(self) -> None:
        open_ones = self.memory.forget()
        if open_ones:
            logger.warning(
                "%s: %d open threads are forgotten, which nothing will resolve: raise remembered_messages",
                self._told.source,
                open_ones,
            )

    def _agent(self, mail: Mail) -> str | None:
        address = mail.sender or mail.author
        return None if address in self._shared else self._addresses.of(address)

    def _resolved(self, event_id: str, thread: MailThread, at: datetime, agent: str | None) -> Event:
        queue = self._told.queue
        return self._events(event_id).resolved(thread.case, queue=queue, channel="email", at=at, agent=agent)

    def _events(self, event_id: str) -> CaseEvents:
        return CaseEvents(EventFactory(self._told.source, tenant=self._told.tenant, new_id=lambda: event_id))


def _place_of(spot: Spot) -> Location:
    return Location(spot.folder, spot.uid, spot.uid)
