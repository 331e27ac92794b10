"""What events tell of customers: added to their histories, and counted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from stream.core.cloudevents import Event
from stream.core.family import Applied
from stream.core.sharing import shared
from stream.core.windows import ms_of
from stream.families.customers.account import NO_STANDING, standing_of
from stream.families.customers.change import Change, enter, facts_of_members, last_telling, touch
from stream.families.customers.events import (
    CustomerActive,
    CustomerAsked,
    CustomerChanged,
    CustomerContacted,
    CustomerJoined,
    CustomerPurchased,
    CustomerRefunded,
)
from stream.families.customers.eviction import is_over
from stream.families.customers.history import (
    ACTIVITIES,
    DAY_MS,
    KEPT_MS,
    LATE_MS,
    AccountEntry,
    CustomerPlace,
    CustomerRow,
    History,
    MemberOf,
    Told,
    active_on,
    reference_of,
    with_active_on,
)
from stream.families.customers.local_days import EPOCH_DAY
from stream.families.customers.matters import OF_MEMBERS
from stream.families.customers.parts import IN_ANY_WAY, CustomerParts, MemberParts, PartSet
from stream.families.customers.payloads import ChangedData
from stream.families.customers.pending import Pending
from stream.families.customers.places import CustomerPlaces
from stream.families.customers.reports import ENTRIES, TOUCHES, tells_names

__all__ = ["Learning"]

_CONTACT, _PURCHASE, _VISIT, _ANSWER = range(len(ACTIVITIES))

_ORDERS: Final = frozenset({CustomerPurchased, CustomerRefunded})
"""Beside touchpoints these are of no interest when they come late; joining and leaving are, however long ago."""


class _Customer(Struct, gc=False):
    """A customer to whom an event happens; nothing of it counts before all of it is known."""

    at_ms: int
    history: History
    places: tuple[CustomerPlace, ...]
    members: MemberParts
    """What counts for the customer; before the event, until that changes it."""


class Learning:
    """Takes note of events: changes the rows of their customers, and has counted what that changes in figures."""

    def __init__(self, parts: CustomerParts, places: CustomerPlaces, pending: Pending) -> None:
        self._parts, self._places, self._pending = parts, places, pending
        self.by_kind: Mapping[type[Event], Callable[[CustomerRow, Any, Applied], bool]] = {
            **dict.fromkeys(TOUCHES, self._touch),
            CustomerAsked: self._ask,
            CustomerActive: self._see,
            **dict.fromkeys(ENTRIES, self._enter),
        }
        """Takes note of what an event of a kind tells; returns False if that is nothing, or comes too late."""

    def _ask(self, row: CustomerRow, event: CustomerAsked, applied: Applied) -> bool:
        return (self._see if event.data.what == "answered" else self._touch)(row, event, applied)

    def _see(self, row: CustomerRow, event: Event, applied: Applied) -> bool:
        """Note that a customer was seen: nothing else of the history is read for it, since it is most of all events."""
        at_ms, data = ms_of(event.time), row.history
        what, active = _VISIT if type(event) is CustomerActive else _ANSWER, active_on(data)
        if data and max(active) * DAY_MS < at_ms - KEPT_MS and is_over(History(data), at_ms):
            active = self._begin_anew(row, active).active_on
        members = self._members_of(row, event)
        if not self._be_active(members, active, what, at_ms):
            applied.duplicates += 1
            return False
        row.history, row.membership = with_active_on(row.history, what, active[what]), members.membership
        return True

    def _touch(self, row: CustomerRow, event: Event, applied: Applied) -> bool:
        """Note that a customer came, was handed over, was given a solution, or was asked."""
        at_ms, kind = ms_of(event.time), type(event)
        history = self._history_of(row, at_ms, applied)
        if history is None:
            return False
        members = self._members_of(row, event)
        what, name, where = TOUCHES[kind](event)
        places, number, (sets, days) = self._places.touched(where, row.places, members)
        change = touch(history, (at_ms << 16 | what << 8 | number, reference_of(name)), places, days)
        if change is not None:
            self._count(at_ms, change, sets)
        is_seen = kind is CustomerContacted and self._be_active(members, history.active_on, _CONTACT, at_ms)
        if change is None and not is_seen:
            # Applied once more it changes nothing: the row need not learn of it.
            applied.duplicates += 1
            return False
        row.history, row.places, row.membership = history.pack(), places, members.membership
        return True

    def _enter(self, row: CustomerRow, event: Event, applied: Applied) -> bool:
        """Note how a customer joined, left, paid, or got another plan."""
        at_ms, kind = ms_of(event.time), type(event)
        history = self._history_of(row, at_ms, applied, ever=kind not in _ORDERS)
        if history is None:
            return False
        customer = _Customer(at_ms, history, row.places, self._members_of(row, event))
        is_known = self._count_entries(customer, event)
        is_seen = kind is CustomerPurchased and self._be_active(customer.members, history.active_on, _PURCHASE, at_ms)
        if is_known and not is_seen:
            applied.duplicates += 1
            return False
        row.history, row.membership = history.pack(), customer.members.membership
        return True

    def _history_of(self, row: CustomerRow, at_ms: int, applied: Applied, *, ever: bool = False) -> History | None:
        """Return what is known of a customer; None if an event comes too late to matter, unless it *ever* does."""
        history = History(row.history)
        since_ms = at_ms - history.newest_ms()
        if since_ms < -LATE_MS and not ever:
            applied.late += 1
            return None
        if since_ms > KEPT_MS and row.history and is_over(history, at_ms):
            return self._begin_anew(row, history.active_on)
        return history

    def _members_of(self, row: CustomerRow, event: Event) -> MemberParts:
        return self._parts.of_members(row.membership if row.history else self._parts.newcomer(event.tenantid))

    def _begin_anew(self, row: CustomerRow, active: Sequence[int]) -> History:
        """Forget somebody who is over, as sweeping would have done."""
        self._parts.of_members(row.membership).leave(NO_STANDING, active)
        row.history, row.places = b"", ()
        return History()

    def _count_entries(self, customer: _Customer, event: Event) -> bool:
        """Count what account entries change; True if they are known, or there are none."""
        history, places, members = customer.history, customer.places, customer.members
        entries = ENTRIES[type(event)](event.data, customer.at_ms, members.parts[0].policy.currency)
        sets, days = self._places.counting(places, members)
        standing = standing_of(history.account, history.paid_before)
        told = event.data if isinstance(event, CustomerJoined | CustomerChanged) else None
        moves = told is not None and tells_names(told)
        is_new = not (history.touchpoints or history.account)
        before = facts_of_members(history, places, days) if moves and any(members.membership[1:]) else []
        change = enter(history, entries, places, days) if entries else None
        if change is None:
            return True
        now = standing_of(history.account, history.paid_before)
        membership = self._membership(customer, told, entries) if told is not None else members.membership
        if membership != members.membership:
            customer.members = self._parts.of_members(membership)
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
        stays, left, entered = self._parts.of_move(sets[OF_MEMBERS], customer.members)
        # All of them hear of the event before any counts it: to end a silence, what is pending is counted.
        for parts in (left, entered):
            self._pending.hear(parts, customer.at_ms)
        self._count(customer.at_ms, change, [*sets[:-1], stays])
        self._pending.remove(customer.at_ms, [left], all_of_it.gone)
        self._pending.add(customer.at_ms, [entered], all_of_it.new)

    def _membership(self, customer: _Customer, data: ChangedData, entries: Sequence[AccountEntry]) -> MemberOf:
        """Return plan and group after an event: each as the latest event tells it."""
        tenant, *names = customer.members.membership
        account = customer.history.account
        told = (("plan", data.plan, Told.PLAN), ("group", data.group, Told.GROUP))
        for number, (what, name, telling) in enumerate(told):
            if name is not None and last_telling(account, telling) in entries:
                names[number] = self._parts.admit_name(tenant, what, name)
        return shared((tenant, names[0], names[1]))

    def _be_active(self, members: MemberParts, active: list[int], what: int, at_ms: int) -> bool:
        """Note on which day a customer was active, in *active* too; False if that is known."""
        day, before = members.days.day(at_ms) - EPOCH_DAY, active[what]
        if day <= before:
            return False
        if day > (latest := max(active)):
            members.last_days[IN_ANY_WAY].move(latest, day)
        members.last_days[what].move(before, day)
        active[what] = day
        self._pending.hear(members, at_ms)
        return True

    def _count(self, at_ms: int, change: Change, sets: Sequence[PartSet]) -> None:
        self._pending.hear(sets[OF_MEMBERS], at_ms)
        if change.gone:
            self._pending.remove(at_ms, sets, change.gone)
        self._pending.add(at_ms, sets, change.new)
