"""One queue and channel: who is waiting, talking and wrapping up in it, and what its minutes and days have seen.

Knows nothing of events: `stream.families.contacts.fold` tells it what episodes became, and asks for snapshots.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Literal

from stream.core.cloudevents import Channel
from stream.core.limits import DUPLICATE_WINDOW, GHOSTS_KEPT
from stream.core.retention import Retention
from stream.core.windows import EPOCH, TODAY, WINDOWS, minute_of, start_of
from stream.families.contacts.callback import Callback
from stream.families.contacts.contributions import Contribution, Entered
from stream.families.contacts.phases import EpisodeKey, EpisodeRow, PhaseIndex, Place
from stream.families.contacts.rules import Policy
from stream.families.contacts.segment import Segment, share_limits
from stream.families.contacts.sliding import SlidingSums
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally, TallyRow

__all__ = [
    "Queue",
    "QueueKey",
    "Scope",
]

QueueKey = tuple[str, str, Channel]
"""Tenant, queue, channel."""

Scope = Literal["minute", "day", "total", "taken_back"]
"""What a tally is of; `taken_back` is what the total once counted, and a later event corrected."""


_DAY = timedelta(days=1)


class Queue:
    """The state of one queue and channel on one partition."""

    def __init__(self, key: QueueKey, policy: Policy) -> None:
        self.key = key
        self.policy = policy
        self.limits = share_limits((policy.threshold_ms, policy.short_abandon_ms))
        """By which a wait that ends now is judged."""
        self.places = PhaseIndex()
        self.watermark = EPOCH
        """Time of the newest event of this queue."""
        self._minutes: dict[int, TallyRow] = {}
        self._days: dict[int, TallyRow] = {}
        self._total = TallyRow()
        self._taken_back = TallyRow()
        self._sums = SlidingSums(self._minutes)
        self._counted: dict[int, list[Tally]] = {}
        """The minutes that were counted in since rows were last taken, and all tallies that count them."""
        self._corrected = False
        self._kept = Retention(policy.time_zone, policy.day_starts)
        self._swept_to = -1

    # Counting: in place, in every row that has not counted the record yet.

    def count_difference(self, before: tuple[Contribution, ...], after: tuple[Contribution, ...], offset: int) -> None:
        """Count what an episode counts for *after*, and take back what only *before* had, by a record's *offset*."""
        for contribution in after:
            if not before or contribution not in before:
                self._count(contribution, 1, offset)
        for contribution in before:
            if contribution not in after:
                self._count(contribution, -1, offset)
                self._corrected = True
                if self._taken_back.applied_offset < offset:
                    contribution.count([self._taken_back.tally], 1)

    def enter(self, key: EpisodeKey, segment: Segment) -> None:
        """Count and place a new segment of which only the entry is known, as the general way would."""
        entered = segment.enqueued
        assert entered is not None
        self._count(Entered(entered.at, entered.note), 1, segment.applied_offset)
        self.places.waiting[key] = entered.at

    def _count(self, contribution: Contribution, sign: int, offset: int) -> None:
        minute = minute_of(contribution.at)
        tallies = self._counted.get(minute)
        contribution.count(self._open(minute, offset) if tallies is None else tallies, sign)
        if (
            minute < self._sums.running
            and (kept := self._minutes.get(minute)) is not None
            and kept.applied_offset < offset
        ):
            late = Tally()
            contribution.count([late], sign)
            self._sums.add(minute, late)

    def _open(self, minute: int, offset: int) -> list[Tally]:
        """Return the tallies that count a minute: of rows that are behind *offset*, hence behind all that follow."""
        first_minute, first_day = self._kept.since(self.watermark)
        day = self._kept.day_of(minute)
        rows = [self._total]
        if minute >= first_minute:
            rows.append(_row_of(self._minutes, minute))
        if day >= first_day:
            rows.append(_row_of(self._days, day))
        counted = self._counted[minute] = [row.tally for row in rows if row.applied_offset < offset]
        return counted

    def take_counted(self) -> Iterator[tuple[Scope, int, TallyRow]]:
        """Yield the rows that were counted in since the last call: minutes and days that are still kept, totals."""
        first_minute, first_day = self._kept.since(self.watermark)
        for minute in self._counted:
            if minute >= first_minute:
                yield "minute", minute, self._minutes[minute]
        for day in {self._kept.day_of(minute) for minute in self._counted}:
            if day >= first_day:
                yield "day", day, self._days[day]
        if self._counted:
            yield "total", 0, self._total
        if self._corrected:
            yield "taken_back", 0, self._taken_back
        self._counted, self._corrected = {}, False

    def load(self, scope: Scope, number: int, row: TallyRow) -> None:
        """Take a row over from the changelog."""
        match scope:
            case "minute":
                self._minutes[number] = row
                self.watermark = max(self.watermark, start_of(number))
            case "day":
                self._days[number] = row
            case "total":
                self._total = row
            case "taken_back":
                self._taken_back = row

    def load_episode(self, key: EpisodeKey, episode: EpisodeRow) -> None:
        """Take an episode over from the changelog; `loaded` follows the last one."""
        if (newest := episode.newest) > self.watermark:
            self.watermark = newest
        self.places.load(key, episode)

    def loaded(self) -> None:
        """Take note that the last episode was loaded."""
        self.places.loaded(self.watermark)

    def is_too_late(self, at: datetime) -> bool:
        """Tell whether the day of the instant *at* is not kept any more: only the totals get to know."""
        return self.watermark - at > _DAY and self._kept.day_of(minute_of(at)) < self._kept.since(self.watermark)[1]

    def place_segment(
        self, key: EpisodeKey, segment: Segment, was_in: Place | None, at: datetime | None = None
    ) -> bool:
        """
        Put a segment where it is now, out of where it *was_in* (None: it is new).

        *at* is the time of the report that brought it there, if that did not come in its turn. Tells
        whether *key* was put in anew, as `PhaseIndex.move` does.
        """
        waited_since = self.places.waiting.get(key) if at else None
        anew = self.places.move(key, segment, was_in, self.watermark)
        if at and waited_since and anew:
            self._left(waited_since, at, segment.applied_offset)
        return anew

    def _left(self, since: datetime, at: datetime, offset: int) -> None:
        """Note, when it was a ghost that left after all, that one was counted as expired: counters never fall."""
        if since + self.policy.ghost_after <= at and self._taken_back.applied_offset < offset:
            self._corrected = True
            self._taken_back.tally.expired += 1

    def place_callback(self, key: EpisodeKey, callback: Callback) -> None:
        """Put a callback where it is now."""
        self.places.place_callback(key, callback, self.watermark)

    def repeated(self, key: EpisodeKey) -> None:
        """Note that an event of an episode came once more: further repeats may follow."""
        self.places.repeated(key, self.watermark)

    # Eviction: by the queue's own watermark, once a minute.

    def is_due(self) -> bool:
        """Tell whether the watermark has come into another minute since the last eviction."""
        return minute_of(self.watermark) > self._swept_to

    def take_outdated(self) -> list[tuple[Scope, int]]:
        """Forget minutes and days that nothing reaches any more, and return them."""
        self._swept_to = minute_of(self.watermark)
        first_minute, first_day = self._kept.since(self.watermark)
        outdated: list[tuple[Scope, int]] = [("minute", minute) for minute in self._minutes if minute < first_minute]
        outdated += [("day", day) for day in self._days if day < first_day]
        for scope, number in outdated:
            (self._minutes if scope == "minute" else self._days).pop(number)
        self._sums.forget(first_minute)
        return outdated

    def take_forgotten(self, may_go: Callable[[EpisodeKey], bool], at: datetime | None = None) -> Iterator[EpisodeKey]:
        """
        Forget, and yield, episodes that nothing more is expected of at the watermark, or at the instant *at*.

        Finished ones go when repeats of their events can no longer come, those whose contact went on when it
        must have ended, and each only when it *may go*: a replay must not meet a part of it. The others are
        ghosts, long gone from the board.
        """
        now, ghost_after = at or self.watermark, self.policy.ghost_after
        return self.places.take_forgotten(
            finished_until=now - DUPLICATE_WINDOW,
            elsewhere_until=now - max(DUPLICATE_WINDOW, ghost_after),
            open_until=self.watermark - ghost_after - GHOSTS_KEPT,
            may_go=may_go,
        )

    def is_silent(self, at: datetime) -> bool:
        """Tell whether nothing is open here, and nothing has been heard of for longer than days are kept."""
        return not self.places.any_open and self.watermark + GHOSTS_KEPT <= at

    def tallies(self) -> Iterator[tuple[Scope, int]]:
        """Yield scope and number of every tally that may have a row."""
        yield from (("minute", minute) for minute in self._minutes)
        yield from (("day", day) for day in self._days)
        yield "total", 0
        yield "taken_back", 0

    # Reading.

    def snapshot(self, at: datetime) -> QueueSnapshot:
        """Return what the board says about this queue at the instant *at*."""
        horizon = at - self.policy.ghost_after
        waits = [since for since in self.places.waiting.values() if since > horizon]
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
            waiting_past_threshold=sum(since < too_late for since in waits),
            talking=_open_since(self.places.talking, horizon),
            wrapping_up=_open_since(self.places.wrapping_up, horizon),
            callbacks_waiting=_open_since(self.places.callbacks, horizon),
            windows=self._windows(at, ghosts=len(waits) < len(self.places.waiting)),
            total=self._total_with_ghosts(len(waits)),
            taken_back=self._taken_back.tally.copy(),
        )

    def _windows(self, at: datetime, *, ghosts: bool) -> dict[str, Tally]:
        minute = minute_of(at)
        windows = self._sums.at(minute)
        today = self._days.get(self._kept.day_of(minute))
        windows[TODAY] = Tally() if today is None else today.tally.copy()
        if ghosts:
            self._count_ghosts(windows, at)
        return windows

    def _count_ghosts(self, windows: dict[str, Tally], at: datetime) -> None:
        """
        Count each ghost in the minute in which it expired.

        Expiry is a matter of reading: no tally counts it, so that nothing has to be taken back
        when the end is reported after all, and no crash can count it twice.
        """
        minute, today = minute_of(at), self._kept.day_of(minute_of(at))
        ages = Counter[int]()
        expired_today = 0
        for since in self.places.waiting.values():
            expired_at = since + self.policy.ghost_after
            if expired_at <= at:
                expired_in = minute_of(expired_at)
                ages[minute - expired_in] += 1
                expired_today += self._kept.day_of(expired_in) == today
        for name, length in WINDOWS.items():
            windows[name] += Tally(expired=sum(count for age, count in ages.items() if age <= length))
        windows[TODAY] += Tally(expired=expired_today)

    def _total_with_ghosts(self, waiting: int) -> Tally:
        """Whoever was offered, was not decided and does not wait has expired, however long ago."""
        total = self._total.tally.copy()
        total.expired = total.offered - total.decided - waiting
        return total


def _row_of(rows: dict[int, TallyRow], number: int) -> TallyRow:
    row = rows.get(number)
    if row is None:
        row = rows[number] = TallyRow()
    return row


def _open_since(phase: dict[EpisodeKey, datetime], horizon: datetime) -> int:
    return sum(since > horizon for since in phase.values())
