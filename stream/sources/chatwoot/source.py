"""Chatwoot as a source: a webhook that takes its conversations, messages and ratings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Name
from stream.sources.chatwoot.conversations import CHATWOOT_CHANNELS, CHATWOOT_OF_NO_USE, QueueBy, chatwoot_kinds
from stream.sources.help_desk import DeskSettings
from stream.sources.intake import Intake
from stream.sources.queue_names import QueueNames
from stream.sources.requests.json_webhook import JsonWebhook, json_documents, kind_at
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.source import Setup, Source

__all__ = ["SOURCE", "Options"]

_INBOXES: Final = "a list of inboxes, each with id and name, as `GET /api/v1/accounts/ID/inboxes` answers"
_TOKEN: Final = VerifyTable(method="parameter", parameter="token")


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of an account of Chatwoot."""

    secret_file: Annotated[Path, Meta(description="The secret of the webhook; of several one in each line.")]
    signed: Annotated[
        bool,
        Meta(description="False of a Chatwoot that signs nothing: then the secret is the `token` of the URL."),
    ] = True
    tolerance_seconds: Annotated[
        int, Meta(description="How old a signed request may be, in seconds.", ge=1, le=86_400)
    ] = 300
    tenant: Annotated[Name, Meta(description="Whose conversations they are.")] = DEFAULT_TENANT
    source_name: Annotated[
        str, Meta(description="Names the account in events. Two accounts need two names.", min_length=1, max_length=200)
    ] = "/chatwoot"
    queue_by: Annotated[QueueBy, Meta(description="What a queue is: the inbox, or the team of a conversation.")] = (
        "inbox"
    )
    queues_file: Annotated[
        Path | None,
        Meta(description="What `GET /api/v1/accounts/ID/inboxes` answered: names of inboxes. Others are called by id."),
    ] = None
    default_queue: Annotated[Name, Meta(description="Of a conversation without a team.")] = "unassigned"
    other_channel: Annotated[Channel, Meta(description="The channel of inboxes of the API.")] = "chat"


def _table(options: Options) -> VerifyTable:
    if not options.signed:
        return _TOKEN
    return VerifyTable(
        method="hmac-sha256",
        header="X-Chatwoot-Signature",
        prefix="sha256=",
        signed="{timestamp}.{body}",
        timestamp_header="X-Chatwoot-Timestamp",
        tolerance_s=options.tolerance_seconds,
    )


def _webhook(options: Options, intake: Intake) -> JsonWebhook:
    desk = DeskSettings.of(options, CHATWOOT_CHANNELS, QueueNames(options.queues_file, _listed, _INBOXES).of)
    return JsonWebhook(
        intake,
        verify=verifier_of(_table(options), SecretLines(options.secret_file)),
        documents=lambda request: json_documents(request, kind_at("event")),
        tell=chatwoot_kinds(desk, options.queue_by),
        of_no_use=CHATWOOT_OF_NO_USE,
    )


class _Inbox(Struct):
    id: int
    name: str


class _Inboxes(Struct):
    payload: list[_Inbox]


def _listed(content: bytes) -> Mapping[str, str]:
    told = msgspec.json.decode(content, type=list[_Inbox] | _Inboxes)
    return {str(each.id): each.name for each in (told.payload if isinstance(told, _Inboxes) else told)}


SOURCE: Final = Source(
    name="chatwoot",
    about="Chatwoot's conversations: messages, status, teams, satisfaction.",
    options=Options,
    webhook=_webhook,
    setup=Setup(
        steps="""\
1. In Chatwoot: Settings, Integrations, Webhooks, Add new webhook.
   URL: {url}
   Events: Conversation created, status changed and updated; Message created and updated
2. Put the secret that Chatwoot shows into {secret_file}. One that shows none signs nothing: say signed = false under
   [webhooks.{name}], and write ?token= and a secret of yours behind the URL.
3. Have names of inboxes: save what `GET /api/v1/accounts/ID/inboxes` answers, and name it by --queues-file.
More: docs/sources/chatwoot.md""",
        secret_of_system=True,
        empty_request=empty_request_by(_table),
    ),
)
"""Its entry of the registry."""
