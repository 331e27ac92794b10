"""What a segment counts for: follows from its facts alone, and from the policy that judges its wait.

The difference of what it counts for before and after an event is what the event adds to the tallies.
"""

from datetime import datetime, timedelta

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
from stream.domain.policy import Policy
from stream.domain.segment import UNKNOWN, Fact, Segment

__all__ = ["contributions_of"]

_MILLISECOND = timedelta(milliseconds=1)


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
    end = segment.end
    if end is None:
        return None
    if end.ms != UNKNOWN:
        answered_at = end.at - (end.ms + max(end.hold_ms, 0)) * _MILLISECOND
        return _answered(segment, answered_at, _wait(segment, Fact(answered_at)), policy)
    return _dequeued(segment, end, "moved" if end is segment.transferred else "system", policy)


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
    end = segment.end
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
