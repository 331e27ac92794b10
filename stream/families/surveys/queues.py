"""What is rated on one partition: which names get figures of their own, and when what is silent is forgotten."""

from collections import Counter
from datetime import timedelta

from stream.core.limits import MAX_TENANTS, OVERFLOW_QUEUE
from stream.core.policies import Policies
from stream.core.windows import EPOCH, hour_of, minute_of
from stream.families.surveys.events import SurveyEvent
from stream.families.surveys.rated import LIFETIME, RatedQueue
from stream.families.surveys.rules import RULES, SurveyPolicy
from stream.families.surveys.survey import QueueName, SurveyRow, is_review

__all__ = ["RatedQueues", "SurveyKey", "counting_queue", "survey_key"]

SurveyKey = tuple[str, str, str, str]
"""Tenant, nothing (the queue, by a version before), `survey` or `review`, and the subject of its events."""

_HOUR = timedelta(hours=1)


def survey_key(event: SurveyEvent) -> SurveyKey:
    """Return the key of the row that an event belongs to."""
    return event.tenantid, "", "review" if is_review(event) else "survey", event.subject


def counting_queue(key: SurveyKey, row: SurveyRow) -> QueueName:
    """Return the names of the queue that a survey was counted in."""
    return row.counted_in or (key[0], key[1])


class RatedQueues(dict[tuple[str, str], RatedQueue]):
    """
    Every queue that there is something to keep of, by tenant and name.

    Names beyond a limit share one queue, as those of contacts do; silent ones are forgotten.
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

    def counting(self, tenant: str, name: str) -> RatedQueue:
        """Return the queue that counts what is told of one: that, known or new, or the one of all beyond a limit."""
        queue = self.get((tenant, name))
        if queue is None:
            if not self._has_room(tenant):
                tenant, name = tenant if tenant in self._of_tenant else OVERFLOW_QUEUE, OVERFLOW_QUEUE
            queue = self.find(tenant, name)
        return queue

    def _has_room(self, tenant: str) -> bool:
        """Tell whether one more queue of a tenant gets figures of its own."""
        known = tenant in self._of_tenant or len(self._of_tenant) < MAX_TENANTS
        return known and len(self) < self._in_all and self._of_tenant[tenant] < self._per_tenant

    def find(self, tenant: str, name: str) -> RatedQueue:
        """Return the queue of that name, a new one if there is none; `know` keeps it."""
        return self.get((tenant, name)) or RatedQueue(tenant, name, self._policy, keep_silent=self._keep_silent)

    def _policy(self, tenant: str, name: str, channel: str) -> SurveyPolicy:
        return self._policies.of(RULES, tenant, name, channel)

    def know(self, queue: RatedQueue) -> RatedQueue:
        """Keep a queue, now that there is something to keep of it: what has no row would be unknown after a crash."""
        key = queue.tenant, queue.name
        if key not in self:
            self[key] = queue
            if not queue.is_shared:
                self._of_tenant[queue.tenant] += 1
        return self[key]

    def forget(self, queue: RatedQueue) -> None:
        """Keep a queue no longer."""
        del self[queue.tenant, queue.name]
        if not queue.is_shared:
            self._of_tenant[queue.tenant] -= 1
            self._of_tenant = +self._of_tenant  # a tenant without queues is none

    def clear(self) -> None:
        """Know no queue, until rows are loaded."""
        super().clear()
        self._of_tenant.clear()

    # What is forgotten, and when: by the time of the events of all queues.

    def heard_of(self, queue: RatedQueue) -> None:
        """Take note that something came for a queue."""
        self._watermark = max(self._watermark, queue.watermark)
        queue.heard_at = self._watermark
        queue.emptied_at = None

    def loaded(self) -> None:
        """Take note that all rows were loaded."""
        for queue in self.values():
            self._watermark = max(self._watermark, queue.watermark)
        for queue in self.values():
            # Its source may be days behind: it gets an hour to be heard of again.
            queue.heard_at = max(queue.watermark, self._watermark - LIFETIME + _HOUR)

    def silent(self) -> list[RatedQueue]:
        """Return, once an hour, the queues whose rows nobody will miss."""
        hour = hour_of(minute_of(self._watermark))
        if self._keep_silent or hour == self._swept_to:
            return []
        self._swept_to = hour
        return [queue for queue in self.values() if queue.heard_at <= self._watermark - LIFETIME]
