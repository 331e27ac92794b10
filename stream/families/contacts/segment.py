"""One visit of one contact to one queue, told by events in any order, with any of them repeated or missing.

A segment keeps *facts*: of each kind of report that of the highest revision, and of these the earliest. What it counts
for follows from its facts alone (`stream.families.contacts.outcome`), so neither order nor repetition matters, and
whatever a later report corrects comes out as the difference between the contributions before and after.

Only the fold that owns a segment changes it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from stream.core.windows import EPOCH
from stream.families.contacts.events import (
    ContactAbandoned,
    ContactAnswered,
    ContactBlocked,
    ContactDequeued,
    ContactEnded,
    ContactEnqueued,
    ContactHeld,
    ContactResumed,
    ContactTransferred,
    ContactWrapupEnded,
    ContactWrapupStarted,
    OfferEnded,
    SegmentEvent,
)
from stream.families.contacts.payloads import BlockReason, DequeueReason, EndedData, TransferredData

__all__ = [
    "FACT_REPORTS",
    "FOLDS",
    "UNKNOWN",
    "Fact",
    "Phase",
    "Segment",
    "Seldom",
    "WaitLimits",
    "fold_segment",
    "tells",
]

UNKNOWN = -1
"""A length that was not reported. An integer, so that facts can be compared."""

_IN_VAIN = frozenset({"missed", "rejected"})
_WRAPUP_FOLLOWS: Final = "wrapup"

_MAX_SPELLS = 100
"""Holds and missed offers kept of one segment: a runaway producer must not fill the memory."""


Phase = Literal["waiting", "talking", "wrapping_up"]
"""What goes on in a segment; at most one at a time."""


Note = Literal["", "new", "transfer", "requeue", "callback", "wrapup"] | BlockReason | DequeueReason
"""What a report says beside times: a reason, or that a wrap-up follows."""


# `gc=False` here and below: nothing in them can lead back to them, and with a million of them the garbage
# collector would look at little else.
class Fact(Struct, frozen=True, order=True, array_like=True, gc=False):
    """One report: when it happened, and what it said. Of two reports of a kind the smaller, so the earlier, stands."""

    at: datetime
    ms: int = UNKNOWN
    hold_ms: int = UNKNOWN
    note: Note = ""


class Seldom(Struct, frozen=True, array_like=True, gc=False):
    """What is known of few visits: fields of their own would cost the others memory."""

    transferred: Fact | None = None
    blocked: Fact | None = None
    missed: tuple[tuple[str, datetime], ...] = ()
    """Offers that rang in vain, by offer or event id."""
    outbound: bool = False
    revisions: tuple[tuple[str, int], ...] = ()
    """By fact: the revision of the report that stands, where that was a corrected one."""


WaitLimits = tuple[int, int]
"""Milliseconds: the threshold, and the limit of short abandons."""


class Segment(Struct, array_like=True, gc=False, tag="segment"):
    """What is known of one visit, and by which limits its wait was judged. There may be a million: 112 bytes each."""

    applied_offset: int = -1
    """Offset of the last record applied to this segment."""
    enqueued: Fact | None = None
    answered: Fact | None = None
    ended: Fact | None = None
    wrapup_started: Fact | None = None
    wrapup_ended: Fact | None = None
    abandoned: Fact | None = None
    dequeued: Fact | None = None
    held: tuple[datetime, ...] = ()
    resumed: tuple[datetime, ...] = ()
    seldom: Seldom | None = None
    limits: WaitLimits | None = None
    """As of the decision: a new policy holds for later ones."""

    @property
    def transferred(self) -> Fact | None:
        """When the contact was handed on."""
        return None if self.seldom is None else self.seldom.transferred

    @property
    def outbound(self) -> bool:
        """Whether we called the contact."""
        return self.seldom is not None and self.seldom.outbound

    @property
    def phase(self) -> tuple[Phase, datetime] | None:
        """The phase that is still going on, and since when; None when nothing more is expected."""
        over = self.ended if self.seldom is None else self.end
        if over is None and self.answered is None:
            # Whom we called ourselves does not wait.
            if self.enqueued is not None and not (self.abandoned or self.dequeued or self.outbound):
                return "waiting", self.enqueued.at
        elif over is None and self.answered is not None and not (self.wrapup_started or self.wrapup_ended):
            return "talking", self.answered.at
        if self.wrapup_ended is not None:
            return None
        if self.wrapup_started is not None:
            return "wrapping_up", self.wrapup_started.at
        # The note of an end says that a wrap-up follows, so one is going on although nobody has reported its
        # begin.
        return ("wrapping_up", over.at) if over is not None and over.note else None

    @property
    def end(self) -> Fact | None:
        """The end of the conversation: hang-up or transfer, whichever came first."""
        if self.seldom is None or self.seldom.transferred is None:
            return self.ended
        # After a transfer the customer hangs up somewhere else, and some systems report that here: it ends
        # nothing any more.
        return self.seldom.transferred if self.ended is None else min(self.ended, self.seldom.transferred)

    @property
    def newest(self) -> datetime:
        """When the newest report happened; of a segment of which something is known."""
        newest, seldom = EPOCH, self.seldom or _NOTHING
        # At recovery only, of a million segments: so without making a list for `max`.
        for fact in (
            *(self.enqueued, self.answered, self.ended, self.wrapup_started, self.wrapup_ended),
            *(self.abandoned, self.dequeued, seldom.transferred, seldom.blocked),
        ):
            if fact is not None and fact.at > newest:
                newest = fact.at
        return max(newest, *self.held, *self.resumed, *(at for _, at in seldom.missed), EPOCH)


_NOTHING = Seldom()


def fold_segment(segment: Segment, event: SegmentEvent) -> bool:
    """Add what *event* reports to the segment; tell whether that was anything new."""
    if _is_superseded(segment, event):
        return False
    new = FOLDS[type(event)](segment, event)
    # Any report may be the one that says so: those before it did not know.
    if event.data.direction == "outbound" and not segment.outbound:
        segment.seldom = replace(segment.seldom or _NOTHING, outbound=True)
        return True
    return new


def _is_superseded(segment: Segment, event: SegmentEvent) -> bool:
    """Tell whether a higher revision of what *event* reports is known; forget what is known of a lower one."""
    fact, revision, seldom = _FACTS.get(type(event)), event.data.revision, segment.seldom or _NOTHING
    if fact is None or not (revision or seldom.revisions):
        return False
    revisions = dict(seldom.revisions)
    known = revisions.get(fact, 0)
    if revision > known:
        revisions[fact] = revision
        seldom = replace(seldom, revisions=tuple(sorted(revisions.items())))
        if fact in Seldom.__struct_fields__:
            seldom = replace(seldom, **{fact: None})
        else:
            setattr(segment, fact, None)
        segment.seldom = seldom
    return revision < known


# Of two facts of a kind the smaller stands. Each function below says so itself: one for all of them would find the
# field by its name, which costs nearly every event two look-ups and a call.


def _enqueued(segment: Segment, event: ContactEnqueued) -> bool:
    fact = Fact(event.time, UNKNOWN, UNKNOWN, event.data.reason)
    if new := segment.enqueued is None or fact < segment.enqueued:
        segment.enqueued = fact
    return new


def _offer_ended(segment: Segment, event: OfferEnded) -> bool:
    if event.data.result not in _IN_VAIN:
        return False
    known = segment.seldom or _NOTHING
    # Where a system does not number its offers each report is one of its own; repeated, it has the same event
    # id.
    offer, missed = event.data.offer_id or event.id, dict(known.missed)
    if offer in missed and missed[offer] <= event.time:
        return False
    missed[offer] = event.time
    segment.seldom = replace(known, missed=tuple(sorted(missed.items()))[:_MAX_SPELLS])
    return True


def _answer(segment: Segment, event: ContactAnswered) -> bool:
    fact = Fact(event.time, _ms(event.data.wait_ms))
    if new := segment.answered is None or fact < segment.answered:
        segment.answered = fact
    return new


def _abandon(segment: Segment, event: ContactAbandoned) -> bool:
    fact = Fact(event.time, _ms(event.data.wait_ms))
    if new := segment.abandoned is None or fact < segment.abandoned:
        segment.abandoned = fact
    return new


def _dequeue(segment: Segment, event: ContactDequeued) -> bool:
    fact = Fact(event.time, _ms(event.data.wait_ms), UNKNOWN, event.data.reason)
    if new := segment.dequeued is None or fact < segment.dequeued:
        segment.dequeued = fact
    return new


def _block(segment: Segment, event: ContactBlocked) -> bool:
    return _note_seldom(segment, "blocked", Fact(event.time, UNKNOWN, UNKNOWN, event.data.reason))


def _hold(segment: Segment, event: ContactHeld) -> bool:
    if event.time in segment.held:
        return False
    segment.held = _with(segment.held, event.time)
    return True


def _resume(segment: Segment, event: ContactResumed) -> bool:
    if event.time in segment.resumed:
        return False
    segment.resumed = _with(segment.resumed, event.time)
    return True


def _end(segment: Segment, event: ContactEnded) -> bool:
    fact = _end_of(event.time, event.data)
    if new := segment.ended is None or fact < segment.ended:
        segment.ended = fact
    return new


def _transfer(segment: Segment, event: ContactTransferred) -> bool:
    return _note_seldom(segment, "transferred", _end_of(event.time, event.data))


def _wrap_up(segment: Segment, event: ContactWrapupStarted) -> bool:
    fact = Fact(event.time)
    if new := segment.wrapup_started is None or fact < segment.wrapup_started:
        segment.wrapup_started = fact
    return new


def _wrapped_up(segment: Segment, event: ContactWrapupEnded) -> bool:
    fact = Fact(event.time, _ms(event.data.acw_ms))
    if new := segment.wrapup_ended is None or fact < segment.wrapup_ended:
        segment.wrapup_ended = fact
    return new


FOLDS: Final[Mapping[type[SegmentEvent], Callable[[Segment, Any], bool]]] = {
    ContactEnqueued: _enqueued,
    OfferEnded: _offer_ended,
    ContactAnswered: _answer,
    ContactAbandoned: _abandon,
    ContactDequeued: _dequeue,
    ContactBlocked: _block,
    ContactHeld: _hold,
    ContactResumed: _resume,
    ContactEnded: _end,
    ContactTransferred: _transfer,
    ContactWrapupStarted: _wrap_up,
    ContactWrapupEnded: _wrapped_up,
}
"""
How a segment learns of a report of each kind, its direction known already; each tells whether that was anything new.

