"""The queues of one partition: which names get figures of their own, and when a silent queue is forgotten."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from stream.core.limits import MAX_TENANTS, OVERFLOW_QUEUE
from stream.core.policies import Policies
from stream.core.windows import EPOCH
from stream.families.cases.queue import SILENCE, CaseQueue, QueueKey
from stream.families.cases.rules import RULES

__all__ = ["CaseQueues"]


class CaseQueues(dict[QueueKey, CaseQueue]):
    """
    Every queue that there is something to keep of.

    Names beyond a limit share one, `(other)`: a producer that has run away must fill neither the memory nor the page.
    """

    def __init__(self, policies: Policies, *, per_tenant: int, in_all: int, keep_silent: bool) -> None:
        super().__init__()
        self._policies = policies
        self._per_tenant, self._in_all = per_tenant, in_all
        self._keep_silent = keep_silent
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        """By tenant; of each name there may be a queue for every channel."""
        self._tenants: dict[str, str] = {}
        """The names under which tenants are kept."""

    def admit_tenant(self, tenant: str) -> str:
        """Return the name under which a tenant's cases are kept: its own, as long as there is room."""
        # The very same object for all cases: the names of the events would be another string for each.
        known = self._tenants.get(tenant)
        if known is None:
            if tenant not in self._names and len(self._names) >= MAX_TENANTS:
                return OVERFLOW_QUEUE
            known = self._tenants[tenant] = tenant
        return known

    def admit(self, tenant: str, name: str) -> str:
        """Return the name under which a queue is counted: its own, as long as there is room."""
        names = self._names[tenant]
        if name not in names:
            if len(names) >= self._per_tenant or len(self) >= self._in_all:
                return OVERFLOW_QUEUE
            names.add(name)
        return name

    def of(self, key: QueueKey) -> CaseQueue:
        """Return the queue of that key, a new one if there is none."""
        queue = self.get(key)
        if queue is None:
            queue = self[key] = CaseQueue(key, self._policies.of(RULES, *key), keep_silent=self._keep_silent)
            self._names[key[0]].add(key[1])
        return queue

    def clear(self) -> None:
        """Know no queue, until rows are loaded."""
        super().clear()
        self._names.clear()
        self._tenants.clear()

    def silent(self, watermark: datetime) -> Iterator[CaseQueue]:
        """Yield the queues whose rows nobody will miss, by the newest event of all, and forget them."""
        if self._keep_silent or watermark - EPOCH < SILENCE:
            return
        for queue in [*self.values()]:
            if queue.is_empty and queue.counts.watermark < watermark - SILENCE:
                del self[queue.key]
                yield queue
        self._names = defaultdict(set)
        for tenant, name, _ in self:
            self._names[tenant].add(name)
        self._tenants = {tenant: tenant for tenant in self._names}

    def shown(self, at: datetime) -> list[CaseQueue]:
        """Return the queues that a board has at the instant *at*."""
        return [queue for queue in self.values() if self._keep_silent or queue.is_shown(at)]
