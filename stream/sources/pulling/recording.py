"""A recorded file that is sent once more, at a pace: which event is due when, under what time, and how far it got.

It reads no file by itself, and no clock but the one it is given: any source that reads files will do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.sdk.factory import utc_now
from stream.sources.source import PulledBatch, UnreadablePosition, read_position

__all__ = ["PacedRecording", "RecordingPosition", "Schedule", "Times", "shifted"]

Times = Literal["original", "now"]
"""The times that events are sent with: their own, or moved so that the first is of the moment when it is sent."""

BATCH: Final = 500
"""So many events at most wait for one acknowledgement: a crash sends no more than these again."""

_OTHERWISE: Final = "no position in a recording; without this file the recording is sent from its begin"


class Schedule(Struct, frozen=True):
    """When events are due: *speed* recorded seconds, more than 0 and perhaps infinitely many, pass in a second."""

    began: datetime
    """When the sending began."""
    first: datetime
    """The time of the event that was due then."""
    speed: float

    def wait(self, time: datetime, at: datetime) -> float:
        """Return the seconds from *at* until an event of *time* is due; 0 or less if it is overdue."""
        # Against the begin of it all, not the event before: small delays do not add up.
        return (time - self.first).total_seconds() / self.speed - (at - self.began).total_seconds()


class RecordingPosition(Struct, frozen=True, kw_only=True):
    """How many events were acknowledged, which, and by how much their times were moved."""

    acknowledged: Annotated[int, Meta(ge=0)]
    digest: str
    """Of the ids of these events: another file, or one that was changed, has another."""
    times: Times
    shift_us: int
    """In microseconds."""
    version: Literal[1] = 1

    @classmethod
    def read(cls, saved: bytes) -> "RecordingPosition":
        """Return what was saved; raises UnreadablePosition."""
        return read_position(saved, lambda data: msgspec.json.decode(data, type=cls), _OTHERWISE)

    def behind(self, event: Event) -> "RecordingPosition":
        """Return the position behind one more event."""
        chained = f"{self.digest}\0{event.source}\0{event.id}".encode()
        return replace(self, acknowledged=self.acknowledged + 1, digest=blake2b(chained, digest_size=16).hexdigest())


def shifted(event: Event, by: timedelta) -> Event:
    """Return the event as if it had happened later, with the instants that its data tell of, such as a due date."""
    if not by:
        return event
    told = {name: getattr(event.data, name) for name in event.data.__struct_fields__}
    instants = {name: value + by for name, value in told.items() if isinstance(value, datetime)}
    return replace(event, time=event.time + by, data=replace(event.data, **instants))


class PacedRecording:
    """
    Sends a recording as if it happened now, or faster; a `Puller`, that ends with the recording.

    *events* begins to read it anew. *acknowledged* is told of each position that has been saved. Events that are out
    of order in the file stay so, and one that is overdue comes at once.
    """

    def __init__(
        self,
        events: Callable[[], Iterator[Event]],
        *,
        speed: float,
        times: Times = "original",
        acknowledged: Callable[[int, datetime], None] = lambda _count, _time: None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._events = events
        self._speed = speed
        self._times: Times = times
        self._acknowledged = acknowledged
        self._clock = clock
        self._sleep = sleep

    async def batches(self, saved: bytes | None) -> AsyncIterator[PulledBatch]:
        """Yield what is due, with its position; behind *saved* with the ids and the shift that it began with."""
        position = None if saved is None else self._resumed(RecordingPosition.read(saved))
        events = self._events()
        if position is not None:
            await self._skip(events, position)
        first = next(events, None)
        if first is None:
            return
        if position is None:
            position = self._begin(first)
            # Saved before anything is sent: what a crash makes us send again must be shifted by as much as it was.
            yield PulledBatch([], msgspec.json.encode(position))
        async for batch in self._due(first, events):
            for event in batch:
                position = position.behind(event)
            shift = timedelta(microseconds=position.shift_us)
            yield PulledBatch([shifted(event, shift) for event in batch], msgspec.json.encode(position))
            # Whoever asks for the next batch has sent this one, and saved its position.
            self._acknowledged(position.acknowledged, batch[-1].time)

    async def _due(self, first: Event, rest: Iterator[Event]) -> AsyncIterator[list[Event]]:
        """Yield events when they are due: all together that are overdue, and none before its time."""
        schedule = Schedule(self._clock(), first.time, self._speed)
        batch = [first]
        for event in rest:
            if len(batch) == BATCH or schedule.wait(event.time, self._clock()) > 0:
                yield batch
                batch = []
            # Asked again: sending took its time, too.
            if (wait := schedule.wait(event.time, self._clock())) > 0:
                await self._sleep(wait)
            batch.append(event)
        yield batch

    def _begin(self, first: Event) -> RecordingPosition:
        shift = self._clock() - first.time if self._times == "now" else timedelta(0)
        return RecordingPosition(
            acknowledged=0, digest="", times=self._times, shift_us=shift // timedelta(microseconds=1)
        )

    def _resumed(self, position: RecordingPosition) -> RecordingPosition:
        # Half a day of one time and half of another would be no day that ever was.
        if position.times != self._times:
            raise UnreadablePosition(
                f"it was begun with --times {position.times}: go on so, or delete this file to begin anew"
            )
        return position

    async def _skip(self, events: Iterator[Event], position: RecordingPosition) -> None:
        """Pass the events that were acknowledged; raises UnreadablePosition if they are others than these."""
        found = replace(position, acknowledged=0, digest="")
        time = None
        while found.acknowledged < position.acknowledged and (event := next(events, None)) is not None:
            found, time = found.behind(event), event.time
            if not found.acknowledged % BATCH:
                # Millions may be passed, and a signal has to get through meanwhile.
                await asyncio.sleep(0)
        if found != position:
            raise UnreadablePosition(
                f"the recording does not begin with the {position.acknowledged} events that were sent of it; "
                "give the same file and options, or delete this file to begin anew"
            )
        if time is not None:
            self._acknowledged(position.acknowledged, time)
