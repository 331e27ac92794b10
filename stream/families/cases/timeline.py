"""
What is known of one case: everything that figures are made of, as one whole number for each report.

A timeline is a set, kept in order: neither the order in which reports come nor their repetition matters. What follows
from it is told by `story_of`. There may be a million open cases, so a report has eight bytes and no more.
"""

from array import array
from bisect import bisect_left
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


_ENDS: Final = frozenset({Kind.CLOSED, Kind.MERGED, Kind.DELETED})


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
    """None: nobody has reported that, and the earliest report stands for it."""
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

    @property
    def is_open(self) -> bool:
        """Whether it is still to be solved."""
        return not self.resolved and self.ended is None


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
    story, asked_since_resolved = Story(responses=[], resolutions=[], reopenings=[]), None
    for entry in array("q", timeline):
        at, kind, detail = EPOCH + (entry >> 16) * _MILLISECOND, entry >> 8 & 0xFF, entry & 0xFF
        if kind == Kind.ASKED:
            story.asked += 1
            if story.resolved:
                # Thanks, or another question: whether it is one, the system says by opening the case again.
                asked_since_resolved = asked_since_resolved or at
            elif story.waiting_since is None and story.ended is None:
                story.waiting_since = at
        elif kind == Kind.ANSWERED:
            story.answered += 1
            if story.waiting_since is not None:
                story.responses.append(Response(at, story.waiting_since, story.place, not story.responses))
                story.waiting_since = None
        elif kind in {Kind.OPENED_BY_CUSTOMER, Kind.OPENED_BY_US}:
            if story.opened_at is None:
                story.opened_at = at
                # Its clock may be behind: who was answered by then does not wait again.
                if kind == Kind.OPENED_BY_CUSTOMER and not story.responses and story.is_open:
                    story.waiting_since = story.waiting_since or at
        elif kind == Kind.ASSIGNED:
            story.place = detail
        elif kind == Kind.PRIORITY:
            story.priority = detail
        elif kind == Kind.STATUS:
            story.status = detail
        elif kind == Kind.RESOLVED:
            if not story.resolved:
                story.resolved, story.waiting_since, asked_since_resolved = True, None, None
                story.resolutions.append((at, story.place))
        elif kind == Kind.REOPENED:
            if story.resolved:
                story.resolved, story.waiting_since = False, asked_since_resolved or at
                story.reopenings.append((at, story.place))
        elif story.ended is None:
            story.ended, story.waiting_since = Kind(kind), None
    return story
