"""Sends what a puller fetches, and keeps how far it got in a small file, so that a restart goes on from there."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from stream.core.cloudevents import Event
from stream.errors import BrokerError, InvalidEvent, SourceError
from stream.sdk.producer import checked
from stream.sources.intake import Intake
from stream.sources.lines import BadLine, Location
from stream.sources.source import Puller, Sink, UnreadablePosition

__all__ = ["BackOff", "PositionFile", "is_valid", "ship"]

logger = logging.getLogger(__name__)


class BackOff:
    """Waits between attempts that fail, longer each time, so that nobody is asked in a tight loop."""

    def __init__(
        self, first: float = 0.5, longest: float = 30.0, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._first = first
        self._longest = longest
        self._sleep = sleep
        self._next = first

    async def wait(self, at_least: float = 0) -> None:
        """Wait as long as it is due after this failure, or as the other side asked for."""
        pause, self._next = self._next, min(2 * self._next, self._longest)
        await self._sleep(max(pause, at_least))

    def reset(self) -> None:
        """Begin anew: the last attempt went well."""
        self._next = self._first


class PositionFile:
    """
    Keeps the latest position on disk: the file always holds a whole one, also after a power cut.

    A disk that is full stops nothing: `failures` counts, the log says so, and the next save tries again.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self.failures = 0
        self._read_only = read_only
        self._failing = False

    def load(self) -> bytes | None:
        """Return what was saved last, None if nothing was."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as failure:
            raise SourceError(f"{self.path}: the position cannot be read: {failure.strerror}") from failure

    def check(self) -> None:
        """Raise SourceError where nothing can be kept: to be told at the start, not after the first restart."""
        if self._read_only:
            return
        try:
            # The very thing that a save does: rights alone do not tell of a full or read-only disk.
            with TemporaryFile(dir=self.path.parent, prefix=self.path.name):
                pass
        except OSError as failure:
            raise SourceError(
                f"{self.path}: the position cannot be kept there: {failure.strerror}; choose another place with --state"
            ) from failure

    def save(self, position: bytes) -> bool:
        """Write a position; tell whether it is on the disk."""
        if self._read_only:
            return False
        try:
            self._replace(position)
        except OSError as failure:
            self.failures += 1
            if not self._failing:
                logger.warning("%s: the position cannot be saved: %s; going on without", self.path, failure.strerror)
            self._failing = True
            return False
        if self._failing:
            logger.warning("%s: the position is saved again", self.path)
        self._failing = False
        return True

    def remove(self) -> None:
        """Keep nothing any more: what it was the position in has come to its end."""
        with suppress(OSError):
            self.path.unlink()

    def _replace(self, position: bytes) -> None:
        # A new file, on the disk before it takes the name: a power cut leaves the old or the new position.
        new_file = self.path.with_name(f"{self.path.name}.new")
        try:
            with new_file.open("wb") as file:
                file.write(position)
                file.flush()
                os.fsync(file.fileno())
            new_file.replace(self.path)
        except OSError:
            new_file.unlink(missing_ok=True)
            raise


async def ship(
    puller: Puller, sink: Sink, position: PositionFile, intake: Intake, *, back_off: BackOff | None = None
) -> None:
    """
    Send each batch, and save its position when the broker has acknowledged all of it.

    While the broker is away the same batch is sent again and again: the call system keeps the rest. After a crash
    the events since the last save are sent again with the ids that they had, and count once.
    """
    pauses = back_off or BackOff()
    try:
        async for batch in puller.batches(position.load()):
            await _deliver(batch.events, sink, intake, pauses)
            intake.acknowledged(batch.events)
            pauses.reset()
            # In this order: after a crash between the two the batch is sent once more, and its ids make it
            # count once. The other way round it would be lost.
            await asyncio.to_thread(position.save, batch.position)  # fsync may take long on a busy disk
    except UnreadablePosition as failure:
        raise SourceError(f"{position.path}: {failure}") from failure


async def _deliver(events: list[Event], sink: Sink, intake: Intake, pauses: BackOff) -> None:
    try:
        while not await _sent(events, sink, intake):
            await pauses.wait()
    except asyncio.CancelledError:
        if events:
            logger.warning("%d events were not acknowledged when it was stopped", len(events))
        raise


def is_valid(event: Event, intake: Intake) -> bool:
    """Tell whether a reader would take an event; one that it would refuse is a defect of the source, and counted."""
    try:
        checked(event)
    except InvalidEvent as invalid:
        detail = f"an event was left out, which is a defect of the source: {invalid}"
        logger.warning("%s", detail)
        intake.refuse(BadLine(Location(event.source, 0, 0), "invalid_event", detail))
        return False
    return True


async def _sent(events: list[Event], sink: Sink, intake: Intake) -> bool:
    try:
        await sink.send_many(events)
    except BrokerError as failure:
        logger.warning("%s; sending again", failure)
        return False
    except InvalidEvent:
        # Those before it have arrived. Sent again they count once, and nothing stands still for a defect.
        return await _sent([event for event in events if is_valid(event, intake)], sink, intake)
    return True
