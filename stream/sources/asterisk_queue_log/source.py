"""Asterisk's queue_log as a source: a whole file, standard input, or a log that is still being written."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

from msgspec import Meta, Struct

from stream.core.cloudevents import DEFAULT_TENANT, Event, Name
from stream.core.windows import EPOCH
from stream.errors import SettingsError
from stream.sdk.factory import utc_now
from stream.sources.asterisk_queue_log.line import LogIdentity
from stream.sources.asterisk_queue_log.mapper import Mapper
from stream.sources.asterisk_queue_log.position import Position
from stream.sources.asterisk_queue_log.tail import ROTATED, Tail
from stream.sources.files.opening import COMPRESSED, opened
from stream.sources.instants import named_zone
from stream.sources.intake import Intake
from stream.sources.lines import read_lines
from stream.sources.source import STDIN, PulledBatch, Source, position_beside

__all__ = ["SOURCE", "Options", "QueueLogFollower", "default_name", "polling"]

LONGEST_NAME: Final = 256
_ROTATED_END = re.compile(f"(?:{ROTATED.pattern})$")

Pause = Callable[[], Awaitable[bool]]
"""Waits until it may be worth looking at the file again; False ends the following."""


class Options(Struct, frozen=True, kw_only=True):
    """What a person says of a log."""

    file: Annotated[Path, Meta(description="The log, also compressed or a rotated one; - is standard input.")]
    tenant: Annotated[Name, Meta(description="Whose log it is: the log does not say.")] = DEFAULT_TENANT
    source_name: Annotated[
        str | None, Meta(description="Names the PBX; else host name and path. Two PBXs need two names.")
    ] = None
    time_zone: Annotated[
        str | None, Meta(description="Zone of the times in rows of the realtime table, such as Europe/Berlin.")
    ] = None

    def mapper(self, intake: Intake, position: Position | None = None) -> Mapper:
        """Return the mapper of this log, as it was at a position."""
        return Mapper(
            LogIdentity(source=self.source_name or default_name(self.file), tenant=self.tenant),
            zone=named_zone(self.time_zone, "--time-zone") if self.time_zone else None,
            remembered=position.memory if position else None,
            intake=intake,
        )


def default_name(file: Path) -> str:
    """Return host and path of a log as a URI reference; a rotated or compressed part is of the log that it was."""
    host = socket.gethostname()
    if file == STDIN:
        return f"//{host}/stdin"
    folder, _, name = str(file.absolute()).rpartition("/")
    # The name is part of what identifies events: a day that was followed live and is read once more from its
    # rotated, compressed file must count once.
    for ending in COMPRESSED:
        name = name.removesuffix(ending)
    found = f"//{host}{quote(folder)}/{quote(_ROTATED_END.sub('', name))}"
    if len(found) > LONGEST_NAME:
        raise SettingsError(f"{file}: its path is too long to name the PBX by: choose a name with --source-name")
    return found


def read(options: Options, intake: Intake) -> Iterator[Event]:
    """Yield the events of a whole file, in constant memory; raises SourceError if it cannot be read."""
    mapper = options.mapper(intake)
    with opened(options.file) as (stream, name):
        yield from mapper.events(read_lines(stream, name))
    # The log has ended: what it only announced, such as the end of a wrap-up, will not come as a line.
    yield from mapper.passed()


def polling(seconds: float = 0.25) -> Pause:
    """Look every *seconds*, for ever: works on every file system, also on those that tell nobody of a change."""

    async def pause() -> bool:
        await asyncio.sleep(seconds)
        return True

    return pause


class QueueLogFollower:
    """
    Follows a log through rotation and truncation; a `Puller`.

    A file that is not there yet is waited for; a last line without a newline is not read before it is finished.
    """

    def __init__(
        self, options: Options, intake: Intake, *, pause: Pause | None = None, clock: Callable[[], datetime] = utc_now
    ) -> None:
        if options.file == STDIN:
            raise SettingsError("--follow needs a file, not standard input")
        self._options = options
        self._intake = intake
        self._pause = pause or polling()
        self._clock = clock

    async def batches(self, saved: bytes | None) -> AsyncIterator[PulledBatch]:
        """Yield what is in the file from *saved* on, and then what is added."""
        position = None if saved is None else Position.read(saved)
        mapper = self._options.mapper(self._intake, position)
        with closing(Tail(self._options.file, position.bookmark if position else None)) as tail:
            going = True
            while going:
                lines = tail.read()
                # With lines their own times decide what is over. While nothing is written the clock of this
                # machine has to: a wrap-up ends on time also in a quiet hour.
                events = list(mapper.events(lines)) if lines else mapper.passed(self._now())
                place = tail.bookmark
                # Also without events: the position moves past lines that told nothing.
                if (lines or events) and place is not None:
                    yield PulledBatch(events, Position(bookmark=place, memory=mapper.memory.saved).write())
                else:
                    going = await self._pause()

    def _now(self) -> int:
        return (self._clock() - EPOCH) // timedelta(microseconds=1)


SOURCE: Final = Source(
    name="asterisk-queue-log",
    about="Asterisk's queue_log, recorded or live.",
    options=Options,
    read=read,
    pull=QueueLogFollower,
    position=lambda options: position_beside(options.file),
)
