"""What carts count for, told from the full list of the events of each: what every row and fold has to equal."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from stream.families.customers.cart import CartFact
from stream.families.customers.events import CartCheckedOut, CartEvent, CartOrdered
from stream.families.customers.rules import CustomerPolicy
from tests.families.customers.carts import ms_of

__all__ = ["naive_facts", "naive_name"]

IDLE = CustomerPolicy().cart_idle


def naive_facts(events: Sequence[CartEvent], idle: timedelta = IDLE) -> set[CartFact]:
    """Return what the events of one cart count for, with money in euros."""
    known = [*_until_order(events)]
    ordered = any(isinstance(event, CartOrdered) for event in known)
    times = sorted(event.time for event in known)
    left_at = next((one for one, following in pairwise(times) if following - one > idle), None)
    if left_at is None and not ordered:
        left_at = times[-1]
    value, foreign = _worth(known, times[-1])
    created = ms_of(times[0])
    facts: set[CartFact] = {(created, "carts_created", 1), (created, "carts_created_value", value)}
    checked_out = [ms_of(event.time) for event in known if isinstance(event, CartCheckedOut)]
    if checked_out:
        facts.add((min(checked_out), "carts_checked_out", 1))
    if left_at is not None:
        left_value, left_foreign = _worth(known, left_at)
        foreign = foreign or left_foreign
        at = ms_of(left_at + idle)
        facts |= {(at, "carts_abandoned", 1), (at, "carts_abandoned_value", left_value)}
    if ordered and left_at is None:
        facts |= {(ms_of(times[-1]), "carts_completed", 1), (ms_of(times[-1]), "carts_completed_value", value)}
    elif ordered:
        facts |= {(ms_of(times[-1]), "carts_recovered", 1), (ms_of(times[-1]), "carts_recovered_value", value)}
    if foreign:
        facts.add((created, "other_currency", 1))
    return {fact for fact in facts if fact[2]}


def _until_order(events: Iterable[CartEvent]) -> Iterable[CartEvent]:
    """Return the events up to the first order: after it nothing happens to a cart."""
    ordered_at = min((event.time for event in events if isinstance(event, CartOrdered)), default=None)
    return (event for event in events if ordered_at is None or event.time <= ordered_at)


def _worth(known: Sequence[CartEvent], at: datetime) -> tuple[int, bool]:
    """Return what a cart is worth at an instant, in hundredths, and whether that is told in another currency."""
    until = [event for event in known if event.time <= at]
    values = [(event.time, event.data.value) for event in until if event.data.value is not None]
    # Of two currencies of one instant the other one stands.
    told = [(event.time, event.data.currency != "EUR") for event in until if event.data.currency is not None]
    if not values:
        return 0, False
    foreign = bool(told) and max(told)[1]
    return (0 if foreign else round(max(values)[1] * 100)), foreign


def naive_name(events: Sequence[CartEvent], field: str) -> str:
    """Return the plan or group that was told last before the order; empty: none was."""
    named = ((event.time, name) for event in _until_order(events) if (name := getattr(event.data, field)))
    return max(named, default=(None, ""))[1]
