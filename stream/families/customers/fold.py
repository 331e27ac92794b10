"""
All customers and carts of one partition: folds batches of events into histories, and counts what follows from them.

Every event of a customer comes from one partition, so one fold knows the whole truth of it; of a queue, plan or group
it knows those of its customers that are on this partition.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final, cast, get_args

from msgspec import Struct

from stream.core.cloudevents import Event
from stream.core.counts import CountsRow
from stream.core.family import Applied, newest_by_source
from stream.core.identity import NO_SECRET, CustomerKeys
from stream.core.limits import SETTLE_AFTER
from stream.core.policies import Policies
from stream.core.rows import Rows
from stream.core.windows import EPOCH
from stream.families.customers.account import NO_STANDING, standing_of
from stream.families.customers.carts import Carts
from stream.families.customers.change import Change, enter, facts_of_members, last_telling, touch
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.digested import DigestKey, found_by
from stream.families.customers.events import (
    CartEvent,
    CustomerActive,
    CustomerAsked,
    CustomerChanged,
    CustomerForgotten,
    CustomerJoined,
    CustomerPurchased,
    CustomerRefunded,
)
from stream.families.customers.eviction import CustomerCountsKey, Eviction, is_over
from stream.families.customers.history import (
    DAY_MS,
    KEPT_MS,
    LATE_MS,
    NEW_CUSTOMER,
    AccountEntry,
    AccountKind,
    CustomerPlace,
    CustomerRow,
    History,
    PlanAndGroup,
    Told,
    active_on,
    entry_of,
    reference_of,
    with_active_on,
)
from stream.families.customers.local_days import EPOCH_DAY
from stream.families.customers.matters import OF_MEMBERS
from stream.families.customers.parts import IN_ANY_WAY, CustomerParts, MemberParts, Part, PartSet
from stream.families.customers.payloads import ChangedData
from stream.families.customers.pending import Pending
from stream.families.customers.places import CustomerPlaces
from stream.families.customers.reports import ACTIVITY, ANSWER_GIVEN, TOUCHES, ToldTouch, entries_of, ms_of, tells_names
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = ["CustomerCountsKey", "CustomersFold"]

_UNKNOWN: Final = ("unknown",)

_OF_CARTS: Final = frozenset(get_args(CartEvent))

_ORDERS: Final = frozenset({CustomerPurchased, CustomerRefunded})
"""Beside touchpoints these are of no interest when they come late; joining and leaving are, however long ago."""

_NOBODY: Final = ("", "")


class _Customer(Struct, gc=False):
    """A customer to whom an event happens; nothing of it counts before all of it is known."""

    tenant: str
    at_ms: int
    history: History
    places: tuple[CustomerPlace, ...]
    membership: PlanAndGroup
    members: MemberParts
    """What counted for the customer before the event."""


class CustomersFold:
    """The fold of one partition of the customers topic; a `Fold` as `ContactsFold` is."""

    def __init__(
        self,
        policies: Policies = Policies(),
        *,
        keys: CustomerKeys = NO_SECRET,
        max_queues_per_tenant: int = 10_000,
        max_queues: int = 100_000,
        max_customers: int = 10_000_000,
        keep_silent: bool = False,
    ) -> None:
        self.parts = CustomerParts(
            policies, per_tenant=max_queues_per_tenant, in_all=max_queues, keep_silent=keep_silent
        )
        self.counts: Rows[CustomerCountsKey, CountsRow[CustomerCounts]] = Rows()
        self.customers: Rows[DigestKey, CustomerRow] = Rows()
        self._keys = keys
        self._max_customers = max_customers
        self._places = CustomerPlaces(policies, self.parts)
        self._pending = Pending()
        self._carts = Carts(self.parts, self._pending, keys, max_customers)
        self._watermark = EPOCH
        self._recovered_to = -1
        self._applied_to = -1
        self._unsettled = 0
        self._eviction = Eviction(
            self.parts, self._places, self.counts, self.customers, self._carts, keep_silent=keep_silent
        )

    @property
    def tables(self) -> Mapping[str, Rows[Any, Any]]:
        """The tables in the order in which a checkpoint must write them: customers are never ahead of their counts."""
        return {"customer_counts": self.counts, "customers": self.customers, "carts": self._carts.rows}

    def apply(self, events: Sequence[Event], offsets: Sequence[int]) -> Applied:
        """Fold events, given with their offsets in ascending order; an event at fault is returned, never raised."""
        applied = Applied(by_type=Counter(map(type, events)), newest_by_source=newest_by_source(events))
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
        """Bring the rows of the counts up to date, and forget what may go; to be called before rows are taken."""
        self._unsettled = 0
        may_forget = self._applied_to > self._recovered_to
        for part in dict.fromkeys(part for parts in self._pending.counted for part in parts.parts):
            self._settle(part)
            # While a replay goes on nothing is forgotten: the rows may be ahead of it.
            if may_forget and part.counts.is_due():
                for scope, number in part.counts.forget_outdated():
                    self.counts.remove((*part.key, scope, number))
        self._pending.counted.clear()
        if may_forget:
            self._eviction.forget(self._watermark)

    def _settle(self, part: Part) -> None:
        """Mark the rows that were counted in, and say up to where."""
        for scope, number, row in part.counts.drain_counted():
            # A row that was loaded with a higher offset has counted what comes again now, and keeps its offset.
            if row.applied_offset < self._applied_to:
                row.applied_offset = self._applied_to
                self.counts.put((*part.key, scope, number), row)

    def committed(self, offset: int) -> None:
        """Take note that the source is committed up to, and without, *offset*: older rows may go."""
        self._eviction.committed = offset

    def recovered(self) -> None:
        """Take stock of the rows that were loaded from the changelog, before the next batch; may be called again."""
        self.settle()
        self.parts.clear()
        self._places.clear()
        for (tenant, queue, channel, plan, group, scope, number), counted in self.counts.items():
            self.parts.part((tenant, queue, channel, plan, group)).counts.load(scope, number, counted)
        for part in self.parts.values():
            part.counts.loaded()
            self._watermark = max(self._watermark, part.counts.watermark)
        # The one loop of a restart that may turn a million times.
        for (tenant, digest), row in self.customers.items():
            row.places = self._places.shared(row.places)
            row.membership = self._places.shared_membership(row.membership)
            if not row.history:
                self._eviction.erased[tenant, digest] = None
                continue
            history = History(row.history)
            members = self.parts.of_members(tenant, row.membership)
            members.enter(standing_of(history.account, history.paid_before), history.active_on)
        self._carts.recovered()
        self._recovered_to = max(
            self._recovered_to,
            *(max((row.applied_offset for row in table.values()), default=-1) for table in self.tables.values()),
        )

    def snapshots(self, at: datetime) -> Iterator[tuple[int, CustomersSnapshot]]:
        """Yield what the board says of each part at the instant *at*, with its cost; each is consistent in itself."""
        for snapshot in self.parts.snapshots(at):
            yield 1, snapshot

    # For each event, do everything that can raise before changing state.

    def _fold(self, events: Sequence[Event], offsets: Sequence[int], applied: Applied) -> None:
        for event, offset in zip(events, offsets, strict=True):
            try:
                self._fold_one(event, offset, applied)
            except Exception as failure:  # noqa: BLE001  # whatever it is, it must not stop the stream
                applied.failed.append((offset, failure))
            self._applied_to = offset
        self._pending.count(self._applied_to)
        self._watermark = max(self._watermark, *[event.time for event in events])

    def _fold_one(self, event: Event, offset: int, applied: Applied) -> None:
        kind = type(event)
        if kind in _OF_CARTS:
            self._carts.fold(cast("CartEvent", event), offset, applied, self._applied_to)
            return
        tenant = self.parts.admit_tenant(event.tenantid)
        key, row = self._find(tenant, event)
        if row.applied_offset >= offset:
            applied.replayed += 1
            return
        if kind is CustomerForgotten:
            self._erase(key, row, event, offset, applied)
            return
        if row is NEW_CUSTOMER:
            if not self._has_room(tenant, event, applied):
                return
            row = CustomerRow()
        if kind is CustomerActive or (kind is CustomerAsked and event.data.what == "answered"):
            changed = self._see(tenant, row, event, applied)
        else:
            changed = self._learn(tenant, row, event, applied)
        if changed:
            row.applied_offset = offset
            self.customers.put(key, row)

    def _see(self, tenant: str, row: CustomerRow, event: Event, applied: Applied) -> bool:
        """Note that a customer was seen: nothing else of the history is read for it, since it is most of all events."""
        what, active, at_ms = ACTIVITY.get(type(event), ANSWER_GIVEN), active_on(row.history), ms_of(event.time)
        if row.history and max(active) * DAY_MS < at_ms - KEPT_MS and is_over(history := History(row.history), at_ms):
            active = self._begun_anew(tenant, row, history).active_on
        members = self.parts.of_members(tenant, row.membership)
        if not self._be_active(members, active, what, at_ms):
            applied.duplicates += 1
            return False
        row.history = with_active_on(row.history, what, active[what])
        return True

    def _learn(self, tenant: str, row: CustomerRow, event: Event, applied: Applied) -> bool:
        """Take note of what an event tells; False if that is nothing, or comes too late."""
        kind, at_ms, history = type(event), ms_of(event.time), History(row.history)
        told = TOUCHES.get(kind)
        since_ms = at_ms - history.newest_ms()
        if since_ms < -LATE_MS and (told is not None or kind in _ORDERS):
            applied.late += 1
            return False
        if since_ms > KEPT_MS and row.history and is_over(history, at_ms):
            history = self._begun_anew(tenant, row, history)
        members = self.parts.of_members(tenant, row.membership)
        customer = _Customer(tenant, at_ms, history, row.places, row.membership, members)
        known = self._enter(customer, event) if told is None else self._touch(customer, told(event))
        what = ACTIVITY.get(kind, -1)
        if not (what >= 0 and self._be_active(customer.members, history.active_on, what, at_ms)) and known:
            # Applied once more it changes nothing: the row need not learn of it.
            applied.duplicates += 1
            return False
        row.history, row.places, row.membership = history.pack(), customer.places, customer.membership
        return True

    def _begun_anew(self, tenant: str, row: CustomerRow, history: History) -> History:
        """Forget somebody who is over, as sweeping would have done."""
        self.parts.of_members(tenant, row.membership).leave(NO_STANDING, history.active_on)
        row.history, row.places, row.membership = b"", (), _NOBODY
        return History()

    def _find(self, tenant: str, event: Event) -> tuple[DigestKey, CustomerRow]:
        key, row, doubles = found_by(self._keys, self.customers, tenant, event)
        if doubles or (row is not None and not row.history):
            self._take_out(key, doubles)
        return key, NEW_CUSTOMER if row is None else row

    def _take_out(self, key: DigestKey, doubles: Sequence[CustomerRow]) -> None:
        """Take rows out that were taken for customers of their own, and note that an empty one is to go."""
        if not self.customers[key].history:
            self._eviction.erased[key] = None
        for row in filter(lambda row: row.history, doubles):
            history = History(row.history)
            standing = standing_of(history.account, history.paid_before)
            self.parts.of_members(key[0], row.membership).leave(standing, history.active_on)

    def _touch(self, customer: _Customer, told: ToldTouch) -> bool:
        """Count what a touchpoint changes; True if it is known, and changes nothing."""
        kind, name, where = told
        customer.places, number, (sets, days) = self._places.touched(
            customer.tenant, where, customer.places, customer.members
        )
        touchpoint = (customer.at_ms << 16 | kind << 8 | number, reference_of(name))
        change = touch(customer.history, touchpoint, customer.places, days)
        if change is None:
            return True
        self._count(customer.at_ms, change, sets)
        return False

    def _enter(self, customer: _Customer, event: Event) -> bool:
        """Count what account entries change; True if they are known, or there are none."""
        tenant, history, places, members = customer.tenant, customer.history, customer.places, customer.members
        currency = self.parts.of_members(tenant, _NOBODY).parts[0].policy.currency
        entries = entries_of(event, customer.at_ms, currency)
        sets, days = self._places.counting(tenant, places, members)
        standing = standing_of(history.account, history.paid_before)
        told = event.data if isinstance(event, CustomerJoined | CustomerChanged) else None
        moves = told is not None and tells_names(told)
        is_new = not (history.touchpoints or history.account)
        before = facts_of_members(history, places, days) if moves and members.membership != _NOBODY else []
        change = enter(history, entries, places, days) if entries else None
        if change is None:
            return True
        now = standing_of(history.account, history.paid_before)
        membership = self._membership(customer, told, entries) if told is not None else members.membership
        if membership != members.membership:
            customer.membership, customer.members = membership, self.parts.of_members(tenant, membership)
            if is_new:  # so all there is to count is new as well
                self._count(customer.at_ms, change, [*sets[:-1], customer.members])
            else:
                self._move(customer, change, sets, Change(before, facts_of_members(history, places, days)))
            members.leave(standing, history.active_on)
            customer.members.enter(now, history.active_on)
        else:
            self._count(customer.at_ms, change, sets)
            members.change(standing, now)
        return False

    def _move(self, customer: _Customer, change: Change, sets: Sequence[PartSet], all_of_it: Change) -> None:
        """Have a customer count for another plan or group: there with all that is known, elsewhere with the change."""
        stays, left, entered = self.parts.of_move(sets[OF_MEMBERS], customer.members)
        # All of them hear of the event before any counts it: to end a silence, what is pending is counted.
        for parts in (left, entered):
            self._pending.hear(parts, customer.at_ms, self._applied_to)
        self._count(customer.at_ms, change, [*sets[:-1], stays])
        self._pending.remove([left], all_of_it.gone)
        self._pending.add([entered], all_of_it.new)

    def _membership(self, customer: _Customer, data: ChangedData, entries: Sequence[AccountEntry]) -> PlanAndGroup:
        """Return plan and group after an event: each as the latest event tells it."""
        names = [*customer.membership]
        account = customer.history.account
        told = (("plan", data.plan, Told.PLAN), ("group", data.group, Told.GROUP))
        for number, (what, name, telling) in enumerate(told):
            if name is not None and last_telling(account, telling) in entries:
                names[number] = self.parts.admit_name(customer.tenant, what, name)
        return self._places.shared_membership((names[0], names[1]))

    def _be_active(self, members: MemberParts, active: list[int], what: int, at_ms: int) -> bool:
        """Note on which day a customer was active, in *active* too; False if that is known."""
        day, before = members.days.day(at_ms) - EPOCH_DAY, active[what]
        if day <= before:
            return False
        if day > (latest := max(active)):
            members.last_days[IN_ANY_WAY].move(latest, day)
        members.last_days[what].move(before, day)
        active[what] = day
        self._pending.hear(members, at_ms, self._applied_to)
        return True

    def _count(self, at_ms: int, change: Change, sets: Sequence[PartSet]) -> None:
        hear, applied_to = self._pending.hear, self._applied_to
        hear(sets[OF_MEMBERS], at_ms, applied_to)
        for fact in chain(change.gone, change.new):
            parts = sets[fact[0]]
            if at_ms > parts.heard_ms or not parts.touched:
                hear(parts, at_ms, applied_to)
        if change.gone:
            self._pending.remove(sets, change.gone)
        self._pending.add(sets, change.new)

    def _has_room(self, tenant: str, event: Event, applied: Applied) -> bool:
        """Tell whether one more customer is kept; of others it is only counted how many events there were."""
        if len(self.customers) < self._max_customers:
            return True
        applied.overflowed += 1
        members, at_ms = self.parts.of_members(tenant, _NOBODY), ms_of(event.time)
        self._pending.hear(members, at_ms, self._applied_to)
        self._pending.add([members], [(OF_MEMBERS, at_ms, _UNKNOWN, 1)])
        return False

    def _erase(self, key: DigestKey, row: CustomerRow, event: Event, offset: int, applied: Applied) -> None:
        """Erase what is known of a customer; what it was counted for stays."""
        if not row.history:
            applied.duplicates += 1
            return
        tenant, at_ms, history = key[0], ms_of(event.time), History(row.history)
        members = self.parts.of_members(tenant, row.membership)
        sets, days = self._places.counting(tenant, row.places, members)
        standing = standing_of(history.account, history.paid_before)
        change = Change()
        if standing.present:
            # Nobody is there any more of whom nothing is known: else the customer would be there for ever.
            # After all that is known, however late that is told: of one instant who leaves would be first, and who
            # bought something then would be back.
            left = entry_of(max(at_ms, history.newest_ms() + 1), AccountKind.LEFT)
            change = enter(history, [left], row.places, days) or change
        self._count(at_ms, change, sets)
        members.leave(standing, history.active_on)
        # Nothing but the offset, until it is durable that this was applied: events that come again must find it.
        self.customers.put(key, CustomerRow(offset))
        self._eviction.erased[key] = None
