"""All surveys and reviews of one partition: folds batches of their events into rows, and counts what these say.

Every event of a tenant comes from one partition, so one fold knows the whole truth of its surveys and queues.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from msgspec.structs import replace

from stream.core.cloudevents import Event
from stream.core.counts import CountsRow
from stream.core.family import Applied, times_by_source
from stream.core.limits import NO_QUEUE, SETTLE_AFTER
from stream.core.policies import Policies
from stream.core.rows import Rows
from stream.families.surveys.counts import SurveyCounts
from stream.families.surveys.events import SurveyEvent
from stream.families.surveys.eviction import Eviction, SurveyCountsKey
from stream.families.surveys.queues import RatedQueues, SurveyKey, counting_queue, survey_key
from stream.families.surveys.rated import Part, RatedQueue, parts_of
from stream.families.surveys.snapshot import SurveySnapshot
from stream.families.surveys.survey import (
    NEW_SURVEY,
    CountedAs,
    QueueName,
    SurveyRow,
    counted_as,
    fold_survey,
    rated_queue,
)

__all__ = ["SurveysFold"]


class SurveysFold:
    """The fold of one partition of the surveys topic; a `Fold` as `ContactsFold` is."""

    def __init__(
        self,
        policies: Policies = Policies(),
        *,
        max_queues_per_tenant: int = 10_000,
        max_queues: int = 100_000,
        keep_silent: bool = False,
    ) -> None:
        self.queues = RatedQueues(
            policies, per_tenant=max_queues_per_tenant, in_all=max_queues, keep_silent=keep_silent
        )
        self.counts: Rows[SurveyCountsKey, CountsRow[SurveyCounts]] = Rows()
        self.surveys: Rows[SurveyKey, SurveyRow] = Rows()
        self._keep_silent = keep_silent
        self._recovered_to = -1
        self._applied_to = -1
        self._unsettled = 0
        self._eviction = Eviction(self.counts, self.surveys, keep_silent=keep_silent)
        # Ordered sets: identical runs must write identical changelogs.
        self._touched: dict[Part, None] = {}
        self._touched_queues: dict[RatedQueue, None] = {}

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        """The tables in the order in which a checkpoint must write them: no survey is ever ahead of the counts."""
        return {"survey_counts": self.counts, "surveys": self.surveys}

    def apply(self, events: Sequence[Event], offsets: Sequence[int]) -> Applied:
        """Fold events, given with their offsets in ascending order; an event at fault is returned, never raised."""
        applied = Applied(by_type=Counter(map(type, events)), times_by_source=times_by_source(events))
        # Rows recovered from the changelog may have counted these already, each up to its own applied offset.
        old = bisect_right(offsets, self._recovered_to)
        # One at a time, each settled: which rows still have to count a day is asked once between two settlings.
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
        """Bring the rows of the counts up to date, and forget what may go; to be called before rows are taken."""
        self._unsettled = 0
        for part in self._touched:
            self._settle(part)
        # While a replay goes on nothing is forgotten: the rows may be ahead of it.
        may_forget = self._applied_to > self._recovered_to
        for queue in self._touched_queues:
            self.queues.heard_of(queue)
            if may_forget and queue.day > queue.swept_on:
                self._eviction.sweep(queue, self._applied_to)
        self._touched.clear()
        self._touched_queues.clear()
        if may_forget:
            self._eviction.forget_silent(self.queues, self._applied_to)

    def committed(self, offset: int) -> None:
        """Take note that the source is committed up to, and without, *offset*: older rows may go."""
        self._eviction.committed = offset

    def recovered(self) -> None:
        """Take stock of the rows that were loaded from the changelog, before the next batch; may be called again."""
        self.settle()
        self.queues.clear()
        for (tenant, name, channel, group, agent, scope, number), counts in self.counts.items():
            self._known(tenant, name).part((channel, group, agent)).counts.load(scope, number, counts)
        for queue in self.queues.values():
            for part in queue.parts.values():
                part.counts.loaded()
                queue.hear(part.counts.watermark)
        for key, survey in self.surveys.items():
            self._known(*counting_queue(key, survey)).surveys.note(key, survey.heard_on)
        self.queues.loaded()
        # Up to there rows may be ahead of what is read; beyond it batches can be counted as a whole.
        rows = (row for table in self.tables.values() for row in table.values())
        self._recovered_to = max(self._recovered_to, max((row.applied_offset for row in rows), default=-1))

    def snapshots(self, at: datetime) -> Iterator[tuple[int, SurveySnapshot]]:
        """Yield what the board says of each queue, group and agent at the instant *at*; each is true in itself."""
        for queue in list(self.queues.values()):
            for part in list(queue.parts.values()):
                if self._keep_silent or part.is_shown(at):
                    yield 1, part.snapshot(at)

    def _known(self, tenant: str, name: str) -> RatedQueue:
        return self.queues.know(self.queues.find(tenant, name))

    # For each event, do everything that can raise before changing state.

    def _fold(self, events: Sequence[Event], offsets: Sequence[int], applied: Applied) -> None:
        for event, offset in zip(events, offsets, strict=True):
            try:
                self._fold_event(event, offset, applied)
            except Exception as failure:  # noqa: BLE001  # whatever it is, it must not stop the stream
                applied.failed.append((offset, failure))

    def _fold_event(self, event: Event, offset: int, applied: Applied) -> None:
        key = survey_key(cast("SurveyEvent", event))
        row = self.surveys.get(key, NEW_SURVEY)
        if row.applied_offset >= offset:
            applied.replayed += 1
        elif (facts := fold_survey(row, cast("SurveyEvent", event))) is None:
            applied.duplicates += 1
            applied.overflowed += self._keep(key, row, offset).is_shared
        else:
            queue = self.queues.counting(event.tenantid, rated_queue(facts) or NO_QUEUE)
            applied.overflowed += queue.is_shared
            counted = counted_as(facts, queue.policy, queue.place_of)
            queue = self._touch_queue(queue, event.time)
            before = row.counted
            if before and (home := counting_queue(key, row)) != queue.key:
                self._uncount(home, before, event.time, offset)
                before = ()
            self._count(queue, before, counted, event.time, offset, applied)
            invitation, answered_at, answer, answered_in = facts
            self.surveys.put(
                key, SurveyRow(offset, queue.day, invitation, answered_at, answer, counted, answered_in, queue.key)
            )
            if row.heard_on != queue.day or row.counted_in != queue.key:
                queue.surveys.note(key, queue.day)

    def _keep(self, key: SurveyKey, row: SurveyRow, offset: int) -> RatedQueue:
        """Have the row of a repeat learn of its offset, for a replay that brings it again; return its queue."""
        queue = self._known(*counting_queue(key, row))
        heard_on = max(row.heard_on, queue.day)
        self.surveys.put(key, replace(row, applied_offset=offset, heard_on=heard_on))
        if heard_on != row.heard_on:
            queue.surveys.note(key, heard_on)
        return queue

    def _uncount(self, home: QueueName, before: CountedAs, at: datetime, offset: int) -> None:
        """Take back from a queue what a survey counted for that turns out to be of another one."""
        # One that was silent for so long that it was forgotten has nothing to take back.
        if (queue := self.queues.get(home)) is not None:
            self._count(self._touch_queue(queue, at), before, (), at, offset, Applied())

    def _count(  # what has changed, and by which record
        self, queue: RatedQueue, before: CountedAs, after: CountedAs, at: datetime, offset: int, applied: Applied
    ) -> None:
        late = False
        for place, contribution in after:
            if not before or (place, contribution) not in before:
                for part in map(queue.part, parts_of(place)):
                    self._touch(part, at)
                    part.counts.count_difference((), (contribution,), offset)
                    late = late or _is_late(part, at)
        for place, contribution in before:
            if (place, contribution) not in after:
                # A part that was silent for so long that it was forgotten has nothing to take back.
                for part in filter(None, map(queue.parts.get, parts_of(place))):
                    self._touch(part, at)
                    part.counts.count_difference((contribution,), (), offset)
        applied.late += late

    # What was changed.

    def _touch_queue(self, queue: RatedQueue, at: datetime) -> RatedQueue:
        """Note that a batch changes a queue, and keep it from now on if it is a new one."""
        if queue not in self._touched_queues:
            queue = self.queues.know(queue)
            self._touched_queues[queue] = None
        queue.hear(at)
        return queue

    def _touch(self, part: Part, at: datetime) -> None:
        part.counts.hear(at)
        if part not in self._touched:
            part.silent_at = None
            self._touched[part] = None

    def _settle(self, part: Part) -> None:
        """Mark the rows of the days and totals that were counted in, and say up to where."""
        for scope, number, row in part.counts.drain_counted():
            # A row that was loaded with a higher offset has counted what comes again now, and keeps its offset.
            if row.applied_offset < self._applied_to:
                row.applied_offset = self._applied_to
                self.counts.put((*part.key, scope, number), row)


def _is_late(part: Part, at: datetime) -> bool:
    """Tell whether an instant is of a day that is not kept any more."""
    counts = part.counts
    # The first half is true of nearly all, and cheap.
    return counts.watermark - at > counts.surely_kept and counts.is_too_late(at)
