"""One message by its headers: who wrote it to whom, whether a person did, when, and to what it replies."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from stream.sources.imap_mailbox.header_fields import HeaderFields, SubjectLine

__all__ = ["Machine", "Mail", "TeamAddresses", "mail_of"]

Machine = Literal["bounce", "auto-replied", "auto-generated", "bulk"]
"""What wrote a message that no person wrote."""

LONGEST_DELIVERY: Final = timedelta(days=1)
"""Mail is seldom on its way for longer; clocks are often wrong by more, and whoever writes may say what he likes."""

_GENERATED: Final = frozenset({"auto-generated", "auto-notified"})
_BULK: Final = frozenset({"bulk", "list", "junk"})
_DAEMONS: Final = frozenset({"mailer-daemon", "postmaster"})


class TeamAddresses:
    """Addresses and whole domains that are ours."""

    def __init__(self, team: Iterable[str]) -> None:
        told = [each.strip().casefold().removeprefix("@") for each in team]
        self._addresses = frozenset(each for each in told if "@" in each)
        self._domains = frozenset(each for each in told if "@" not in each)

    def has(self, address: str) -> bool:
        """Tell whether an address is one of ours."""
        return address in self._addresses or address.rpartition("@")[2] in self._domains

    def has_list(self, list_id: str) -> bool:
        """Tell whether a list is a group of ours, as Google Groups names one: its address with a dot for the @."""
        name = list_id.rpartition("<")[2].rstrip("> ").casefold()
        if name in {address.replace("@", ".") for address in self._addresses}:
            return True
        return any(name.endswith("." + domain) for domain in self._domains)


class Mail(Struct, frozen=True, kw_only=True):
    """A message; all of it stays in the memory of this process for as long as it is mapped."""

    message: str
    """What identifies it: its Message-ID, or all of its header if it has none."""
    references: tuple[str, ...]
    """Ids of messages before it, the oldest first, those that it answers last."""
    at: datetime
    """When it was written, as far as that can be believed."""
    author: str
    """The address of whoever wrote it; may be empty."""
    is_ours: bool
    sender: str
    """The address of the one of us who sent it in the name of *author*; else empty."""
    customer: str
    """The address of the other side; empty if there is none, as within the house."""
    outsiders: tuple[str, ...]
    """All addresses of the other side that everybody sees: who wrote, who got it, and who wants the answer. Who got a
    blind copy knows of no other."""
    subject: SubjectLine
    machine: Machine | None
    unknown_machine: bool
    """It says that a machine wrote it, in a word that no standard has."""


def mail_of(
    fields: HeaderFields, header: bytes, received: datetime, team: TeamAddresses, *, is_sent: bool = False
) -> Mail:
    """Return what the headers say of a message that our server got at an instant; *is_sent*: from one of our people."""
    author = fields.author() if is_sent else _author(fields, team)
    recipients = _outside(fields.addresses("to", "cc", "bcc"), team)
    # Whoever's address stands there: what lies in our sent folder, and went out, we have sent.
    is_ours = team.has(author) or (is_sent and bool(recipients))
    machine = _machine(fields, author, team)
    outsiders = _outside(fields.addresses("to", "cc"), team)
    if not is_ours:
        outsiders = _outside((author, *fields.addresses("from", "reply-to"), *outsiders), team)
    customers = recipients if is_ours else (author,)
    ids = fields.message_ids("message-id")
    return Mail(
        message=ids[0] if ids else f"{received.isoformat()}\0{header.decode('latin-1')}",
        references=tuple(dict.fromkeys(fields.message_ids("references") + fields.message_ids("in-reply-to"))),
        at=_instant(fields.date(), received),
        author=author,
        is_ours=is_ours,
        sender=next((each for each in fields.addresses("sender") if team.has(each)), "") if is_ours else "",
        customer=next(iter(customers), ""),
        outsiders=outsiders,
        subject=fields.subject(),
        machine=machine,
        unknown_machine=_auto_submitted(fields) not in {"", "no", "auto-replied", *_GENERATED},
    )


def _outside(addresses: Iterable[str], team: TeamAddresses) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in addresses if each and not team.has(each)))


def _author(fields: HeaderFields, team: TeamAddresses) -> str:
    """Return who wrote; forms on the web and groups send in our name what a customer wrote."""
    author = fields.author()
    if not team.has(author):
        return author
    # Only where our own servers set them: whoever writes from outside could name anybody.
    original = fields.addresses("x-original-from", "x-original-sender", "reply-to")
    return next((each for each in original if not team.has(each)), author)


def _machine(fields: HeaderFields, author: str, team: TeamAddresses) -> Machine | None:
    if _is_bounce(fields, author):
        return "bounce"
    submitted = _auto_submitted(fields)
    if submitted == "auto-replied" or fields.has("x-autoreply") or fields.has("x-autorespond"):
        return "auto-replied"
    is_list = fields.has("list-id") or fields.first("precedence").casefold() in _BULK
    # A group that is the way to us marks whatever a customer writes to it as mail of a list.
    if is_list and not (fields.has("list-id") and team.has_list(fields.first("list-id"))):
        return "bulk"
    if submitted not in {"", "no"} or fields.has("x-auto-response-suppress"):
        return "auto-generated"
    return None


def _auto_submitted(fields: HeaderFields) -> str:
    # A comment may follow (RFC 3834, section 5), such as what the answer is good for.
    return re.split(r"[;(]", fields.first("auto-submitted"), maxsplit=1)[0].strip().casefold()


def _is_bounce(fields: HeaderFields, author: str) -> bool:
    return (
        fields.first("return-path").replace(" ", "") == "<>"
        or fields.first("content-type").casefold().startswith("multipart/report")
        or fields.has("x-failed-recipients")
        or author.partition("@")[0] in _DAEMONS
    )


def _instant(written: datetime | None, received: datetime) -> datetime:
    # A clock that is ahead would put a question behind its answer.
    if written is None or written > received or written < received - LONGEST_DELIVERY:
        return received
    return written
