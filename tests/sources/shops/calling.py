"""Shops that post to a webhook: how their requests are told, and what these count."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from stream.core.cloudevents import Event
from stream.core.derivation import Derivation
from stream.core.policies import Policies
from stream.families.registry import FAMILIES
from stream.sources.intake import Intake
from stream.sources.source import Received, Source, Webhook
from tests.families.customers.told import EVERYBODY, counts_of, customers_fold_of, snapshots_of

__all__ = ["AT", "SECRET", "Posted", "counted", "posted", "told", "webhook_in"]

AT = datetime(2026, 11, 26, 15, tzinfo=UTC)
"""When requests come, whatever they tell."""

SECRET = "invented-secret-0001"
"""With which the samples are signed."""


class Posted(Struct, frozen=True):
    """One request, before it is signed."""

    body: bytes
    headers: dict[str, str] = {}


def posted(content: Any, **headers: str) -> Posted:
    """Return a request; of headers, `_` stands for `-`."""
    return Posted(json.dumps(content).encode(), {name.replace("_", "-"): text for name, text in headers.items()})


def webhook_in(source: Source, folder: Path, intake: Intake | None = None, **options: Any) -> Webhook:
    """Return a webhook with the secret, and a key for addresses unless told otherwise."""
    (folder / "secret").write_text(SECRET)
    (folder / "address.key").write_text("a key of the tests")
    assert source.webhook is not None
    files = {"secret_file": folder / "secret", "address_key_file": folder / "address.key"}
    return source.webhook(source.options(**{**files, "tenant": "acme", **options}), intake or Intake())


def told(webhook: Webhook, requests: Iterable[Posted]) -> list[Event]:
    """Return what requests tell, in their order."""
    url = "https://gateway.example/v1/webhooks/shop"
    return [event for one in requests for event in webhook.events(Received(one.body, one.headers, url, AT))]


def counted(events: Iterable[Event], at: datetime = AT, window: str = "today") -> dict[str, Any]:
    """Return what is counted of all customers and carts, and of what follows, at an instant, but for zeros."""
    follows = Derivation(FAMILIES, Policies())
    whole = [one for event in events for one in (event, *(more for more, _ in follows.of(event)))]
    return counts_of(snapshots_of(customers_fold_of(whole), at)[EVERYBODY], window)
