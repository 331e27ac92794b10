"""Genesys Cloud as a source: a webhook that takes its notifications, as EventBridge or anything else posts them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Event, Name
from stream.sdk.factory import EventFactory
from stream.sources.genesys_cloud.conversations import DETAIL_KINDS, OF_NO_USE, ConversationEvents
from stream.sources.genesys_cloud.detail_events import MEDIA_OF_NO_CONTACT, DetailEvent, channel_of
from stream.sources.genesys_cloud.notifications import Notification, notifications_in
from stream.sources.genesys_cloud.users import USER_KINDS, events_of_user
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.queue_names import QueueNames
from stream.sources.requests.parts import UnusablePart, told_by_each
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by
from stream.sources.source import Received, Setup, Source, Webhook

__all__ = ["SOURCE", "GenesysCloudWebhook", "Options"]

_QUEUES: Final = "a list of queues, each with id and name, as `GET /api/v2/routing/queues` answers"
_CHANNEL_HEARTBEAT: Final = "channel.metadata"


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a Genesys Cloud organization."""

    key_file: Annotated[Path, Meta(description="A key in each line: what a request shows in the header.")]
    header: Annotated[str, Meta(description="The header with the key.", pattern=r"^[A-Za-z0-9-]{1,64}$")] = "X-API-Key"
    tenant: Annotated[Name, Meta(description="Whose contacts they are.")] = DEFAULT_TENANT
    source_name: Annotated[str, Meta(description="What events have as their source.", min_length=1, max_length=200)] = (
        "/genesys-cloud"
    )
    queues_file: Annotated[
        Path | None,
        Meta(description="What `GET /api/v2/routing/queues` answered: names of queues. Others are called by their id."),
    ] = None


class GenesysCloudWebhook(Webhook):
    """Takes detail events of conversations, and topics of users and queue members; raises SettingsError."""

    def __init__(self, options: Options, intake: Intake) -> None:
        self._options = options
        self._header = options.header.lower()
        self._keys = SecretLines(options.key_file)
        self._queues = QueueNames(options.queues_file, _listed, _QUEUES)
        self._intake = intake

    def verified(self, request: Received) -> bool:
        """Tell whether the request shows a key."""
        return self._keys.match(request.headers.get(self._header, ""))

    def events(self, request: Received) -> Iterator[Event]:
        """Return what the notifications of a request tell; each of no use is counted, and changes nothing else."""
        return told_by_each(notifications_in(request.body), self._told, request, self._intake)

    def _told(self, found: Notification, place: Location) -> list[Event]:
        if found.kind in DETAIL_KINDS:
            events = self._of_conversation(found)
        elif found.kind in USER_KINDS:
            events = events_of_user(found, self._queues, self._options.source_name, self._options.tenant)
        elif found.kind in OF_NO_USE or found.kind == _CHANNEL_HEARTBEAT:
            events = []
        else:
            self._intake.wonder(found.kind, BadLine(place, "unknown_topic", "a topic that is not known"))
            return []
        if events:
            self._intake.used[found.kind] += 1
        else:
            self._intake.ignore(found.kind)
        return events

    def _of_conversation(self, found: Notification) -> list[Event]:
        told = msgspec.convert(found.body, DetailEvent)
        channel = channel_of(told)
        if channel is None:
            if told.media_type not in MEDIA_OF_NO_CONTACT:
                # A new kind of contact would be missing from the board, and nobody would know.
                raise UnusablePart("unknown_media", "the mediaType is not known")
            return []
        parts = (told.conversation_id, found.kind.rpartition("}.")[2], told.participant_id, told.event_time)
        name = "/".join(map(str, parts))
        made = iter(["", "/callback"])
        factory = EventFactory(self._options.source_name, tenant=self._options.tenant, new_id=lambda: name + next(made))
        queue = None if told.queue_id is None else self._queues.of(told.queue_id)
        return DETAIL_KINDS[found.kind](ConversationEvents(told, channel, queue, factory)) or []


class _QueueEntry(Struct):
    id: str
    name: str


class _QueuePage(Struct):
    entities: list[_QueueEntry]


def _listed(content: bytes) -> dict[str, str]:
    told = msgspec.json.decode(content, type=list[_QueueEntry] | _QueuePage)
    return {queue.id: queue.name for queue in (told.entities if isinstance(told, _QueuePage) else told)}


def _table(options: Options) -> VerifyTable:
    return VerifyTable(method="key", header=options.header)


SOURCE: Final = Source(
    name="genesys-cloud",
    about="Genesys Cloud's notifications, as Amazon EventBridge posts them: conversations, agents, queue members.",
    options=Options,
    webhook=GenesysCloudWebhook,
    setup=Setup(
        steps="""\
1. In Genesys Cloud: Admin, Integrations, Amazon EventBridge Source, with your AWS account and the topics of the page.
2. In AWS, accept the partner event source, and add a rule for its bus with an API destination:
   Endpoint: {url}
   Method: POST
   Connection: API key, named X-API-Key (or as --header says), with the line of {secret_file}
3. Have names of queues: save what `GET /api/v2/routing/queues?pageSize=500` answers, and name it by --queues-file.
More: docs/sources/genesys-cloud.md""",
        empty_request=empty_request_by(_table),
    ),
)
"""Its entry of the registry."""
