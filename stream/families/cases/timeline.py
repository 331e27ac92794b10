"""
What is known of one case: everything that figures are made of, as one whole number for each report.

A timeline is a set, kept in order: neither the order in which reports come nor their repetition matters. What follows
from it is told by `story.py`. There may be a million open cases, so a report has eight bytes and no more.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final
from zlib import crc32

from stream.core.windows import EPOCH

__all__ = ["MAX_PLACES", "Step", "added", "entry_of", "fingerprint", "first_opening", "instant", "newest", "renumbered"]

_MILLISECOND: Final = timedelta(milliseconds=1)
_MOST: Final = 1000
"""Reports kept of one case, the earliest: a runaway producer must not fill the memory."""

MAX_PLACES: Final = 256
"""Queues of one case: more do not fit into the detail of a report."""

_BYTES: Final = 8
"""Of a report."""


class Step(IntEnum):
    """What was reported. Of reports of one instant the lower comes first."""

    OPENED_BY_CUSTOMER = 1
    """With the place of the queue among those of the case."""
    OPENED_BY_US = 2
    """Likewise."""
    SPLIT = 3
    """It was part of another case before."""
    ASSIGNED = 4
    """With the place of the queue."""
    ASKED = 5
    """A person wrote to us; with a fingerprint of the message."""
    ANSWERED = 6
    """One of us wrote to that person; likewise."""
    AUTOMATIC = 7
    """A machine wrote, theirs or ours: it neither asks nor answers; likewise."""
    RESOLVED = 8
    REOPENED = 9
    CLOSED = 10
    MERGED = 11
    DELETED = 12
    SPAM = 13
    # Last, since systems tell them after what brought them about, mostly of the same instant.
    PRIORITY = 14
    STATUS = 15


def entry_of(at: datetime, kind: Step, detail: int = 0) -> int:
    """Return a report as a number that sorts by time, to the millisecond; *detail* is below 256."""
    since = at - EPOCH  # half the price of dividing timedeltas
    ms = since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
    return ms << 16 | kind << 8 | detail


def instant(ms: int) -> datetime:
    """Return the instant that is so many milliseconds after the beginning of 1970."""
    return EPOCH + ms * _MILLISECOND


def fingerprint(name: str) -> int:
    """Return a number below 256 that tells messages of one millisecond apart, mostly."""
    return crc32(name.encode()) & 0xFF


def newest(timeline: bytes) -> int:
    """Return when the last report of a timeline happened, in ms since 1970."""
    return int.from_bytes(timeline[-8:], "little") >> 16


def first_opening(timeline: bytes, place: int) -> int:
    """Return when a case came in in a place, by the earliest report, in ms since 1970; 0: nobody has reported that."""
    openings = (Step.OPENED_BY_CUSTOMER << 8 | place, Step.OPENED_BY_US << 8 | place)
    return next((entry >> 16 for entry in array("q", timeline) if entry & 0xFFFF in openings), 0)


def added(timeline: bytes, reports: Sequence[int]) -> bytes:
    """Return a timeline with some reports more; the very same object where all were known."""
    if len(reports) == 1 and len(timeline) < _BYTES * _MOST:
        # Nearly always it is one, and later than all others.
        (entry,) = reports
        if entry > int.from_bytes(timeline[-_BYTES:], "little"):
            return timeline + entry.to_bytes(_BYTES, "little")
    entries = array("q", timeline)
    known = len(entries)
    for entry in reports:
        place = bisect_left(entries, entry)
        if place < _MOST and (place == len(entries) or entries[place] != entry):
            entries.insert(place, entry)
    return timeline if len(entries) == known else entries[:_MOST].tobytes()


def renumbered(timeline: bytes, first: int) -> bytes:
    """Return a timeline in which the places from *first* on have the next higher number: another one came between."""
    entries = array("q", timeline)
    for number, entry in enumerate(entries):
        if entry >> 8 & 0xFF in _PLACED and entry & 0xFF >= first:
            entries[number] = entry + 1
    return entries.tobytes()


_PLACED: Final = frozenset(map(int, (Step.OPENED_BY_CUSTOMER, Step.OPENED_BY_US, Step.ASSIGNED)))
"""What has a place for its detail."""
