"""Contacts as Amazon Connect tells them: by contact events, of EventBridge, and by records, packed by Firehose."""

import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from stream.core.cloudevents import Event
from stream.core.windows import ALL
from stream.families.contacts.tally import Tally
from stream.sources.amazon_connect.source import AmazonConnectWebhook, Options
from stream.sources.intake import Intake
from stream.sources.source import Received
from tests.timeline import after, fold_of, shown

INSTANCE = "arn:aws:connect:eu-central-1:111122223333:instance/aaaaaaaa-bbbb-cccc-dddd-111111111111"
KEY = "invented-access-key"
URL = "https://calls.example.org/v1/webhooks/connect?region=eu"
NEVER = "1970-01-01T00:00:00.001Z"
"""What Amazon Connect writes where something has not happened yet."""


def connected(folder: Path, intake: Intake | None = None, **options: Any) -> AmazonConnectWebhook:
    """Return the webhook with two keys, and names of the queues `sales` and `support`."""
    (folder / "keys").write_text(f"{KEY}\nnext-key\n", encoding="utf-8")
    summaries = [{"Id": name, "Arn": queue_arn(name), "Name": name.title()} for name in ("sales", "support")]
    (folder / "queues.json").write_text(json.dumps({"QueueSummaryList": summaries}), encoding="utf-8")
    files = {"key_file": folder / "keys", "queues_file": folder / "queues.json"}
    return AmazonConnectWebhook(Options(**{**files, **options}), intake or Intake())


def queue_arn(name: str) -> str:
    """Return the ARN of a queue."""
    return f"{INSTANCE}/queue/{name}"


class Call(Struct, frozen=True, kw_only=True):
    """What happened to one contact; instants are `mm:ss` after ten o'clock."""

    contact: str
    queue: str | None = "sales"
    method: str = "INBOUND"
    channel: str = "VOICE"
    begun: str = "00:00"
    reached: str | None = None
    queued: str | None = None
    answered: str | None = None
    left: str | None = None
    """When wrap-up began."""
    ended: str | None = None
    wrapped_up: str | None = None
    hold: int = 0
    reason: str | None = None
    next_contact: str | None = None
    elsewhere: bool = False


def millis(clock: str | None) -> str | None:
    """Return an instant as contact events have it."""
    return None if clock is None else f"{after(clock):%Y-%m-%dT%H:%M:%S}.{sum(map(ord, clock)):03}Z"


def second(clock: str | None) -> str | None:
    """Return an instant as contact records have it."""
    return None if clock is None else f"{after(clock):%Y-%m-%dT%H:%M:%SZ}"


def contact_event(kind: str, call: Call, at: str, **known: str | None) -> dict[str, Any]:
    """Return one event of EventBridge with what is *known* by then."""
    queue = {"queueType": "STANDARD", "queueArn": queue_arn(call.queue or ""), "enqueueTimestamp": millis(call.queued)}
    instants = {
        "connectedToAgentTimestamp": millis(known.get("answered")) or NEVER,
        "afterContactWorkStartTimestamp": millis(known.get("left")),
        "afterContactWorkEndTimestamp": millis(known.get("wrapped_up")),
    }
    detail = {
        "eventType": kind,
        "contactId": call.contact,
        "channel": call.channel,
        "instanceArn": INSTANCE,
        "initiationMethod": call.method,
        "initiationTimestamp": millis(call.begun),
        "connectedToSystemTimestamp": millis(call.reached) or NEVER,
        "disconnectTimestamp": millis(known.get("ended")),
        "queueInfo": queue if call.queue else None,
        "agentInfo": {"agentArn": f"{INSTANCE}/agent/a1", **instants} if call.answered else None,
    }
    return {
        "version": "0",
        "id": f"{kind}-{call.contact}",
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "time": second(at),
        "detail": {name: field for name, field in detail.items() if field is not None},
    }


