"""What one window of one queue and channel has seen: counts, sums and distributions.

Tallies add up (a commutative group with `Tally()` as zero), so windows of any length are sums of minutes.
Sums are whole milliseconds: exact in any order.
"""

from bisect import bisect_left
from typing import Final

from msgspec import field

from stream.core.counts import Counts, CountsRow

__all__ = ["HANDLE_BOUNDS_SECONDS", "WAIT_BOUNDS_SECONDS", "Tally", "TallyRow", "bucket_of_handle", "bucket_of_wait"]

WAIT_BOUNDS_SECONDS: Final = (1, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800)
"""Upper bounds, inclusive, of the wait histogram; the usual service-level thresholds are among them."""

HANDLE_BOUNDS_SECONDS: Final = (15, 30, 60, 120, 180, 240, 300, 420, 600, 900, 1800, 3600, 14400)
"""Upper bounds, inclusive, of the handle-time histogram."""

_WAIT_BOUNDS_MS = tuple(bound * 1000 for bound in WAIT_BOUNDS_SECONDS)
_HANDLE_BOUNDS_MS = tuple(bound * 1000 for bound in HANDLE_BOUNDS_SECONDS)


def bucket_of_wait(wait_ms: int) -> int:
    """Return the index in `Tally.waits` of a wait; the last one is for waits above every bound."""
    # `left`, since bounds are inclusive as those of Prometheus (`le`): a wait of 20 s is in the bucket of 20.
    return bisect_left(_WAIT_BOUNDS_MS, wait_ms)


def bucket_of_handle(handle_ms: int) -> int:
    """Return the index in `Tally.handles` of a handle time; the last one is for times above every bound."""
    return bisect_left(_HANDLE_BOUNDS_MS, handle_ms)


_NO_WAITS = [0] * (len(WAIT_BOUNDS_SECONDS) + 1)
_NO_HANDLES = [0] * (len(HANDLE_BOUNDS_SECONDS) + 1)


class Tally(Counts, array_like=True, gc=False):
    """
    Counts of segments, and sums of milliseconds, of one window of one queue and channel.

    New fields go to the very end, and raise the version of the table: see `stream.core.counts`.
    """

    offered: int = 0
    """Segments that entered the queue; by time of entry."""
    answered: int = 0
    """Answered by an agent; by time of answer."""
    answered_in_target: int = 0
    """Answered after a wait of at most the threshold."""
    abandoned: int = 0
    """Given up by the customer while waiting; by time of abandon."""
    abandoned_in_target: int = 0
    abandoned_short: int = 0
    """Abandoned after a wait of at most the short-abandon limit."""
    expired: int = 0
    """Ghosts: waited longer than any contact can, no end was ever reported."""
    dequeued_overflow: int = 0
    dequeued_timeout: int = 0
    dequeued_key: int = 0
    dequeued_empty: int = 0
    dequeued_moved: int = 0
    dequeued_callback_requested: int = 0
    dequeued_voicemail: int = 0
    dequeued_system: int = 0
    callback_requested_in_target: int = 0
    """Left for a promised call back within the threshold: met, in formula H."""
    blocked_busy: int = 0
    blocked_full: int = 0
    blocked_no_agents: int = 0
    blocked_capacity: int = 0
    closed: int = 0
    """Attempts outside opening hours: reported apart from blocking."""
    handled: int = 0
    """Conversations whose handle time is known; by end of wrap-up, or hang-up where there is none."""
    transferred_in: int = 0
    transferred_out: int = 0
    requeued: int = 0
    """Entered the queue again after an earlier visit."""
    offers_missed: int = 0
    """Rang at an agent in vain: not answered or rejected; one contact may count many times."""
    callbacks_requested: int = 0
    callback_attempts: int = 0
    callbacks_connected: int = 0
    callbacks_failed: int = 0
    answer_wait_ms: int = 0
    """Sum of waits of the answered."""
    abandon_wait_ms: int = 0
    """Sum of waits of the abandoned."""
    talk_ms: int = 0
    hold_ms: int = 0
    wrapup_ms: int = 0
    waits: list[int] = field(default_factory=_NO_WAITS.copy)
    """Waits of the answered by `WAIT_BOUNDS_SECONDS`, not cumulative."""
    handles: list[int] = field(default_factory=_NO_HANDLES.copy)
    """Handle times by `HANDLE_BOUNDS_SECONDS`, not cumulative."""
    answered_wait_unknown: int = 0
    """Of the answered, those of whom nobody knows how long they waited: in no service level, in no mean wait."""
    abandoned_wait_unknown: int = 0
    callback_requested_wait_unknown: int = 0
    """Of those who left for a promised call back; of other exits no figure needs the wait."""

    @property
    def dequeued(self) -> int:
        """Segments that left by another exit than answer or abandon, whatever the reason."""
        return (
            self.dequeued_overflow
            + self.dequeued_timeout
            + self.dequeued_key
            + self.dequeued_empty
            + self.dequeued_moved
            + self.dequeued_callback_requested
            + self.dequeued_voicemail
            + self.dequeued_system
        )

    @property
    def blocked(self) -> int:
        """Attempts that did not get into the queue while it was open, whatever the reason."""
        return self.blocked_busy + self.blocked_full + self.blocked_no_agents + self.blocked_capacity

    @property
    def decided(self) -> int:
        """Segments whose outcome is known: answered, abandoned or left by another exit. Ghosts are not."""
        return self.answered + self.abandoned + self.dequeued

    @property
    def answered_wait_known(self) -> int:
        """Of the answered, those whose wait is known: what every mean and share of their waits is over."""
        return self.answered - self.answered_wait_unknown

    @property
    def abandoned_wait_known(self) -> int:
        """The same of the abandoned."""
        return self.abandoned - self.abandoned_wait_unknown

    @property
    def handle_ms(self) -> int:
        """Sum of handle times: talk + hold + wrap-up."""
        return self.talk_ms + self.hold_ms + self.wrapup_ms


class TallyRow(CountsRow[Tally], array_like=True, gc=False):
    """A tally as a row."""

    applied_offset: int = -1
    tally: Tally = field(default_factory=Tally)
