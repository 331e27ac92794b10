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


DAY: list[dict[str, Any]] = [
    # Ann waits 12.1 s, talks 70.8 s beside 10 s on hold; wrap-up 25 s.
    detail("customer.start", "00:00", "ann", "ann-c"),
    detail("flow.start", "00:00", "ann", "ann-f", flowType="INBOUNDCALL"),
    detail("acd.start", "00:02.1", "ann", "ann-q", queueId=SALES, routingPriority=0),
    detail("user.start", "00:09.8", "ann", "ann-u", queueId=SALES, userId="mia"),
    detail(
        *("acd.end", "00:14.2", "ann", "ann-q"),
        queueId=SALES,
        acdOutcome="ANSWERED",
        answeredUserId="mia",
        connected=12.1,
        disconnectType="TRANSFER",
    ),
    detail(
        *("user.end", "01:35", "ann", "ann-u"),
        queueId=SALES,
        userId="mia",
        disconnectType="PEER",
        interacting=70.8,
        held=10,
        alerting=4.4,
    ),
    detail("customer.end", "01:35", "ann", "ann-c", disconnectType="ENDPOINT", interacting=95),
    detail("acw", "02:00", "ann", "ann-u", queueId=SALES, userId="mia", wrapup=25, wrapupCode="w1"),
    # Bob gives up after 40 s, while it rings.
    detail("acd.start", "01:00", "bob", "bob-q", queueId=SALES),
    detail("user.start", "01:35", "bob", "bob-u", queueId=SALES, userId="mia"),
    detail(
        *("acd.end", "01:40", "bob", "bob-q"),
        queueId=SALES,
        acdOutcome="ABANDON",
        connected=40,
        disconnectType="PEER",
    ),
    detail("user.end", "01:40", "bob", "bob-u", queueId=SALES, userId="mia", disconnectType="PEER", alerting=5),
    # Cid rings at Mia for 15 s in vain, and waits 30 s in all; Tom hands him on to support after 100 s.
    detail("acd.start", "02:00", "cid", "cid-q", queueId=SALES),
    detail("user.start", "02:05", "cid", "cid-u1", queueId=SALES, userId="mia"),
    detail("user.end", "02:20", "cid", "cid-u1", queueId=SALES, userId="mia", disconnectType="TIMEOUT", alerting=15),
    detail("user.start", "02:25", "cid", "cid-u2", queueId=SALES, userId="tom"),
    detail(
        *("acd.end", "02:30", "cid", "cid-q"),
        queueId=SALES,
        acdOutcome="ANSWERED",
        answeredUserId="tom",
        connected=30,
    ),
    detail(
        *("user.end", "04:10", "cid", "cid-u2"),
        queueId=SALES,
        userId="tom",
        disconnectType="TRANSFER",
        interacting=100,
        alerting=5,
    ),
    # In support he waits 5 s, and talks for 60 s.
    detail("acd.start", "04:10", "cid", "cid-q2", queueId=SUPPORT),
    detail(
        *("acd.end", "04:15", "cid", "cid-q2"),
        queueId=SUPPORT,
        acdOutcome="ANSWERED",
        answeredUserId="eva",
        connected=5,
    ),
    detail(
        *("user.end", "05:15", "cid", "cid-u3"),
        queueId=SUPPORT,
        userId="eva",
        disconnectType="CLIENT",
        interacting=60,
    ),
    # Dan asks after 50 s to be called back, and leaves the queue by that; Tom calls him, and they talk for 80 s.
    detail("acd.start", "05:00", "dan", "dan-q", queueId=SALES),
    detail(
        *("acd.end", "05:50", "dan", "dan-q"),
        queueId=SALES,
        acdOutcome="FLOW_OUT",
        connected=50,
        disconnectType="TRANSFER",
    ),
    detail("acd.start", "05:50", "dan", "dan-q2", queueId=SALES, mediaType="CALLBACK"),
    detail(
        *("acd.end", "08:00", "dan", "dan-q2"),
        queueId=SALES,
        mediaType="CALLBACK",
        acdOutcome="ANSWERED",
        answeredUserId="tom",
    ),
    detail(
        *("user.end", "09:30", "dan", "dan-u"),
        queueId=SALES,
        userId="tom",
        direction="OUTBOUND",
        disconnectType="PEER",
        interacting=80,
        callbackNumbers=["tel:+38640000004"],
    ),
    # Eve leaves the queue after 60 s, since the flow gives up.
    detail("acd.start", "06:00", "eve", "eve-q", queueId=SUPPORT),
    detail(
        *("acd.end", "07:00", "eve", "eve-q"),
        queueId=SUPPORT,
        acdOutcome="FLOW_OUT",
        connected=60,
        disconnectType="TIMEOUT",
    ),
    # Fay is called by us for sales in vain.
    detail(
        *("user.end", "07:30", "fay", "fay-u"),
        queueId=SALES,
        userId="mia",
        direction="OUTBOUND",
        disconnectType="TIMEOUT",
    ),
    # A supervisor looks at a screen, and a colleague is called directly.
    detail("user.start", "08:00", "gil", "gil-u", userId="tom", mediaType="SCREENMONITORING"),
    detail("user.end", "08:30", "hal", "hal-u", userId="tom", disconnectType="PEER", interacting=20),
]
