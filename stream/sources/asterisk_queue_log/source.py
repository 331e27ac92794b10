"""The ways to read a queue_log: a whole file, a stream, or a file that is still being written."""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec
from msgspec import Struct

from stream.core.cloudevents import Event
from stream.errors import BrokerError, SourceError
from stream.sources.asterisk_queue_log.mapper import Mapper
from stream.sources.asterisk_queue_log.state import Saved, StateFile
from stream.sources.asterisk_queue_log.tail import Tail
from stream.sources.lines import read_lines

__all__ = ["Batch", "Pause", "Sink", "follow", "polling", "read", "read_stream", "ship"]

log = logging.getLogger(__name__)

Pause = Callable[[], Awaitable[bool]]
"""Waits until it may be worth looking at the file again; False ends the following."""


class Sink(Protocol):
    """Where events go; `stream.sdk.producer.Producer` is one."""

    async def send_many(self, events: Iterable[Event]) -> int:
        """Return when all of them have arrived, or raise BrokerError."""
        ...


class Batch(Struct, frozen=True):
    """Events, and the state to save once the broker has them."""

    events: list[Event]
    state: bytes


def read(path: Path, mapper: Mapper) -> Iterator[Event]:
    """Yield the events of a whole file, in constant memory; raises SourceError if it cannot be read."""
    try:
        with path.open("rb") as stream:
            yield from read_stream(stream, str(path), mapper)
    except OSError as failure:
        raise SourceError(f"{path}: the log cannot be read: {failure.strerror}") from failure


def read_stream(stream: BinaryIO, name: str, mapper: Mapper) -> Iterator[Event]:
    """Yield the events of a stream, such as standard input; *name* stands for the file in messages."""
    return mapper.events(read_lines(stream, name))


def polling(seconds: float = 0.25) -> Pause:
    """Look every *seconds*, for ever: works on every file system, also on those that tell nobody of a change."""

    async def pause() -> bool:
        await asyncio.sleep(seconds)
        return True

    return pause


async def follow(path: Path, mapper: Mapper, *, saved: Saved | None, pause: Pause) -> AsyncIterator[Batch]:
    """
    Yield what is in the file from *saved* on, and then what is added, through rotation and truncation.

    The *mapper* must have been made with `saved.memory`. A file that is not there yet is waited for; a last
    line without a newline is not read before it is finished.
    """
    with closing(Tail(path, saved.bookmark if saved else None)) as tail:
        going = True
        while going:
            lines = tail.read()
            events = list(mapper.events(lines))
            place = tail.bookmark
            if lines and place is not None:
                yield Batch(events, msgspec.json.encode(Saved(bookmark=place, memory=mapper.memory)))
            else:
                going = await pause()


async def ship(batches: AsyncIterable[Batch], sink: Sink, state: StateFile) -> None:
    """
    Send each batch, and save the position when the broker has acknowledged all of it.

    While the broker is away the same batch is sent again and again: the log keeps the rest. After a crash
    the events since the last save are sent again with the ids that they had, and count once.
    """
    async for batch in batches:
        while not await _sent(batch, sink):
            pass
        await asyncio.to_thread(state.save, batch.state)


async def _sent(batch: Batch, sink: Sink) -> bool:
    try:
        await sink.send_many(batch.events)
    except BrokerError as failure:
        log.warning("%s; sending again", failure)
        return False
    return True
