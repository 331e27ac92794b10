"""A LiveAgent whose rules post its tickets: the templates of the examples, with values put in."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from stream.sources.intake import Intake
from stream.sources.liveagent.source import SOURCE, Options
from stream.sources.source import Received, Webhook

__all__ = [
    "BEGIN",
    "DEPARTMENTS",
    "KEY",
    "RUMOUR",
    "TEMPLATES",
    "TICKETS",
    "Ticket",
    "rendered",
    "request",
    "webhook_in",
]

TEMPLATES: Final = Path(__file__).parents[3] / "examples/liveagent"
KEY: Final = "a-secret-of-the-tests"
BEGIN: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday."""

DEPARTMENTS: Final = [{"department_id": "default", "name": "Support"}, {"department_id": "b1", "name": "Billing"}]


def rendered(what: str, values: Mapping[str, str]) -> bytes:
    """Return a template with its variables put in; those without a value stay as they are."""
    text = (TEMPLATES / f"{what}.json").read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace("{$" + name + "}", value)
    return text.encode()


def request(body: bytes, *, key: str = KEY) -> Received:
    return Received(body, {"x-api-key": key}, "https://gateway.example/v1/webhooks/liveagent", BEGIN)


def webhook_in(folder: Path, intake: Intake | None = None, **options: Any) -> Webhook:
    (folder / "key").write_text(KEY)
    (folder / "departments.json").write_text(json.dumps(DEPARTMENTS))
    told = {"key_file": folder / "key", "queues_file": folder / "departments.json", **options}
    assert SOURCE.webhook is not None
    return SOURCE.webhook(Options(**told), intake or Intake())


class Ticket:
    """Tells what happens to one ticket: each call is a request. Times are minutes after BEGIN."""

    def __init__(self, name: str, minutes: float, channel: str = "E") -> None:
        self._values = {
            "ticket_id": name,
            "status": "N",
            "department_id": "default",
            "agent_id": "",
            "contact_id": f"of-{name}",
            "channel_type": channel,
            "date_created": _clock(minutes),
        }

    def told(self, what: str, minutes: float, **changes: str) -> bytes:
        """Return what the rule about *what* posts, after the ticket has changed."""
        self._values |= changes
        return rendered(what, self._values | {"date_changed": _clock(minutes)})


def _clock(minutes: float) -> str:
    return (BEGIN + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")


def _asked_twice() -> Iterator[bytes]:
    ticket = Ticket("abc1", 0)
    yield ticket.told("ticket_created", 0)
    yield ticket.told("customer_message", 0)
    yield ticket.told("ticket_changed", 10, department_id="b1", agent_id="ana1")
    yield ticket.told("agent_message", 30, status="A")
    yield ticket.told("ticket_changed", 30)
    yield ticket.told("customer_message", 60, status="C")
    yield ticket.told("agent_message", 75, status="R")
    yield ticket.told("ticket_changed", 80)  # a tag
    yield ticket.told("customer_message", 120, status="C")
    yield ticket.told("agent_message", 140, status="R")


def _written_to() -> Iterator[bytes]:
    ticket = Ticket("abc2", 5, "A")
    yield ticket.told("ticket_created", 5, status="A")
    yield ticket.told("agent_message", 5)
    yield ticket.told("customer_message", 25, status="C")
    yield ticket.told("agent_message", 35, status="A")
    yield ticket.told("ticket_changed", 36, status="W")


def _of_no_interest() -> Iterator[bytes]:
    ticket = Ticket("abc3", 15, "F")
    yield ticket.told("ticket_created", 15)
    yield ticket.told("ticket_changed", 16, status="B")
    mistake = Ticket("abc4", 17)
    yield mistake.told("ticket_created", 17)
    yield mistake.told("ticket_changed", 18, status="X")


TICKETS: Final = [*_asked_twice(), *_written_to(), *_of_no_interest()]
"""The bodies of all requests of a day."""

RUMOUR: Final = TICKETS[0].replace(b"ticket_created", b"ticket_rumoured")
"""About what nobody knows."""
