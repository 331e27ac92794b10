"""What has figures of its own: queues to which customers come, and plans and groups of customers; on one partition."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import add
from typing import Final

from msgspec.structs import replace

from stream.core.counted import Counted
from stream.core.counts import number_in, packed, size_of
from stream.core.limits import MAX_TENANTS, OVERFLOW_QUEUE
from stream.core.policies import Policies
from stream.core.retention import Retention
from stream.core.windowed import Windowed
from stream.core.windows import ALL, EPOCH, MONTH, QUARTER, TODAY, minute_of
from stream.families.customers.account import NO_STANDING, Standing
from stream.families.customers.activity import LastDays
from stream.families.customers.counts import CustomerCounts, CustomerCountsRow
from stream.families.customers.due_carts import DueCarts
from stream.families.customers.history import ACTIVITIES, CustomerPlace, MemberOf
from stream.families.customers.local_days import EPOCH_DAY, LocalDays
from stream.families.customers.rules import RULES, CustomerPolicy
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = ["CUSTOMER_WINDOWS", "IN_ANY_WAY", "SILENCE", "CustomerParts", "MemberParts", "Part", "PartKey", "PartSet"]

PartKey = tuple[str, str, str, str, str]
"""Tenant, queue, channel, plan, group: see `stream.families.customers.snapshot.CUSTOMERS`."""

CUSTOMER_WINDOWS: Final = (TODAY, "7d", "30d", "90d", MONTH, QUARTER)

RETENTION: Final = Retention(
    days=90 + 2,  # the longest window with the running day, and a day for late events to reach theirs
    months=2,
    quarters=2,
)

FORESEEN: Final = timedelta(days=33)
"""The longest look-back, and the time after a purchase: the days after them are known when they begin."""

SILENCE: Final = RETENTION.reach + FORESEEN
"""A part of which nothing is heard for so long begins anew: no window shows anything of it any more."""

MAX_NAMES: Final = 20
"""Plans of one tenant that have figures of their own, and groups; the others share one."""

_MILLISECOND: Final = timedelta(milliseconds=1)

_NEVER_MS: Final = 2**62

IN_ANY_WAY: Final = len(ACTIVITIES)
"""Stands after them."""

OVERFLOWED: Final = (OVERFLOW_QUEUE, "", "")

_NOBODY_THERE: Final = (0,) * (5 + 3 * (IN_ANY_WAY + 1))


class Part:
    """The figures of one queue, plan or group, or of all customers of a tenant."""

    def __init__(self, key: PartKey, policy: CustomerPolicy, *, keep_silent: bool) -> None:
        self.key = key
        self.policy = policy
        self.counts: Windowed[CustomerCounts] = Windowed(
            CustomerCountsRow,
            RETENTION,
            policy.time_zone,
            policy.day_starts,
            windows=CUSTOMER_WINDOWS,
            silence=None if keep_silent else SILENCE,
            foresees=FORESEEN,
        )


class PartSet:
    """The parts that count the same: of a place its queue; of a customer all customers, its plan and its group."""

    def __init__(self, parts: tuple[Part, ...], days: LocalDays) -> None:
        self.parts = parts
        self.days = days
        self.heard_ms = 0
        """The newest event, in ms since 1970."""
        self.silent_from_ms = 0
        """An event that is later may end the silence of one of them."""
        self.touched = False
        """Whether something counts in them that is not in their counts yet."""

    def hear(self) -> None:
        """Have the parts take note of the newest event, before they count it."""
        at = EPOCH + self.heard_ms * _MILLISECOND
        for part in self.parts:
            part.counts.hear(at)
        self.silent_from_ms = min(
            ((part.counts.silent_from - EPOCH) // _MILLISECOND for part in self.parts), default=_NEVER_MS
        )


class MemberParts(PartSet):
    """The parts of customers with one plan and group, and how these stand: derived from rows, and in no table."""

    def __init__(self, membership: MemberOf, parts: tuple[Part, ...], days: LocalDays) -> None:
        super().__init__(parts, days)
        self.membership = membership
        self.standing = NO_STANDING
        """Of all of them together."""
        self.last_days = tuple(LastDays() for _ in (*ACTIVITIES, "any"))
        self.due_carts = DueCarts()

    def enter(self, standing: Standing, active_on: Sequence[int]) -> None:
        """Take a customer in."""
        self.change(NO_STANDING, standing)
        for days, day in zip(self.last_days, (*active_on, max(active_on)), strict=True):
            if day:
                days.move(0, day)

    def leave(self, standing: Standing, active_on: Sequence[int]) -> None:
        """Take a customer out."""
        self.change(standing, NO_STANDING)
        for days, day in zip(self.last_days, (*active_on, max(active_on)), strict=True):
            if day:
                days.move(day, 0)

    def change(self, before: Standing, after: Standing) -> None:
        """Note that one customer stands otherwise than *before*."""
        if before != after:
            known = self.standing
            self.standing = Standing(
                known.present + after.present - before.present,
                known.monthly + after.monthly - before.monthly,
                known.revenue + after.revenue - before.revenue,
            )

    def now(self, at_ms: int) -> list[int]:
        """Return how they stand at an instant, as numbers that add up: see `_snapshot`."""
        today = self.days.day(at_ms) - EPOCH_DAY
        active = [number for days in self.last_days for number in days.active(today)]
        return [*self.standing, *self.due_carts.after(at_ms, self.days.next_day(at_ms) - 1), *active]


class CustomerParts(dict[PartKey, Part]):
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
        self._newcomers: dict[str, MemberOf] = {}
        """By the tenant that is told."""
        self._days: dict[object, LocalDays] = {}
        self._of_places: dict[tuple[str, str, str], PartSet] = {}
        self._of_members: dict[MemberOf, MemberParts] = {}
        self._of_moves: dict[tuple[PartSet, PartSet], tuple[PartSet, PartSet, PartSet]] = {}

    def newcomer(self, tenant: str) -> MemberOf:
        """Return what is known of who is new: the tenant by its own name, as long as there is room."""
        known = self._newcomers.get(tenant)
        if known is None:
            if len(self._newcomers) >= MAX_TENANTS:
                return OVERFLOWED
            known = self._newcomers[tenant] = (tenant, "", "")
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

    def of_place(self, tenant: str, place: CustomerPlace) -> PartSet:
        """Return what counts for a place."""
        key = (tenant, place.queue, place.channel)
        found = self._of_places.get(key)
        if found is None:
            part = self.part((*key, "", ""))
            found = self._of_places[key] = PartSet((part,), self._days_of(part.policy))
        return found

    def of_members(self, membership: MemberOf) -> MemberParts:
        """Return what counts for customers of a plan and group."""
        found = self._of_members.get(membership)
        if found is None:
            tenant, plan, group = membership
            keys = [(tenant, "", "", "", "")]
            keys += [(tenant, "", "", plan, "")] if plan else []
            keys += [(tenant, "", "", "", group)] if group else []
            parts = tuple(map(self.part, keys))
            found = self._of_members[membership] = MemberParts(membership, parts, self._days_of(parts[0].policy))
        return found

    def of_move(self, before: PartSet, now: PartSet) -> tuple[PartSet, PartSet, PartSet]:
        """Return the parts of who goes from one plan or group to another: those that stay, are left, and entered."""
        found = self._of_moves.get((before, now))
        if found is None:
            old, new = before.parts, now.parts
            choices = (
                [one for one in old if one in new],
                [one for one in old if one not in new],
                [one for one in new if one not in old],
            )
            stays, left, entered = (PartSet(tuple(chosen), now.days) for chosen in choices)
            found = self._of_moves[before, now] = (stays, left, entered)
        return found

    def part(self, key: PartKey) -> Part:
        """Return the part of that key, a new one if there is none."""
        found = self.get(key)
        if found is None:
            policy = self._policies.of(RULES, *key[:3])
            found = self[key] = Part(key, policy, keep_silent=self._keep_silent)
            self.newcomer(key[0])
            for what, name in zip(("queue", "plan", "group"), (key[1], key[3], key[4]), strict=True):
                if name:
                    self._names[key[0], what].add(name)
        return found

    def _days_of(self, policy: CustomerPolicy) -> LocalDays:
        """Return the local days of a policy; parts with the same share them."""
        key = (policy.time_zone, policy.day_starts)
        if key not in self._days:
            self._days[key] = LocalDays(*key)
        return self._days[key]

    def clear(self) -> None:
        """Know no part, until rows are loaded."""
        super().clear()
        for known in (self._names, self._newcomers, self._of_places, self._of_members, self._of_moves):
            known.clear()

    def silent(self, watermark: datetime) -> Iterator[Part]:
        """Yield the parts of queues whose rows nobody will miss, by the newest event of all, and forget them."""
        if self._keep_silent or watermark - EPOCH < SILENCE:
            return
        # Plans and groups are few, and customers may still have them of whom nothing was heard for long.
        for part in [one for one in self.values() if one.key[1] and one.counts.watermark < watermark - SILENCE]:
            tenant, queue, channel, _, _ = part.key
            del self[part.key]
            self._of_places.pop((tenant, queue, channel), None)
            self._names[tenant, "queue"].discard(queue)
            yield part
        for tenant, queue, *_ in self:
            if queue:
                self._names[tenant, "queue"].add(queue)

    def all_members(self) -> Iterable[MemberParts]:
        """Return every plan and group with what it stands for."""
        return self._of_members.values()

    # Reading.

    def snapshots(self, at: datetime) -> Iterator[CustomersSnapshot]:
        """Yield what the board says of each part at the instant *at*."""
        at_ms = (at - EPOCH) // _MILLISECOND
        now: dict[Part, list[int]] = {}
        # Once for each plan and group, and not once for each part that counts them.
        for members in self._of_members.values():
            numbers = members.now(at_ms)
            for part in members.parts:
                now[part] = [*map(add, now[part], numbers)] if part in now else numbers
        for part in [*self.values()]:
            if self._keep_silent or not part.key[1] or part.counts.watermark >= at - SILENCE:
                yield _snapshot(part, now.get(part, _NOBODY_THERE), at)


def _snapshot(part: Part, now: Sequence[int], at: datetime) -> CustomersSnapshot:
    tenant, queue, channel, plan, group = part.key
    present, monthly, revenue, due, due_value, *active = now
    return CustomersSnapshot(
        tenant=tenant,
        queue=queue,
        channel=channel,
        plan=plan,
        group=group,
        policy=part.policy,
        present=present,
        monthly=monthly,
        revenue=revenue,
        active=tuple(zip(active[::3], active[1::3], active[2::3], strict=True)),
        counted=_without_due(part.counts.counted(minute_of(at)), due, due_value),
    )


def _without_due(counted: Counted, number: int, value: int) -> Counted:
    """Take off the carts that will be abandoned today, if nothing happens with them until then."""
    if not number:
        return counted
    less = CustomerCounts(carts_abandoned=-number, carts_abandoned_value=-value).number()
    size = size_of(CustomerCounts)
    running = {unit: packed(number_in(data) + less, size) for unit, data in counted.running.items()}
    ever = packed(number_in(counted.windows[ALL]) + less, size)
    return replace(counted, running=running, windows={**counted.windows, ALL: ever})
