"""Recorded days: one CloudEvent per line, as JSON."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Final

from msgspec import Meta, Struct

from stream.core.cloudevents import MAX_EVENT_BYTES, Event, encode
from stream.errors import InvalidEvent
from stream.families.registry import DECODER
from stream.sources.files.opening import opened
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Line, read_lines
from stream.sources.source import Source

__all__ = ["SOURCE", "Options", "parse", "read", "read_stream", "write"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Options(Struct, frozen=True, kw_only=True):
    """What a person says of a recorded day; the events say the rest themselves."""

    file: Annotated[Path, Meta(description="The recorded day, also compressed; - is standard input.")]


def parse(line: Line) -> Event | BadLine | None:
    """Read one line; None for an empty one. Any bytes will do: it never raises."""
    if line.text is None:
        return BadLine(line.place, "too_large", f"the line has more than {MAX_EVENT_BYTES} bytes")
    # Editors put the mark at the begin of a file; anywhere else it is a mistake, and JSON refuses it.
    text = line.text.removeprefix(_BYTE_ORDER_MARK) if line.place.offset == 0 else line.text
    if not text.strip():
        return None
    try:
        return DECODER.decode(text)
    except InvalidEvent as invalid:
        return BadLine(line.place, invalid.reason, invalid.detail)


def read(options: Options, intake: Intake) -> Iterator[Event]:
    """Yield the events of a file, in constant memory; raises SourceError if it cannot be read."""
    with opened(options.file) as (stream, name):
        yield from read_stream(stream, name, intake)


def read_stream(stream: BinaryIO, name: str, intake: Intake) -> Iterator[Event]:
    """Yield the events of a stream; *name* stands for the file in messages."""
    for line in read_lines(stream, name, limit=MAX_EVENT_BYTES):
        intake.read += 1
        match parse(line):
            case None:
                intake.empty += 1
            case BadLine() as bad:
                intake.refuse(bad)
            case event:
                intake.used["events"] += 1
                yield event


def write(events: Iterable[Event], stream: BinaryIO) -> int:
    """Write events one per line, and return how many they were."""
    count = 0
    for event in events:
        stream.write(encode(event) + b"\n")
        count += 1
    return count


SOURCE: Final = Source(
    name="jsonl",
    about="A recorded day: one CloudEvent per line, as JSON.",
    options=Options,
    read=read,
)
