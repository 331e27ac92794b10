"""How old the events of one source are when the figures have them, and what that says of its clock.

It is told the time, and is asked once for each batch: what it does does not grow with the events of the batch, but for
a search in their sorted times.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

__all__ = ["CLOCK_AHEAD", "KEPT_MINUTES", "LATENCY_SECONDS", "SourceFeed"]

LATENCY_SECONDS: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600)
"""Upper bounds of the buckets of latencies. What is older than the last one is history, or was kept back for long."""

LATENCIES: Final = tuple(timedelta(seconds=bound) for bound in LATENCY_SECONDS)

KEPT_MINUTES: Final = 5
"""For so many minutes the least latency of each is kept; the running one is one of them."""

SURE_AFTER_MINUTES: Final = 3
"""Minutes in which a source was heard until something is said of its clock: one wrong time is no wrong clock."""

CLOCK_AHEAD: Final = timedelta(seconds=5)
"""From so much on it is worth a word: clocks that are set from outside differ by less than a second."""

MOST_SUMMED: Final = 16
"""Latencies of a batch that are added up at most: of a larger one as many are picked evenly, and stand for the rest."""

_NONE: Final = timedelta()


@dataclass(slots=True)
class SourceFeed:
    """What a worker has heard of one CloudEvents source; counters never fall."""

    newest: datetime | None = None
    """Newest event time; None while all events were refused."""
    by_latency: list[int] = field(default_factory=lambda: [0] * len(LATENCY_SECONDS))
    """Events by bucket of `LATENCY_SECONDS`, not cumulative. What is ahead of our clock is in the first one."""
    latency_seconds_sum: float = 0.0
    old_events: int = 0
    """Events older than the last bucket; they are in none, nor in the sum."""
    least_by_minute: dict[int, timedelta] = field(default_factory=dict)
    """By minute of our clock, the least time between an event and the moment at which the figures had it."""

    @property
    def least_latency(self) -> timedelta | None:
        """
        The least latency of the last minutes; None where nothing was heard.

        No way is shorter than none at all. So below zero the clock of the source is ahead of ours, by at least as
        much; above zero it is behind by no more than that.
        """
        return min(self.least_by_minute.values(), default=None)

    @property
    def clock_ahead(self) -> timedelta:
        """By how much its clock is ahead of ours in each of the last minutes; 0 where that is not sure."""
        if len(self.least_by_minute) < SURE_AFTER_MINUTES:
            return _NONE
        return max(_NONE, -max(self.least_by_minute.values()))

    def heard(self, times: Sequence[datetime], at: datetime) -> None:
        """Note that at the instant *at* the figures have events of these times, which are sorted."""
        self.newest = times[-1] if self.newest is None else max(self.newest, times[-1])
        self._note_least(at - times[-1], at)
        within = self._count(times, at)
        self.old_events += len(times) - within
        if within:
            self.latency_seconds_sum += _sum_of_seconds(times[-within:], at)

    def refused(self, time: datetime, at: datetime) -> None:
        """Note that at the instant *at* an event was refused since its *time* was too far ahead of it."""
        # It is in no figure, and has no latency; but nothing tells more plainly that a clock is wrong.
        self._note_least(at - time, at)

    def forget(self, at: datetime) -> None:
        """Forget the least latencies that are too old at the instant *at*, and those of a time that is not yet."""
        minute = _minute_of(at)
        # After a clock was set back, too: what it said before would stay for as long as it was ahead.
        for one in [one for one in self.least_by_minute if not minute - KEPT_MINUTES < one <= minute]:
            del self.least_by_minute[one]

    def _note_least(self, latency: timedelta, at: datetime) -> None:
        minute = _minute_of(at)
        known = self.least_by_minute.get(minute)
        if known is None:
            self.forget(at)
        self.least_by_minute[minute] = latency if known is None else min(known, latency)

    def _count(self, times: Sequence[datetime], at: datetime) -> int:
        """Count events into their buckets; return how many are in one."""
        counted = 0
        for bucket, bound in enumerate(LATENCIES):
            within = len(times) - bisect_left(times, at - bound)
            self.by_latency[bucket] += within - counted
            counted = within
            # Nearly always after the first one.
            if counted == len(times):
                break
        return counted


def _minute_of(at: datetime) -> int:
    return int(at.timestamp()) // 60


def _sum_of_seconds(times: Sequence[datetime], at: datetime) -> float:
    """Return the sum of latencies in seconds, close enough where there are many; what is ahead counts as 0."""
    step = 1 + (len(times) - 1) // MOST_SUMMED
    # From the middle of each step: from its beginning all would be a little too old.
    picked = times[step // 2 :: step]
    total = sum((max(at - time, _NONE) for time in picked), start=_NONE).total_seconds()
    return total * len(times) / len(picked)
