"""What a case counts for in the tallies: values that are added, and can be taken back."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from stream.core.windows import EPOCH
from stream.families.cases.rules import CasePolicy
from stream.families.cases.tally import (
    RESOLUTION_BOUNDS_SECONDS,
    RESPONSE_BOUNDS_SECONDS,
    CaseTally,
    bucket_of,
)
from stream.families.cases.timeline import LENGTHS, Fact, instant

__all__ = ["CaseContribution", "Judgements", "difference"]

_MILLISECOND: Final = EPOCH.resolution * 1000

_BOUNDS: Final = {
    "first_responses": RESPONSE_BOUNDS_SECONDS,
    "next_responses": RESPONSE_BOUNDS_SECONDS,
    "first_resolutions": RESOLUTION_BOUNDS_SECONDS,
    "full_resolutions": RESOLUTION_BOUNDS_SECONDS,
}
_TARGETS: Final[dict[str, Callable[[CasePolicy], int]]] = {
    "first_responses": lambda policy: policy.first_response_target // _MILLISECOND,
    "next_responses": lambda policy: policy.next_response_target // _MILLISECOND,
}

_CODES: Final = {what: code for code, what in enumerate(_BOUNDS)}


class CaseContribution(Struct, frozen=True, array_like=True, gc=False):
    """One fact of a case, judged."""

    fact: Fact
    judged: int = 0

    @property
    def at(self) -> datetime:
        """The instant, hence the hour and day, that it is counted in."""
        return instant(self.fact[1])

    def count(self, tallies: Iterable[CaseTally], sign: int) -> None:
        """Add to each of *tallies* what it counts for."""
        what, at, _, number = self.fact
        if what not in LENGTHS:
            for tally in tallies:
                setattr(tally, what, getattr(tally, what) + sign * number)
            return
        ms, business_ms = at - number, self.judged >> 1
        bounds = _BOUNDS[what]
        bucket, business_bucket = bucket_of(ms, bounds), bucket_of(business_ms, bounds)
        met = sign if self.judged & 1 and what in _TARGETS else 0
        for tally in tallies:
            setattr(tally, what, getattr(tally, what) + sign)
            setattr(tally, f"{what}_ms", getattr(tally, f"{what}_ms") + sign * ms)
            setattr(tally, f"{what}_business_ms", getattr(tally, f"{what}_business_ms") + sign * business_ms)
            getattr(tally, f"{what}_in")[bucket] += sign
            getattr(tally, f"{what}_business_in")[business_bucket] += sign
            if met:
                setattr(tally, f"{what}_in_target", getattr(tally, f"{what}_in_target") + met)


class Judgements:
    """
    What was judged of the lengths of a case: of each its business time, and whether it met its target.

    By the policy of the time at which it was counted. They are kept with the case: after a change of the policy what
    was counted must be taken back as it was counted.
    """

    # Three numbers for each: when it began, with what it is and its place in the lowest bits; when it ended; and twice
    # its business time in ms, and 1 more if it met its target.

    def __init__(self, kept: bytes) -> None:
        self._kept = kept
        self._known: dict[tuple[int, int], int] | None = None

    def recalled(self, fact: Fact) -> CaseContribution:
        """Return what a fact was counted for that is to be taken back, and forget what was judged of it."""
        if fact[0] not in LENGTHS:
            return CaseContribution(fact)
        return CaseContribution(fact, self._all().pop(_key_of(fact), 0))

    def judged(self, fact: Fact, policy: CasePolicy) -> CaseContribution:
        """Return what a new fact counts for, judged by the policy of its queue, and keep that."""
        if fact[0] not in LENGTHS:
            return CaseContribution(fact)
        judged = self._all()[_key_of(fact)] = _judge(fact, policy)
        return CaseContribution(fact, judged)

    def _all(self) -> dict[tuple[int, int], int]:
        if self._known is None:
            numbers = array("q", self._kept)
            self._known = dict(zip(zip(numbers[0::3], numbers[1::3], strict=True), numbers[2::3], strict=True))
        return self._known

    def kept(self) -> bytes:
        """Return what a row keeps."""
        if self._known is None:
            return self._kept
        return array(
            "q", [number for (begin, end), value in self._known.items() for number in (begin, end, value)]
        ).tobytes()


def _key_of(fact: Fact) -> tuple[int, int]:
    what, at, place, since = fact
    return since << 10 | _CODES[what] << 8 | place, at


def _judge(fact: Fact, policy: CasePolicy) -> int:
    what, at, _, since = fact
    calendar = policy.calendar
    business_ms = at - since if calendar.always else calendar.business_time(instant(since), instant(at)) // _MILLISECOND
    if (target := _TARGETS.get(what)) is None:
        return business_ms << 1
    length = business_ms if policy.response_clock == "business" else at - since
    return business_ms << 1 | (length <= target(policy))


def difference(before: list[Fact], after: list[Fact]) -> tuple[list[Fact], list[Fact]]:
    """Return which facts have gone, and which are new; a fact may be there several times."""
    same = 0
    for one, other in zip(before, after, strict=False):  # mostly there are only more of them
        if one != other:
            break
        same += 1
    gone, new = before[same:], after[same:]
    if gone and new:
        more = Counter(new)
        more.subtract(gone)
        new = [fact for fact, number in more.items() for _ in range(number)]
        gone = [fact for fact, number in more.items() for _ in range(-number)]
    return gone, new
