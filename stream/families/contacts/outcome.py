"""What a segment counts for: follows from its facts alone, and from the limits that judge its wait.

The difference of what it counts for before and after an event is what the event adds to the tallies.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from stream.families.contacts.contributions import (
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
from stream.families.contacts.segment import UNKNOWN, Fact, Segment, Seldom, WaitLimits

__all__ = ["contributions_of", "judge"]

_MILLISECOND = timedelta(milliseconds=1)


def judge(segment: Segment, limits: WaitLimits) -> None:
    """Keep with a segment whose wait is over the *limits* by which it is judged, unless it has been judged before."""
    if segment.limits is None and (segment.answered or segment.abandoned or segment.dequeued or segment.end):
        segment.limits = limits


def contributions_of(segment: Segment) -> tuple[Contribution, ...]:
    """Return what the segment, judged where it has to be, counts for by what is known of it now."""
    seldom = segment.seldom
    if segment.limits is None and seldom is None:
        # Fast path: only enqueued so far, the commonest state.
        return () if segment.enqueued is None else (Entered(segment.enqueued.at, segment.enqueued.note),)
    found: list[Contribution] = [] if seldom is not None and seldom.outbound else _visit(segment)
    handled = _handled(segment)
    if handled is not None:
        found.append(handled)
    if seldom is not None:
        found.extend(_seldom(seldom))
    return tuple(found)


def _seldom(seldom: Seldom) -> Iterator[Contribution]:
    if seldom.transferred is not None:
        yield TransferredOut(seldom.transferred.at)
    if seldom.blocked is not None:
        yield Blocked(seldom.blocked.at, seldom.blocked.note)
    for offer, at in seldom.missed:
        yield OfferMissed(at, offer)


def _visit(segment: Segment) -> list[Contribution]:
    """Entry and outcome; a contact that we called ourselves was neither offered nor answered."""
    enqueued, answered, limits = segment.enqueued, segment.answered, segment.limits
    if enqueued and answered and limits and not (segment.abandoned or segment.dequeued):
        # The commonest visit: as below, without the calls, which would be a tenth of all that an event costs.
        wait_ms = answered.ms if answered.ms != UNKNOWN else _ms_between(enqueued.at, answered.at)
        threshold_ms, _ = limits
        return [Entered(enqueued.at, enqueued.note), Answered(answered.at, wait_ms, wait_ms <= threshold_ms)]
    decision = _decision(segment)
    if enqueued is not None:
        entered = Entered(enqueued.at, enqueued.note)
        return [entered] if decision is None else [entered, decision]
    if decision is None:
        return []
    # Its first report is missing or still on the way: it entered when its wait began, as far as that is known.
    return [Entered(decision.at - max(decision.wait_ms, 0) * _MILLISECOND), decision]


def _decision(segment: Segment) -> Answered | Abandoned | Dequeued | None:
    """How the wait ended: by the earliest report, an answer before other exits of the same instant."""
    answered, abandoned, dequeued = segment.answered, segment.abandoned, segment.dequeued
    # Compared by time, not by arrival: producers may be out of order, and the outcome must not depend on it.
    if answered and not (abandoned and abandoned.at < answered.at) and not (dequeued and dequeued.at < answered.at):
        return _answered(segment, answered.at, _wait(segment, answered))
    if abandoned and not (dequeued and dequeued.at <= abandoned.at):
        return _abandoned(segment, abandoned)
    if dequeued:
        return _dequeued(segment, dequeued, dequeued.note)
    return _implied(segment)


def _implied(segment: Segment) -> Answered | Dequeued | None:
    """How the wait must have ended, where only the end of the whole segment was reported."""
    end = segment.end
    if end is None:
        return None
    if _talked(segment, end):
        # The answer was not reported; the lengths of the conversation tell when it must have been.
        answered_at = end.at - (end.ms + max(end.hold_ms, 0)) * _MILLISECOND
        return _answered(segment, answered_at, _wait(segment, Fact(answered_at)))
    if end is segment.transferred:
        return _dequeued(segment, Fact(end.at), "moved")
    # A hang-up by itself says of no visit when it began or whether anybody answered: it may belong to one
    # that was counted, and forgotten since.
    return _dequeued(segment, Fact(end.at), "system") if segment.enqueued is not None else None


def _talked(segment: Segment, end: Fact) -> bool:
    """
    Tell whether the end of a segment says by itself that there was a conversation.

    Some call systems report a talk of 0 where there was none; and whoever gave up, or left for elsewhere, talked
    elsewhere, if at all.
    """
    if not segment.outbound and (segment.abandoned or segment.dequeued):
        return False
    return max(end.ms, 0) + max(end.hold_ms, 0) > 0


def _answered(segment: Segment, at: datetime, wait_ms: int) -> Answered:
    threshold_ms, _ = _limits_of(segment)
    return Answered(at, wait_ms, UNKNOWN < wait_ms <= threshold_ms)


def _abandoned(segment: Segment, fact: Fact) -> Abandoned:
    wait_ms = _wait(segment, fact)
    threshold_ms, short_ms = _limits_of(segment)
    return Abandoned(fact.at, wait_ms, UNKNOWN < wait_ms <= threshold_ms, UNKNOWN < wait_ms <= short_ms)


def _dequeued(segment: Segment, fact: Fact, reason: str) -> Dequeued:
    wait_ms = _wait(segment, fact)
    threshold_ms, _ = _limits_of(segment)
    return Dequeued(fact.at, wait_ms, UNKNOWN < wait_ms <= threshold_ms, reason)


def _limits_of(segment: Segment) -> WaitLimits:
    assert segment.limits is not None, "whose wait is over has been judged"
    return segment.limits


def _wait(segment: Segment, end: Fact) -> int:
    """Milliseconds waited: as reported, else by the difference of times; UNKNOWN where nobody told when it began."""
    if end.ms != UNKNOWN:
        return end.ms
    return _ms_between(segment.enqueued.at, end.at) if segment.enqueued else UNKNOWN


def _ms_between(begin: datetime, end: datetime) -> int:
    """Return whole milliseconds; 0 where the clocks of a call system have it the other way round."""
    length = end - begin
    if length.days < 0:
        return 0
    return length.days * 86_400_000 + length.seconds * 1000 + length.microseconds // 1000  # a third of a division


def _handled(segment: Segment) -> Handled | None:
    """Handle time, once the conversation and the wrap-up that follows it are over."""
    end = segment.ended if segment.seldom is None else segment.end
    if end is None or (segment.answered is None and not _talked(segment, end)):
        return None
    wrapup = segment.wrapup_ended
    # A wrap-up was announced, or has begun: the handle time is known when it ends, and nothing counts before.
    if wrapup is None and (end.note or segment.wrapup_started):
        return None
    hold_ms = end.hold_ms if end.hold_ms != UNKNOWN else _held_ms(segment, end.at)
    talk_ms = end.ms
    if talk_ms == UNKNOWN:
        answered_at = end.at if segment.answered is None else segment.answered.at
        talk_ms = max(_ms_between(answered_at, end.at) - hold_ms, 0)
    if wrapup is None:
        return Handled(end.at, talk_ms, hold_ms, 0)
    wrapup_ms = wrapup.ms if wrapup.ms != UNKNOWN else _ms_between((segment.wrapup_started or end).at, wrapup.at)
    return Handled(wrapup.at, talk_ms, hold_ms, wrapup_ms)


def _held_ms(segment: Segment, end: datetime) -> int:
    """Sum of the hold spells: each from being held to the next resumption, the last to the end."""
    total, resumed = 0, iter(segment.resumed)
    until = next(resumed, end)
    free_at = datetime.min.replace(tzinfo=end.tzinfo)
    for held_at in segment.held:
        # A resumption before this hold belongs to an earlier one, or to one that nobody reported.
        while until <= held_at < end and until is not end:
            until = next(resumed, end)
        # A hold that begins within another one is part of it.
        if held_at >= free_at:
            total += max((min(until, end) - held_at) // _MILLISECOND, 0)
            free_at = until
    return total
