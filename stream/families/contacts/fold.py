"""All queues of one partition: folds batches of contact events into segments and tallies.

Every event of a queue comes from one partition, so one fold knows the whole truth of its queues.
It is told offsets and commits, and knows nothing of Kafka otherwise.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from msgspec.structs import replace

from stream.core.cloudevents import Channel, Event
from stream.core.counts import CountsRow
from stream.core.family import Applied, times_by_source
from stream.core.limits import SETTLE_AFTER
from stream.core.policies import Policies
from stream.core.rows import Rows
from stream.core.windowed import Scope
from stream.families.contacts.callback import NEW_CALLBACK, Callback, fold_callback, steps_of
from stream.families.contacts.deferred import OUT_OF_TURN, Deferred
from stream.families.contacts.events import CALLBACK_EVENTS, CallbackEvent, SegmentEvent
from stream.families.contacts.outcome import judge
from stream.families.contacts.phases import EpisodeKey, EpisodeRow
from stream.families.contacts.queue import Queue
from stream.families.contacts.queues import KnownQueues
from stream.families.contacts.segment import FACT_REPORTS, FOLDS, Segment, fold_segment, tells
from stream.families.contacts.snapshot import QueueSnapshot
from stream.families.contacts.tally import Tally

__all__ = ["ContactsFold", "TallyKey"]

CONTACTS_PER_QUEUE = 100
"""So many contacts that wait cost as much to read as a queue."""

TallyKey = tuple[str, str, Channel, Scope, int]
"""Tenant, queue, channel, scope, and the number of the minute or day (0 for the others)."""


class ContactsFold:
    """
    The fold of one partition of the contacts topic.

    `apply` takes batches in the order of their offsets. Rows written by it, and loaded again after
    a crash, make it skip what they have counted already: see `docs/decisions/`.
    """

    def __init__(
        self,
        policies: Policies = Policies(),
        *,
        max_queues_per_tenant: int = 10_000,
        max_queues: int = 100_000,
        keep_silent: bool = False,
    ) -> None:
        self.queues = KnownQueues(
            policies, per_tenant=max_queues_per_tenant, in_all=max_queues, keep_silent=keep_silent
        )
        self.tallies: Rows[TallyKey, CountsRow[Tally]] = Rows()
        self.segments: Rows[EpisodeKey, EpisodeRow] = Rows()
        # One table, and by its key each row is of one kind.
        self._visits = cast("Rows[EpisodeKey, Segment]", self.segments)
        self._callbacks = cast("Rows[EpisodeKey, Callback]", self.segments)
        # By class: `match` would try class after class for every event.
        self._folds: dict[type[Event], Callable[[Any, int, Applied], None]] = {
            **dict.fromkeys(FACT_REPORTS, self._fold_segment_event),
            **dict.fromkeys(CALLBACK_EVENTS, self._fold_callback_event),
        }
        self._recovered_to = -1
        self._applied_to = -1
        self._unsettled = 0
        self._committed = 0
        self._touched: dict[Queue, None] = {}
        """An ordered set: identical runs must write identical changelogs."""
        self._deferred: dict[EpisodeKey, Deferred] = {}
        """Keyed by names as received, before overflow renaming."""

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        """The tables in the order in which a checkpoint must write them: segments are never ahead of tallies."""
        return {"tallies": self.tallies, "segments": self.segments}

    def apply(self, events: Sequence[Event], offsets: Sequence[int]) -> Applied:
        """Fold events, given with their offsets in ascending order; an event at fault is returned, never raised."""
        applied = Applied(by_type=Counter(map(type, events)), times_by_source=times_by_source(events))
        # Rows recovered from the changelog may have counted these already, each up to its own applied offset.
        old = bisect_right(offsets, self._recovered_to)
        # One at a time, each settled: which rows still have to count a minute is asked once between two
        # settlings, and of these events each may find other rows behind it.
        for event, offset in zip(events[:old], offsets[:old], strict=True):
            self._fold([event], [offset], applied)
            self._applied_to = offset
            self.settle()
        if old < len(events):
            self._fold(events[old:], offsets[old:], applied)
            self._applied_to = offsets[-1]
            self._unsettled += len(events) - old
            if self._unsettled >= SETTLE_AFTER:  # checkpoints settle, but a broker may be away for long
                self.settle()
        return applied

    def settle(self) -> None:
        """Bring the rows of the tallies up to date, and forget what may go; to be called before rows are taken."""
        self._unsettled = 0
        # While a replay goes on nothing is forgotten: the rows may be ahead of it.
        may_forget = self._applied_to > self._recovered_to
        for queue in self._touched:
            self._settle(queue)
            self.queues.heard_of(queue)
            if may_forget and queue.counts.is_due():
                self._evict(queue)
        self._touched.clear()
        if may_forget:
            self._forget_silent()

    def committed(self, offset: int) -> None:
        """Take note that the source is committed up to, and without, *offset*: older finished segments may go."""
        self._committed = offset

    def recovered(self) -> None:
        """Take stock of the rows that were loaded from the changelog, before the next batch; may be called again."""
        self.settle()
        self.queues.clear()
        # Tallies before segments: which of these are still in their grace is told by the watermark in the row
        # of the total.
        for (tenant, name, channel, scope, number), row in self.tallies.items():
            self.queues.know(self.queues.find((tenant, name, channel))).counts.load(scope, number, row)
        for queue in self.queues.values():
            queue.tallies_loaded()
        # The one loop of a restart that may turn a million times.
        for key, episode in self.segments.items():
            queue = self.queues.get(key[:3]) or self.queues.know(self.queues.find(key[:3]))
            queue.load_episode(key, episode)
        self.queues.loaded()
        # Up to there rows may be ahead of what is read; beyond it batches can be counted as a whole.
        self._recovered_to = max(
            self._recovered_to,
            max((row.applied_offset for row in self.tallies.values()), default=-1),
            max((episode.applied_offset for episode in self.segments.values()), default=-1),
        )

    def snapshots(self, at: datetime) -> Iterator[tuple[int, QueueSnapshot]]:
        """Yield what the board says of each queue at the instant *at*, with its cost; each is consistent in itself."""
        for queue in self.queues.shown(at):
            # A contact that waits costs a look as well; ghosts do, too.
            yield 1 + len(queue.phases.waiting) // CONTACTS_PER_QUEUE, queue.snapshot(at)

    def _fold(self, events: Sequence[Event], offsets: Sequence[int], applied: Applied) -> None:
        folds = self._folds
        for event, offset in zip(events, offsets, strict=True):
            try:
                if (fold_one := folds.get(type(event))) is not None:
                    fold_one(event, offset, applied)
            except Exception as failure:  # noqa: BLE001  # whatever it is, it must not stop the stream
                applied.failed.append((offset, failure))
        self._count_deferred(applied)

    def _count_deferred(self, applied: Applied) -> None:
        for visit in self._deferred.values():
            try:
                self._count(visit)
            except Exception as failure:  # noqa: BLE001  # as above; the last record of the segment stands for all
                applied.failed.append((visit.offset, failure))
        self._deferred.clear()

    # For each event, do everything that can raise before changing state.

    def _fold_segment_event(self, event: SegmentEvent, offset: int, applied: Applied) -> None:
        data = event.data
        name = (event.tenantid, data.queue, data.channel, event.subject, data.enqueue_seq)
        visit = self._deferred.get(name)
        if fresh := visit is None:
            visit = self._opened(event, applied)
            if visit.segment.applied_offset >= offset:  # not asked of those that this batch has changed: offsets rise
                applied.replayed += 1
                return
        elif visit.queue.is_shared:
            applied.overflowed += 1
        turn = visit.after(event)
        if turn is OUT_OF_TURN:
            self._fold_out_of_turn(name, visit, event, offset, applied)
        elif FOLDS[type(event)](visit.segment, event):
            visit.turn = turn
            self._note(visit, event.time, offset, applied)
            if fresh:
                self._touch(visit.queue)
                self._deferred[name] = visit
        else:
            self._repeated(visit, event, offset, applied)

    def _fold_out_of_turn(
        self, name: EpisodeKey, visit: Deferred, event: SegmentEvent, offset: int, applied: Applied
    ) -> None:
        """Fold a report that may take something back: what the batch has brought so far is counted first."""
        # Counters keep what was shown before a correction; that must not depend on how records were fetched.
        if self._deferred.pop(name, None) is not None:
            self._count(visit)
            visit = Deferred(visit.queue, visit.key, visit.segment)
        if fold_segment(visit.segment, event):
            self._note(visit, event.time, offset, applied)
            self._touch(visit.queue)
            self._count(visit, event.time)
        else:
            self._repeated(visit, event, offset, applied)

    def _note(self, visit: Deferred, at: datetime, offset: int, applied: Applied) -> None:
        """Note by which record a segment learned something new, that happened at the instant *at*."""
        visit.offset = offset
        counts = visit.queue.counts
        if at > counts.watermark:  # as `hear`, of which every event would be a call
            if at > counts.silent_from:
                counts.end_silence(at)
            counts.watermark = at
        elif counts.watermark - at > counts.surely_kept and counts.is_too_late(at):
            applied.late += 1

    def _opened(self, event: SegmentEvent, applied: Applied) -> Deferred:
        queue, key = self.queues.place_of(event, event.data.enqueue_seq)
        if queue.is_shared:
            applied.overflowed += 1
        return Deferred(queue, key, self._visits.get(key))

    def _count(self, visit: Deferred, at: datetime | None = None) -> None:
        """Count what a segment has come to count for; *at* is told for a report that came out of its turn."""
        queue, key, segment = visit.queue, visit.key, visit.segment
        segment.applied_offset = visit.offset
        if visit.place is None and visit.turn == "waiting":
            queue.enter(key, segment)  # only its entry is known: as below, at a third of the price
            self.segments.put_under(key, segment)
            return
        judge(segment, queue.limits)
        queue.count(key, segment, visit.before)
        if queue.place_segment(key, segment, visit.place, at):
            self.segments.put_under(key, segment)  # queue and row share one key: there may be a million of them
        else:
            self.segments.put(key, segment)

    def _fold_callback_event(self, event: CallbackEvent, offset: int, applied: Applied) -> None:
        queue, key = self.queues.place_of(event, 0)
        applied.overflowed += queue.is_shared
        callback = self._callbacks.get(key, NEW_CALLBACK)
        if callback.applied_offset >= offset:
            applied.replayed += 1
            return
        known = fold_callback(callback, event)
        # Callbacks are few: each is counted at once, without the deferring that segments need.
        if known is callback:
            applied.duplicates += 1
            self._keep(queue, key, replace(callback, applied_offset=offset))
            return
        counts, counts_for = queue.counts, steps_of(known)
        applied.late += counts.is_too_late(event.time)
        counts.hear(event.time)
        self._touch(queue)
        counts.count_difference(callback.counted, counts_for, offset)
        self.segments.put(key, replace(known, applied_offset=offset, counted=counts_for))
        queue.place_callback(key, known)

    def _touch(self, queue: Queue) -> None:
        """Note that the batch changes a queue, and keep it from now on if it is a new one."""
        if queue not in self._touched:
            self._touched[self.queues.know(queue)] = None

    def _repeated(self, visit: Deferred, event: SegmentEvent, offset: int, applied: Applied) -> None:
        """Count a repeat. Its row learns the offset: it must still be there when a replay brings the repeat again."""
        if tells(event):
            applied.duplicates += 1
            visit.offset = visit.segment.applied_offset = offset
            self._keep(visit.queue, visit.key, visit.segment)

    def _keep(self, queue: Queue, key: EpisodeKey, row: EpisodeRow) -> None:
        if key in self.segments:
            self.segments.put(key, row)
            queue.repeated(key)

    def _forget_silent(self) -> None:
        """
        Forget the queues that are silent: first their segments, and when that is durable their tallies.

        A segment must never be left without the tallies that count it.
        """
        for queue in self.queues.silent():
            for key in queue.forget_all(self._may_go):
                self.segments.remove(key)
            # Only a commit tells that the tombstones of its segments are in the changelog.
            if queue.emptied_at is not None and queue.emptied_at < self._committed:
                for scope, number in queue.counts.numbers():
                    self.tallies.remove((*queue.key, scope, number))
                self.queues.forget(queue)
            elif queue.phases.is_empty:
                queue.emptied_at = self._applied_to

    def _settle(self, queue: Queue) -> None:
        """Mark the rows of the minutes, days and totals that were counted in, and say up to where."""
        tenant, name, channel = queue.key
        for scope, number, row in queue.counts.drain_counted():
            # A row that was loaded with a higher offset has counted what comes again now, and keeps its offset.
            if row.applied_offset < self._applied_to:
                row.applied_offset = self._applied_to
                self.tallies.put((tenant, name, channel, scope, number), row)

    def _evict(self, queue: Queue) -> None:
        """Forget minutes and days that nothing reaches any more, and finished segments that no replay can miss."""
        queue.inferred.forget(queue.counts.watermark)
        for scope, number in queue.counts.forget_outdated():
            self.tallies.remove((*queue.key, scope, number))
        for key in queue.forget_outdated(self._may_go):
            self.segments.remove(key)

    def _may_go(self, key: EpisodeKey) -> bool:
        """Tell whether a replay would bring none of a segment's events, or all of them."""
        # True in `changed` is a row of which the changelog knows nothing: after a crash all of its events come
        # again.
        return self.segments.changed.get(key, False) or self.segments[key].applied_offset < self._committed
