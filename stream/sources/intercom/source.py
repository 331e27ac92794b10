"""Intercom as a source: a webhook that takes its notifications of conversations."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Name
from stream.sources.help_desk import DeskSettings
from stream.sources.intake import Intake
from stream.sources.intercom.conversations import INTERCOM_CHANNELS, TOPICS_OF_NO_USE, conversation_topics
from stream.sources.queue_names import QueueNames
from stream.sources.requests.json_webhook import JsonWebhook, json_documents
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.source import Setup, Source

__all__ = ["SOURCE", "Options"]

_TEAMS: Final = "a list of teams, each with id and name, as `GET /teams` answers"
_SIGNED: Final = VerifyTable(method="hmac-sha1", header="X-Hub-Signature", prefix="sha1=")


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of an Intercom workspace."""

    secret_file: Annotated[Path, Meta(description="The client secret of the app; of several one in each line.")]
    tenant: Annotated[Name, Meta(description="Whose conversations they are.")] = DEFAULT_TENANT
    source_name: Annotated[
        str,
        Meta(description="Names the workspace in events. Two of them need two names.", min_length=1, max_length=200),
    ] = "/intercom"
    queues_file: Annotated[
        Path | None, Meta(description="What `GET /teams` answered: names of teams. Others are called by their id.")
    ] = None
    default_queue: Annotated[Name, Meta(description="The queue of conversations without a team.")] = "unassigned"
    other_channel: Annotated[
        Channel, Meta(description="The channel of whatever is none that is known, such as one of a partner's app.")
    ] = "chat"


def _webhook(options: Options, intake: Intake) -> JsonWebhook:
    desk = DeskSettings.of(options, INTERCOM_CHANNELS, QueueNames(options.queues_file, _listed, _TEAMS).of)
    return JsonWebhook(
        intake,
        verify=verifier_of(_SIGNED, SecretLines(options.secret_file)),
        documents=lambda request: json_documents(request, _topic_of),
        tell=conversation_topics(desk),
        of_no_use=TOPICS_OF_NO_USE,
    )


def _topic_of(content: dict[str, Any]) -> str:
    topic = content.get("topic")
    if content.get("type") != "notification_event" or not isinstance(topic, str):
        raise UnusablePart("unknown_document", "no notification of Intercom: it has no topic")
    return topic


class _Team(Struct):
    id: str | int
    name: str


class _TeamList(Struct):
    teams: list[_Team]


def _listed(content: bytes) -> Mapping[str, str]:
    told = msgspec.json.decode(content, type=list[_Team] | _TeamList)
    return {str(team.id): team.name for team in (told.teams if isinstance(told, _TeamList) else told)}


SOURCE: Final = Source(
    name="intercom",
    about="Intercom's conversations: replies, teams, snoozes, ratings.",
    options=Options,
    webhook=_webhook,
    setup=Setup(
        secret_of_system=True,
        steps="""\
1. In Intercom's Developer Hub, open the app; its client secret is the line of {secret_file}.
2. Webhooks: {url}
   with the topics
   conversation.user.created             conversation.admin.single.created     conversation.user.replied
   conversation.admin.replied            conversation.operator.replied         conversation.admin.noted
   conversation.admin.assigned           conversation.admin.open.assigned      conversation.admin.closed
   conversation.admin.opened             conversation.admin.snoozed            conversation.admin.unsnoozed
   conversation.priority.updated         conversation.rating.added             conversation.deleted
More: docs/sources/intercom.md""",
        empty_request=empty_request_by(_SIGNED),
    ),
)
"""Its entry of the registry."""
