"""A workspace of TaskRouter by script: it tells a story by callbacks or Event Streams, and signs it as Twilio does."""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from stream.core.cloudevents import Event, tag_of
from stream.sources.intake import Intake
from stream.sources.source import Received
from stream.sources.twilio.source import Options, TwilioWebhook

__all__ = [
    "BEGIN",
    "FORM",
    "TOKEN",
    "URL",
    "Story",
    "form",
    "lines",
    "sid",
    "signature",
    "signed",
    "stream",
    "told_by",
    "webhook",
]

BEGIN = 1_795_700_000
TOKEN = "12345"
URL = "https://metrics.example.org/v1/webhooks/twilio"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"


def sid(prefix: str, name: str) -> str:
    return prefix + f"{name:0>32}"


class Story:
    """
    Lines such as `12.5 reservation.accepted ann ana Reason=x` as the fields of callbacks.

    A task remembers its queue, and when it entered that: so do Twilio's.
    """

    def __init__(self, lines: str) -> None:
        self._tasks: dict[str, dict[str, str]] = {}
        self._offers: dict[tuple[str, str], int] = {}
        self._number = 0
        self.callbacks = [self._callback(*line.split()) for line in lines.strip().splitlines() if line.strip()]

    def _callback(self, second: str, kind: str, *words: str) -> dict[str, str]:
        self._number += 1
        names = [word for word in words if "=" not in word]
        more = {
            name: value.replace("_", " ") for name, _, value in (word.partition("=") for word in words if "=" in word)
        }
        ms = BEGIN * 1000 + round(float(second) * 1000)
        fields = {
            "Sid": sid("EV", str(self._number)),
            "EventType": kind,
            "WorkspaceSid": sid("WS", "1"),
            "Timestamp": str(ms // 1000),
            "TimestampMs": str(ms),
        }
        if kind.startswith("worker."):
            return fields | self._worker(names[0]) | more
        return fields | self._of_task(kind, ms // 1000, names, more)

    def _of_task(self, kind: str, second: int, names: list[str], more: dict[str, str]) -> dict[str, str]:
        task = self._tasks.setdefault(
            names[0],
            {
                "TaskSid": sid("WT", names[0]),
                "TaskDateCreated": str(second),
                "TaskChannelUniqueName": "voice",
                "TaskAttributes": '{"from":"+38640000001","direction":"inbound"}',
                "TaskPriority": "0",
            },
        )
        if kind in {"task.created", "task-queue.entered"}:
            task.update(more)
        if kind == "task-queue.entered":
            task["TaskQueueSid"] = sid("WQ", task["TaskQueueName"])
            task["TaskQueueEnteredDate"] = str(second)
        if not kind.startswith("reservation."):
            return task | more
        offer = self._offers.get((names[0], names[1]), 0) + (kind == "reservation.created")
        self._offers[names[0], names[1]] = offer
        return task | self._worker(names[1]) | {"ReservationSid": f"WR{names[0]}{names[1]}{offer}"} | more

    def _worker(self, name: str) -> dict[str, str]:
        return {"WorkerSid": sid("WK", name), "WorkerName": f"{name}@example.org", "WorkerActivityName": "Available"}


def form(fields: Mapping[str, str], token: str = TOKEN) -> Received:
    """Return a callback, signed, that comes at once."""
    return signed(urlencode(fields).encode(), FORM, at=_moment(fields), token=token)


def stream(callbacks: Iterable[Mapping[str, str]], *, at: datetime | None = None) -> Received:
    """Return the same by Event Streams, all in one batch."""
    callbacks = list(callbacks)
    body = json.dumps([_streamed(fields) for fields in callbacks]).encode()
    return signed(body, "application/json", at=at or max(_moment(fields) for fields in callbacks))


def signed(body: bytes, content_type: str, *, at: datetime, token: str = TOKEN, url: str = URL) -> Received:
    """Return a request that is signed as its type wants."""
    parameters = b""
    if content_type.startswith("application/x-www-form-urlencoded"):
        # As Latin-1, which has a character for each byte: what is signed need not be UTF-8.
        pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
        parameters = "".join(name + value for name, value in sorted(set(pairs))).encode("latin-1")
    else:
        url = f"{url}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"content-type": content_type, "x-twilio-signature": signature(url.encode() + parameters, token)}
    return Received(body, headers, url, at)


def signature(text: bytes, token: str = TOKEN, algorithm: str = "sha1") -> str:
    """Return what Twilio puts into the header."""
    return b64encode(hmac.new(token.encode(), text, algorithm).digest()).decode()


def webhook(folder: Path, intake: Intake | None = None, **options: Any) -> TwilioWebhook:
    """Return the webhook of a workspace whose token stands in a file of *folder*."""
    file = folder / "token"
    file.write_text(f"{TOKEN}\n")
    return TwilioWebhook(Options(token_file=file, **options), intake or Intake())


def told_by(source: TwilioWebhook, requests: Iterable[Received]) -> list[Event]:
    """Return the events of requests, each of which has to be verified."""
    events: list[Event] = []
    for request in requests:
        assert source.verified(request)
        events += source.events(request)
    return events


_SHOWN = ("queue", "enqueue_seq", "channel", "direction", "reason", "result", "kind", "activity", "status", "wrapup")
_USUAL = {"enqueue_seq": 1, "channel": "voice", "direction": "inbound", "wrapup": False, "reason": "new"}


def lines(events: Iterable[Event]) -> list[str]:
    """Return events as one line each: second, type, subject, and what is said and is not usual."""
    return [_line(event) for event in events]


def _line(event: Event) -> str:
    data = getattr(event, "data", None)
    said = {name: getattr(data, name, None) for name in _SHOWN}
    if said["enqueue_seq"] is not None:  # it counts seconds, and so does a story
        said["enqueue_seq"] -= BEGIN % 1_000_000
    words = [f"{name}={value}" for name, value in said.items() if value is not None and value != _USUAL.get(name)]
    second = round(event.time.timestamp() - BEGIN, 3)
    return " ".join([f"{second:g}", tag_of(event).removeprefix("contact."), event.subject[2:].lstrip("0"), *words])


def _moment(fields: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(int(fields["TimestampMs"]) / 1000, UTC)


def _streamed(fields: Mapping[str, str]) -> dict[str, object]:
    own = {"Sid", "EventType", "Timestamp", "TimestampMs"}
    payload: dict[str, object] = {_snake(name): value for name, value in fields.items() if name not in own}
    for date in ("task_date_created", "task_queue_entered_date", "transfer_started"):
        if date in payload:
            payload[date] = datetime.fromtimestamp(int(str(payload[date])), UTC).isoformat()
    time = _moment(fields).isoformat(timespec="milliseconds")
    payload |= {"timestamp": time, "task_age": 7, "reason_code": None}
    payload["eventtype"] = fields["EventType"]
    return {
        "specversion": "1.0",
        "type": f"com.twilio.taskrouter.{fields['EventType']}",
        "source": f"/v1/Workspaces/{fields['WorkspaceSid']}",
        "id": "EZ" + fields["Sid"][2:],
        "time": time,
        "data": {"sid": fields["Sid"], "name": fields["EventType"], "payload": payload},
    }


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
