"""
Any system whose payloads are JSON, or rows of a table: what they mean a mapping file says, and no code.

Two entries of the registry: recorded files are read, and webhooks answered, by the same mapping; a third, in
`topic`, reads topics of Kafka by it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Event, Name
from stream.errors import SettingsError
from stream.sources.files.opening import opened
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.mapped.mapping import EventMapping, MappedRecord
from stream.sources.mapped.mapping_file import MappingFile, read_mapping
from stream.sources.mapped.payloads import PayloadRecord, RecordReader
from stream.sources.requests.secret_lines import SecretLines
from stream.sources.requests.verification import signed_request, verifier_of
from stream.sources.source import Received, Setup, Source, Webhook

__all__ = [
    "MAPPED_FILE",
    "MAPPED_WEBHOOK",
    "MappedFileOptions",
    "MappedWebhookOptions",
    "bad_record",
    "events_of",
    "read",
]

NO_RULE: Final = "no_rule"
"""Records that no rule matches are counted by this name: what else they are nobody knows."""


class MappedFileOptions(Struct, frozen=True, kw_only=True):
    """What a person says of a recorded file."""

    file: Annotated[Path, Meta(description="What the system sent, also compressed; - is standard input.")]
    mapping: Annotated[Path, Meta(description="The mapping file.")] = Path("mapping.toml")
    tenant: Annotated[Name, Meta(description="Whose records they are, where they do not say.")] = DEFAULT_TENANT
    source_name: Annotated[
        str | None, Meta(description="Names the system, else the mapping does. Two of them need two names.")
    ] = None


class MappedWebhookOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file of webhooks says of one."""

    mapping: Annotated[Path, Meta(description="The mapping file; its table [verify] says how requests are verified.")]
    key_file: Annotated[
        Path, Meta(description="A file with the key, or the secret of signatures; several lines, several.")
    ]
    tenant: Annotated[Name, Meta(description="Whose records they are, where they do not say.")] = DEFAULT_TENANT
    source_name: Annotated[
        str | None, Meta(description="Names the system, else the mapping does. Two of them need two names.")
    ] = None


def read(options: MappedFileOptions, intake: Intake) -> Iterator[Event]:
    """Yield the events of a file; raises SettingsError for the mapping, and SourceError if the file cannot be read."""
    told = read_mapping(options.mapping).named(options.source_name, options.tenant)
    with opened(options.file) as (stream, name):
        yield from events_of(told.mapping, RecordReader(told.format, intake).of_stream(stream, name), intake)


def events_of(mapping: EventMapping, records: Iterable[PayloadRecord], intake: Intake) -> Iterator[Event]:
    """Yield the events of records, and count what became of each of them, once."""
    for record in records:
        mapped = mapping.of(record.value)
        if mapped.faults:
            intake.refuse(bad_record(mapping, record, mapped))
        elif mapped.rules:
            intake.used[mapped.rules[0].event] += 1
        elif mapped.ignored:
            intake.ignore(mapped.ignored[0].ignore)
        else:
            intake.wonder(NO_RULE, BadLine(record.place, NO_RULE, f"no rule of {mapping.name} matches{_which(record)}"))
        # What other rules made of a record with a fault is good all the same.
        yield from mapped.events


def bad_record(mapping: EventMapping, record: PayloadRecord, mapped: MappedRecord) -> BadLine:
    """Return the first fault of a record, with the line of the mapping that wanted what is not there."""
    fault = mapped.faults[0]
    return BadLine(record.place, fault.reason, f"{mapping.name}:{fault.line}: {fault.detail}{_which(record)}")


def _which(record: PayloadRecord) -> str:
    return f" (record {record.number})" if record.number > 1 else ""


class _MappedWebhook(Webhook):
    def __init__(self, options: MappedWebhookOptions, intake: Intake) -> None:
        self._told: MappingFile = read_mapping(options.mapping).named(options.source_name, options.tenant)
        if self._told.verify is None:
            raise SettingsError(f"{options.mapping}: a webhook needs a table [verify]: else anybody could post")
        self._is_verified = verifier_of(self._told.verify, SecretLines(options.key_file))
        self._intake = intake

    def verified(self, request: Received) -> bool:
        return self._is_verified(request)

    def events(self, request: Received) -> Iterable[Event]:
        # A query may hold what is not for a log.
        place = Location(request.url.partition("?")[0], line=1, offset=0)
        records = RecordReader(self._told.format, self._intake).of_body(request.body, place)
        return events_of(self._told.mapping, records, self._intake)


def _empty_request(options: MappedWebhookOptions, secret: str, url: str, at: datetime) -> Received:
    told = read_mapping(options.mapping)
    assert told.verify is not None  # else the webhook could not be made
    # No record, whatever form they have.
    return signed_request(told.verify, secret, url, at, b"")


MAPPED_FILE: Final = Source(
    name="mapped",
    about="Any system that writes JSON or tables: a mapping file says what they mean.",
    options=MappedFileOptions,
    read=read,
)
MAPPED_WEBHOOK: Final = Source(
    name="mapped-webhook",
    about="Any system that posts JSON: a mapping file says what it means.",
    options=MappedWebhookOptions,
    webhook=_MappedWebhook,
    setup=Setup(
        steps="""\
Have the system post to {url}
and show or sign with the line of {secret_file}, as [verify] of the mapping says.
More: docs/sources/mapping.md""",
        empty_request=_empty_request,
    ),
)
