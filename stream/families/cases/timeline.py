"""
What is known of one case: everything that figures are made of, as one whole number for each report.

A timeline is a set, kept in order: neither the order in which reports come nor their repetition matters. What follows
from it is told by `story_of`. There may be a million open cases, so a report has eight bytes and no more.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final, NamedTuple
from zlib import crc32

from msgspec import Struct

from stream.core.windows import EPOCH

__all__ = [
    "LENGTHS",
    "MAX_PLACES",
    "Fact",
    "Kind",
    "Standing",
    "Story",
    "added",
    "entry_of",
    "fingerprint",
    "instant",
    "newest",
    "story_of",
]

_MILLISECOND: Final = timedelta(milliseconds=1)
_MOST: Final = 1000
"""Reports kept of one case, the earliest: a runaway producer must not fill the memory."""

MAX_PLACES: Final = 256
"""Queues of one case: more do not fit into the detail of a report."""

NORMAL: Final = 1
"""The place of the ordinary priority among `Priority`."""


class Kind(IntEnum):
    """What was reported. Of reports of one instant the lower comes first."""

    OPENED_BY_CUSTOMER = 1
    """With the place of the queue among those of the case."""
    OPENED_BY_US = 2
    """Likewise."""
    SPLIT = 3
    """It was part of another case before."""
    ASSIGNED = 4
    """With the place of the queue."""
    PRIORITY = 5
    STATUS = 6
    ASKED = 7
    """A person wrote to us; with a fingerprint of the message."""
    ANSWERED = 8
    """One of us wrote to that person; likewise."""
    AUTOMATIC = 9
    """A machine wrote, theirs or ours: it neither asks nor answers; likewise."""
    RESOLVED = 10
    REOPENED = 11
    CLOSED = 12
    MERGED = 13
    DELETED = 14
    SPAM = 15


Fact = tuple[str, int, int, int]
"""
Something that a case counts for: what, when, for which of the case's queues, and a number.

