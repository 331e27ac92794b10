"""Stories of one cart as tables: one event a line, `day hh:mm kind [field=value …]`; day 1 is in November."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec

from stream.core.cloudevents import tag_of
from stream.families.customers.cart import CartField, CartRow, cart_facts, cart_with
from stream.families.customers.events import EVENTS, CartEvent
from stream.families.customers.rules import CustomerPolicy

__all__ = ["POLICY", "cart_event", "cart_of", "counted", "ms_of", "on", "told", "when"]

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
"""Day 1 of every story."""

POLICY = CustomerPolicy()
"""Euros, and an hour until a cart is abandoned."""

_TYPES = {tag_of(kind): kind for kind in EVENTS}


def on(day: int, clock: str) -> datetime:
    """Return an instant of a story."""
    hours, minutes = map(int, clock.split(":"))
    return FIRST + timedelta(days=day - 1, hours=hours, minutes=minutes)


def ms_of(at: datetime) -> int:
    """Return an instant in ms since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def cart_event(kind: str, at: datetime, /, **data: Any) -> CartEvent:
    """Return one event of the cart."""
    tag = f"cart.{kind}"
    envelope = {
        "specversion": "1.0",
        "type": tag,
        "id": f"{tag}:{at.isoformat()}",
        "source": "/shop",
        "tenantid": "acme",
        "time": at,
        "subject": "4711",
        "data": data,
    }
    return cast("CartEvent", msgspec.convert(envelope, _TYPES[tag], strict=False))


def told(table: str) -> list[CartEvent]:
    """Return the events of a table."""
    events = []
    for line in filter(str.strip, table.splitlines()):
        day, clock, kind, *fields = line.split()
        events.append(cart_event(kind, on(int(day), clock), **dict(field.split("=", 1) for field in fields)))
    return events


NEW_CART = CartRow()


def cart_of(events: Iterable[CartEvent] | str, policy: CustomerPolicy = POLICY, row: CartRow = NEW_CART) -> CartRow:
    """Return what is known of a cart after these events."""
    for offset, event in enumerate(told(events) if isinstance(events, str) else events, row.applied_offset + 1):
        row = cart_with(row, event, policy, offset) or row
    return row


def counted(row: CartRow) -> dict[CartField, int]:
    """Return what a cart counts for, by field."""
    return {field: number for _, field, number in cart_facts(row)}


def when(row: CartRow) -> dict[str, str]:
    """Return when each thing happened to a cart, as in its story; but for money."""
    happened = {}
    for at_ms, field, _ in cart_facts(row):
        if field.startswith("carts_") and not field.endswith("_value"):
            since = timedelta(milliseconds=at_ms - ms_of(FIRST))
            happened[field.removeprefix("carts_")] = f"{since.days + 1} {(FIRST + since):%H:%M}"
    return happened