def contact_events(call: Call) -> list[dict[str, Any]]:
    """Return all contact events of a contact, in the order in which they happened."""
    found = [contact_event("INITIATED", call, call.begun)]
    known: dict[str, str | None] = {}
    if call.queued:
        found.append(contact_event("QUEUED", call, call.queued))
    if call.answered:
        known["answered"] = call.answered
        found.append(contact_event("CONNECTED_TO_AGENT", call, call.answered, **known))
    if call.ended:
        known["ended"] = call.ended
        found.append(contact_event("DISCONNECTED", call, call.ended, **known))
        known |= {"left": call.left, "wrapped_up": call.wrapped_up}
        found.append(contact_event("COMPLETED", call, call.wrapped_up or call.ended, **known))
    return found


def contact_record(call: Call, *, updated: datetime | None = None) -> dict[str, Any]:
    """Return the record of a contact that is over, *updated* a minute later unless something else is said."""
    agent = {
        "ARN": f"{INSTANCE}/agent/a1",
        "ConnectedToAgentTimestamp": second(call.answered),
        "CustomerHoldDuration": call.hold,
        "AfterContactWorkStartTimestamp": second(call.left),
        "AfterContactWorkEndTimestamp": second(call.wrapped_up),
        "Username": "agent.one",
    }
    dequeued = call.answered or call.ended
    queue = {
        "ARN": queue_arn(call.queue or ""),
        "Name": "as the record says",
        "EnqueueTimestamp": second(call.queued),
        "DequeueTimestamp": second(dequeued),
    }
    updated = updated or after(call.wrapped_up or call.ended or call.begun) + timedelta(minutes=1)
    return {
        "AWSContactTraceRecordFormatVersion": "2017-03-10",
        "Agent": agent if call.answered else None,
        "Attributes": {"greetingPlayed": "false", "GreetingPlayed": "false"},
        "Channel": call.channel,
        "ConnectedToSystemTimestamp": second(call.reached),
        "ContactId": call.contact,
        "CustomerEndpoint": {"Address": "+38640000031", "Type": "TELEPHONE_NUMBER"},
        "DisconnectReason": call.reason,
        "DisconnectTimestamp": second(call.ended),
        "InitiationMethod": call.method,
        "InitiationTimestamp": second(call.begun),
        "InstanceARN": INSTANCE,
        "LastUpdateTimestamp": f"{updated:%Y-%m-%dT%H:%M:%SZ}",
        "NextContactId": call.next_contact,
        "PreviousContactId": None,
        "Queue": queue if call.queue else None,
        "TransferredToEndpoint": {"Address": "+38610000099", "Type": "TELEPHONE_NUMBER"} if call.elsewhere else None,
    }


def posted(document: object, **headers: str) -> Received:
    """Return a request of an API destination."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Received(body, {"x-api-key": KEY, **headers}, URL, after("30:00"))


def firehose(*records: object) -> Received:
    """Return a delivery of Firehose; a record that is text or bytes is taken as it is."""
    raw = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    delivery = {
        "requestId": "ed4acda5-034f-9f42-bba1-f29aea6d7d8f",
        "timestamp": 1_578_090_901_599,
        "records": [{"data": b64encode(record).decode()} for record in raw],
    }
    headers = {"x-amz-firehose-access-key": KEY, "x-amz-firehose-request-id": str(delivery["requestId"])}
    return Received(json.dumps(delivery).encode(), headers, URL, after("30:00"))


def told(webhook: AmazonConnectWebhook, requests: Iterable[Received]) -> list[Event]:
    """Return the events of requests, in their order."""
    return [event for request in requests for event in webhook.events(request)]


def counted(events: Sequence[Event]) -> dict[str, Tally]:
    """Return all that was ever counted of each queue, by its name."""
    return {queue.queue: queue.counted.window(ALL, Tally) for queue in shown(fold_of(list(events)), after("30:00"))}