What is a field of `CaseTally`. Times are ms since 1970. The number is the time since when it lasted (`LENGTHS`), or how
many it counts for, mostly 1.
"""

LENGTHS: Final = frozenset({"first_responses", "next_responses", "first_resolutions", "full_resolutions"})
"""What has a length."""


class Standing(NamedTuple):
    """How an open case stands. Times are ms since 1970."""

    place: int
    """Of the queue that it is in."""
    status: int
    priority: int
    opened_at: int
    waiting_since: int
    """Since when the customer waits for an answer; -1: it is not our turn."""
    answered_before: bool
    """Whether the customer has had an answer already."""


class Story(Struct):
    """What follows from a timeline."""

    facts: list[Fact]
    standing: Standing | None
    """None: it is not open."""
    opened_in: int = -1
    """The place in which it came in; -1: nobody has reported that, and nothing counts."""
    place: int = 0
    """The place in which it is, or was last."""


def entry_of(at: datetime, kind: Kind, detail: int = 0) -> int:
    """Return a report as a number that sorts by time, to the millisecond; *detail* is below 256."""
    return ((at - EPOCH) // _MILLISECOND << 16) | kind << 8 | detail


def instant(ms: int) -> datetime:
    """Return the instant that is so many milliseconds after the beginning of 1970."""
    return EPOCH + ms * _MILLISECOND


def fingerprint(name: str) -> int:
    """Return a number below 256 that tells messages of one millisecond apart, mostly."""
    return crc32(name.encode()) & 0xFF


def newest(timeline: bytes) -> int:
    """Return when the last report of a timeline happened, in ms since 1970."""
    return int.from_bytes(timeline[-8:], "little") >> 16


def added(timeline: bytes, reports: Iterable[int]) -> bytes:
    """Return a timeline with some reports more; the very same object where all were known."""
    entries = array("q", timeline)
    known = len(entries)
    for entry in reports:
        place = bisect_left(entries, entry)
        if place < _MOST and (place == len(entries) or entries[place] != entry):
            entries.insert(place, entry)
    return timeline if len(entries) == known else entries[:_MOST].tobytes()


# As plain numbers: members of an enum cost as much to compare as all the rest.
_OPENED_BY_CUSTOMER, _OPENED_BY_US = int(Kind.OPENED_BY_CUSTOMER), int(Kind.OPENED_BY_US)
_ASSIGNED, _PRIORITY, _STATUS = int(Kind.ASSIGNED), int(Kind.PRIORITY), int(Kind.STATUS)
_ASKED, _ANSWERED, _AUTOMATIC = int(Kind.ASKED), int(Kind.ANSWERED), int(Kind.AUTOMATIC)
_RESOLVED, _REOPENED, _CLOSED = int(Kind.RESOLVED), int(Kind.REOPENED), int(Kind.CLOSED)
_MERGED, _DELETED, _SPAM, _SPLIT = int(Kind.MERGED), int(Kind.DELETED), int(Kind.SPAM), int(Kind.SPLIT)

_NOTHING: Final = Story([], None)


def story_of(timeline: bytes) -> Story:
    """Return what a timeline tells; nothing as long as nobody has reported how the case came in."""
    entries = array("q", timeline)
    for entry in entries:
        if entry >> 8 & 0xFF <= _OPENED_BY_US:
            return _story(entries, entry >> 16, entry >> 8 & 0xFF, entry & 0xFF)
    return _NOTHING


def _story(  # noqa: C901, PLR0912, PLR0915  # one pass, without a call for each report
    entries: "array[int]", opened_at: int, opened_by: int, place: int
) -> Story:
    # Written out, and in whole numbers: this is most of what a fold of cases does.
    opened_in = place
    facts: list[Fact] = [("opened", opened_at, place, 1), ("assigned", opened_at, place, 1)]
    tell = facts.append
    waiting_since = asked_again_at = -1
    assigned_at, solution = opened_at, opened_at
    status = asked = answered = 0
    priority = NORMAL
    responded = resolved = solved_before = False
    ended = 0
    full: list[Fact] = []
    for entry in entries:
        at, kind, detail = entry >> 16, entry >> 8 & 0xFF, entry & 0xFF
        if kind == _ASKED:
            asked += 1
            tell(("received", at, place, 1))
            if resolved or ended:
                # Thanks, or another question: the system says which, by opening the case again.
                asked_again_at = at if asked_again_at < 0 else asked_again_at
            elif waiting_since < 0:
                waiting_since = at
        elif kind == _ANSWERED:
            answered += 1
            tell(("sent", at, place, 1))
            if waiting_since >= 0:
                tell(("next_responses" if responded else "first_responses", at, place, waiting_since))
                responded, waiting_since = True, -1
        elif kind <= _OPENED_BY_US:
            # Its clock may be behind the others: who was answered by then does not wait again.
            if kind == opened_by == _OPENED_BY_CUSTOMER and at == opened_at and waiting_since < 0:
                waiting_since = -1 if responded or resolved or ended else at
        elif kind == _ASSIGNED:
            if detail != place:
                tell(("reassigned", at, place, 1))
                tell(("assigned", at, detail, 1))
                place, assigned_at = detail, at
        elif kind == _STATUS:
            status = detail
        elif kind == _PRIORITY:
            priority = detail
        elif kind in {_RESOLVED, _CLOSED}:
            if not (resolved or ended):
                resolved, waiting_since, asked_again_at, solution = True, -1, -1, assigned_at
                tell(("resolved", at, place, 1))
                if not solved_before:
                    tell(("first_resolutions", at, place, opened_at))
                    solved_before = True
                full = [("full_resolutions", at, place, opened_at), ("messages", at, place, asked + answered)]
                if answered == 1:
                    full.append(("one_touch", at, place, 1))
                full.append(("assigned_resolved", solution, place, 1))
            if kind == _CLOSED and not ended:
                ended = kind
        elif kind == _REOPENED:
            if (resolved or ended) and ended != _MERGED:
                resolved, ended = False, 0
                waiting_since, asked_again_at = asked_again_at if asked_again_at >= 0 else at, -1
                tell(("reopened", at, place, 1))
        elif kind == _MERGED:
            if ended != _MERGED:
                ended, waiting_since = kind, -1
                tell(("merged", at, place, 1))
        elif kind in {_DELETED, _SPAM}:
            # It never was a request: all it counted for goes, and nothing that is reported later counts.
            name = "deleted" if kind == _DELETED else "spam"
            return Story([(name, at, place, 1)], None, opened_in, place)
        elif kind == _AUTOMATIC:
            tell(("automatic", at, place, 1))
        elif kind == _SPLIT:
            tell(("split", at, place, 1))
    if resolved:
        facts += full  # of several solutions the last one counts
        standing = None
    else:
        standing = None if ended else Standing(place, status, priority, opened_at, waiting_since, responded)
    return Story(facts, standing, opened_in, place)
