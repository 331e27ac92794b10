"""The queues of one partition: which names get figures of their own, and when a silent queue is forgotten."""

from collections import Counter
from datetime import datetime, timedelta

from stream.core.limits import MAX_TENANTS, OVERFLOW_QUEUE
from stream.core.policies import Policies
from stream.core.windows import EPOCH, minute_of
from stream.families.contacts.events import CallbackEvent, SegmentEvent
from stream.families.contacts.phases import EpisodeKey
from stream.families.contacts.queue import Queue, QueueKey
from stream.families.contacts.rules import RULES

__all__ = ["KnownQueues"]

_HOUR = timedelta(hours=1)


class KnownQueues(dict[QueueKey, Queue]):
    """
    Every queue that there is something to keep of.

    Names beyond a limit share one queue, `(other)`: a producer that has run away must fill neither the memory nor
    the page. Silent queues are forgotten, so that names that were mistakes do not keep out real ones for ever.
    """

    def __init__(self, policies: Policies, *, per_tenant: int, in_all: int, keep_silent: bool) -> None:
        super().__init__()
        self._policies = policies
        self._per_tenant, self._in_all = per_tenant, in_all
        self._keep_silent = keep_silent
        self._of_tenant: Counter[str] = Counter()
        self._watermark = EPOCH
        """Time of the newest event of all queues."""
        self._swept_to = -1

    def place_of(self, event: SegmentEvent | CallbackEvent, visit: int) -> tuple[Queue, EpisodeKey]:
        """Return the queue that an event counts for, known or new, and the key of its row."""
        tenant, name, channel = event.tenantid, event.data.queue, event.data.channel
        queue = self.get((tenant, name, channel))
        if queue is not None:
            tenant, name, channel = queue.key  # the names of the event would be two more strings for each contact
            return queue, (tenant, name, channel, event.subject, visit)
        if self._has_room(tenant):
            return self.find((tenant, name, channel)), (tenant, name, channel, event.subject, visit)
        # Tenant and name stay part of the key: two queues beyond the limit may know the same contact.
        # With the lengths before them, so that no two pairs of names read alike when they are put together.
        contact = f"{len(tenant)}:{tenant}{len(name)}:{name}{event.subject}"
        shared = tenant if tenant in self._of_tenant else OVERFLOW_QUEUE
        return self.find((shared, OVERFLOW_QUEUE, channel)), (shared, OVERFLOW_QUEUE, channel, contact, visit)

    def _has_room(self, tenant: str) -> bool:
        """Tell whether one more queue of a tenant gets figures of its own."""
        known = tenant in self._of_tenant or len(self._of_tenant) < MAX_TENANTS
        return known and len(self) < self._in_all and self._of_tenant[tenant] < self._per_tenant

    def find(self, key: QueueKey) -> Queue:
        """Return the queue of that key, a new one if there is none; `know` keeps it."""
        return self.get(key) or Queue(key, self._policies.of(RULES, *key), keep_silent=self._keep_silent)

    def know(self, queue: Queue) -> Queue:
        """Keep a queue, now that there is something to keep of it: what has no row would be unknown after a crash."""
        if queue.key not in self:
            self[queue.key] = queue
            if not queue.is_shared:
                self._of_tenant[queue.key[0]] += 1
        return self[queue.key]

    def forget(self, queue: Queue) -> None:
        """Keep a queue no longer."""
        del self[queue.key]
        if not queue.is_shared:
            self._of_tenant[queue.key[0]] -= 1
            self._of_tenant = +self._of_tenant  # a tenant without queues is none

    def clear(self) -> None:
        """Know no queue, until rows are loaded."""
        super().clear()
        self._of_tenant.clear()

    # What is forgotten, and when: by the time of the events of all queues.

    def heard_of(self, queue: Queue) -> None:
        """Take note that something came for a queue."""
        self._watermark = max(self._watermark, queue.counts.watermark)
        queue.heard_at = self._watermark
        queue.emptied_at = None

    def loaded(self) -> None:
        """Take note that all rows were loaded."""
        for queue in self.values():
            queue.loaded()
            self._watermark = max(self._watermark, queue.counts.watermark)
        for queue in self.values():
            # Its source may be days behind: it gets an hour to be heard of again.
            queue.heard_at = max(queue.counts.watermark, self._watermark - queue.lifetime + _HOUR)

    def silent(self) -> list[Queue]:
        """Return, once an hour, the queues whose rows nobody will miss."""
        hour = minute_of(self._watermark) // 60
        if self._keep_silent or hour == self._swept_to:
            return []
        self._swept_to = hour
        return [queue for queue in self.values() if queue.heard_at <= self._watermark - queue.lifetime]

    def shown(self, at: datetime) -> list[Queue]:
        """Return the queues that a board has at the instant *at*."""
        return [queue for queue in self.values() if self._keep_silent or queue.is_shown(at)]
