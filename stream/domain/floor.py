"""All queues of one partition: folds batches of contact events into segments and tallies.

Every event of a queue comes from one partition, so a floor knows the whole truth of its queues.
It is told offsets and commits, and knows nothing of Kafka otherwise.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from stream.domain.applied import Applied
from stream.domain.callback import NEW_CALLBACK, Callback, steps_of, take_step
from stream.domain.events import (
    CALLBACK_EVENTS,
    CallbackEvent,
    Event,
    SegmentEvent,
)
from stream.domain.limits import MAX_TENANTS, OVERFLOW_QUEUE
from stream.domain.outcome import contributions_of
from stream.domain.payloads import Channel
from stream.domain.policy import DEFAULT_POLICIES, Policies
from stream.domain.queue import EpisodeKey, EpisodeRow, Queue, QueueKey, Scope
from stream.domain.rows import Rows
from stream.domain.segment import NEW, PASSING, TELLING, Segment, take
from stream.domain.snapshot import QueueSnapshot
from stream.domain.tally import Tally
from stream.domain.windows import EPOCH

__all__ = ["Floor", "TallyKey", "TallyRow"]

TallyKey = tuple[str, str, Channel, Scope, int]
"""Tenant, queue, channel, scope, and the number of the minute or day (0 for the others)."""


class TallyRow(Struct, frozen=True, array_like=True, gc=False):
    """A tally, and the offset of the last record that it counts."""

    fence: int
    tally: Tally


class Floor:
    """
    The fold of one partition of the contacts topic.

    `apply` takes batches in the order of their offsets. Rows written by it, and loaded again after
    a crash, make it skip what they have counted already: see `docs/decisions/`.
    """

    def __init__(
        self, policies: Policies = DEFAULT_POLICIES, *, max_queues_per_tenant: int = 10_000, max_queues: int = 100_000
    ) -> None:
        self.policies = policies
        self.max_queues_per_tenant = max_queues_per_tenant
        self.max_queues = max_queues
        self.tallies: Rows[TallyKey, TallyRow] = Rows()
        self.segments: Rows[EpisodeKey, EpisodeRow] = Rows()
        # One table, and by its key each row is of one kind.
        self._visits = cast("Rows[EpisodeKey, Segment]", self.segments)
        self._callbacks = cast("Rows[EpisodeKey, Callback]", self.segments)
        self._take: dict[type[Event], Callable[[Any, int, Applied], None]] = {
            **dict.fromkeys(TELLING, self._take_segment),
            **dict.fromkeys(CALLBACK_EVENTS, self._take_callback),
        }
        self.queues: dict[QueueKey, Queue] = {}
        self._queues_of: Counter[str] = Counter()
        self._purged_on = EPOCH.date()
        self._recovered_to = -1
        self._committed = 0
        self._touched: set[Queue] = set()

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        """The tables in the order in which a checkpoint must write them: segments are never ahead of tallies."""
        return {"tallies": self.tallies, "segments": self.segments}

    def apply(self, events: Sequence[Event], offsets: Sequence[int]) -> Applied:
        """Fold events, given with their offsets in ascending order; an event at fault is returned, never raised."""
        applied = Applied(by_type=Counter(map(type, events)))
        # Rows recovered from the changelog may have counted these already, each up to its own fence.
        old = bisect_right(offsets, self._recovered_to)
        for event, offset in zip(events[:old], offsets[:old], strict=True):
            self._fold([event], [offset], applied)
        if old < len(events):
            self._fold(events[old:], offsets[old:], applied)
        return applied

    def committed(self, offset: int) -> None:
        """Take note that the source is committed up to, and without, *offset*: older finished segments may go."""
        self._committed = offset

    def recovered(self) -> None:
        """Take stock of the rows that were loaded from the changelog, before the next batch; may be called again."""
        self.queues.clear()
        self._queues_of.clear()
        for (tenant, name, channel, scope, number), row in self.tallies.items():
            self._recovered_to = max(self._recovered_to, row.fence)
            self._know(self._queue(tenant, name, channel)).load(scope, number, row.tally)
        for key, episode in self.segments.items():
            self._recovered_to = max(self._recovered_to, episode.fence)
            queue = self._know(self._queue(*key[:3]))
            queue.watermark = max(queue.watermark, episode.newest)
        for key, episode in self.segments.items():
            queue = self.queues[key[:3]]
            place: Any = queue.place_segment if isinstance(episode, Segment) else queue.place_callback
            place(key, episode, queue.watermark)
        for queue in self.queues.values():
            queue.sort()

    def snapshots(self, at: datetime) -> Iterator[QueueSnapshot]:
        """Yield what the board says about each queue at the instant *at*; each is consistent in itself."""
        for queue in list(self.queues.values()):
            yield queue.snapshot(at)

    def _fold(self, events: Sequence[Event], offsets: Sequence[int], applied: Applied) -> None:
        newest = applied.newest_by_source
        for event, offset in zip(events, offsets, strict=True):
            try:
                take_kind = self._take.get(type(event))
                if take_kind is not None:
                    take_kind(event, offset, applied)
                if event.time > newest.get(event.source, EPOCH):
                    newest[event.source] = event.time
            except Exception as failure:  # noqa: BLE001  # whatever it is, it must not stop the stream
                applied.failed.append((offset, failure))
        for queue in self._touched:
            self._settle(queue, offsets[-1])
            # While a replay goes on nothing is forgotten: the rows may be ahead of it.
            if queue.is_due() and offsets[-1] > self._recovered_to:
                self._evict(queue)
        self._touched.clear()

    # Of one event whatever can raise comes before the first change.

    def _take_segment(self, event: SegmentEvent, offset: int, applied: Applied) -> None:
        queue, key = self._place_of(event, event.data.enqueue_seq, applied)
        segment = self._visits.get(key, NEW)
        if segment.fence >= offset:
            applied.replayed += 1
            return
        known = take(segment, event)
        if known is segment:
            self._repeated(queue, key, segment, offset, applied)
            return
        if type(event) in PASSING and segment.answered and not segment.end and known.outbound == segment.outbound:
            self._touch(queue)
            self._visits.put(key, replace(known, fence=offset))
            queue.watermark = max(queue.watermark, event.time)
            return
        counts_for = contributions_of(known, queue.policy)
        self._touch(queue)
        if queue.count_difference(segment.counted, counts_for):
            applied.late += 1
        self.segments.put(key, replace(known, fence=offset, counted=counts_for))
        queue.place_segment(key, known, event.time)

    def _take_callback(self, event: CallbackEvent, offset: int, applied: Applied) -> None:
        queue, key = self._place_of(event, 0, applied)
        callback = self._callbacks.get(key, NEW_CALLBACK)
        if callback.fence >= offset:
            applied.replayed += 1
            return
        known = take_step(callback, event)
        if known is callback:
            self._repeated(queue, key, callback, offset, applied)
            return
        counts_for = steps_of(known)
        self._touch(queue)
        if queue.count_difference(callback.counted, counts_for):
            applied.late += 1
        self.segments.put(key, replace(known, fence=offset, counted=counts_for))
        queue.place_callback(key, known, event.time)

    def _touch(self, queue: Queue) -> None:
        """Note that the batch changes a queue, and keep it from now on if it is a new one."""
        if queue not in self._touched:
            self._touched.add(self._know(queue))

    def _repeated(self, queue: Queue, key: EpisodeKey, known: EpisodeRow, offset: int, applied: Applied) -> None:
        """Count a repeat. Its row learns the offset: it must still be there when a replay brings the repeat again."""
        applied.duplicates += 1
        if key in self.segments:
            self.segments.put(key, replace(known, fence=offset))
            queue.repeated(key)

    def _place_of(self, event: SegmentEvent | CallbackEvent, visit: int, applied: Applied) -> tuple[Queue, EpisodeKey]:
        tenant, name, channel = event.tenantid, event.data.queue, event.data.channel
        queue = self.queues.get((tenant, name, channel))
        if queue is not None:
            return queue, (tenant, name, channel, event.subject, visit)
        if self._admits(tenant, event.time):
            return self._queue(tenant, name, channel), (tenant, name, channel, event.subject, visit)
        applied.overflowed += 1
        # Tenant and name stay part of the key: two queues beyond the limit may know the same contact.
        contact = f"{len(tenant)}:{tenant}{len(name)}:{name}{event.subject}"
        shared = tenant if tenant in self._queues_of else OVERFLOW_QUEUE
        return self._queue(shared, OVERFLOW_QUEUE, channel), (shared, OVERFLOW_QUEUE, channel, contact, visit)

    def _admits(self, tenant: str, at: datetime) -> bool:
        """Tell whether one more queue of a tenant gets figures of its own."""
        if not self._has_room(tenant) and at.date() > self._purged_on:
            self._purged_on = at.date()
            self._forget_silent(at)
        return self._has_room(tenant)

    def _has_room(self, tenant: str) -> bool:
        known = tenant in self._queues_of or len(self._queues_of) < MAX_TENANTS
        return known and len(self.queues) < self.max_queues and self._queues_of[tenant] < self.max_queues_per_tenant

    def _forget_silent(self, at: datetime) -> None:
        """Make room, at most once a day: names that were mistakes must not keep out real ones for ever."""
        for queue in [queue for queue in self.queues.values() if queue.is_silent(at)]:
            if queue.finished:
                # Its tallies go a day later: a segment must never be left without the tallies that count it.
                self._evict(queue, at)
            else:
                self._forget(queue)

    def _forget(self, queue: Queue) -> None:
        for scope, number in queue.tallies():
            self.tallies.remove((*queue.key, scope, number))
        del self.queues[queue.key]
        self._touched.discard(queue)
        tenant, name, _ = queue.key
        if name != OVERFLOW_QUEUE:
            self._queues_of[tenant] -= 1
            self._queues_of = +self._queues_of  # a tenant without queues is none

    def _queue(self, tenant: str, name: str, channel: Channel) -> Queue:
        key = (tenant, name, channel)
        return self.queues.get(key) or Queue(key, self.policies.of(tenant, name, channel))

    def _know(self, queue: Queue) -> Queue:
        """Keep a queue, now that there is something to keep of it: what has no row would be unknown after a crash."""
        if queue.key not in self.queues:
            self.queues[queue.key] = queue
            tenant, name, _ = queue.key
            if name != OVERFLOW_QUEUE:
                self._queues_of[tenant] += 1
        return self.queues[queue.key]

    def _settle(self, queue: Queue, fence: int) -> None:
        """Add what the batch counted to the rows of its minutes, days and totals that do not have it yet."""
        for scope, number, delta in queue.take_deltas():
            key = (*queue.key, scope, number)
            row = self.tallies.get(key)
            if row is None or row.fence < fence:
                self.tallies.put(key, TallyRow(fence, queue.add(scope, number, delta)))

    def _evict(self, queue: Queue, at: datetime | None = None) -> None:
        """Forget minutes and days that nothing reaches any more, and finished segments that are committed."""
        for scope, number in queue.take_outdated():
            self.tallies.remove((*queue.key, scope, number))
        for key in queue.take_forgotten(lambda key: self.segments[key].fence < self._committed, at):
            self.segments.remove(key)
