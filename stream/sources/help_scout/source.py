"""Help Scout as a source: a webhook that takes its conversations and ratings."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Name
from stream.sources.help_desk import DeskSettings
from stream.sources.help_scout.conversations import (
    CONVERSATIONS_OF_NO_USE,
    HELP_SCOUT_CHANNELS,
    conversation_kinds,
)
from stream.sources.intake import Intake
from stream.sources.queue_names import QueueNames
from stream.sources.requests.json_webhook import JsonDocument, JsonWebhook, json_documents
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.source import Received, Setup, Source

__all__ = ["SOURCE", "Options"]

_MAILBOXES: Final = "a list of inboxes, each with id and name, as `GET /v2/mailboxes` answers"
_SIGNED: Final = VerifyTable(method="hmac-sha1", header="X-HelpScout-Signature", encoding="base64")


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a Help Scout account."""

    secret_file: Annotated[Path, Meta(description="The secret of the webhook; of several one in each line.")]
    tenant: Annotated[Name, Meta(description="Whose conversations they are.")] = DEFAULT_TENANT
    source_name: Annotated[
        str, Meta(description="Names the account in events. Two accounts need two names.", min_length=1, max_length=200)
    ] = "/help-scout"
    queues_file: Annotated[
        Path | None,
        Meta(description="What `GET /v2/mailboxes` answered: names of inboxes. Others are called by their id."),
    ] = None
    other_channel: Annotated[
        Channel, Meta(description="The channel of the API, and whatever else is no channel of its own.")
    ] = "email"


def _webhook(options: Options, intake: Intake) -> JsonWebhook:
    desk = DeskSettings(
        source_name=options.source_name,
        tenant=options.tenant,
        default_queue="unassigned",  # none is: a conversation is always in an inbox
        queue_name=QueueNames(options.queues_file, _listed, _MAILBOXES).of,
        channels=HELP_SCOUT_CHANNELS,
        other_channel=options.other_channel,
    )
    return JsonWebhook(
        intake,
        verify=verifier_of(_SIGNED, SecretLines(options.secret_file)),
        documents=_documents,
        tell=conversation_kinds(desk),
        of_no_use=CONVERSATIONS_OF_NO_USE,
    )


def _documents(request: Received) -> Iterator[JsonDocument | UnusablePart]:
    def kind_of(_: object) -> str:
        kind = request.headers.get("x-helpscout-event", "")
        if not kind:
            raise UnusablePart("unknown_document", "no request of Help Scout: X-HelpScout-Event is missing")
        return kind

    yield from json_documents(request, kind_of)


class _Mailbox(Struct):
    id: int
    name: str


class _Mailboxes(Struct):
    mailboxes: list[_Mailbox]


class _MailboxPage(Struct):
    embedded: _Mailboxes = field(name="_embedded")


def _listed(content: bytes) -> Mapping[str, str]:
    told = msgspec.json.decode(content, type=list[_Mailbox] | _MailboxPage)
    return {str(each.id): each.name for each in (told.embedded.mailboxes if isinstance(told, _MailboxPage) else told)}


SOURCE: Final = Source(
    name="help-scout",
    about="Help Scout's conversations: replies, status, inboxes, satisfaction.",
    options=Options,
    webhook=_webhook,
    setup=Setup(
        steps="""\
Create the webhook by the API, in version 2, with whole payloads:
   "url": "{url}"
   "secret": the line of {secret_file}
   "events": convo.created, convo.customer.reply.created, convo.agent.reply.created, convo.note.created, convo.status,
             convo.assigned, convo.moved, convo.merged, convo.deleted, satisfaction.ratings
More, with the command to paste: docs/sources/help-scout.md""",
        empty_request=empty_request_by(_SIGNED),
    ),
)
"""Its entry of the registry."""
