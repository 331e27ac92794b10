"""A Freshdesk whose rules post its tickets: the templates of the examples, with values put in as Freshdesk does."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from stream.sources.freshdesk.source import SOURCE, Options
from stream.sources.intake import Intake
from stream.sources.source import Received, Webhook

__all__ = ["BEGIN", "KEY", "RUMOUR", "TEMPLATES", "TICKETS", "Ticket", "rendered", "request", "webhook_in"]

TEMPLATES: Final = Path(__file__).parents[3] / "examples/freshdesk"
KEY: Final = "a-secret-of-the-tests"
BEGIN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday."""


def rendered(what: str, values: Mapping[str, str]) -> bytes:
    """Return a template with its variables put in; those without a value stay as they are."""
    text = (TEMPLATES / f"{what}.json").read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace("{{ticket." + name + "}}", value)
    return text.encode()


def request(body: bytes, *, key: str = KEY) -> Received:
    return Received(body, {"x-api-key": key}, "https://gateway.example/v1/webhooks/freshdesk", BEGIN)


def webhook_in(folder: Path, intake: Intake | None = None, **options: Any) -> Webhook:
    (folder / "key").write_text(KEY)
    assert SOURCE.webhook is not None
    return SOURCE.webhook(Options(**{"key_file": folder / "key", **options}), intake or Intake())


class Ticket:
    """Tells what happens to one ticket: each call is a request. Times are minutes after BEGIN."""

    def __init__(self, number: int, minutes: float, source: str = "Email") -> None:
        self._values = {
            "id": str(number),
            "status": "Open",
            "priority": "Medium",
            "source": source,
            "group.name": "Support",
            "agent.email": "",
            "requester.email": "marked@example.com",
            "created_on": _clock(minutes),
        }

    def told(self, what: str, minutes: float, **changes: str) -> bytes:
        """Return what the rule about *what* posts, after the ticket has changed."""
        self._values |= {name.replace("_", "."): value for name, value in changes.items()}
        return rendered(what, self._values | {"modified_on": _clock(minutes)})


def _clock(minutes: float) -> str:
    """Return a time as Freshdesk puts it in for an account in India."""
    return (BEGIN + timedelta(minutes=minutes, hours=5.5)).strftime("%Y-%m-%d %H:%M:%S +0530")


def _asked_twice() -> Iterator[bytes]:
    ticket = Ticket(2001, 0)
    yield ticket.told("created", 0)
    yield ticket.told("changed", 10, group_name="Second Level", agent_email="ana@example.org")
    yield ticket.told("agent_replied", 30, status="Pending", priority="High")
    yield ticket.told("changed", 30)
    yield ticket.told("customer_replied", 60, status="Open")
    yield ticket.told("agent_replied", 75, status="Resolved")
    yield ticket.told("changed", 75)
    yield ticket.told("changed", 80)  # a tag
    yield ticket.told("customer_replied", 120, status="Open")
    yield ticket.told("agent_replied", 140, status="Closed")


def _written_to() -> Iterator[bytes]:
    ticket = Ticket(2002, 5, "Outbound Email")
    yield ticket.told("created", 5)
    yield ticket.told("customer_replied", 25)
    yield ticket.told("agent_replied", 35, status="Waiting on Customer")


def _of_no_interest() -> Iterator[bytes]:
    ticket = Ticket(2003, 15, "Facebook")
    yield ticket.told("created", 15)
    yield ticket.told("spam", 16)
    mistake = Ticket(2004, 17)
    yield mistake.told("created", 17)
    yield mistake.told("deleted", 18)


def _known_before() -> Iterator[bytes]:
    """Who had waited before the rules were there, nobody knows."""
    ticket = Ticket(1999, -6000)
    yield ticket.told("changed", 40, status="Open")
    yield ticket.told("agent_replied", 50)


TICKETS: Final = [*_asked_twice(), *_written_to(), *_of_no_interest(), *_known_before()]
"""The bodies of all requests of a day."""

RUMOUR: Final = TICKETS[0].replace(b'"created"', b'"rumoured"')
"""About what nobody knows."""
