"""What has figures of its own: queues to which customers come, and plans and groups of customers; on one partition."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from stream.core.limits import MAX_TENANTS, OVERFLOW_QUEUE
from stream.core.policies import Policies
from stream.core.retention import Retention
from stream.core.windowed import Windowed
from stream.core.windows import EPOCH, MONTH, QUARTER, TODAY, minute_of
from stream.families.customers.account import NO_STANDING, Standing
from stream.families.customers.activity import LastDays
from stream.families.customers.counts import CustomerCounts, CustomerCountsRow
from stream.families.customers.history import ACTIVITIES, Membership, Place
from stream.families.customers.local_days import EPOCH_DAY, LocalDays
from stream.families.customers.rules import RULES, CustomerPolicy
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = ["CUSTOMER_WINDOWS", "SILENCE", "Part", "PartKey", "PartSet", "Parts"]

PartKey = tuple[str, str, str, str, str]
"""Tenant, queue, channel, plan, group: see `stream.families.customers.snapshot.CUSTOMERS`."""

CUSTOMER_WINDOWS: Final = (TODAY, "7d", "30d", "90d", MONTH, QUARTER)

RETENTION: Final = Retention(
    days=90 + 2,  # the longest window with the running day, and a day for late events to reach theirs
    months=2,
    quarters=2,
)

SILENCE: Final = timedelta(days=186)
"""Longer than any window: a part of which nothing is heard for so long begins anew."""

MAX_NAMES: Final = 50
"""Plans of one tenant that have figures of their own, and groups; the others share one."""

_MILLISECOND: Final = timedelta(milliseconds=1)

_NEVER_ACTIVE: Final = (0,) * len(ACTIVITIES)


class Part:
    """The figures of one queue, plan or group."""

    def __init__(self, key: PartKey, policy: CustomerPolicy, days: LocalDays, *, keep_silent: bool) -> None:
        self.key = key
        self.policy = policy
        self._days = days
        self.counts: Windowed[CustomerCounts] = Windowed(
            CustomerCountsRow,
            RETENTION,
            policy.time_zone,
            policy.day_starts,
            windows=CUSTOMER_WINDOWS,
            silence=None if keep_silent else SILENCE,
            foresees=True,
        )
        self.standing = NO_STANDING
        """Of all its customers together."""
        self.last_days = tuple(LastDays() for _ in ("any", *ACTIVITIES))

    def change(self, before: Standing, after: Standing) -> None:
        """Note that one customer stands otherwise than *before*."""
        known = self.standing
        self.standing = Standing(
            known.present + after.present - before.present,
            known.monthly + after.monthly - before.monthly,
            known.revenue + after.revenue - before.revenue,
        )

    def be_active(self, before: Sequence[int], after: Sequence[int]) -> None:
        """Note that one customer was last active on other days than *before*, by `ACTIVITIES`."""
        for days, was, now in zip(self.last_days, (max(before), *before), (max(after), *after), strict=True):
            if was != now:
                days.move(was, now)

    @property
    def is_empty(self) -> bool:
        """Whether it has no customer."""
        return self.standing == NO_STANDING

    def snapshot(self, at: datetime) -> CustomersSnapshot:
        """Return what the board says of it at the instant *at*."""
        tenant, queue, channel, plan, group = self.key
        today = self._days.day((at - EPOCH) // _MILLISECOND) - EPOCH_DAY
        return CustomersSnapshot(
            tenant=tenant,
            queue=queue,
            channel=channel,
            plan=plan,
            group=group,
            policy=self.policy,
            present=self.standing.present,
            monthly=self.standing.monthly,
            revenue=self.standing.revenue,
            active=tuple(days.active(today) for days in self.last_days),
            counted=self.counts.counted(minute_of(at)),
        )


class PartSet:
    """The parts that count the same things: of a place the queue; of a customer all, the plan and the group."""

    def __init__(self, parts: tuple[Part, ...], days: LocalDays) -> None:
        self.parts = parts
        self.days = days
        self.heard_ms = 0
        """The newest event, in ms since 1970."""
        self.silent_from_ms = 0
        """An event that is later may end the silence of one of them."""

    def hear(self, at: datetime, at_ms: int) -> None:
        """Take note of an event that something was learned from, in the order of the records."""
        self.heard_ms = at_ms
        for part in self.parts:
            part.counts.hear(at)
        self.silent_from_ms = min((part.counts.silent_from - EPOCH) // _MILLISECOND for part in self.parts)

    # How customers stand now: derived from rows, and in no table.

    def enter(self, standing: Standing, active_on: Sequence[int]) -> None:
        """Take a customer in."""
        self.change(NO_STANDING, standing)
        self.be_active(_NEVER_ACTIVE, active_on)

    def leave(self, standing: Standing, active_on: Sequence[int]) -> None:
        """Take a customer out."""
        self.change(standing, NO_STANDING)
        self.be_active(active_on, _NEVER_ACTIVE)

    def change(self, before: Standing, after: Standing) -> None:
        """Note that one customer stands otherwise than *before*."""
        if before != after:
            for part in self.parts:
                part.change(before, after)

    def be_active(self, before: Sequence[int], after: Sequence[int]) -> None:
        """Note that one customer was last active on other days than *before*, by `ACTIVITIES`."""
        if before is not after:
            for part in self.parts:
                part.be_active(before, after)


class Parts(dict[PartKey, Part]):
    """
    Every part that there is something to keep of.

    Names beyond a limit share one, `(other)`: a producer that has run away must fill neither the memory nor the page.
    """

    def __init__(self, policies: Policies, *, per_tenant: int, in_all: int, keep_silent: bool) -> None:
        super().__init__()
        self._policies = policies
        self._per_tenant, self._in_all = per_tenant, in_all
        self._keep_silent = keep_silent
        self._names: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        """By tenant, and what is named: a queue, a plan, a group."""
        self._tenants: dict[str, str] = {}
        self._days: dict[object, LocalDays] = {}
        self._sets: dict[tuple[str, ...], PartSet] = {}

    def admit_tenant(self, tenant: str) -> str:
        """Return the name under which a tenant's customers are kept: its own, as long as there is room."""
        known = self._tenants.get(tenant)
        if known is None:
            if len(self._tenants) >= MAX_TENANTS:
                return OVERFLOW_QUEUE
            known = self._tenants[tenant] = tenant
        return known

    def admit_queue(self, tenant: str, name: str) -> str:
        """Return the name under which a queue is counted."""
        return self._admit(tenant, "queue", name, self._per_tenant)

    def admit_name(self, tenant: str, what: str, name: str) -> str:
        """Return the name under which a plan or group is counted; *what* tells which of them it is."""
        return self._admit(tenant, what, name, MAX_NAMES)

    def _admit(self, tenant: str, what: str, name: str, limit: int) -> str:
        names = self._names[tenant, what]
        if name not in names:
            if len(names) >= limit or len(self) >= self._in_all:
                return OVERFLOW_QUEUE
            names.add(name)
        return name

    def of_place(self, tenant: str, place: Place) -> PartSet:
        """Return what counts for a place."""
        key = (tenant, place.queue, place.channel)
        found = self._sets.get(key)
        if found is None:
            part = self.part((tenant, place.queue, place.channel, "", ""))
            found = self._sets[key] = PartSet((part,), self.days_of(part.policy))
        return found

    def of_members(self, tenant: str, membership: Membership) -> PartSet:
        """Return what counts for customers of a plan and group: these, and all customers."""
        plan, group = membership
        key = (tenant, "", "", plan, group)
        found = self._sets.get(key)
        if found is None:
            keys = [(tenant, "", "", "", "")]
            keys += [(tenant, "", "", plan, "")] if plan else []
            keys += [(tenant, "", "", "", group)] if group else []
            parts = tuple(map(self.part, keys))
            found = self._sets[key] = PartSet(parts, self.days_of(parts[0].policy))
        return found

    def part(self, key: PartKey) -> Part:
        """Return the part of that key, a new one if there is none."""
        found = self.get(key)
        if found is None:
            policy = self._policies.of(RULES, *key[:3])
            found = self[key] = Part(key, policy, self.days_of(policy), keep_silent=self._keep_silent)
            for what, name in zip(("queue", "plan", "group"), (key[1], key[3], key[4]), strict=True):
                if name:
                    self._names[key[0], what].add(name)
        return found

    def days_of(self, policy: CustomerPolicy) -> LocalDays:
        """Return the local days of a policy; parts with the same share them."""
        key = (policy.time_zone, policy.day_starts)
        if key not in self._days:
            self._days[key] = LocalDays(*key)
        return self._days[key]

    def clear(self) -> None:
        """Know no part, until rows are loaded."""
        super().clear()
        for known in (self._names, self._tenants, self._sets):
            known.clear()

    def silent(self, watermark: datetime) -> Iterator[Part]:
        """Yield the parts whose rows nobody will miss, by the newest event of all, and forget them."""
        if self._keep_silent or watermark - EPOCH < SILENCE:
            return
        gone = [one for one in self.values() if one.is_empty and one.counts.watermark < watermark - SILENCE]
        for part in gone:
            del self[part.key]
            yield part
        if gone:
            kept = [*self.items()]
            self.clear()
            self.update(kept)
            for key in self:
                for what, name in zip(("queue", "plan", "group"), (key[1], key[3], key[4]), strict=True):
                    self._names[key[0], what].add(name)

    def shown(self, at: datetime) -> list[Part]:
        """Return the parts that a board has at the instant *at*."""
        return [
            one
            for one in self.values()
            if self._keep_silent or not one.is_empty or one.counts.watermark >= at - SILENCE
        ]
