"""A Zammad whose triggers post its tickets: as they were recorded, with other fields, and signed."""

import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from stream.sources.intake import Intake
from stream.sources.source import Received, Webhook
from stream.sources.zammad.source import SOURCE, Options

__all__ = ["BEGIN", "RUMOUR", "SECRET", "TICKETS", "Ticket", "recorded", "request", "webhook_in"]

SECRET: Final = "a-secret-of-the-tests"
BEGIN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday."""

EMMA: Final = 5


def recorded() -> dict[str, Any]:
    """Return the payload that was recorded."""
    found: dict[str, Any] = json.loads((Path(__file__).parent / "recorded/default_0.json").read_bytes())
    return found


def request(body: bytes, *, secret: str = SECRET) -> Received:
    """Return a request as Zammad signs it."""
    signature = hmac.digest(secret.encode(), body, "sha1").hex()
    headers = {"x-hub-signature": f"sha1={signature}", "x-zammad-trigger": "contact-stream"}
    return Received(body, headers, "https://gateway.example/v1/webhooks/zammad", BEGIN)


def webhook_in(folder: Path, intake: Intake | None = None, **options: Any) -> Webhook:
    (folder / "secret").write_text(SECRET)
    assert SOURCE.webhook is not None
    return SOURCE.webhook(Options(**{"secret_file": folder / "secret", **options}), intake or Intake())


class Ticket:
    """Tells what happens to one ticket: each call is a request. Times are minutes after BEGIN."""

    def __init__(self, number: int, minutes: float, kind: str = "email", *, sender: str = "Customer") -> None:
        self._articles: list[int] = []
        self._content: dict[str, Any] = {
            **recorded()["ticket"],
            "id": number,
            "title": "Marked title",
            "created_at": _clock(minutes),
            "create_article_type": kind,
            "create_article_sender": sender,
            "customer_id": number * 10,
            "owner_id": 1,
            "state": "new" if sender == "Customer" else "open",
        }

    def changed(self, minutes: float, *, group: str | None = None, priority: str | None = None, **to: Any) -> bytes:
        """Return the request after a change that brought no article."""
        self._content |= {"updated_at": _clock(minutes, 15), **to}
        if group is not None:
            self._content["group"] = {**self._content["group"], "name": group}
        if priority is not None:
            self._content["priority"] = {**self._content["priority"], "name": priority}
        self._content |= {"article_count": len(self._articles), "article_ids": self._articles}
        return json.dumps({"ticket": self._content, "article": {}}).encode()

    def wrote(
        self,
        minutes: float,
        sender: str,
        kind: str = "email",
        *,
        internal: bool = False,
        preferences: Any = None,
        **to: Any,
    ) -> bytes:
        """Return the request after an article, and what else it changed."""
        self._articles = [*self._articles, self._content["id"] * 100 + len(self._articles)]
        article = {
            **recorded()["article"],
            "id": self._articles[-1],
            "created_at": _clock(minutes),
            "sender": sender,
            "type": kind,
            "internal": internal,
            "preferences": preferences,
            "created_by_id": {"Agent": EMMA, "System": 1}.get(sender, self._content["customer_id"]),
            "body": "Marked text",
        }
        return json.dumps({**json.loads(self.changed(minutes, **to)), "article": article}).encode()


def _clock(minutes: float, ms: int = 0) -> str:
    return (BEGIN + timedelta(minutes=minutes, milliseconds=ms)).isoformat(timespec="milliseconds")[:-6] + "Z"


def _asked_twice() -> Iterator[bytes]:
    ticket = Ticket(101, 0)
    yield ticket.wrote(0, "Customer")
    yield ticket.wrote(0, "System")  # the receipt
    yield ticket.changed(10, group="Second Level", owner_id=EMMA)
    yield ticket.wrote(20, "Agent", "note", internal=True)
    yield ticket.wrote(30, "Agent", state="open", priority="3 high")
    yield ticket.wrote(31, "Customer", preferences={"is-auto-response": True})  # out of office
    yield ticket.wrote(60, "Customer", "note")  # through the portal
    yield ticket.wrote(75, "Agent", state="closed")
    yield ticket.changed(80, title="Marked title, too")
    yield ticket.wrote(120, "Customer", state="open")
    yield ticket.wrote(140, "Agent", state="closed")


def _written_to() -> Iterator[bytes]:
    """Emma wrote first; the customer answered, and she once more."""
    ticket = Ticket(102, 5, "whatsapp message", sender="Agent")
    yield ticket.wrote(5, "Agent", "whatsapp message")
    yield ticket.wrote(25, "Customer", "whatsapp message")
    yield ticket.wrote(35, "Agent", "whatsapp message", state="pending reminder")


def _merged() -> Iterator[bytes]:
    ticket = Ticket(103, 15)
    yield ticket.wrote(15, "Customer")
    yield ticket.wrote(25, "Agent", "note", state="merged", owner_id=1)


def _known_before() -> Iterator[bytes]:
    """It was opened before anybody listened: what it had asked and was answered then, nobody counts."""
    ticket = Ticket(104, -6000)
    ticket.wrote(-6000, "Customer")
    ticket.wrote(-5000, "Agent")
    yield ticket.changed(40, priority="1 low", state="open")
    yield ticket.wrote(50, "Agent")


TICKETS: Final = [*_asked_twice(), *_written_to(), *_merged(), *_known_before()]
"""The bodies of all requests of a day."""

RUMOUR: Final = TICKETS[0].replace(b'"ticket"', b'"rumour"', 1)
"""Of a kind that nobody knows."""
