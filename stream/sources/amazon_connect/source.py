"""Amazon Connect as a source: a webhook that takes whatever AWS sends of it, and knows each document by its shape."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Event, Name
from stream.core.windows import EPOCH
from stream.security.secret_file import Secret
from stream.sources.amazon_connect.agents import KINDS_OF_AGENT_EVENTS, events_of_agent
from stream.sources.amazon_connect.aws_object import AwsObject
from stream.sources.amazon_connect.contact_events import events_of_contact
from stream.sources.amazon_connect.contacts import (
    KINDS_OF_CONTACT_EVENTS,
    ToldContact,
    contact_of_event,
    contact_of_record,
)
from stream.sources.amazon_connect.documents import documents_in
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.queue_names import QueueNames
from stream.sources.requests.parts import UnusablePart, told_by_each
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, password_in
from stream.sources.source import Received, Reply, Setup, Source, Webhook

__all__ = ["SOURCE", "AmazonConnectWebhook", "Options"]

_CONTACT_EVENT: Final = "Amazon Connect Contact Event"
_CONTACT_RECORD: Final = "contact record"
_FIREHOSE_REQUEST: Final = "x-amz-firehose-request-id"
_KEY_HEADERS: Final = ("x-amz-firehose-access-key", "x-api-key")

_MILLISECOND: Final = timedelta(milliseconds=1)

_WHY: Final = {401: "the access key is not good", 503: "events cannot be taken now"}
"""What Firehose shows in its own log; it says no more than the status does."""


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of an Amazon Connect."""

    key_file: Annotated[
        Path, Meta(description="A key in each line: what AWS shows as Firehose's access key, API key or password.")
    ]
    tenant: Annotated[Name, Meta(description="Whose contacts they are.")] = DEFAULT_TENANT
    queues_file: Annotated[
        Path | None,
        Meta(description="What `aws connect list-queues` printed: names of queues. Others are called by their id."),
    ] = None
    corrected_within_seconds: Annotated[
        int,
        Meta(
            ge=0,
            description="Records that were updated later than this after their contact was over are left out, since "
            "the board may have forgotten it: `duplicate_window_seconds` of the policy, less what delivery takes.",
        ),
    ] = 300


class AmazonConnectWebhook(Webhook):
    """Takes contact events, contact records and agent events, whatever carries them; raises SettingsError."""

    def __init__(self, options: Options, intake: Intake) -> None:
        self._keys = SecretLines(options.key_file)
        self._names = QueueNames(options.queues_file, _listed, "what `aws connect list-queues` prints")
        self._tenant = options.tenant
        self._corrected_within = timedelta(seconds=options.corrected_within_seconds)
        self._intake = intake

    def verified(self, request: Received) -> bool:
        """Tell whether the request shows a key, in any of the ways that AWS has."""
        basic = password_in(request.headers.get("authorization", ""))
        shown = (*(Secret(request.headers.get(name, "")) for name in _KEY_HEADERS), basic)
        # Each is compared, whether one before it was good or not.
        good = [self._keys.match(key) for key in shown]
        return any(good)

    def events(self, request: Received) -> Iterator[Event]:
        """Return what the documents of a request tell; each that is of no use is counted, and changes nothing else."""
        return told_by_each(documents_in(request.body), self._told, request, self._intake)

    def reply(self, request: Received, status: int) -> Reply:
        """Return what Firehose must hear, who takes anything else for a failure; others look at the status alone."""
        request_id = request.headers.get(_FIREHOSE_REQUEST)
        if request_id is None:
            return Reply(status)
        body: dict[str, str | int] = {"requestId": request_id, "timestamp": (request.at - EPOCH) // _MILLISECOND}
        if status != 204:
            return Reply(status, msgspec.json.encode(body | {"errorMessage": _WHY.get(status, "failed")}))
        return Reply(200, msgspec.json.encode(body))

    def _told(self, document: dict[str, object], place: Location) -> list[Event]:
        fields = AwsObject(document)
        source_kind = fields.text("detail-type")
        if source_kind not in {None, _CONTACT_EVENT}:
            return self._wonder(source_kind or "", place)
        # A rule can be told to send the detail alone.
        detail = fields.part("detail") if source_kind else fields
        kind = detail.text("eventType") or _CONTACT_RECORD
        if "AgentARN" in detail:
            return self._of_agent(kind, detail) if kind in KINDS_OF_AGENT_EVENTS else self._wonder(kind, place)
        if kind in KINDS_OF_CONTACT_EVENTS:
            return self._of_contact(kind, contact_of_event(kind, fields, detail, self._names))
        if kind is not _CONTACT_RECORD:
            return self._wonder(kind, place)
        if "ContactId" in detail:
            return self._of_contact(kind, contact_of_record(detail, self._names))
        raise UnusablePart("unknown_document", "neither a contact event nor a contact record nor an agent event")

    def _of_contact(self, kind: str, told: ToldContact) -> list[Event]:
        if told.method == "MONITOR":  # a supervisor listens to another contact
            self._intake.ignore("MONITOR")
        elif told.corrected_after > self._corrected_within:
            self._intake.ignore("late correction")
        elif events := events_of_contact(told, self._tenant):
            self._intake.used[kind] += 1
            return events
        else:
            self._intake.ignore(kind)
        return []

    def _of_agent(self, kind: str, document: AwsObject) -> list[Event]:
        events = events_of_agent(kind, document, self._names, self._tenant)
        self._intake.used[kind] += 1
        return events

    def _wonder(self, kind: str, place: Location) -> list[Event]:
        self._intake.wonder(kind, BadLine(place, "unknown_kind", "a document of a kind that is not known"))
        return []


class _QueueSummary(Struct, rename="pascal"):
    id: str
    name: str


class _QueueList(Struct, rename="pascal"):
    queue_summary_list: list[_QueueSummary]


def _listed(content: bytes) -> dict[str, str]:
    found = msgspec.json.decode(content, type=_QueueList)
    return {queue.id: queue.name for queue in found.queue_summary_list}


SOURCE: Final = Source(
    name="amazon-connect",
    about="Amazon Connect: contact events, contact records and agent events, as EventBridge and Firehose send them.",
    options=Options,
    webhook=AmazonConnectWebhook,
    setup=Setup(
        steps="""\
1. Save names of queues, and name the file by --queues-file:
   aws connect list-queues --instance-id "$INSTANCE_ID" --queue-types STANDARD > queues.json
2. In EventBridge, for contact events: a rule for the source aws.connect, with an API destination:
   Endpoint: {url}
   Method: POST
   Connection: API key, named X-API-Key, with the line of {secret_file}
3. In Firehose, for contact records: an HTTP endpoint with the same address, and the line as its access key.
More, with commands to paste: docs/sources/amazon-connect.md""",
        empty_request=empty_request_by(VerifyTable(method="key", header="X-API-Key")),
    ),
)
