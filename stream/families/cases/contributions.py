"""What a case counts for in the tallies: values that are added, and can be taken back."""

from array import array
from collections.abc import Callable, Iterable
from datetime import datetime
from struct import Struct as Layout
from typing import Final, NamedTuple

from msgspec import Struct

from stream.core.calendar import BusinessCalendar
from stream.core.windows import EPOCH, start_of
from stream.families.cases.rules import CasePolicy
from stream.families.cases.story import CaseFact
from stream.families.cases.tally import (
    RESOLUTION_BOUNDS_SECONDS,
    RESPONSE_BOUNDS_SECONDS,
    CaseTally,
    bucket_of,
)
from stream.families.cases.timeline import instant

__all__ = ["CaseContribution", "Judgements", "judgements_renumbered"]

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


class _Into(NamedTuple):
    """Fields of a tally that a length is counted in."""

    ms: str
    business_ms: str
    in_target: str
    buckets: str
    business_buckets: str
    bounds: tuple[int, ...]


# Once, and not for each length: names would be most of its price.
_INTO: Final = {
    what: _Into(
        ms=f"{what}_ms",
        business_ms=f"{what}_business_ms",
        in_target=f"{what}_in_target",
        buckets=f"{what}_in",
        business_buckets=f"{what}_business_in",
        bounds=bounds,
    )
    for what, bounds in _BOUNDS.items()
}

_CODES: Final = {what: code for code, what in enumerate(_BOUNDS)}


class CaseContribution(Struct, gc=False):
    """What cases count for in one minute."""

    minute: int
    """Since 1970."""
    counts: dict[str, int] = {}
    """By field of a tally."""
    buckets: list[tuple[str, int]] = []
    """Fields of a tally that are lists, and which of their buckets has one more."""

    @property
    def at(self) -> datetime:
        """The instant, hence the hour and day, that it is counted in."""
        return start_of(self.minute)

    def count(self, tallies: Iterable[CaseTally], sign: int) -> None:
        """Add it to each of *tallies*, or take it back."""
        for tally in tallies:
            for name, count in self.counts.items():
                setattr(tally, name, getattr(tally, name) + sign * count)
            for name, bucket in self.buckets:
                getattr(tally, name)[bucket] += sign

    def add(self, what: str, number: int) -> None:
        """Count something more."""
        self.counts[what] = self.counts.get(what, 0) + number

    def add_length(self, fact: CaseFact, judged: int) -> None:
        """Count something that has a length, as it was judged."""
        what, at, _, since = fact
        ms, business_ms, into = at - since, judged >> 1, _INTO[what]
        self.add(what, 1)
        self.add(into.ms, ms)
        self.add(into.business_ms, business_ms)
        if judged & 1:
            self.add(into.in_target, 1)
        bucket = bucket_of(ms, into.bounds)
        business_bucket = bucket if business_ms == ms else bucket_of(business_ms, into.bounds)
        self.buckets += ((into.buckets, bucket), (into.business_buckets, business_bucket))


class Judgements:
    """
    What was judged of the lengths of a case: of each its business time, and whether it met its target.

    By the policy of the time at which it was counted. They are kept with the case: after a change of the policy what
    was counted must be taken back as it was counted.
    """

    # Three numbers for each: when it began, with what it is and its place in the lowest bits; when it ended; and twice
    # its business time in ms, and 1 more if it met its target.

    def __init__(self, kept: bytes) -> None:
        self.kept = kept
        """What a row keeps."""

    def judge(self, fact: CaseFact, policy: CasePolicy, calendar: BusinessCalendar) -> int:
        """Judge a new length by the policy and calendar of its queue, and keep that."""
        judged = _judged(fact, policy, calendar)
        self.kept += _JUDGEMENT.pack(*_key_of(fact), judged)
        return judged

    def recall(self, fact: CaseFact) -> int:
        """Return what was judged of a length that is to be taken back, and forget it."""
        key = _JUDGEMENT.pack(*_key_of(fact), 0)[:-_NUMBER_BYTES]
        for place in range(0, len(self.kept), _JUDGEMENT.size):
            if self.kept.startswith(key, place):
                judged = _JUDGEMENT.unpack_from(self.kept, place)[-1]
                self.kept = self.kept[:place] + self.kept[place + _JUDGEMENT.size :]
                return int(judged)
        return 0


_JUDGEMENT: Final = Layout("<qqq")
_NUMBER_BYTES: Final = 8


def _key_of(fact: CaseFact) -> tuple[int, int]:
    what, at, place, since = fact
    return since << 10 | _CODES[what] << 8 | place, at


def judgements_renumbered(kept: bytes, first: int) -> bytes:
    """Return what a row keeps where the places from *first* on have the next higher number."""
    numbers = array("q", kept)
    for number in range(0, len(numbers), 3):
        numbers[number] += numbers[number] & 0xFF >= first
    return numbers.tobytes()


def _judged(fact: CaseFact, policy: CasePolicy, calendar: BusinessCalendar) -> int:
    what, at, _, since = fact
    business_ms = at - since if calendar.always else calendar.business_time(instant(since), instant(at)) // _MILLISECOND
    if (target := _TARGETS.get(what)) is None:
        return business_ms << 1
    length = business_ms if policy.response_clock == "business" else at - since
    return business_ms << 1 | (length <= target(policy))
