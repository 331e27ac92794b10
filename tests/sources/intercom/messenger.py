"""An Intercom workspace that posts its notifications: as they were recorded, with other fields, and signed."""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from stream.sources.intake import Intake
from stream.sources.intercom.source import SOURCE, Options
from stream.sources.source import Received, Webhook

__all__ = [
    "BEGIN",
    "NOTIFICATIONS",
    "RECORDED",
    "RUMOUR",
    "SECRET",
    "TEAMS",
    "Talk",
    "recorded",
    "signed",
    "webhook_in",
]

RECORDED: Final = Path(__file__).parent / "recorded"
SECRET: Final = "a-secret-of-the-tests"
BEGIN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday."""

SUPPORT, BILLING = 814865, 814866
TEAMS: Final = {
    "type": "team.list",
    "teams": [{"type": "team", "id": str(SUPPORT), "name": "Support"}, {"id": str(BILLING), "name": "Billing"}],
}
MIA: Final = 99797

_LAG_SECONDS: Final = 20
"""So much later than what it tells a notification is made."""
_PARTS: Final = {
    "admin.assigned": "assignment",
    "admin.closed": "close",
    "admin.opened": "open",
    "admin.snoozed": "snoozed",
    "admin.unsnoozed": "unsnoozed",
    "priority.updated": "priority_changed",
}
"""The part that Intercom tells with a topic."""


def recorded(name: str) -> dict[str, Any]:
    """Return a payload as it was recorded."""
    found: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_bytes())
    return found


def signed(body: bytes, *, secret: str = SECRET) -> Received:
    """Return a request as Intercom signs it."""
    signature = "sha1=" + hmac.new(secret.encode(), body, "sha1").hexdigest()
    return Received(body, {"x-hub-signature": signature}, "https://gateway.example/v1/webhooks/intercom", BEGIN)


def webhook_in(folder: Path, intake: Intake | None = None, **options: Any) -> Webhook:
    """Return a webhook that knows what teams are called."""
    (folder / "secret").write_text(SECRET)
    (folder / "teams.json").write_text(json.dumps(TEAMS))
    told = Options(**{"secret_file": folder / "secret", "queues_file": folder / "teams.json", **options})
    assert SOURCE.webhook is not None
    return SOURCE.webhook(told, intake or Intake())


def _seconds(minutes: float) -> int:
    return round((BEGIN + timedelta(minutes=minutes)).timestamp())


class Talk:
    """Tells what happens in one conversation: each call is the body of a request. Times are minutes after BEGIN."""

    def __init__(self, number: int, kind: str = "conversation", *, by: str = "user", team: int | None = None) -> None:
        self.number = number
        self._told = 0
        author = {"type": by, "id": str(MIA) if by == "admin" else f"contact-{number}", "name": "Marked Name"}
        self._item: dict[str, Any] = {
            **recorded("conversation.user.created")["data"]["item"],
            "id": str(number),
            "team_assignee_id": team,
            "source": {
                "type": kind,
                "id": f"source-{number}",
                "delivered_as": "customer_initiated" if by == "user" else "admin_initiated",
                "body": "Marked text",
                "author": author,
            },
            "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": f"contact-{number}"}]},
        }

    def told(self, topic: str, minutes: float, *parts: dict[str, Any], **changed: Any) -> bytes:
        self._told += 1
        if not parts and topic in _PARTS:
            parts = (self.part(minutes, "admin", _PARTS[topic]),)
        self._item |= {"updated_at": _seconds(minutes), **changed}
        listed = {"type": "conversation_part.list", "conversation_parts": list(parts), "total_count": len(parts)}
        content = {
            **recorded("conversation.user.created"),
            "topic": f"conversation.{topic}",
            "id": f"notif-{self.number}-{self._told}",
            "created_at": _seconds(minutes) + _LAG_SECONDS,
            "data": {"type": "notification_event_data", "item": self._item | {"conversation_parts": listed}},
        }
        return json.dumps(content).encode()

    def part(self, minutes: float, by: str, kind: str = "comment") -> dict[str, Any]:
        author = {"type": by, "id": str(MIA) if by == "admin" else f"contact-{self.number}", "name": "Marked Name"}
        return {
            "type": "conversation_part",
            "id": f"part-{self.number}-{self._told}",
            "part_type": kind,
            "body": "Marked text",
            "created_at": _seconds(minutes),
            "author": author,
        }

    def created(self, minutes: float, **changed: Any) -> bytes:
        by_user = self._item["source"]["author"]["type"] == "user"
        topic = "user.created" if by_user else "admin.single.created"
        return self.told(topic, minutes, created_at=_seconds(minutes), **changed)

    def asked(self, minutes: float, **changed: Any) -> bytes:
        return self.told("user.replied", minutes, self.part(minutes, "user"), **changed)

    def answered(self, minutes: float) -> bytes:
        return self.told("admin.replied", minutes, self.part(minutes, "admin"))

    def by_bot(self, minutes: float) -> bytes:
        return self.told("operator.replied", minutes, self.part(minutes, "bot"))

    def noted(self, minutes: float) -> bytes:
        return self.told("admin.noted", minutes, self.part(minutes, "admin", "note"))

    def assigned(self, minutes: float, team: int | None, agent: int | None = None) -> bytes:
        return self.told("admin.assigned", minutes, team_assignee_id=team, admin_assignee_id=agent)

    def closed(self, minutes: float) -> bytes:
        return self.told("admin.closed", minutes, state="closed", open=False)

    def rated(self, minutes: float, rating: int) -> bytes:
        told = recorded("conversation.rating.added")["data"]["item"]["conversation_rating"]
        told |= {"rating": rating, "remark": "Marked text", "created_at": _seconds(0), "updated_at": _seconds(minutes)}
        return self.told("rating.added", minutes, conversation_rating=told)

    def deleted(self, minutes: float) -> bytes:
        content = json.loads(self.told("deleted", minutes))
        content["data"]["item"] = {"type": "conversation", "conversation_id": str(self.number)}
        return json.dumps(content).encode()


def _asked_twice() -> Iterator[bytes]:
    talk = Talk(101)
    yield talk.created(0)
    yield talk.by_bot(0.5)
    yield talk.assigned(1, SUPPORT)
    yield talk.assigned(10, SUPPORT, MIA)
    yield talk.noted(20)
    yield talk.answered(30)
    yield talk.told("admin.snoozed", 31, state="snoozed")
    yield talk.asked(60, state="open")
    yield talk.answered(75)
    yield talk.closed(75)
    yield talk.rated(100, 4)
    yield talk.asked(120, state="open")
    yield talk.answered(140)
    yield talk.closed(140)
    yield talk.rated(200, 2)


def _written_to() -> Iterator[bytes]:
    """Mia wrote first, which Intercom holds for closed; the customer answered, and she once more."""
    talk = Talk(102, "email", by="admin", team=SUPPORT)
    yield talk.created(5, state="closed", open=False)
    yield talk.asked(25, state="open", open=True)
    yield talk.answered(35)
    yield talk.told("priority.updated", 36, priority="priority")


def _deleted() -> Iterator[bytes]:
    talk = Talk(103, "whatsapp", team=SUPPORT)
    yield talk.created(15)
    yield talk.deleted(17)


def _handed_on() -> Iterator[bytes]:
    talk = Talk(104, "twitter", team=SUPPORT)
    yield talk.created(20)
    yield talk.assigned(40, BILLING)


def _opened_again() -> Iterator[bytes]:
    """Closed by mistake, and opened by Mia: the customer waits on, from then."""
    talk = Talk(105, "facebook", team=SUPPORT)
    yield talk.created(50)
    yield talk.closed(52)
    yield talk.told("admin.opened", 53, state="open")
    yield talk.answered(58)
    yield talk.told("admin.unsnoozed", 59)


_PING: Final = json.dumps(recorded("ping")).encode()

NOTIFICATIONS: Final = [*_asked_twice(), *_written_to(), *_deleted(), *_handed_on(), *_opened_again(), _PING]
"""The bodies of all requests of a day."""

RUMOUR: Final = Talk(106).told("rumoured", 60)
"""Of a topic that nobody knows."""
