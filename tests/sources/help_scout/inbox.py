"""A Help Scout account that posts its conversations: as they were recorded, with other fields, and signed."""

import hmac
import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from stream.sources.help_scout.source import SOURCE, Options
from stream.sources.intake import Intake
from stream.sources.source import Received, Webhook

__all__ = [
    "BEGIN",
    "CONVERSATIONS",
    "RECORDED",
    "RUMOUR",
    "SECRET",
    "Conversation",
    "recorded",
    "request",
    "signed",
    "webhook_in",
]

RECORDED: Final = Path(__file__).parent / "recorded"
SECRET: Final = "a-secret-of-the-tests"
BEGIN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday."""

SUPPORT, BILLING = 76544, 76545
MAILBOXES: Final = {
    "_embedded": {"mailboxes": [{"id": SUPPORT, "name": "Support"}, {"id": BILLING, "name": "Billing"}]}
}
CUSTOMER, MIA = 1001, 2001


def recorded(name: str) -> dict[str, Any]:
    """Return a payload as it was recorded."""
    found: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_bytes())
    return found


def request(kind: str, body: bytes, *, secret: str = SECRET, at: datetime = BEGIN) -> Received:
    """Return a request as Help Scout signs it: what it is about is in a header."""
    signature = b64encode(hmac.digest(secret.encode(), body, "sha1")).decode()
    headers = {"x-helpscout-event": kind, "x-helpscout-signature": signature}
    return Received(body, headers, "https://gateway.example/v1/webhooks/help-scout", at)


def webhook_in(folder: Path, intake: Intake | None = None, **options: Any) -> Webhook:
    """Return a webhook that knows what inboxes are called."""
    (folder / "secret").write_text(SECRET)
    (folder / "mailboxes.json").write_text(json.dumps(MAILBOXES))
    told = Options(**{"secret_file": folder / "secret", "queues_file": folder / "mailboxes.json", **options})
    assert SOURCE.webhook is not None
    return SOURCE.webhook(told, intake or Intake())


Told = tuple[str, bytes]
"""The kind and the body of a request."""


class Conversation:
    """Tells what happens to one conversation: each call is a request. Times are minutes after BEGIN."""

    def __init__(self, number: int, kind: str = "email", *, customer: int = CUSTOMER, by_agent: bool = False) -> None:
        self.number = number
        self._threads: list[dict[str, Any]] = []
        self._content: dict[str, Any] = {
            **recorded("convo.agent.reply.created"),
            "id": number,
            "type": kind,
            "mailboxId": SUPPORT,
            "source": {"type": kind, "via": "user" if by_agent else "customer"},
            "createdBy": {"id": MIA, "type": "user"} if by_agent else {"id": customer, "type": "customer"},
            "primaryCustomer": {"id": customer, "email": "marked@example.com", "firstName": "Marked"},
            "assignee": None,
            "threads": [],
        }

    def _told(self, kind: str, minutes: float, *, history: bool = False, **changed: Any) -> Told:
        self._content |= {"modifiedAt": _clock(minutes), **changed}
        threads = self._threads if history else self._threads[-1:]
        return kind, json.dumps(self._content | {"threads": threads, "threadCount": len(self._threads)}).encode()

    def _wrote(self, minutes: float, kind: str, by: dict[str, Any], **fields: Any) -> None:
        thread = {
            **recorded("convo.agent.reply.created")["threads"][0],
            "id": self.number * 100 + len(self._threads),
            "type": kind,
            "author": {**by, "firstName": "Marked"},
            "text": "Marked text",
            "createdAt": _clock(minutes),
            **fields,
        }
        self._threads.append(thread)

    def _customer(self) -> dict[str, Any]:
        return {"id": self._content["primaryCustomer"]["id"], "type": "customer"}

    def created(self, minutes: float, **changed: Any) -> Told:
        by = self._content["createdBy"]
        self._wrote(minutes, "customer" if by["type"] == "customer" else "reply", by)
        return self._told("convo.created", minutes, createdAt=_clock(minutes), **changed)

    def asked(self, minutes: float, **changed: Any) -> Told:
        self._wrote(minutes, "customer", self._customer())
        return self._told("convo.customer.reply.created", minutes, history=True, **changed)

    def answered(self, minutes: float, by: str = "user", **changed: Any) -> Told:
        self._wrote(minutes, "reply", {"id": MIA, "type": by})
        return self._told("convo.agent.reply.created", minutes, **changed)

    def noted(self, minutes: float) -> Told:
        self._wrote(minutes, "note", {"id": MIA, "type": "user"})
        return self._told("convo.note.created", minutes)

    def status(self, minutes: float, status: str) -> Told:
        if status == "closed":
            self._content["closedAt"] = _clock(minutes)
        return self._told("convo.status", minutes, status=status)

    def assigned(self, minutes: float) -> Told:
        return self._told("convo.assigned", minutes, assignee={"id": MIA, "firstName": "Marked"})

    def moved(self, minutes: float, mailbox: int) -> Told:
        return self._told("convo.moved", minutes, mailboxId=mailbox)

    def took_over(self, minutes: float, gone: int) -> Told:
        action = {"type": "merged", "text": "Marked text", "associatedEntities": {"originalConversation": gone}}
        self._wrote(minutes, "lineitem", {"id": MIA, "type": "user"}, action=action)
        return self._told("convo.merged", minutes)

    def deleted(self) -> Told:
        return "convo.deleted", json.dumps({"id": self.number}).encode()

    def rated(self, minutes: float, rating: str) -> Told:
        content = recorded("satisfaction.ratings") | {"ticketId": self.number, "rating": rating}
        content |= {"modifiedAt": _clock(minutes), "mailbox": {"id": SUPPORT, "name": "Support"}}
        content |= {"customer": {"id": CUSTOMER, "firstName": "Marked"}, "comments": "Marked text"}
        return "satisfaction.ratings", json.dumps(content).encode()


def _clock(minutes: float) -> str:
    return (BEGIN + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _asked_twice() -> Iterator[Told]:
    talk = Conversation(101)
    yield talk.created(0)
    yield talk.assigned(10)
    yield talk.noted(20)
    yield talk.answered(30, status="pending")
    yield talk.asked(60, status="active")
    yield talk.answered(75)
    yield talk.status(75, "closed")
    yield talk.rated(100, "Great")
    yield talk.asked(120, status="active", closedAt=None)
    yield talk.answered(140)
    yield talk.status(140, "closed")
    yield talk.rated(200, "Not Good")


def _written_to() -> Iterator[Told]:
    """Mia wrote first; the customer answered, and she once more."""
    talk = Conversation(102, customer=1002, by_agent=True)
    yield talk.created(5, status="pending")
    yield talk.asked(25, status="active")
    yield talk.answered(35, status="pending")


def _merged() -> Iterator[Told]:
    """The customer of 101 had asked in a chat, too."""
    yield Conversation(103, "chat").created(2)
    yield Conversation(101).took_over(12, 103)


def _of_no_interest() -> Iterator[Told]:
    yield (spam := Conversation(104, customer=1004)).created(15)
    yield spam.status(16, "spam")
    yield (mistake := Conversation(105, customer=1005)).created(17)
    yield mistake.deleted()


def _handed_on() -> Iterator[Told]:
    talk = Conversation(106, customer=1006)
    yield talk.created(20)
    yield talk.answered(21, by="system_user")
    yield talk.moved(40, BILLING)


CONVERSATIONS: Final = [*_asked_twice(), *_written_to(), *_merged(), *_of_no_interest(), *_handed_on()]
"""Kinds and bodies of all requests of a day."""

RUMOUR: Final[Told] = ("convo.rumoured", Conversation(107).created(0)[1])
"""Of a kind that nobody knows."""

_KINDS: Final = {body: kind for kind, body in [*CONVERSATIONS, RUMOUR]}


def signed(body: bytes) -> Received:
    """Return the request that has this body, of the kind that it had on that day."""
    return request(_KINDS.get(body, "convo.created"), body)
