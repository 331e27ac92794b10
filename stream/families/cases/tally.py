"""What one window of one queue has counted of cases."""

from bisect import bisect_left
from typing import Final

from msgspec import field

from stream.core.counts import Counts, CountsRow

__all__ = ["RESOLUTION_BOUNDS_SECONDS", "RESPONSE_BOUNDS_SECONDS", "CaseTally", "CaseTallyRow", "bucket_of"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

RESPONSE_BOUNDS_SECONDS: Final = (
    *(5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(_HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 24 * _HOUR),
    *(2 * _DAY, 7 * _DAY),
)
"""Upper bounds, inclusive, of the buckets of response times; above them is one bucket more."""

RESOLUTION_BOUNDS_SECONDS: Final = (
    *(_HOUR, 4 * _HOUR, 8 * _HOUR, 24 * _HOUR),
    *(2 * _DAY, 3 * _DAY, 5 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY),
)
"""The same of resolution times."""


def bucket_of(ms: int, bounds: tuple[int, ...]) -> int:
    """Return the place of the bucket that counts a length."""
    return bisect_left(bounds, ms / 1000)


def _responses() -> list[int]:
    return [0] * (len(RESPONSE_BOUNDS_SECONDS) + 1)


def _resolutions() -> list[int]:
    return [0] * (len(RESOLUTION_BOUNDS_SECONDS) + 1)


class CaseTally(Counts, array_like=True, gc=False):
    """
    Counts of cases, each at the instant that its comment says; lengths are sums of milliseconds.

    Of each length there is the sum in calendar time and in business time, and how many were in each bucket of both.
    """

    first_responses_in: list[int] = field(default_factory=_responses)
    first_responses_business_in: list[int] = field(default_factory=_responses)
    next_responses_in: list[int] = field(default_factory=_responses)
    next_responses_business_in: list[int] = field(default_factory=_responses)
    first_resolutions_in: list[int] = field(default_factory=_resolutions)
    first_resolutions_business_in: list[int] = field(default_factory=_resolutions)
    full_resolutions_in: list[int] = field(default_factory=_resolutions)
    full_resolutions_business_in: list[int] = field(default_factory=_resolutions)

    opened: int = 0
    """Cases that came in, by when they did."""
    split: int = 0
    assigned: int = 0
    """Cases that came to the queue, by opening or from another queue: a cohort."""
    assigned_resolved: int = 0
    """Of that cohort, those that the queue has solved by now: counted when they came to it."""
    reassigned: int = 0
    """Cases that left for another queue."""
    resolved: int = 0
    reopened: int = 0
    merged: int = 0
    deleted: int = 0
    spam: int = 0
    received: int = 0
    """Messages of customers."""
    sent: int = 0
    """Public messages of agents."""
    automatic: int = 0
    """Messages of machines, which neither ask nor answer."""
    first_responses: int = 0
    first_responses_ms: int = 0
    first_responses_business_ms: int = 0
    first_responses_in_target: int = 0
    next_responses: int = 0
    next_responses_ms: int = 0
    next_responses_business_ms: int = 0
    next_responses_in_target: int = 0
    first_resolutions: int = 0
    first_resolutions_ms: int = 0
    first_resolutions_business_ms: int = 0
    full_resolutions: int = 0
    """Cases that are solved by now, by when they last were."""
    full_resolutions_ms: int = 0
    full_resolutions_business_ms: int = 0
    one_touch: int = 0
    """Of these, those that one answer has solved."""
    messages: int = 0
    """Messages that these took, on both sides."""

    @property
    def responses(self) -> int:
        """First and later answers together."""
        return self.first_responses + self.next_responses

    @property
    def responses_in_target(self) -> int:
        """Those of them that met their target."""
        return self.first_responses_in_target + self.next_responses_in_target


class CaseTallyRow(CountsRow[CaseTally], array_like=True, gc=False):
    """A tally as a row."""

    applied_offset: int = -1
    tally: CaseTally = field(default_factory=CaseTally)
