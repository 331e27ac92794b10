"""Segments that a batch has changed and nobody has counted yet: the facts come first, the figures once.

A visit of six events that arrive in one batch is counted once, not six times.
"""

from typing import Any, Final, Literal

from stream.families.contacts.contributions import Contribution
from stream.families.contacts.events import (
    ContactAbandoned,
    ContactAnswered,
    ContactDequeued,
    ContactEnded,
    ContactEnqueued,
    ContactHeld,
    ContactResumed,
    ContactTransferred,
    ContactWrapupEnded,
    ContactWrapupStarted,
    SegmentEvent,
)
from stream.families.contacts.outcome import contributions_of
from stream.families.contacts.phases import EpisodeKey, Place, over
from stream.families.contacts.queue import Queue
from stream.families.contacts.segment import FACT_REPORTS, Phase, Segment

__all__ = ["OUT_OF_TURN", "Deferred", "Turn"]

OUT_OF_TURN: Final = "out of turn"

Turn = Phase | Literal["new", "over", "out of turn"]
"""Where a segment stands between two reports."""

_IN_TURN: dict[Turn, dict[type[SegmentEvent], Turn]] = {
    "new": {ContactEnqueued: "waiting"},
    "waiting": {ContactAnswered: "talking", ContactAbandoned: "over", ContactDequeued: "over"},
    "talking": {
        ContactHeld: "talking",
        ContactResumed: "talking",
        ContactEnded: "wrapping_up",
        ContactTransferred: "wrapping_up",
    },
    "wrapping_up": {ContactWrapupStarted: "wrapping_up", ContactWrapupEnded: "over"},
    "over": {},
}
"""
What follows a report that comes in its turn; after an end a wrap-up only where it is announced.

In turn, a segment only comes to count for more. So what it counts for may be computed when the last
report of a batch is in: nothing that was counted on the way would have been taken back.
"""

_AFTER: dict[Turn, dict[type[SegmentEvent], Turn]] = {
    turn: {kind: follows.get(kind, OUT_OF_TURN) for kind in FACT_REPORTS} for turn, follows in _IN_TURN.items()
}
"""What follows any report."""


class Deferred:
    """One segment, the key of its row, what it has been counted for, and where it stands."""

    __slots__ = ("before", "key", "offset", "place", "queue", "segment", "turn")

    def __init__(self, queue: Queue, key: EpisodeKey, known: Segment | None) -> None:
        self.queue = queue
        self.key = key
        self.before: tuple[Contribution, ...] = ()
        self.place: Place | None = None
        """Where its queue has it; None while it is new."""
        self.turn: Turn = "new"
        self.offset = -1
        """Of the last record that it learned something from; the segment gets it when it is counted."""
        if known is None:
            self.segment = Segment()
            return
        self.segment = known
        self.before = contributions_of(known)
        if (found := known.phase) is None:
            self.place, self.turn = over(known), "over"
        else:
            # A wrap-up that ended before the conversation did is counted with its end, and may yet be corrected.
            self.place, self.turn = found[0], "over" if known.wrapup_ended is not None else found[0]
        if known.seldom is not None and known.seldom.revisions:
            self.turn = "over"  # so nothing comes in its turn: each report has to be asked for its revision

    def after(self, event: SegmentEvent) -> Turn:
        """Return where the segment stands after a report; OUT_OF_TURN where something may have to be taken back."""
        turn = self.turn
        data: Any = event.data  # by its class it has what is asked of it below
        after = _AFTER[turn][type(event)]
        # A contact that turns out to be outbound was never offered: its entry has to be taken back. And what is
        # corrected may have been counted otherwise.
        if after is OUT_OF_TURN or data.revision or (data.direction == "outbound" and not self.segment.outbound):
            return OUT_OF_TURN
        if turn == "waiting":
            # A ghost that leaves after all has been shown as expired.
            since = self.segment.enqueued.at if self.segment.enqueued else event.time
            ghost_from = since + self.queue.policy.ghost_after
            return after if event.time < ghost_from and self.queue.counts.watermark < ghost_from else OUT_OF_TURN
        if after == "wrapping_up" and turn == "talking" and not data.wrapup:
            return "over"
        return after
