"""Zendesk as a source: a webhook that takes its events of tickets, as an event subscription posts them."""

from pathlib import Path
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Channel, Name
from stream.sources.help_desk import DeskSettings
from stream.sources.intake import Intake
from stream.sources.requests.json_webhook import JsonWebhook, json_documents
from stream.sources.requests.parts import UnusablePart
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import VerifyTable, empty_request_by, verifier_of
from stream.sources.source import Setup, Source
from stream.sources.zendesk.groups import names_of_groups
from stream.sources.zendesk.tickets import TICKETS_OF_NO_USE, ticket_kinds
from stream.sources.zendesk.vocabulary import ZENDESK_CHANNELS

__all__ = ["SOURCE", "Options"]

_PREFIX: Final = "zen:event-type:"


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person says of a Zendesk account."""

    secret_file: Annotated[Path, Meta(description="The signing secret of the webhook; of several one in each line.")]
    tenant: Annotated[Name, Meta(description="Whose tickets they are.")] = DEFAULT_TENANT
    source_name: Annotated[
        str, Meta(description="Names the account in events. Two accounts need two names.", min_length=1, max_length=200)
    ] = "/zendesk"
    queues_file: Annotated[
        Path | None,
        Meta(description="What `GET /api/v2/groups` answered: names of groups. Others are called by their id."),
    ] = None
    default_queue: Annotated[Name, Meta(description="The queue of tickets without a group.")] = "unassigned"
    other_channel: Annotated[
        Channel, Meta(description="The channel of forms, the API, and whatever else is no channel of its own.")
    ] = "email"
    tolerance_seconds: Annotated[
        int, Meta(description="How old a signed request may be, or how far ahead of our clock.", ge=1, le=86_400)
    ] = 300


def _verification(options: Options) -> VerifyTable:
    return VerifyTable(
        method="hmac-sha256",
        header="X-Zendesk-Webhook-Signature",
        encoding="base64",
        signed="{timestamp}{body}",
        timestamp_header="X-Zendesk-Webhook-Signature-Timestamp",
        tolerance_s=options.tolerance_seconds,
    )


def _webhook(options: Options, intake: Intake) -> JsonWebhook:
    desk = DeskSettings.of(options, ZENDESK_CHANNELS, names_of_groups(options.queues_file).of)
    return JsonWebhook(
        intake,
        verify=verifier_of(_verification(options), SecretLines(options.secret_file)),
        documents=lambda request: json_documents(request, _kind_of),
        tell=ticket_kinds(desk),
        of_no_use=TICKETS_OF_NO_USE,
    )


def _kind_of(content: dict[str, Any]) -> str:
    kind = content.get("type")
    if not isinstance(kind, str) or not kind.startswith(_PREFIX):
        # What a trigger sends is a body of one's own.
        raise UnusablePart("unknown_document", "no event of Zendesk: its type is not zen:event-type:…")
    return kind.removeprefix(_PREFIX)


SOURCE: Final = Source(
    name="zendesk",
    about="Zendesk's events of tickets: assignments, comments, status, merges, satisfaction.",
    options=Options,
    webhook=_webhook,
    setup=Setup(
        secret_of_system=True,
        steps="""\
1. In Zendesk's Admin Center: Apps and integrations, Webhooks, Create webhook, Zendesk events, those of the page.
   Endpoint URL: {url}
   Request method: POST; format: JSON; no authentication
2. Reveal secret, on the page of the webhook, shows the line of {secret_file}.
More: docs/sources/zendesk.md""",
        empty_request=empty_request_by(_verification),
    ),
)
"""Its entry of the registry."""
