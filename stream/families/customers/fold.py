"""
All customers and carts of one partition: folds batches of events into histories, and counts what follows from them.

Every event of a customer comes from one partition, so one fold knows the whole truth of it; of a queue, plan or group
it knows those of its customers that are on this partition.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast, get_args

from stream.core.cloudevents import Event
from stream.core.counts import CountsRow
from stream.core.family import Applied, times_by_source
from stream.core.identity import NO_SECRET, CustomerKeys
from stream.core.limits import SETTLE_AFTER
from stream.core.policies import Policies
from stream.core.rows import Rows
from stream.core.windows import EPOCH, ms_of
from stream.families.customers.account import standing_of
from stream.families.customers.carts import Carts
from stream.families.customers.change import Change, enter
from stream.families.customers.counts import CustomerCounts
from stream.families.customers.digested import found_by
from stream.families.customers.events import (
    CartEvent,
    CustomerForgotten,
)
from stream.families.customers.eviction import CustomerCountsKey, Eviction
from stream.families.customers.history import (
    AccountKind,
    CustomerRow,
    History,
    account_in,
    active_on,
    entry_of,
)
from stream.families.customers.learning import Learning
from stream.families.customers.parts import CustomerParts, Part
from stream.families.customers.pending import Pending
from stream.families.customers.places import CustomerPlaces
from stream.families.customers.snapshot import CustomersSnapshot

__all__ = ["CustomerCountsKey", "CustomersFold"]

_OF_CARTS: Final = frozenset(get_args(CartEvent))


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
        self.customers: Rows[int, CustomerRow] = Rows()
        self._keys = keys
        self._max_customers = max_customers
        self._places = CustomerPlaces(policies, self.parts)
        self._pending = Pending()
        self._learning = Learning(self.parts, self._places, self._pending)
        self._carts = Carts(self.parts, self._pending, keys, max_customers)
        self._watermark = EPOCH
        self._recovered_to = -1
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
        """Bring the rows of the counts up to date, and forget what may go; to be called before rows are taken."""
        self._unsettled = 0
        self._pending.count()
        may_forget = self._pending.applied_to > self._recovered_to
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
            if row.applied_offset < self._pending.applied_to:
                row.applied_offset = self._pending.applied_to
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
        for key, row in self.customers.items():
            if not row.history:
                self._eviction.erased[key] = None
                continue
            paid_before, account = account_in(row.history)
            self.parts.of_members(row.membership).enter(standing_of(account, paid_before), active_on(row.history))
        self._carts.recovered()
        self._recovered_to = max(
            self._recovered_to,
            *(max((row.applied_offset for row in table.values()), default=-1) for table in self.tables.values()),
        )

    def snapshots(self, at: datetime) -> Iterator[tuple[int, CustomersSnapshot]]:
        """Yield what the board says of each part at the instant *at*, with its cost; each is consistent in itself."""
        self._pending.count()
        for snapshot in self.parts.snapshots(at):
            yield 1, snapshot

    # For each event, do everything that can raise before changing state.

    def _fold(self, events: Sequence[Event], offsets: Sequence[int], applied: Applied) -> None:
        for event, offset in zip(events, offsets, strict=True):
            self._pending.applied_to = offset
            try:
                self._fold_one(event, offset, applied)
            except Exception as failure:  # noqa: BLE001  # whatever it is, it must not stop the stream
                applied.failed.append((offset, failure))
        self._watermark = max(self._watermark, *[event.time for event in events])

    def _fold_one(self, event: Event, offset: int, applied: Applied) -> None:
        kind = type(event)
        if kind in _OF_CARTS:
            self._carts.fold(cast("CartEvent", event), offset, applied)
            return
        key = self._keys.digest(event.tenantid, event.subject)
        row = self._moved_row(key, event) if self._keys.are_changing else self.customers.get(key)
        if row is None:
            if kind is CustomerForgotten:
                applied.duplicates += 1
                return
            if not self._has_room(event, applied):
                return
            row = CustomerRow()
        elif row.applied_offset >= offset:
            applied.replayed += 1
            return
        elif kind is CustomerForgotten:
            self._erase(key, row, event, offset, applied)
            return
        if self._learning.by_kind[kind](row, event, applied):
            row.applied_offset = offset
            self.customers.put(key, row)

    def _moved_row(self, key: int, event: Event) -> CustomerRow | None:
        """Return the row of a customer who may be known by an older key, as that of the new one."""
        _, row, doubles = found_by(self._keys, self.customers, event)
        if row is not None and not row.history:
            self._eviction.erased[key] = None
        # What was taken for customers of their own counts no longer.
        for double in filter(lambda double: double.history, doubles):
            history = History(double.history)
            standing = standing_of(history.account, history.paid_before)
            self.parts.of_members(double.membership).leave(standing, history.active_on)
        return row

    def _has_room(self, event: Event, applied: Applied) -> bool:
        """Tell whether one more customer is kept; of others it is only counted how many events there were."""
        if len(self.customers) < self._max_customers:
            return True
        applied.overflowed += 1
        members = self.parts.of_members(self.parts.newcomer(event.tenantid))
        self._pending.add_unknown(members, ms_of(event.time))
        return False

    def _erase(self, key: int, row: CustomerRow, event: Event, offset: int, applied: Applied) -> None:
        """Erase what is known of a customer; what it was counted for stays."""
        if not row.history:
            applied.duplicates += 1
            return
        at_ms, history = ms_of(event.time), History(row.history)
        members = self.parts.of_members(row.membership)
        sets, days = self._places.counting(row.places, members)
        standing = standing_of(history.account, history.paid_before)
        change = Change()
        if standing.present:
            # Nobody is there any more of whom nothing is known: else the customer would be there for ever.
            # After all that is known, however late that is told: of one instant who leaves would be first, and who
            # bought something then would be back.
            left = entry_of(max(at_ms, history.newest_ms() + 1), AccountKind.LEFT)
            change = enter(history, [left], row.places, days) or change
        self._pending.hear(members, at_ms)
        self._pending.remove(at_ms, sets, change.gone)
        self._pending.add(at_ms, sets, change.new)
        members.leave(standing, history.active_on)
        # Nothing but the offset, until it is durable that this was applied: events that come again must find it.
        self.customers.put(key, CustomerRow(offset))
        self._eviction.erased[key] = None
