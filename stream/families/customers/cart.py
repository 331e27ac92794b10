"""
What is known of one cart, whatever order its events came in, and what it counts for.

Knows no window and no day. That a cart is abandoned it tells as soon as the cart is touched, of an instant that is
still to come: what happens with the cart before that takes it back.
"""

from datetime import timedelta
from typing import Final, Literal

from msgspec import Struct

from stream.core.sharing import shared
from stream.core.windows import MINUTE, ms_of
from stream.families.customers.cart_reports import (
    CHECKED_OUT,
    GROUP,
    ORDERED,
    OTHER_CURRENCY,
    OWN_CURRENCY,
    PLAN,
    first_checked_out,
    first_spell_end,
    last_report,
    latest_name,
    name_numbers,
    renumbered_names,
    reports_in,
    value_told,
    with_report,
    worth_at,
)
from stream.families.customers.events import CartCheckedOut, CartEvent, CartOrdered
from stream.families.customers.payloads import CartData
from stream.families.customers.rules import CustomerPolicy

__all__ = ["CARTS_KEPT", "CartFact", "CartField", "CartRow", "cart_facts", "cart_with", "with_shared_names"]

CARTS_KEPT: Final = timedelta(days=30)
"""So long a cart is kept after it was ordered or left, for what may still come late of it."""

_MINUTE_MS: Final = 60_000
_KEPT_MS: Final = CARTS_KEPT // timedelta(milliseconds=1)

CartField = Literal[
    "carts_created",
    "carts_created_value",
    "carts_checked_out",
    "carts_abandoned",
    "carts_abandoned_value",
    "carts_completed",
    "carts_completed_value",
    "carts_recovered",
    "carts_recovered_value",
    "other_currency",
]
"""What a cart counts in: fields of `CustomerCounts`."""

CartFact = tuple[int, CartField, int]
"""When something counts, in ms since 1970; in which field; and how much: 1, or money in hundredths. Never 0."""


class CartRow(Struct, frozen=True, array_like=True, gc=False):
    """What is known of one cart; there may be a million, so it has few objects. A new one counts for nothing."""

    applied_offset: int = -1
    idle_minutes: int = 0
    """After so long without an event it is abandoned: what the policy said when it was first heard of."""
    reports: bytes = b""
    """All that was told of it, up to its order: see `cart_reports`."""
    names: tuple[str, ...] = ()
    """The plans and groups that its reports name."""
    tenant: str = ""

    @property
    def plan(self) -> str:
        """The plan that was last told before it was ordered; empty: none was."""
        return latest_name(self.reports, self.names, PLAN) if self.names else ""

    @property
    def group(self) -> str:
        """The group of customers, likewise."""
        return latest_name(self.reports, self.names, GROUP) if self.names else ""

    @property
    def ends_ms(self) -> int:
        """When it may be forgotten, in ms since 1970, if nothing is told of it before that."""
        last_ms, told = last_report(self.reports)
        return last_ms + _KEPT_MS + (0 if told & ORDERED else self.idle_minutes * _MINUTE_MS)


def cart_with(row: CartRow, event: CartEvent, policy: CustomerPolicy, offset: int) -> CartRow | None:
    """
    Return what is known of a cart with one more event, the record at *offset*; None if it tells nothing new.

    Only the set of events decides what it counts for: neither their order nor repetition, up to `MOST_INSTANTS`. What
    happened after the earliest order tells nothing. Of the policy the currency is that of money for which no event has
    told one, and the length of idleness is asked for with the first event only.
    """
    at_ms, data = ms_of(event.time), event.data
    told, reports, names = _told(event, data, policy), row.reports, row.names
    if data.plan is not None or data.group is not None:
        numbers = name_numbers(names, data.plan, data.group)
        if numbers is None:
            reports, names = renumbered_names(reports, names, filter(None, (data.plan, data.group)))
            numbers, names = name_numbers(names, data.plan, data.group) or 0, shared(names)
        told |= numbers
    idle = row.idle_minutes or max(1, policy.cart_idle // MINUTE)  # the policy file knows whole minutes
    known = with_report(reports, at_ms, told, idle * _MINUTE_MS)
    return None if known is reports else CartRow(max(offset, row.applied_offset), idle, known, names, row.tenant)


def _told(event: CartEvent, data: CartData, policy: CustomerPolicy) -> int:
    """Return what an event tells, but for names."""
    # `type` and not `match`, which takes a microsecond for each event.
    told = ORDERED if type(event) is CartOrdered else CHECKED_OUT if type(event) is CartCheckedOut else 0
    if data.value is not None:
        told |= value_told(data.value)
    if data.currency is not None:
        told |= OWN_CURRENCY if data.currency == policy.currency else OTHER_CURRENCY
    return told


def cart_facts(row: CartRow) -> list[CartFact]:
    """
    Return what a cart counts for, each at its own instant.

    It was created with the first event that is known of it. It is abandoned once at most: in the first gap that is
    longer than its idleness, as soon as that has passed. As long as it is not ordered, that may be in the future. What
    counts as abandoned is what it was worth before that gap, and as created, what it is worth by now. Money in another
    currency than that of the policy is no money here; of a cart of which some is, that counts once.
    """
    if not row.reports:
        return []
    numbers = reports_in(row.reports)
    last, idle_ms = len(numbers) - 2, row.idle_minutes * _MINUTE_MS
    left = first_spell_end(numbers, idle_ms)
    worth, foreign = worth_at(numbers, last)
    facts: list[CartFact] = [(numbers[0], "carts_created", 1)]
    if worth:
        facts.append((numbers[0], "carts_created_value", worth))
    if (checked_out := first_checked_out(numbers)) is not None:
        facts.append((numbers[checked_out], "carts_checked_out", 1))
    ordered = bool(numbers[-1] & ORDERED)
    if left < last or not ordered:
        worth_left, foreign_left = (worth, foreign) if left == last else worth_at(numbers, left)
        foreign = foreign or foreign_left
        facts.append((numbers[left] + idle_ms, "carts_abandoned", 1))
        if worth_left:
            facts.append((numbers[left] + idle_ms, "carts_abandoned_value", worth_left))
    if ordered:
        facts += _ordered(numbers[last], worth, again=left < last)
    if foreign:
        facts.append((numbers[0], "other_currency", 1))
    return facts


def _ordered(at_ms: int, worth: int, *, again: bool) -> list[CartFact]:
    """Return what an order counts for: of a cart that was left before, it is a recovery."""
    counted: CartFact = (at_ms, "carts_recovered" if again else "carts_completed", 1)
    if not worth:
        return [counted]
    return [counted, (at_ms, "carts_recovered_value" if again else "carts_completed_value", worth)]


def with_shared_names(row: CartRow) -> CartRow:
    """Return a row that was read, with its names as one object for all carts with the same."""
    return CartRow(row.applied_offset, row.idle_minutes, row.reports, shared(row.names), shared(row.tenant))
