"""One queue and channel: who is waiting, talking and wrapping up in it, and what its minutes and days have seen.

Knows nothing of events: `stream.families.contacts.fold` tells it what episodes became, and asks for snapshots.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from stream.core.cloudevents import Channel
from stream.core.counted import Counted, plus
from stream.core.limits import OVERFLOW_QUEUE
from stream.core.retention import Retention
from stream.core.sharing import shared
from stream.core.windowed import Windowed
from stream.core.windows import ALL, EPOCH, LIVE_WINDOWS, TODAY, WINDOWS, minute_of
from stream.families.contacts.callback import Callback
from stream.families.contacts.contributions import Contribution, Entered
from stream.families.contacts.inferred import Inferred
from stream.families.contacts.outcome import contributions_of
from stream.families.contacts.phases import EpisodeKey, EpisodeRow, PhaseIndex, Place
from stream.families.contacts.rules import Policy
from stream.families.contacts.segment import Segment
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally, TallyRow

__all__ = ["RETENTION", "Queue", "QueueKey"]

QueueKey = tuple[str, str, Channel]
"""Tenant, queue, channel."""

RETENTION: Final = Retention(
    minutes=60 + 60,  # the longest window, and an hour for late events to reach theirs
    days=2,  # today and yesterday
)
"""What a queue keeps. Finished segments stay for the duplicate window of its policy, so that repeats change nothing."""

REACH: Final = RETENTION.reach
"""No window shows what is longer ago."""

GHOSTS_KEPT: Final = timedelta(days=RETENTION.days)
"""How long an expired contact stays, so that windows which show its expiry can count it."""

LATEST: Final = timedelta(hours=12)
"""How long the rows of a silent queue outlast what they show: events that are late find them by then."""


class Queue:
    """The state of one queue and channel on one partition."""

    def __init__(self, key: QueueKey, policy: Policy, *, keep_silent: bool = False) -> None:
        """Make an empty queue, whose totals go on after every silence if it is to *keep_silent*."""
        self.key = key
        self.is_shared = key[1] == OVERFLOW_QUEUE
        """It stands for all names beyond the limit."""
        self.policy = policy
        self.limits = shared((policy.threshold_ms, policy.short_abandon_ms))
        """By which a wait that ends now is judged."""
        self.phases = PhaseIndex()
        # By then, whoever entered the queue has left it or expired, and no window shows that any more; nor is anything
        # told of it again.
        silence = max(REACH + policy.ghost_after, policy.duplicate_window)
        self.counts: Windowed[Tally] = Windowed(
            TallyRow,
            RETENTION,
            policy.time_zone,
            policy.day_starts,
            silence=None if keep_silent else silence,
        )
        self.inferred = Inferred(policy.inferred_grace)
        self._undated = True
        """No tally tells how new this queue is: the version before did not write that."""
        self.lifetime = silence + LATEST
        """How long its rows are kept after the newest event."""
        self.heard_at = EPOCH
        """The watermark of all queues when something was last heard of this one."""
        self.emptied_at: int | None = None
        """The offset at which the last segment of a silent queue was forgotten."""

    def count(self, key: EpisodeKey, segment: Segment, before: tuple[Contribution, ...]) -> None:
        """Count what a segment has come to count for, in place of what it counted for *before*."""
        after, counts = contributions_of(segment), self.counts
        # Of a new segment nothing can be taken back.
        hidden = self.inferred.of(key, counts.watermark) if before else ()
        counts.count_difference(before, after, segment.applied_offset, hidden)
        self.inferred.note(key, segment, after)

    def enter(self, key: EpisodeKey, segment: Segment) -> None:
        """Count and place a new segment of which only the entry is known, as the general way would."""
        entered = segment.enqueued
        assert entered is not None
        self.counts.count(Entered(entered.at, entered.note), 1, segment.applied_offset)
        self.phases.waiting[key] = entered.at

    def tallies_loaded(self) -> None:
        """Take note that the last row of the tallies was loaded."""
        self.counts.loaded()
        self._undated = self.counts.totals.counted.newest is None

    def load_episode(self, key: EpisodeKey, episode: EpisodeRow) -> None:
        """Take an episode over from the changelog, after all tallies; `loaded` follows the last one."""
        if self._undated and (newest := episode.newest) > self.counts.watermark:
            self.counts.watermark = newest
        self.phases.load(key, episode)
        # What is inferred is in no table: it follows from segments, and only young ones are still in their grace.
        if isinstance(episode, Segment):
            self.inferred.load(key, episode, self.counts.watermark)

    def loaded(self) -> None:
        """Take note that the last episode was loaded."""
        self.phases.loaded(self.counts.watermark)

    def place_segment(
        self, key: EpisodeKey, segment: Segment, was_in: Place | None, at: datetime | None = None
    ) -> bool:
        """
        Put a segment where it is now, out of where it *was_in* (None: it is new).

        *at* is the time of the report that brought it there, if that did not come in its turn. Tells
        whether *key* was put in anew, as `PhaseIndex.move` does.
        """
        waited_since = self.phases.waiting.get(key) if at else None
        anew = self.phases.move(key, segment, was_in, self.counts.watermark)
        if at and waited_since and anew:
            self._left(waited_since, at, segment.applied_offset)
        return anew

    def _left(self, since: datetime, at: datetime, offset: int) -> None:
        """Note, when it was a ghost that left after all, that one was counted as expired: counters never fall."""
        if since + self.policy.ghost_after <= self.counts.watermark:
            for tally in self.counts.totals.correct(at, offset):
                tally.expired += 1

    def place_callback(self, key: EpisodeKey, callback: Callback) -> None:
        """Put a callback where it is now."""
        self.phases.place_callback(key, callback, self.counts.watermark)

    def repeated(self, key: EpisodeKey) -> None:
        """Note that an event of an episode came once more: further repeats may follow."""
        self.phases.repeated(key, self.counts.watermark)

    def forget_outdated(self, may_go: Callable[[EpisodeKey], bool]) -> Iterator[EpisodeKey]:
        """
        Forget, and yield, episodes that nothing more is expected of at the watermark.

        Finished ones go when repeats of their events can no longer come, those whose contact went on when it
        must have ended, and each only when it *may go*: a replay must not meet a part of it. The others are
        ghosts, long gone from the board.
        """
        now, ghost_after, duplicate_window = (
            self.counts.watermark,
            self.policy.ghost_after,
            self.policy.duplicate_window,
        )
        return self.phases.forget(
            finished_until=now - duplicate_window,
            elsewhere_until=now - max(duplicate_window, ghost_after),
            open_until=now - ghost_after - GHOSTS_KEPT,
            may_go=may_go,
        )

    def forget_all(self, may_go: Callable[[EpisodeKey], bool]) -> Iterator[EpisodeKey]:
        """Forget, and yield, every episode that *may go*: of a queue that is silent."""
        now = self.counts.watermark
        return self.phases.forget(finished_until=now, elsewhere_until=now, open_until=now, may_go=may_go)

    # Reading.

    def is_shown(self, at: datetime) -> bool:
        """
        Tell whether a board has this queue at the instant *at*.

        It has it for as long as a window may show its newest event, or how the last who is in it expires.
        Nothing has to run for that: a silent queue vanishes by being looked at.
        """
        horizon = at - REACH
        if self.counts.watermark >= horizon:
            return True
        newest = self.phases.newest_open
        return newest is not None and newest + self.policy.ghost_after >= horizon

    def snapshot(self, at: datetime) -> QueueSnapshot:
        """Return what the board says about this queue at the instant *at*."""
        # A contact that entered exactly at the horizon has expired: from `enqueued + ghost_after` on, that
        # instant included.
        horizon = at - self.policy.ghost_after
        # Computed and not counted along: a contact turns into a ghost, and past its threshold, without any event.
        waits = [since for since in self.phases.waiting.values() if since > horizon]
        oldest = min(waits, default=None)
        too_late = at - self.policy.threshold
        tenant, queue, channel = self.key
        return QueueSnapshot(
            tenant=tenant,
            queue=queue,
            channel=channel,
            policy=self.policy,
            waiting=len(waits),
            # The call system's clock may be a little ahead of ours: nobody waits for less than nothing.
            longest_wait=None if oldest is None else max(at - oldest, timedelta(0)),
            oldest_enqueued_at=oldest,
            waiting_past_threshold=sum(since < too_late for since in waits) if waits else 0,
            talking=_open_since(self.phases.talking, horizon),
            wrapping_up=_open_since(self.phases.wrapping_up, horizon),
            callbacks_waiting=_open_since(self.phases.callbacks, horizon),
            counted=self._counted(len(waits), at),
        )

    def _counted(self, waiting: int, at: datetime) -> Counted:
        """Return what was counted, and who has expired by the instant *at*: *waiting* have not."""
        counted = self.counts.counted(minute_of(at))
        windows, total = counted.windows, self.counts.totals.counted.tally
        if waiting < len(self.phases.waiting):
            self._count_ghosts(windows, at)
        # Whoever was offered, was not decided and does not wait has expired, however long ago.
        if (expired := total.offered - total.decided - waiting) > 0:
            windows[ALL] = plus(windows[ALL], Tally(expired=expired))
        counted.uncounted = self._uncounted(waiting, at)
        return counted

    def _uncounted(self, waiting: int, at: datetime) -> bytes:
        """
        Return what counters must not show yet of all that is so at the instant *at*, packed; empty: nothing.

        Counters go by the events alone. Shown by the clock, a ghost whose end is still on its way, as after hours
        without a worker, would be one that has to be taken back.
        """
        watermark = self.counts.watermark
        hidden = self.inferred.hidden(watermark, self.counts.totals.first_minute)
        if waiting < len(self.phases.waiting) or watermark > at:
            # Below 0 where an event is ahead of the instant: counters have shown ghosts then that this reading does
            # not have.
            expired = _open_since(self.phases.waiting, watermark - self.policy.ghost_after) - waiting
            if expired:
                hidden = (hidden or Tally()) + Tally(expired=expired)
        return hidden.pack() if hidden else b""

    def _count_ghosts(self, windows: dict[str, bytes], at: datetime) -> None:
        """
        Count each ghost in the minute in which it expired.

        Expiry is a matter of reading: no tally counts it, so that nothing has to be taken back
        when the end is reported after all, and no crash can count it twice.
        """
        minute, today = minute_of(at), self.counts.day_of(minute_of(at))
        ages = Counter[int]()
        expired_today = 0
        for since in self.phases.waiting.values():
            expired_at = since + self.policy.ghost_after
            if expired_at <= at:
                expired_in = minute_of(expired_at)
                ages[minute - expired_in] += 1
                expired_today += self.counts.day_of(expired_in) == today
        for name in LIVE_WINDOWS:
            within = WINDOWS[name].before
            expired = expired_today if name == TODAY else sum(count for age, count in ages.items() if age <= within)
            windows[name] = plus(windows[name], Tally(expired=expired))


def _open_since(phase: dict[EpisodeKey, datetime], horizon: datetime) -> int:
    # In most queues nobody is in most phases.
    return sum(since > horizon for since in phase.values()) if phase else 0
