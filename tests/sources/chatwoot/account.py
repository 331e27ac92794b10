"""An account of Chatwoot that posts its conversations: as they were recorded, with other fields, and signed."""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from stream.sources.chatwoot.source import SOURCE, Options
from stream.sources.intake import Intake
from stream.sources.source import Received, Webhook

__all__ = [
    "ANA",
    "BEGIN",
    "CONVERSATIONS",
    "INBOXES",
    "RECORDED",
    "RUMOUR",
    "SECRET",
    "Talk",
    "recorded",
    "request",
    "webhook_in",
]

RECORDED: Final = Path(__file__).parent / "recorded"
SECRET: Final = "a-secret-of-the-tests"
BEGIN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday."""

SUPPORT, BILLING = 3, 4
INBOXES: Final = {"payload": [{"id": SUPPORT, "name": "Support"}, {"id": BILLING, "name": "Billing"}]}
ANA: Final = {"id": 5, "name": "Marked", "email": "marked@example.org", "type": "user"}
BOT: Final = {"id": 9, "name": "Marked", "type": "agent_bot"}


def recorded(name: str) -> dict[str, Any]:
    """Return a payload as it was recorded."""
    found: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_bytes())
    return found


def request(body: bytes, *, secret: str = SECRET, at: datetime = BEGIN) -> Received:
    """Return a request as Chatwoot signs it."""
    stamp = str(int(at.timestamp()))
    signature = hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()
    headers = {"x-chatwoot-timestamp": stamp, "x-chatwoot-signature": f"sha256={signature}"}
    return Received(body, headers, "https://gateway.example/v1/webhooks/chatwoot", at)


def webhook_in(folder: Path, intake: Intake | None = None, **options: Any) -> Webhook:
    """Return a webhook that knows what inboxes are called."""
    (folder / "secret").write_text(SECRET)
    (folder / "inboxes.json").write_text(json.dumps(INBOXES))
    told = Options(**{"secret_file": folder / "secret", "queues_file": folder / "inboxes.json", **options})
    assert SOURCE.webhook is not None
    return SOURCE.webhook(told, intake or Intake())


class Talk:
    """Tells what happens to one conversation: each call is a request. Times are minutes after BEGIN."""

    def __init__(self, number: int, channel: str = "WebWidget", *, customer: int | None = None) -> None:
        self._written = 0
        self._content: dict[str, Any] = {
            **recorded("message_created_incoming")["conversation"],
            "id": number,
            "inbox_id": SUPPORT,
            "channel": f"Channel::{channel}",
            "additional_attributes": {},
        }
        self._content["meta"] = {
            **self._content["meta"],
            "sender": {**self._content["meta"]["sender"], "id": customer or number * 10, "name": "Marked"},
        }

    def _told(self, kind: str, minutes: float, changes: dict[str, tuple[Any, Any]]) -> bytes:
        self._content["updated_at"] = _seconds(minutes)
        listed = [{name: {"previous_value": old, "current_value": new}} for name, (old, new) in changes.items()]
        return json.dumps({**self._content, "changed_attributes": listed, "event": kind}).encode()

    def opened(self, minutes: float, *, status: str = "open", messages: Any = (), **attributes: Any) -> bytes:
        self._content |= {"created_at": int(_seconds(minutes)), "status": status}
        self._content |= {"messages": list(messages), "additional_attributes": attributes}
        told = json.loads(self._told("conversation_created", minutes, {}))
        self._content["messages"] = []
        del told["changed_attributes"]
        return json.dumps(told).encode()

    def status(self, minutes: float, status: str) -> tuple[bytes, bytes]:
        """Return both requests that tell a status: the second says since when, the first is made a little later."""
        before, self._content["status"] = self._content["status"], status
        changes = {"status": (before, status), "updated_at": (None, _clock(minutes))}
        return (
            self._told("conversation_status_changed", minutes + 1 / 60, {"status": (before, status)}),
            self._told("conversation_updated", minutes + 1 / 60, changes),
        )

    def assigned(self, minutes: float, agent: dict[str, Any] | None) -> bytes:
        self._content["meta"] = {**self._content["meta"], "assignee": agent}
        return self._told("conversation_updated", minutes, {"assignee_id": (None, (agent or {}).get("id"))})

    def to_team(self, minutes: float, name: str) -> bytes:
        self._content["meta"] = {**self._content["meta"], "team": {"id": 2, "name": name}}
        return self._told("conversation_updated", minutes, {"team_id": (None, 2)})

    def prioritised(self, minutes: float, priority: str | None) -> bytes:
        self._content["priority"] = priority
        return self._told("conversation_updated", minutes, {"priority": (None, priority)})

    def wrote(self, minutes: float, kind: str | int, by: dict[str, Any] | None = None, **fields: Any) -> bytes:
        self._written += 1
        number = self._content["id"] * 100 + self._written
        told = recorded("message_created_incoming") | {"id": number, "content": "Marked text", "message_type": kind}
        told |= {"created_at": _clock(minutes), "sender": by, "conversation": self._content, **fields}
        return json.dumps(told).encode()

    def asked(self, minutes: float, **fields: Any) -> bytes:
        return self.wrote(minutes, "incoming", self._content["meta"]["sender"], **fields)

    def answered(self, minutes: float, by: dict[str, Any] | None = ANA, **fields: Any) -> bytes:
        return self.wrote(minutes, "outgoing", by, **fields)

    def rated(self, asked: float, minutes: float, rating: int) -> tuple[bytes, bytes]:
        """Return what is told when the customer is asked for a rating, and when there is one."""
        question = self.wrote(asked, "template", content_type="input_csat")
        answer = {"csat_survey_response": {"rating": rating, "feedback_message": "Marked text"}}
        changed: dict[str, Any] = json.loads(question)
        changed |= {"event": "message_updated", "content_attributes": {"submitted_values": answer}}
        changed["conversation"] |= {"updated_at": _seconds(minutes)}
        return question, json.dumps(changed).encode()


def _seconds(minutes: float) -> float:
    return BEGIN.timestamp() + minutes * 60


def _clock(minutes: float) -> str:
    return (BEGIN + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _asked_twice() -> Iterator[bytes]:
    talk = Talk(101)
    yield talk.opened(0, initiated_at={"timestamp": "Mon Mar 02 2026"})
    yield talk.asked(0)
    yield talk.wrote(0, "template")  # the greeting
    yield talk.answered(1, BOT)
    yield talk.assigned(10, ANA)
    yield talk.answered(20, private=True)
    yield talk.answered(30)
    yield talk.asked(60)
    yield talk.answered(75)
    yield from talk.status(80, "resolved")
    yield from talk.rated(80, 90, 5)
    yield talk.asked(120)
    yield from talk.status(120, "open")
    yield talk.answered(140, content_attributes={"automation_rule_id": 7})
    yield talk.answered(150)
    yield from talk.status(150, "resolved")


def _written_to() -> Iterator[bytes]:
    """Ana wrote first; the customer answered, and she once more, by the phone itself."""
    talk = Talk(102, "Whatsapp")
    yield talk.opened(5, messages=[{"message_type": 1, "sender": ANA}])
    yield talk.answered(5)
    yield talk.asked(25)
    yield talk.answered(35, None, content_attributes={"external_echo": True})
    yield from talk.status(35, "snoozed")


def _begun_by_nobody() -> Iterator[bytes]:
    """It was made a moment before its first message, and waits since that; the answer of a machine is none."""
    talk = Talk(103, "Email")
    yield talk.opened(40, status="pending")
    yield talk.asked(41)
    yield talk.prioritised(42, "urgent")
    yield from talk.status(43, "open")
    yield talk.asked(50, content_attributes={"email": {"auto_reply": True}})


CONVERSATIONS: Final = [*_asked_twice(), *_written_to(), *_begun_by_nobody()]
"""The bodies of all requests of a day."""

RUMOUR: Final = CONVERSATIONS[0].replace(b"conversation_created", b"conversation_rumoured")
"""Of a kind that nobody knows."""
