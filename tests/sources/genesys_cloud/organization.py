"""A Genesys Cloud organization that posts by EventBridge: notifications by its schemas, and what they count."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stream.core.cloudevents import Event
from stream.families.contacts.tally import Tally
from stream.sources.genesys_cloud.source import GenesysCloudWebhook, Options
from stream.sources.intake import Intake
from stream.sources.source import Received
from tests.timeline import fold_of, shown

BEGIN = datetime(2026, 11, 26, 13, tzinfo=UTC)
KEY = "a-key-of-ours"
SALES, SUPPORT = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
NAMES = {"pageSize": 100, "entities": [{"id": SALES, "name": "Sales"}, {"id": SUPPORT, "name": "Support"}]}
URL = "https://gateway.example/v1/webhooks/genesys?from=eventbridge"


def webhook_in(folder: Path, intake: Intake | None = None, **options: Any) -> GenesysCloudWebhook:
    """Return a webhook that knows what queues are called."""
    (folder / "key").write_text(KEY)
    (folder / "queues.json").write_text(json.dumps(NAMES))
    told = Options(**{"key_file": folder / "key", "queues_file": folder / "queues.json", **options})
    return GenesysCloudWebhook(told, intake or Intake())


def seconds(text: str) -> timedelta:
    minutes, _, rest = text.partition(":")
    return timedelta(minutes=int(minutes), seconds=float(rest))


def millis(length: float | None) -> int | None:
    return None if length is None else round(length * 1000)


def wrapped(topic: str, body: dict[str, Any], sent: datetime = BEGIN) -> dict[str, Any]:
    """A notification as EventBridge passes it on."""
    return {
        "version": "0",
        "id": "0f0f0f0f-0000-4000-8000-000000000001",
        "detail-type": topic,
        "source": "aws.partner/genesys.com/cloud/00000000-0000-0000-0000-000000000000/contact-stream",
        "account": "123456789012",
        "time": sent.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "eu-central-1",
        "resources": [],
        "detail": {"topicName": topic, "version": "2", "eventBody": body, "metadata": {"CorrelationId": "c"}},
    }


def detail(name: str, at: str, conversation: str, participant: str, **fields: Any) -> dict[str, Any]:
    """One detail event; lengths are given in seconds, as `connected=12.1`."""
    lengths = {"connected", "interacting", "held", "alerting", "wrapup"}
    body = {
        "eventTime": round((BEGIN + seconds(at)).timestamp() * 1000),
        "conversationId": conversation,
        "participantId": participant,
        "sessionId": f"s-{participant}",
        "mediaType": "VOICE",
        "provider": "Edge",
        "direction": "INBOUND",
        "ani": "tel:+38640000001",
        **{key: value for key, value in fields.items() if key not in lengths},
        **{f"{key}DurationMs": millis(fields[key]) for key in lengths & fields.keys()},
    }
    return wrapped(f"v2.detail.events.conversation.{conversation}.{name}", body)


def request(*parts: Any, key: str = KEY, header: str = "x-api-key") -> Received:
    """A request with one part, as EventBridge posts it, or with a list of several."""
    body = parts[0] if len(parts) == 1 else list(parts)
    return Received(json.dumps(body).encode(), {header: key}, URL, BEGIN)


def told(webhook: GenesysCloudWebhook, parts: Iterable[Any]) -> list[Event]:
    """Return what a request for each part tells."""
    return [event for part in parts for event in webhook.events(request(part))]


def counted(events: list[Event]) -> dict[str, Tally]:
    """Return what each queue has counted at the end, by queue; what no queue is meant by is left out."""
    return {queue.queue: queue.total for queue in shown(fold_of(events), BEGIN + timedelta(hours=1))}
