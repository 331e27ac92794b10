"""Recorded days: one CloudEvent per line, as JSON. And sending what was recorded."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from stream.core.cloudevents import MAX_EVENT_BYTES, Event, encode, tag_of
from stream.errors import InvalidEvent, SourceError
from stream.families.registry import DECODER
from stream.sdk.producer import Producer
from stream.sources.lines import BadLine, Line, SetAside, forget, read_lines

__all__ = ["parse", "produce", "read", "read_stream", "write"]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse(line: Line) -> Event | BadLine | None:
    """Read one line; None for an empty one. Any bytes will do: it never raises."""
    if line.text is None:
        return BadLine(line.place, "too_large", f"the line has more than {MAX_EVENT_BYTES} bytes")
    text = line.text.removeprefix(_BYTE_ORDER_MARK) if line.place.offset == 0 else line.text
    if not text.strip():
        return None
    try:
        return DECODER.decode(text)
    except InvalidEvent as invalid:
        return BadLine(line.place, invalid.reason, invalid.detail)


def read(path: Path, set_aside: SetAside = forget) -> Iterator[Event]:
    """Yield the events of a file, in constant memory; raises SourceError if it cannot be read."""
    try:
        with path.open("rb") as stream:
            yield from read_stream(stream, str(path), set_aside)
    except OSError as failure:
        raise SourceError(f"{path}: the file cannot be read: {failure.strerror}") from failure


def read_stream(stream: BinaryIO, name: str, set_aside: SetAside = forget) -> Iterator[Event]:
    """Yield the events of a stream; *name* stands for the file in messages, lines of no use go to *set_aside*."""
    for line in read_lines(stream, name, limit=MAX_EVENT_BYTES):
        match parse(line):
            case None:
                pass
            case BadLine() as bad:
                set_aside(bad)
            case event:
                yield event


def write(events: Iterable[Event], stream: BinaryIO) -> int:
    """Write events one per line, and return how many they were."""
    count = 0
    for event in events:
        stream.write(encode(event) + b"\n")
        count += 1
    return count


async def produce(events: Iterable[Event], producer: Producer) -> Counter[str]:
    """Send events, and return how many of each type the broker has acknowledged; raises BrokerError."""
    sent: Counter[str] = Counter()
    await producer.send_many(_counted(events, sent))
    return sent


def _counted(events: Iterable[Event], sent: Counter[str]) -> Iterator[Event]:
    for event in events:
        sent[tag_of(event)] += 1
        yield event
