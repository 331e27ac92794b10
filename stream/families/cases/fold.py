"""
All cases of one partition: folds batches of events into timelines, and counts what follows from them.

Every event of a case comes from one partition, so one fold knows the whole truth of it; of a queue it knows those of
its cases that are on this partition.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from msgspec import Struct

from stream.core.cloudevents import Channel, Event
from stream.core.counts import CountsRow
from stream.core.family import Applied, times_by_source
from stream.core.limits import SETTLE_AFTER
from stream.core.policies import Policies
from stream.core.rows import Rows
from stream.core.sweep import Sweep
from stream.core.windowed import Scope
from stream.core.windows import EPOCH
from stream.families.cases.case import NEW_CASE, CaseKey, CaseRow, opened_by, placed
from stream.families.cases.contributions import CaseContribution, Judgements
from stream.families.cases.events import CaseAssigned, CaseEvent, CaseOpened
from stream.families.cases.queue import RETENTION, CaseQueue
from stream.families.cases.queues import CaseQueues
from stream.families.cases.reports import REPORTS
from stream.families.cases.snapshot import CasesSnapshot
from stream.families.cases.story import LENGTHS, CaseFact, Change, Changes, story_of
from stream.families.cases.tally import CaseTally
from stream.families.cases.timeline import added, newest

__all__ = ["OPEN_CASES_KEPT", "CasesFold", "CountsKey"]

OPEN_CASES_KEPT: Final = timedelta(days=400)
"""An open case of which nothing was heard for so long was solved, without anybody having said so."""

CountsKey = tuple[str, str, Channel, Scope, int]
"""Tenant, queue, channel, scope, and the number of the day (0 for totals)."""

_MILLISECOND: Final = timedelta(milliseconds=1)
_ENDED_KEPT_MS: Final = RETENTION.duplicates // _MILLISECOND
_OPEN_KEPT_MS: Final = OPEN_CASES_KEPT // _MILLISECOND
_MINUTE_MS: Final = 60_000


class _Told(Struct, frozen=True, gc=False):
    """An event that tells something new of a case."""

    tenant: str
    at: datetime
    at_ms: int
    row: CaseRow
    """What was known before, and what is now."""
    changed: CaseRow
    change: Change


class CasesFold:
    """
    The fold of one partition of the cases topic; a `Fold` as `ContactsFold` is.

    What a case counts for is told after each event, and counted once for each queue and day of a batch.
    """

    def __init__(
        self,
        policies: Policies = Policies(),
        *,
        max_queues_per_tenant: int = 10_000,
        max_queues: int = 100_000,
        keep_silent: bool = False,
    ) -> None:
        self.queues = CaseQueues(policies, per_tenant=max_queues_per_tenant, in_all=max_queues, keep_silent=keep_silent)
        self.counts: Rows[CountsKey, CountsRow[CaseTally]] = Rows()
        self.cases: Rows[CaseKey, CaseRow] = Rows()
        self._keep_silent = keep_silent
        self._changes = Changes()
        self._watermark = EPOCH
        self._watermark_ms = 0
        self._recovered_to = -1
        self._applied_to = -1
        self._unsettled = 0
        self._committed = 0
        self._pending: dict[tuple[CaseQueue, int], CaseContribution] = {}
        """What the batch counts for, by queue and a minute that stands for its day."""
        self._touched: dict[CaseQueue, None] = {}
        """An ordered set: identical runs must write identical changelogs."""
        self._sweep = Sweep(self.cases)

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        """The tables in the order in which a checkpoint must write them: cases are never ahead of their counts."""
        return {"counts": self.counts, "cases": self.cases}

    def apply(self, events: Sequence[Event], offsets: Sequence[int]) -> Applied:
        """Fold events, given with their offsets in ascending order; an event at fault is returned, never raised."""
        applied = Applied(by_type=Counter(map(type, events)), times_by_source=times_by_source(events))
        # Rows recovered from the changelog may have counted these already, each up to its own applied offset: then
        # which rows still have to count is asked for each event anew.
        old = bisect_right(offsets, self._recovered_to)
        for event, offset in zip(events[:old], offsets[:old], strict=True):
            self._fold([event], [offset], applied)
            self.settle()
        if old < len(events):
            self._fold(events[old:], offsets[old:], applied)
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
            if may_forget and queue.counts.is_due():
                for scope, number in queue.counts.forget_outdated():
                    self.counts.remove((*queue.key, scope, number))
        self._touched.clear()
        if may_forget:
            self._forget_outdated()

    def committed(self, offset: int) -> None:
        """Take note that the source is committed up to, and without, *offset*: older rows may go."""
        self._committed = offset

    def recovered(self) -> None:
        """Take stock of the rows that were loaded from the changelog, before the next batch; may be called again."""
        self.settle()
        self.queues.clear()
        for (tenant, name, channel, scope, number), counted in self.counts.items():
            self.queues.of((tenant, name, channel)).counts.load(scope, number, counted)
        for queue in self.queues.values():
            queue.counts_loaded()
            self._watermark = max(self._watermark, queue.counts.watermark)
        self._watermark_ms = (self._watermark - EPOCH) // _MILLISECOND
        # The one loop of a restart that may turn a million times.
        for (tenant, _), row in self.cases.items():
            story = story_of(row.timeline)
            if story.standing is not None:
                self._queue(tenant, row, story.opened_in, story.place).load(story.standing)
        for queue in self.queues.values():
            queue.loaded()
        self._recovered_to = max(
            self._recovered_to,
            max((row.applied_offset for row in self.counts.values()), default=-1),
            max((row.applied_offset for row in self.cases.values()), default=-1),
        )

    def snapshots(self, at: datetime) -> Iterator[tuple[int, CasesSnapshot]]:
        """Yield what the board says of each queue at the instant *at*, with its cost; each is consistent in itself."""
        for queue in self.queues.shown(at):
            yield 1, queue.snapshot(at)

    # For each event, do everything that can raise before changing state.

    def _fold(self, events: Sequence[Event], offsets: Sequence[int], applied: Applied) -> None:
        for event, offset in zip(events, offsets, strict=True):
            try:
                self._fold_one(cast("CaseEvent", event), offset, applied)
            except Exception as failure:  # noqa: BLE001  # whatever it is, it must not stop the stream
                applied.failed.append((offset, failure))
            self._applied_to = offset
        self._count_pending(self._applied_to)

    def _fold_one(self, event: CaseEvent, offset: int, applied: Applied) -> None:
        kind, key = type(event), self._key_of(event)
        row = self.cases.get(key, NEW_CASE)
        if row.applied_offset >= offset:
            applied.replayed += 1
            return
        if self._watermark_ms - newest(row.timeline) > _ENDED_KEPT_MS and self._is_outdated(row):
            self._forget(key, row)
            row = NEW_CASE
        place = 0
        if kind is CaseOpened or kind is CaseAssigned:
            row, place = placed(row, self.queues.admit(key[0], cast("CaseOpened | CaseAssigned", event).data.queue))
        reports = REPORTS[kind](event, place)
        timeline, places = added(row.timeline, reports), row.places
        if kind is CaseOpened:
            places = opened_by(row, place, cast("CaseOpened", event).data.channel, reports[0] >> 16)
        if timeline is row.timeline and places is row.places:
            # Applied once more it changes nothing: the row need not learn of it.
            applied.duplicates += bool(reports)
            return
        changed = CaseRow(offset, timeline, row.judged, places)
        change = self._changes.between(row.timeline, timeline)
        at_ms = reports[0] >> 16
        if at_ms > self._watermark_ms:
            self._watermark, self._watermark_ms = event.time, at_ms
        if change.opened_in >= 0:
            self._count(_Told(key[0], event.time, at_ms, row, changed, change), applied)
        self.cases.put(key, changed)

    def _key_of(self, event: CaseEvent) -> CaseKey:
        tenant, case = event.tenantid, event.subject
        kept = self.queues.admit_tenant(tenant)
        # Beyond the limit two tenants may know the same case.
        return kept, case if kept == tenant else f"{len(tenant)}:{tenant}{case}"

    def _queue(self, tenant: str, row: CaseRow, opened_in: int, place: int) -> CaseQueue:
        """Return the queue that a case counts for in one of its places: by the channel through which it came in."""
        channel = row.places[opened_in][1]
        assert channel is not None, "cases come in through a channel"
        return self.queues.of((tenant, row.places[place][0], channel))

    def _queue_before(self, told: _Told, place: int) -> CaseQueue:
        return self._queue(told.tenant, told.row, told.change.opened_before, place)

    def _queue_now(self, told: _Told, place: int) -> CaseQueue:
        return self._queue(told.tenant, told.changed, told.change.opened_in, place)

    def _count(self, told: _Told, applied: Applied) -> None:
        """Count what a case has come to count for, and put it where it is now."""
        change = told.change
        queue = self._heard(self._queue_now(told, change.place), told)
        applied.overflowed += queue.is_shared
        applied.late += not queue.keeps(told.at_ms)
        gone, new = change.gone, change.new
        if change.opened_before >= 0 and self._came_by_another_channel(told):
            # All of it counts elsewhere.
            gone, new = story_of(told.row.timeline).facts, story_of(told.changed.timeline).facts
            self._move(told, queue)
        elif change.was != change.now:
            self._move(told, queue)
        if gone:
            self._uncount(told, gone)
        if new:
            self._count_new(told, new, queue)

    def _came_by_another_channel(self, told: _Told) -> bool:
        change = told.change
        return told.row.places[change.opened_before][1] != told.changed.places[change.opened_in][1]

    def _count_new(self, told: _Told, new: Sequence[CaseFact], queue: CaseQueue) -> None:
        changed, place_now, pending = told.changed, told.change.place, self._pending
        judgements: Judgements | None = None
        for fact in new:
            what, at_ms, place, number = fact
            own = queue if place == place_now else self._heard(self._queue_now(told, place), told)
            if what in LENGTHS:
                judgements = judgements or Judgements(changed.judged)
                number = judgements.judge(fact, own.policy, own.calendar)
            if not own.keeps(at_ms):
                continue
            minute = own.counts.alike(at_ms // _MINUTE_MS)
            if (one := pending.get((own, minute))) is None:
                one = pending[own, minute] = CaseContribution(minute)
            if what in LENGTHS:
                one.add_length(fact, number)
            else:
                one.add(what, number)
        if judgements is not None:
            changed.judged = judgements.kept

    def _uncount(self, told: _Told, gone: Sequence[CaseFact]) -> None:
        judgements = Judgements(told.changed.judged)
        for fact in gone:
            what, at_ms, place, number = fact
            one = CaseContribution(at_ms // _MINUTE_MS)
            if what in LENGTHS:
                one.add_length(fact, judgements.recall(fact))
            else:
                one.add(what, number)
            own = self._heard(self._queue_before(told, place), told)
            if own.keeps(at_ms):
                own.counts.count_difference((one,), (), told.changed.applied_offset)
        told.changed.judged = judgements.kept

    def _move(self, told: _Told, queue: CaseQueue) -> None:
        """Put a case that is or was open where it is now: into the *queue*."""
        was, now = told.change.was, told.change.now
        left = None if was is None else self._queue_before(told, was.place)
        if left is queue and was is not None and now is not None:
            queue.change(was, now)
            return
        if left is not None and was is not None:
            left.leave(was)
        if now is not None:
            queue.enter(now)

    def _heard(self, queue: CaseQueue, told: _Told) -> CaseQueue:
        """Have a queue take note of an event, before it counts something of it."""
        if told.at > queue.counts.silent_from:
            self._count_pending(told.changed.applied_offset)  # what came before a silence must not be counted after it
        queue.hear(told.at, told.at_ms)
        self._touched[queue] = None
        return queue

    def _count_pending(self, offset: int) -> None:
        """Count what events up to that of an *offset* have brought, once for each queue and day."""
        for (queue, minute), one in self._pending.items():
            queue.counts.count_in(minute, one, 1, offset)
        self._pending.clear()

    # What is forgotten, and when: by the time of the events, so that a replay forgets the same.

    def _is_outdated(self, row: CaseRow) -> bool:
        """Tell whether a case is to be taken for unknown; also before its row is gone, so that no sweep matters."""
        silent_ms = self._watermark_ms - newest(row.timeline)
        if silent_ms <= _ENDED_KEPT_MS or not row.timeline:
            return False
        return silent_ms > _OPEN_KEPT_MS or story_of(row.timeline).standing is None

    def _forget(self, key: CaseKey, row: CaseRow) -> None:
        story = story_of(row.timeline)
        if story.standing is not None:
            queue = self._queue(key[0], row, story.opened_in, story.place)
            queue.leave(story.standing)
            self._touched[queue] = None
        self.cases.remove(key)

    def _forget_outdated(self) -> None:
        """Once in a day of events look at every row, some at a time, and at last at the queues."""
        if self._keep_silent:
            return
        for key in self._sweep.some(self._watermark.toordinal()):
            row = self.cases.get(key)
            if row is not None and self._is_outdated(row) and row.applied_offset < self._committed:
                self._forget(key, row)
        if not self._sweep.has_ended:
            return
        for queue in self.queues.silent(self._watermark):
            for scope, number in queue.counts.numbers():
                self.counts.remove((*queue.key, scope, number))

    def _settle(self, queue: CaseQueue) -> None:
        """Mark the rows of the days and totals that were counted in, and say up to where."""
        for scope, number, row in queue.counts.drain_counted():
            # A row that was loaded with a higher offset has counted what comes again now, and keeps its offset.
            if row.applied_offset < self._applied_to:
                row.applied_offset = self._applied_to
                self.counts.put((*queue.key, scope, number), row)
