"""All carts of one partition: what is known of each, and what they count for."""

from datetime import datetime

from stream.core.cloudevents import Event
from stream.core.family import Applied
from stream.core.identity import CustomerKeys
from stream.core.rows import Rows
from stream.core.sweep import Sweep
from stream.core.windows import ms_of
from stream.families.customers.cart import CartRow, cart_facts, cart_with
from stream.families.customers.digested import found_by
from stream.families.customers.events import CartEvent
from stream.families.customers.history import DAY_MS
from stream.families.customers.matters import OF_MEMBERS, CustomerFact
from stream.families.customers.parts import CustomerParts, MemberParts
from stream.families.customers.pending import Pending

__all__ = ["Carts"]


class Carts:
    """The carts of one partition; a cart counts for the plan and group that its events name."""

    def __init__(self, parts: CustomerParts, pending: Pending, keys: CustomerKeys, most: int) -> None:
        self.rows: Rows[int, CartRow] = Rows()
        self._parts = parts
        self._pending = pending
        self._keys = keys
        self._most = most
        self._sweep = Sweep(self.rows)

    def fold(self, event: CartEvent, offset: int, applied: Applied) -> None:
        """Fold an event."""
        at_ms = ms_of(event.time)
        key, row = self._find(event)
        if row.applied_offset >= offset:
            applied.replayed += 1
            return
        nobody = self._parts.of_members((row.tenant, "", ""))
        if not row.reports and len(self.rows) >= self._most:
            applied.overflowed += 1
            self._pending.add_unknown(nobody, at_ms)
            return
        if row.reports and row.ends_ms < at_ms:
            # Over, whether it was swept by now or not.
            row = CartRow(row.applied_offset, tenant=row.tenant)
        changed = cart_with(row, event, nobody.parts[0].policy, offset)
        if changed is None:
            applied.duplicates += 1
            return
        self._count(row, changed, at_ms)
        self.rows.put(key, changed)

    def _find(self, event: Event) -> tuple[int, CartRow]:
        key, row, doubles = found_by(self._keys, self.rows, event)
        for double in doubles:  # they were taken for carts of their own
            if (due := _due(_facts(double))) is not None:
                self._members(double).due_carts.remove(*due)
        return key, CartRow(tenant=self._parts.newcomer(event.tenantid)[0]) if row is None else row

    def _count(self, row: CartRow, changed: CartRow, at_ms: int) -> None:
        before, now = self._members(row), self._members(changed)
        gone, new = _facts(row), _facts(changed)
        stays, left, entered = self._parts.of_move(before, now)
        for parts in (stays, left, entered):
            # All of them hear of the event before any counts it: to end a silence, what is pending is counted.
            self._pending.hear(parts, at_ms)
        self._pending.remove(at_ms, [stays], [fact for fact in gone if fact not in new])
        self._pending.add(at_ms, [stays], [fact for fact in new if fact not in gone])
        self._pending.remove(at_ms, [left], gone)
        self._pending.add(at_ms, [entered], new)
        if row.reports and (due := _due(gone)) is not None:
            before.due_carts.remove(*due)
        if (due := _due(new)) is not None:
            now.due_carts.add(*due)

    def _members(self, row: CartRow) -> MemberParts:
        admit, tenant = self._parts.admit_name, row.tenant
        plan = admit(tenant, "plan", row.plan) if row.plan else ""
        group = admit(tenant, "group", row.group) if row.group else ""
        return self._parts.of_members((tenant, plan, group))

    def recovered(self) -> None:
        """Derive from the rows what is not in a table."""
        for row in self.rows.values():
            if (due := _due(_facts(row))) is not None:
                self._members(row).due_carts.load(*due)
        for members in self._parts.all_members():
            members.due_carts.loaded()

    def forget(self, watermark: datetime, committed: int) -> None:
        """Forget what is over by the newest event, once in a day, some at a time, of what is *committed*."""
        watermark_ms = ms_of(watermark)
        for key in self._sweep.some(watermark.toordinal()):
            row = self.rows.get(key)
            if row is not None and row.applied_offset < committed and row.ends_ms < watermark_ms:
                self.rows.remove(key)
        if self._sweep.has_ended:
            for members in self._parts.all_members():
                members.due_carts.forget(watermark_ms - DAY_MS)


def _facts(row: CartRow) -> list[CustomerFact]:
    return [(OF_MEMBERS, at_ms, (name,), number) for at_ms, name, number in cart_facts(row)]


def _due(facts: list[CustomerFact]) -> tuple[int, int, int] | None:
    """Return when a cart is abandoned, that it is one, and its value; None of a cart that is not."""
    due = {fields[0]: (at_ms, number) for _, at_ms, fields, number in facts}
    if "carts_abandoned" not in due:
        return None
    at_ms, number = due["carts_abandoned"]
    return at_ms, number, due.get("carts_abandoned_value", (0, 0))[1]
