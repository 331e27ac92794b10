"""`contact-stream mapping`: tries a mapping file on what a system sent, and says what became of each record."""

import sys
from pathlib import Path

import click

from stream.cli.listing import Listing
from stream.core.cloudevents import encode
from stream.errors import SourceError
from stream.sources.files.opening import opened
from stream.sources.intake import Intake
from stream.sources.lines import BadLine
from stream.sources.mapped.mapping import EventMapping, MappedRecord
from stream.sources.mapped.mapping_file import read_mapping
from stream.sources.mapped.payloads import RecordReader

__all__ = ["mapping"]


@click.group(cls=Listing)
def mapping() -> None:
    """Work on mapping files, which say what the payloads of any system mean: docs/sources/mapping.md."""


@mapping.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Read the mapping FILE, and say what is wrong with it, by line."""
    told = read_mapping(file)
    click.echo(f"{file}: {len(told.mapping.rules)} rules")


@mapping.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("sample", type=click.Path(path_type=Path))
def test(file: Path, sample: Path) -> None:
    """
    Print the events that the mapping FILE makes of SAMPLE, one in a line.

    On standard error it says of each record which rules matched, or why it is of no use. It fails where a record has
    a value that a rule cannot use, or is none, or where there is no record at all.
    """
    told = read_mapping(file)
    failed = seen = 0

    def set_aside(bad: BadLine) -> None:
        nonlocal failed
        failed += 1
        click.echo(str(bad), err=True)

    with opened(sample) as (stream, name):
        for record in RecordReader(told.format, Intake(set_aside)).of_stream(stream, name):
            seen += 1
            mapped = told.mapping.of(record.value)
            failed += len(mapped.faults)
            _explain(f"{record.place}: record {record.number}", told.mapping, mapped)
            for event in mapped.events:
                sys.stdout.buffer.write(encode(event) + b"\n")
    sys.stdout.buffer.flush()
    if not (failed or seen):
        raise SourceError(f"{sample}: there is no record in it")
    if failed:
        raise SourceError(f"{sample}: {failed} {'fault' if failed == 1 else 'faults'}")


def _explain(where: str, of: EventMapping, mapped: MappedRecord) -> None:
    for rule in mapped.rules:
        click.echo(f"{where}: {rule.event} by {of.name}:{rule.line}", err=True)
    for fault in mapped.faults:
        click.echo(f"{where}: {of.name}:{fault.line}: {fault.detail}", err=True)
    for left_out in mapped.ignored:
        click.echo(f"{where}: left out as {left_out.ignore} by {of.name}:{left_out.line}", err=True)
    if not (mapped.rules or mapped.faults or mapped.ignored):
        click.echo(f"{where}: no rule matches; if it is of no use, write a rule with ignore for it", err=True)
