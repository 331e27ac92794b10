"""A Zendesk account that posts its events of tickets: as they were recorded, with other fields, and signed."""

import hmac
import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from stream.sources.intake import Intake
from stream.sources.source import Received, Webhook
from stream.sources.zendesk.source import SOURCE, Options

__all__ = [
    "BEGIN",
    "MIA",
    "RECORDED",
    "RUMOUR",
    "SECRET",
    "SUPPORT",
    "TICKETS",
    "Ticket",
    "recorded",
    "signed",
    "webhook_in",
]

RECORDED: Final = Path(__file__).parent / "recorded"
SECRET: Final = "a-secret-of-the-tests"
BEGIN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday."""

SUPPORT, BILLING = "8447320466430", "8447320466431"
GROUPS: Final = {"groups": [{"id": int(SUPPORT), "name": "Support"}, {"id": int(BILLING), "name": "Billing"}]}
CUSTOMER, MIA, TOM = "1001", "2001", "2002"


def recorded(name: str) -> dict[str, Any]:
    """Return a payload as it was recorded."""
    found: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_bytes())
    return found


def signed(body: bytes, *, secret: str = SECRET, at: datetime = BEGIN) -> Received:
    """Return a request as Zendesk signs it."""
    stamp = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = b64encode(hmac.digest(secret.encode(), stamp.encode() + body, "sha256")).decode()
    headers = {
        "content-type": "application/json",
        "x-zendesk-webhook-signature": signature,
        "x-zendesk-webhook-signature-timestamp": stamp,
    }
    return Received(body, headers, "https://gateway.example/v1/webhooks/zendesk", BEGIN)


def webhook_in(folder: Path, intake: Intake | None = None, **options: Any) -> Webhook:
    """Return a webhook that knows what groups are called."""
    (folder / "secret").write_text(SECRET)
    (folder / "groups.json").write_text(json.dumps(GROUPS))
    told = Options(**{"secret_file": folder / "secret", "queues_file": folder / "groups.json", **options})
    assert SOURCE.webhook is not None
    return SOURCE.webhook(told, intake or Intake())


class Ticket:
    """Tells what happens to one ticket: each call is the body of a request. Times are minutes after BEGIN."""

    def __init__(self, number: int, via: str, *, customer: str = CUSTOMER, **fields: Any) -> None:
        self.number = number
        self._told = 0
        self._detail = {
            **recorded("ticket.created")["detail"],
            "id": str(number),
            "requester_id": customer,
            "submitter_id": customer,
            "group_id": None,
            "assignee_id": None,
            "status": "NEW",
            "priority": None,
            "via": {"channel": via},
            **fields,
        }

    def _body(self, kind: str, minutes: float, event: dict[str, Any], **detail: Any) -> bytes:
        self._detail |= detail
        self._told += 1
        at = BEGIN + timedelta(minutes=minutes)
        return json.dumps(
            {
                **recorded("ticket.created"),
                "id": f"event-{self.number}-{self._told}",
                "type": f"zen:event-type:ticket.{kind}",
                "subject": f"zen:ticket:{self.number}",
                "time": at.strftime("%Y-%m-%dT%H:%M:%S.%f789Z"),
                "detail": self._detail,
                "event": event,
            }
        ).encode()

    def created(self, minutes: float, **detail: Any) -> bytes:
        return self._body("created", minutes, {}, **detail)

    def comment(self, minutes: float, author: str, *, public: bool = True, **detail: Any) -> bytes:
        wrote = {"id": author, "is_staff": author != CUSTOMER, "name": "Marked Name"}
        said = {"id": f"c{self.number}{self._told}", "is_public": public, "author": wrote, "body": "Marked text"}
        return self._body("comment_added", minutes, {"comment": said}, **detail)

    def group(self, minutes: float, group: str | None) -> bytes:
        before = self._detail["group_id"]
        return self._body("group_assignment_changed", minutes, {"current": group, "previous": before}, group_id=group)

    def agent(self, minutes: float, agent: str | None) -> bytes:
        event = {"current": agent, "previous": self._detail["assignee_id"]}
        return self._body("agent_assignment_changed", minutes, event, assignee_id=agent)

    def status(self, minutes: float, status: str) -> bytes:
        event = {"current": status, "previous": self._detail["status"]}
        return self._body("status_changed", minutes, event, status=status)

    def priority(self, minutes: float, priority: str | None) -> bytes:
        event = {"current": priority, "previous": self._detail["priority"]}
        return self._body("priority_changed", minutes, event, priority=priority)

    def merged(self, minutes: float, into: int) -> bytes:
        return self._body("merged", minutes, {"target_ticket_id": str(into)})

    def gone(self, minutes: float, kind: str) -> bytes:
        return self._body(kind, minutes, {}, status="DELETED")

    def rated(self, minutes: float, score: str) -> bytes:
        return self._body("csat_received", minutes, {"satisfaction_score": {"score": score, "comment": "Marked text"}})

    def message(self, minutes: float, who: str) -> bytes:
        told = json.loads(self._body("", minutes, {}))
        said = {"actor": {"id": "x", "name": "Marked Name", "type": who}, "message": {"id": f"m{self._told}"}}
        return json.dumps(
            told
            | {
                "type": "zen:event-type:messaging_ticket.message_added",
                "event": said,
                "detail": {"id": told["detail"]["id"]},
            }
        ).encode()


def _asked_twice() -> Iterator[bytes]:
    ticket = Ticket(101, "mail")
    yield ticket.created(0)
    yield ticket.comment(0.01, CUSTOMER)
    yield ticket.group(0.02, SUPPORT)
    yield ticket.agent(10, MIA)
    yield ticket.comment(20, MIA, public=False)
    yield ticket.comment(30, MIA)
    yield ticket.status(30, "PENDING")
    yield ticket.comment(60, CUSTOMER)
    yield ticket.status(60, "OPEN")
    yield ticket.comment(75.0001, MIA)  # with what follows one action
    yield ticket.status(75, "SOLVED")
    yield ticket.rated(100, "GOOD")
    yield ticket.comment(120, CUSTOMER)
    yield ticket.status(120, "OPEN")
    yield ticket.comment(140, MIA)
    yield ticket.status(140, "SOLVED")
    yield ticket.rated(200, "BAD")
    yield ticket.status(4 * 1440, "CLOSED")


def _called() -> Iterator[bytes]:
    """Somebody called, and Tom wrote down what was asked, and that it is solved."""
    ticket = Ticket(102, "voice", submitter_id=TOM, group_id=SUPPORT, assignee_id=TOM)
    yield ticket.created(5, status="SOLVED")
    yield ticket.comment(5, TOM)


def _told_twice() -> Iterator[bytes]:
    """The same customer asked on Facebook, too: merged, with a comment that the customer can read."""
    ticket = Ticket(103, "facebook_post", group_id=SUPPORT)
    yield ticket.created(2)
    yield ticket.comment(12, MIA, status="CLOSED")
    ticket._detail["status"] = "NEW"
    yield ticket.status(12, "CLOSED")
    yield ticket.merged(12.005, 101)


def _spam() -> Iterator[bytes]:
    ticket = Ticket(104, "whatsapp", group_id=SUPPORT, customer="1004")
    yield ticket.created(15)
    yield ticket.status(15.999, "DELETED")
    yield ticket.gone(16, "marked_as_spam")
    yield ticket.gone(16.01, "soft_deleted")


def _handed_on() -> Iterator[bytes]:
    ticket = Ticket(105, "mail", group_id=SUPPORT, priority="HIGH", customer="1005")
    yield ticket.created(20)
    yield ticket.group(40, BILLING)
    yield ticket.priority(41, "URGENT")
    yield ticket.status(42, "HOLD")


def _chatted() -> Iterator[bytes]:
    ticket = Ticket(106, "native_messaging", group_id=SUPPORT, customer="1006")
    yield ticket.created(50)
    yield ticket.message(50.1, "end_user")
    yield ticket.message(50.2, "system")
    yield ticket.message(53, "agent")


TICKETS: Final = [*_asked_twice(), *_called(), *_told_twice(), *_spam(), *_handed_on(), *_chatted()]
"""The bodies of all requests of a day."""

RUMOUR: Final = json.dumps(recorded("ticket.created") | {"type": "zen:event-type:ticket.rumoured"}).encode()
"""Of a kind that nobody knows."""