A table, since `match` would try class after class for every event.
"""

FACT_REPORTS: Final = frozenset(FOLDS)
"""Reports that figures are made of; that a contact was offered to an agent is told, and counts for nothing."""

_FACTS: Final[Mapping[type[SegmentEvent], str]] = {
    ContactEnqueued: "enqueued",
    ContactAnswered: "answered",
    ContactAbandoned: "abandoned",
    ContactDequeued: "dequeued",
    ContactBlocked: "blocked",
    ContactEnded: "ended",
    ContactTransferred: "transferred",
    ContactWrapupStarted: "wrapup_started",
    ContactWrapupEnded: "wrapup_ended",
}
"""The fact that a report is of, where there is one of its kind: holds and offers are sets, and are not corrected."""


def tells(event: SegmentEvent) -> bool:
    """Tell whether figures are made of a report: an offer that an agent took is not missed."""
    return type(event) is not OfferEnded or event.data.result in _IN_VAIN


def _ms(reported: int | None) -> int:
    return UNKNOWN if reported is None else reported


def _end_of(at: datetime, data: EndedData | TransferredData) -> Fact:
    return Fact(at, _ms(data.talk_ms), _ms(data.hold_ms), _WRAPUP_FOLLOWS if data.wrapup else "")


def _note_seldom(segment: Segment, kind: str, fact: Fact) -> bool:
    seldom = segment.seldom or _NOTHING
    known: Fact | None = getattr(seldom, kind)
    if known is not None and known <= fact:
        return False
    segment.seldom = replace(seldom, **{kind: fact})
    return True


def _with(instants: tuple[datetime, ...], at: datetime) -> tuple[datetime, ...]:
    if not instants:
        return (at,)
    # The earliest stay, in whatever order they came: what is cut off must not depend on it.
    return tuple(sorted((*instants, at)))[:_MAX_SPELLS]
