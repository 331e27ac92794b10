"""One visit of one contact to one queue, told by events in any order, with any of them repeated or missing.

A segment keeps *facts*: of each kind of report the earliest. What it counts for follows from its
facts alone (`contributions_of`), so neither order nor repetition matters, and whatever a later
report corrects comes out as the difference between the contributions before and after.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from stream.domain.contributions import (
    Abandoned,
    Answered,
    Blocked,
    Contribution,
    Dequeued,
    Entered,
    Handled,
    OfferMissed,
    TransferredOut,
)
from stream.domain.events import (
    ContactAbandoned,
    ContactAnswered,
    ContactBlocked,
    ContactDequeued,
    ContactEnded,
    ContactEnqueued,
    ContactHeld,
    ContactOfferedToAgent,
    ContactResumed,
    ContactTransferred,
    ContactWrapupEnded,
    ContactWrapupStarted,
    OfferEnded,
    SegmentEvent,
)
from stream.domain.payloads import EndedData, TransferredData
from stream.domain.policy import Policy

__all__ = ["NEW", "PASSING", "Fact", "Phase", "Segment", "contributions_of", "take"]

UNKNOWN = -1
"""A length that was not reported. An integer, so that facts can be compared."""

_MILLISECOND = timedelta(milliseconds=1)
_IN_VAIN = frozenset({"missed", "rejected"})
_WRAPUP_FOLLOWS = "wrapup"

_MAX_SPELLS = 100
"""Holds and missed offers kept of one segment: a runaway producer must not fill the memory."""


Phase = Literal["waiting", "talking", "wrapping_up"]
"""What goes on in a segment; at most one at a time."""


class Fact(Struct, frozen=True, order=True, array_like=True, gc=False):
    """One report: when it happened, and what it said. Of two reports of a kind the smaller, so the earlier, stands."""

    at: datetime
    ms: int = UNKNOWN
    hold_ms: int = UNKNOWN
    note: str = ""


class Segment(Struct, frozen=True, array_like=True, gc=False, tag="segment"):
    """What is known of one visit, and what it has been counted for."""

    fence: int = -1
    """Offset of the last record applied to this segment."""
    enqueued: Fact | None = None
    answered: Fact | None = None
    ended: Fact | None = None
    wrapup_started: Fact | None = None
    wrapup_ended: Fact | None = None
    abandoned: Fact | None = None
    dequeued: Fact | None = None
    transferred: Fact | None = None
    blocked: Fact | None = None
    offered: Fact | None = None
    """First offered to an agent."""
    held: tuple[datetime, ...] = ()
    resumed: tuple[datetime, ...] = ()
    missed: tuple[tuple[str, datetime], ...] = ()
    """Offers that rang in vain, by offer or event id."""
    outbound: bool = False
    counted: tuple[Contribution, ...] = ()

    @property
    def phase(self) -> tuple[Phase, datetime] | None:
        """The phase that is still going on, and since when; None when nothing more is expected."""
        over = self.ended or self.transferred
        if over is None and self.answered is None:
            if self.enqueued is not None and not (self.abandoned or self.dequeued or self.outbound):
                return "waiting", self.enqueued.at
        elif over is None and self.answered is not None and not (self.wrapup_started or self.wrapup_ended):
            return "talking", self.answered.at
        if self.wrapup_ended is not None:
            return None
        if self.wrapup_started is not None:
            return "wrapping_up", self.wrapup_started.at
        return ("wrapping_up", over.at) if over is not None and over.note else None

    @property
    def is_over(self) -> bool:
        """Tell whether the end of the conversation is known."""
        return self.ended is not None or self.transferred is not None


NEW = Segment()
"""A segment of which nothing is known yet."""


PASSING: Final = frozenset({ContactOfferedToAgent, ContactHeld, ContactResumed})
"""Reports of what passes while a contact waits or talks: until the end is known they change nothing else."""


def take(segment: Segment, event: SegmentEvent) -> Segment:
    """Return the segment with what *event* reports; the very same object if that is nothing new."""
    known = _REPORTS[type(event)](segment, event)
    if event.data.direction == "outbound" and not known.outbound:
        return replace(known, outbound=True)
    return known


def _enqueued(segment: Segment, event: ContactEnqueued) -> Segment:
    return _note(segment, "enqueued", Fact(event.time, note=event.data.reason))


def _offered(segment: Segment, event: ContactOfferedToAgent) -> Segment:
    return _note(segment, "offered", Fact(event.time))


def _offer_ended(segment: Segment, event: OfferEnded) -> Segment:
    if event.data.result not in _IN_VAIN:
        return segment
    offer, missed = event.data.offer_id or event.id, dict(segment.missed)
    if offer in missed and missed[offer] <= event.time:
        return segment
    missed[offer] = event.time
    return replace(segment, missed=tuple(sorted(missed.items()))[:_MAX_SPELLS])


def _answer(segment: Segment, event: ContactAnswered) -> Segment:
    return _note(segment, "answered", Fact(event.time, _ms(event.data.wait_ms)))


def _abandon(segment: Segment, event: ContactAbandoned) -> Segment:
    return _note(segment, "abandoned", Fact(event.time, _ms(event.data.wait_ms)))


def _dequeue(segment: Segment, event: ContactDequeued) -> Segment:
    return _note(segment, "dequeued", Fact(event.time, _ms(event.data.wait_ms), note=event.data.reason))


def _block(segment: Segment, event: ContactBlocked) -> Segment:
    return _note(segment, "blocked", Fact(event.time, note=event.data.reason))


def _hold(segment: Segment, event: ContactHeld) -> Segment:
    return segment if event.time in segment.held else replace(segment, held=_with(segment.held, event.time))


def _resume(segment: Segment, event: ContactResumed) -> Segment:
    return segment if event.time in segment.resumed else replace(segment, resumed=_with(segment.resumed, event.time))


def _end(segment: Segment, event: ContactEnded) -> Segment:
    return _note(segment, "ended", _end_of(event.time, event.data))


def _transfer(segment: Segment, event: ContactTransferred) -> Segment:
    return _note(segment, "transferred", _end_of(event.time, event.data))


def _wrap_up(segment: Segment, event: ContactWrapupStarted) -> Segment:
    return _note(segment, "wrapup_started", Fact(event.time))


def _wrapped_up(segment: Segment, event: ContactWrapupEnded) -> Segment:
    return _note(segment, "wrapup_ended", Fact(event.time, _ms(event.data.acw_ms)))


_REPORTS: Final[Mapping[type[SegmentEvent], Callable[[Segment, Any], Segment]]] = {
    ContactEnqueued: _enqueued,
    ContactOfferedToAgent: _offered,
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
"""What each kind of report adds; a table, since `match` would try class after class for every event."""


def _ms(reported: int | None) -> int:
    return UNKNOWN if reported is None else reported


def _end_of(at: datetime, data: EndedData | TransferredData) -> Fact:
    return Fact(at, _ms(data.talk_ms), _ms(data.hold_ms), _WRAPUP_FOLLOWS if data.wrapup else "")


def _note(segment: Segment, kind: str, fact: Fact) -> Segment:
    known: Fact | None = getattr(segment, kind)
    if known is not None and known <= fact:
        return segment
    return replace(segment, **{kind: fact})


def _with(instants: tuple[datetime, ...], at: datetime) -> tuple[datetime, ...]:
    if not instants:
        return (at,)
    return tuple(sorted((*instants, at)))[:_MAX_SPELLS]


def contributions_of(segment: Segment, policy: Policy) -> tuple[Contribution, ...]:
    """
    Return what the segment counts for, by what is known of it now.

    A wait that was judged before keeps its judgement: a new threshold holds from the next
    decided contact on.
    """
    found: list[Contribution] = [] if segment.outbound else _visit(segment, policy)
    handled = _handled(segment)
    if handled is not None:
        found.append(handled)
    if segment.transferred is not None:
        found.append(TransferredOut(segment.transferred.at))
    if segment.blocked is not None:
        found.append(Blocked(segment.blocked.at, segment.blocked.note))
    if segment.missed:
        found.extend(OfferMissed(at, offer) for offer, at in segment.missed)
    return tuple(found)


def _visit(segment: Segment, policy: Policy) -> list[Contribution]:
    """Entry and outcome; a contact that we called ourselves was neither offered nor answered."""
    decision = _decision(segment, policy)
    if segment.enqueued is not None:
        entered = Entered(segment.enqueued.at, segment.enqueued.note)
        return [entered] if decision is None else [entered, decision]
    if decision is None:
        return []
    # Its first report is missing or still on the way: it entered when its wait began.
    return [Entered(decision.at - decision.wait_ms * _MILLISECOND), decision]


def _decision(segment: Segment, policy: Policy) -> Answered | Abandoned | Dequeued | None:
    """How the wait ended: by the earliest report, an answer before other exits of the same instant."""
    answered, abandoned, dequeued = segment.answered, segment.abandoned, segment.dequeued
    if answered and not (abandoned and abandoned.at < answered.at) and not (dequeued and dequeued.at < answered.at):
        return _answered(segment, answered.at, _wait(segment, answered), policy)
    if abandoned and not (dequeued and dequeued.at <= abandoned.at):
        return _abandoned(segment, abandoned, policy)
    if dequeued:
        return _dequeued(segment, dequeued, dequeued.note, policy)
    return _implied(segment, policy)


def _implied(segment: Segment, policy: Policy) -> Answered | Dequeued | None:
    """How the wait must have ended, where only the end of the whole segment was reported."""
    end = segment.ended or segment.transferred
    if end is None:
        return None
    if end.ms != UNKNOWN:
        answered_at = end.at - (end.ms + max(end.hold_ms, 0)) * _MILLISECOND
        return _answered(segment, answered_at, _wait(segment, Fact(answered_at)), policy)
    return _dequeued(segment, end, "moved" if segment.transferred else "system", policy)


def _answered(segment: Segment, at: datetime, wait_ms: int, policy: Policy) -> Answered:
    for judged in segment.counted:
        if isinstance(judged, Answered) and judged.at == at and judged.wait_ms == wait_ms:
            return judged
    return Answered(at, wait_ms, wait_ms <= policy.threshold_ms)


def _abandoned(segment: Segment, fact: Fact, policy: Policy) -> Abandoned:
    wait_ms = _wait(segment, fact)
    for judged in segment.counted:
        if isinstance(judged, Abandoned) and judged.at == fact.at and judged.wait_ms == wait_ms:
            return judged
    return Abandoned(fact.at, wait_ms, wait_ms <= policy.threshold_ms, wait_ms <= policy.short_abandon_ms)


def _dequeued(segment: Segment, fact: Fact, reason: str, policy: Policy) -> Dequeued:
    wait_ms = _wait(segment, fact)
    for judged in segment.counted:
        if isinstance(judged, Dequeued) and (judged.at, judged.wait_ms, judged.reason) == (fact.at, wait_ms, reason):
            return judged
    return Dequeued(fact.at, wait_ms, wait_ms <= policy.threshold_ms, reason)


def _wait(segment: Segment, end: Fact) -> int:
    """Milliseconds waited: as reported, else by the difference of times; 0 for a contact that came straight through."""
    if end.ms != UNKNOWN:
        return end.ms
    return max((end.at - segment.enqueued.at) // _MILLISECOND, 0) if segment.enqueued else 0


def _handled(segment: Segment) -> Handled | None:
    """Handle time, once the conversation and the wrap-up that follows it are over."""
    end = segment.ended or segment.transferred
    if end is None or (segment.answered is None and end.ms == UNKNOWN):
        return None
    wrapup = segment.wrapup_ended
    if wrapup is None and (end.note or segment.wrapup_started):
        return None
    hold_ms = end.hold_ms if end.hold_ms != UNKNOWN else _held_ms(segment, end.at)
    talk_ms = end.ms
    if talk_ms == UNKNOWN:
        assert segment.answered is not None
        talk_ms = max((end.at - segment.answered.at) // _MILLISECOND - hold_ms, 0)
    if wrapup is None:
        return Handled(end.at, talk_ms, hold_ms, 0)
    return Handled(wrapup.at, talk_ms, hold_ms, _wrapup_ms(segment, wrapup, end))


def _wrapup_ms(segment: Segment, wrapup: Fact, end: Fact) -> int:
    if wrapup.ms != UNKNOWN:
        return wrapup.ms
    return max((wrapup.at - (segment.wrapup_started or end).at) // _MILLISECOND, 0)


def _held_ms(segment: Segment, end: datetime) -> int:
    """Sum of the hold spells: each from being held to the next resumption, the last to the end."""
    total, resumed = 0, iter(segment.resumed)
    until = next(resumed, end)
    free_at = datetime.min.replace(tzinfo=end.tzinfo)
    for held_at in segment.held:
        while until <= held_at < end and until is not end:
            until = next(resumed, end)
        if held_at >= free_at:
            total += max((min(until, end) - held_at) // _MILLISECOND, 0)
            free_at = until
    return total
