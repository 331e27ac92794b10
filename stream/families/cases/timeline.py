"""
What is known of one case: everything that figures are made of, as one whole number for each report.

A timeline is a set, kept in order: neither the order in which reports come nor their repetition matters. What follows
from it is told by `story_of`. There may be a million open cases, so a report has eight bytes and no more.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final
from zlib import crc32

from msgspec import Struct

from stream.core.windows import EPOCH

__all__ = ["Kind", "Response", "Story", "added", "entry_of", "fingerprint", "story_of"]

_MILLISECOND: Final = timedelta(milliseconds=1)
_BYTES: Final = 8
_MOST: Final = 1000
"""Reports kept of one case, the earliest: a runaway producer must not fill the memory."""


class Kind(IntEnum):
    """What was reported. Of reports of one instant the lower comes first."""

    OPENED_BY_CUSTOMER = 1
    OPENED_BY_US = 2
    ASSIGNED = 3
    """With the place of the queue among those of the case."""
    PRIORITY = 4
    STATUS = 5
    ASKED = 6
    """A person wrote to us; with a fingerprint of the message."""
    ANSWERED = 7
    """One of us wrote to that person; likewise."""
    RESOLVED = 8
    REOPENED = 9
    CLOSED = 10
    MERGED = 11
    DELETED = 12


class Response(Struct, frozen=True):
    """An answer to somebody who waited for one."""

    at: datetime
    since: datetime
    """Since when that person waited."""
    place: int
    """Of the queue that the case was in."""
    first: bool


class Story(Struct):
    """What follows from a timeline."""

    opened_at: datetime | None = None
    """None: nobody has reported that."""
    place: int = 0
    """Of the queue that it is in."""
    status: int = 0
    priority: int = 0
    waiting_since: datetime | None = None
    """Since when the customer waits for an answer; None: it is not our turn."""
    responses: list[Response] = []
    resolutions: list[tuple[datetime, int]] = []
    """When it was resolved, and the queue that it was in."""
    reopenings: list[tuple[datetime, int]] = []
    resolved: bool = False
    ended: Kind | None = None
    asked: int = 0
    answered: int = 0
    asked_again_at: datetime | None = None
    """When the customer first wrote after it was resolved: thanks, or another question."""

    @property
    def is_open(self) -> bool:
        """Whether it is still to be solved."""
        return not self.resolved and self.ended is None

    def _opened(self, at: datetime, _: int) -> None:
        self.opened_at = self.opened_at or at

    def _opened_by_customer(self, at: datetime, _: int) -> None:
        # Its clock may be behind the others: who was answered by then does not wait again.
        if self.opened_at is None and self.is_open and not self.responses:
            self.waiting_since = self.waiting_since or at
        self._opened(at, 0)

    def _assigned(self, _: datetime, place: int) -> None:
        self.place = place

    def _prioritised(self, _: datetime, priority: int) -> None:
        self.priority = priority

    def _changed(self, _: datetime, status: int) -> None:
        self.status = status

    def _asked(self, at: datetime, _: int) -> None:
        self.asked += 1
        if self.is_open:
            self.waiting_since = self.waiting_since or at
        else:
            # Whether it is a question the system says, by opening the case again.
            self.asked_again_at = self.asked_again_at or at

    def _answered(self, at: datetime, _: int) -> None:
        self.answered += 1
        if self.waiting_since is not None:
            self.responses.append(Response(at, self.waiting_since, self.place, not self.responses))
            self.waiting_since = None

    def _resolved(self, at: datetime, _: int) -> None:
        if self.is_open:
            self.resolved, self.waiting_since, self.asked_again_at = True, None, None
            self.resolutions.append((at, self.place))

    def _reopened(self, at: datetime, _: int) -> None:
        if not self.is_open and self.ended in {None, Kind.CLOSED}:
            self.resolved, self.ended, self.waiting_since = False, None, self.asked_again_at or at
            self.reopenings.append((at, self.place))

    def _ended(self, kind: Kind) -> None:
        # What was merged or deleted stays so, whatever is reported after it.
        if self.ended in {None, Kind.CLOSED}:
            self.ended, self.waiting_since = kind, None


def entry_of(at: datetime, kind: Kind, detail: int = 0) -> int:
    """Return a report as a number that sorts by time, to the millisecond; *detail* is below 256."""
    return ((at - EPOCH) // _MILLISECOND << 16) | kind << 8 | detail


def fingerprint(name: str) -> int:
    """Return a number below 256 that tells messages of one millisecond apart, mostly."""
    return crc32(name.encode()) & 0xFF


def added(timeline: bytes, entry: int) -> bytes:
    """Return a timeline with one report more; the very same object where it was known."""
    entries = array("q", timeline)
    place = bisect_left(entries, entry)
    if (place < len(entries) and entries[place] == entry) or place >= _MOST:
        return timeline
    entries.insert(place, entry)
    return entries[:_MOST].tobytes()


def story_of(timeline: bytes) -> Story:
    """Return what a timeline tells."""
    story = Story(responses=[], resolutions=[], reopenings=[])
    for entry in array("q", timeline):
        _TELLS[entry >> 8 & 0xFF](story, EPOCH + (entry >> 16) * _MILLISECOND, entry & 0xFF)
    return story


# ruff: noqa: SLF001  # the steps of a story are told here, and nowhere else
_TELLS: Final[dict[int, Callable[[Story, datetime, int], None]]] = {
    Kind.OPENED_BY_CUSTOMER: Story._opened_by_customer,
    Kind.OPENED_BY_US: Story._opened,
    Kind.ASSIGNED: Story._assigned,
    Kind.PRIORITY: Story._prioritised,
    Kind.STATUS: Story._changed,
    Kind.ASKED: Story._asked,
    Kind.ANSWERED: Story._answered,
    Kind.RESOLVED: Story._resolved,
    Kind.REOPENED: Story._reopened,
    Kind.CLOSED: lambda story, *_: story._ended(Kind.CLOSED),
    Kind.MERGED: lambda story, *_: story._ended(Kind.MERGED),
    Kind.DELETED: lambda story, *_: story._ended(Kind.DELETED),
}
