"""The cases of one queue and channel on one partition: what is open, and what was counted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from stream.core.cloudevents import Channel
from stream.core.limits import OVERFLOW_QUEUE
from stream.core.retention import Retention
from stream.core.windowed import Windowed
from stream.core.windows import EPOCH, TODAY, minute_of
from stream.families.cases.rules import CasePolicy
from stream.families.cases.snapshot import PRIORITIES, STATUSES, CasesSnapshot
from stream.families.cases.sorted_times import SortedTimes
from stream.families.cases.story import Standing
from stream.families.cases.tally import CaseTally, CaseTallyRow
from stream.families.cases.timeline import instant

__all__ = ["CASE_WINDOWS", "RETENTION", "SILENCE", "CaseQueue", "QueueKey"]

QueueKey = tuple[str, str, Channel]
"""Tenant, queue, channel."""

CASE_WINDOWS: Final = (TODAY, "7d", "30d", "90d")
"""Cases live for days."""

RETENTION: Final = Retention(
    days=90 + 2,  # the longest window with the running day, and a day for late events to reach theirs
    duplicates=timedelta(days=93),
)
"""What a queue keeps, and how long a case that has ended is kept: as long as a window shows something of it."""

SILENCE: Final = RETENTION.reach
"""A queue of which nothing is heard for so long begins anew."""

_MILLISECOND: Final = timedelta(milliseconds=1)
_HOUR: Final = timedelta(hours=1)
_AT_RISK: Final = 0.25
"""Of a target: who has so little of it left may miss it."""
_SURELY_MS: Final = RETENTION.surely // _MILLISECOND


class CaseQueue:
    """The state of one queue and channel on one partition."""

    def __init__(self, key: QueueKey, policy: CasePolicy, *, keep_silent: bool = False) -> None:
        """Make an empty queue, whose totals go on after every silence if it is to *keep_silent*."""
        self.key = key
        self.is_shared = key[1] == OVERFLOW_QUEUE
        """It stands for all names beyond the limit."""
        self.policy = policy
        self.calendar = policy.calendar
        self.counts: Windowed[CaseTally] = Windowed(
            CaseTallyRow,
            RETENTION,
            policy.time_zone,
            policy.day_starts,
            windows=CASE_WINDOWS,
            silence=None if keep_silent else SILENCE,
        )
        self._heard_ms = 0
        """The watermark of the counts, in ms since 1970."""
        self.opened = SortedTimes()
        """When each open case was opened."""
        self.first_waits = SortedTimes()
        """Since when each customer waits who has had no answer yet."""
        self.next_waits = SortedTimes()
        """Since when each other customer waits for an answer."""
        self._by_status = [0] * len(STATUSES)
        self._by_priority = [0] * len(PRIORITIES)

    # Events.

    def hear(self, at: datetime, at_ms: int) -> None:
        """Take note of an event that something was learned from, in the order of the records."""
        if at_ms > self._heard_ms:
            self._heard_ms = at_ms
            self.counts.hear(at)

    def keeps(self, at_ms: int) -> bool:
        """Tell whether the day of an instant is still kept; what is older no figure has any more."""
        return self._heard_ms - at_ms <= _SURELY_MS or not self.counts.is_too_late(instant(at_ms))

    def counts_loaded(self) -> None:
        """Take note that the last row of the counts was loaded."""
        self.counts.loaded()
        self._heard_ms = (self.counts.watermark - EPOCH) // _MILLISECOND

    # Open cases.

    def enter(self, standing: Standing) -> None:
        """Take an open case in."""
        self.opened.add(standing.opened_at)
        if standing.waiting_since >= 0:
            self._waits(standing).add(standing.waiting_since)
        self._count_standing(standing, 1)

    def leave(self, standing: Standing) -> None:
        """Take out an open case that stood so."""
        self.opened.remove(standing.opened_at)
        if standing.waiting_since >= 0:
            self._waits(standing).remove(standing.waiting_since)
        self._count_standing(standing, -1)

    def change(self, was: Standing, now: Standing) -> None:
        """Note that an open case stands otherwise than it *was*; of most nothing but one thing is new."""
        if was.opened_at != now.opened_at:
            self.opened.remove(was.opened_at)
            self.opened.add(now.opened_at)
        if was.waiting_since != now.waiting_since or was.answered_before != now.answered_before:
            if was.waiting_since >= 0:
                self._waits(was).remove(was.waiting_since)
            if now.waiting_since >= 0:
                self._waits(now).add(now.waiting_since)
        if was.status != now.status or was.priority != now.priority:
            self._count_standing(was, -1)
            self._count_standing(now, 1)

    def load(self, standing: Standing) -> None:
        """Take in an open case of the changelog; `loaded` follows the last one."""
        self.opened.load(standing.opened_at)
        if standing.waiting_since >= 0:
            self._waits(standing).load(standing.waiting_since)
        self._count_standing(standing, 1)

    def loaded(self) -> None:
        """Take note that the last open case was loaded."""
        for times in (self.opened, self.first_waits, self.next_waits):
            times.loaded()

    def _waits(self, standing: Standing) -> SortedTimes:
        return self.next_waits if standing.answered_before else self.first_waits

    def _count_standing(self, standing: Standing, sign: int) -> None:
        self._by_status[standing.status] += sign
        self._by_priority[standing.priority] += sign

    @property
    def is_empty(self) -> bool:
        """Whether no case is open."""
        return not self.opened

    # Reading.

    def is_shown(self, at: datetime) -> bool:
        """Tell whether a board has this queue at the instant *at*: while a case is open, or a window shows one."""
        return not self.is_empty or self.counts.watermark >= at - RETENTION.reach

    def snapshot(self, at: datetime) -> CasesSnapshot:
        """Return what the board says about this queue at the instant *at*."""
        tenant, queue, channel = self.key
        # Computed and not counted along: a case grows older, and past its target, without any event.
        past, due = self._missed(at), self._missed(at, _HOUR)
        return CasesSnapshot(
            tenant=tenant,
            queue=queue,
            channel=channel,
            policy=self.policy,
            open=len(self.opened),
            waiting=len(self.first_waits) + len(self.next_waits),
            waiting_since=_earliest(self.first_waits.first, self.next_waits.first),
            past_target=past,
            due_within_hour=due - past,
            at_risk=self._missed(at, _HOUR, of_target=_AT_RISK) - past,
            opened_since=_earliest(self.opened.first),
            by_status=tuple(self._by_status),
            by_priority=tuple(self._by_priority),
            by_age=self._by_age(at),
            counted=self.counts.counted(minute_of(at)),
        )

    def _missed(self, at: datetime, within: timedelta = timedelta(0), *, of_target: float = 1.0) -> int:
        """
        Return how many of those who wait now have missed their target, or will *within* so long after *at*.

        But within no more than a share of the target: all who wait for what is promised in an hour would be late soon.
        """
        policy = self.policy
        waits = ((self.first_waits, policy.first_response_target), (self.next_waits, policy.next_response_target))
        return sum(
            times.before(self._in_target_from(at + min(within, target * of_target), target))
            for times, target in waits
            if times
        )

    def _in_target_from(self, at: datetime, target: timedelta) -> int:
        """Return since when, in ms since 1970, somebody may wait at the instant *at* and be within a target."""
        if self.policy.response_clock == "calendar":
            return (at - target - EPOCH) // _MILLISECOND
        # Asked for the last who is beyond it, not for the first within: a whole night has the same business time.
        beyond = self.calendar.before(at, target + _MILLISECOND)
        return 0 if beyond is None else (beyond - EPOCH) // _MILLISECOND + 1

    def _by_age(self, at: datetime) -> tuple[int, ...]:
        now = (at - EPOCH) // _MILLISECOND
        older = [self.opened.before(now - age // _MILLISECOND) for age in self.policy.backlog_ages]
        return _steps([len(self.opened), *older, 0])


def _steps(numbers: Sequence[int]) -> tuple[int, ...]:
    return tuple(more - fewer for more, fewer in pairwise(numbers))


def _earliest(*times: int | None) -> datetime | None:
    known = [ms for ms in times if ms is not None]
    return instant(min(known)) if known else None
