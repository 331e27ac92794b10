"""What each kind of event adds to the history of its customer."""

from collections.abc import Callable
from typing import Any, Final

from stream.core.cloudevents import Event
from stream.core.limits import NO_QUEUE
from stream.families.customers.events import (
    CustomerAsked,
    CustomerChanged,
    CustomerContacted,
    CustomerHandedOver,
    CustomerJoined,
    CustomerLeft,
    CustomerPurchased,
    CustomerRefunded,
    CustomerSolved,
)
from stream.families.customers.history import AccountEntry, AccountKind, Told, Touch, entry_of, reference_of
from stream.families.customers.matters import NOWHERE
from stream.families.customers.payloads import (
    ChangedData,
    ContactedData,
    CustomerData,
    JoinedData,
    PurchasedData,
    RefundedData,
    SolvedData,
    hundredths,
)
from stream.families.customers.places import ToldPlace

__all__ = ["ENTRIES", "TOUCHES", "tells_names"]


ToldTouch = tuple[int, str, ToldPlace]
"""What an event tells of a touchpoint: its kind (`Touch`), contact or survey, and where it was."""


def _contacted(event: CustomerContacted) -> ToldTouch:
    data = event.data
    kind = Touch.MESSAGE if data.message else Touch.SERVED if data.served else Touch.CAME
    return kind, data.contact, _where(data)


def _where(data: ContactedData | SolvedData) -> ToldPlace:
    return (NOWHERE, "", data.topic) if data.queue is None else (data.queue, data.channel or "voice", data.topic)


def _handed_over(event: CustomerHandedOver) -> ToldTouch:
    data = event.data
    kind = Touch.HANDED_OVER if data.transfer else Touch.IS_WITH
    return kind, data.contact, (data.queue, "", None)


def _solved(event: CustomerSolved) -> ToldTouch:
    return Touch.SOLVED, event.data.contact, _where(event.data)


def _asked(event: CustomerAsked) -> ToldTouch:
    data = event.data
    return Touch.ASKED, data.survey, (data.queue or NO_QUEUE, data.channel or "", None)


TOUCHES: Final[dict[type[Event], Callable[[Any], ToldTouch]]] = {
    CustomerContacted: _contacted,
    CustomerHandedOver: _handed_over,
    CustomerSolved: _solved,
    CustomerAsked: _asked,
}
"""By kind of event, what it tells of a touchpoint; of surveys the invitation, not the answer."""


def tells_names(data: ChangedData) -> bool:
    """Tell whether the customer may count for another plan or group by it."""
    return data.plan is not None or data.group is not None


def _purchased(data: PurchasedData, at_ms: int, currency: str) -> list[AccountEntry]:
    return _order(data, at_ms, AccountKind.PURCHASED, currency)


def _refunded(data: RefundedData, at_ms: int, currency: str) -> list[AccountEntry]:
    return _order(data, at_ms, AccountKind.REFUNDED, currency)


def _left(_: CustomerData, at_ms: int, __: str) -> list[AccountEntry]:
    return [entry_of(at_ms, AccountKind.LEFT)]


def _order(data: PurchasedData | RefundedData, at_ms: int, kind: int, currency: str) -> list[AccountEntry]:
    reference = reference_of(data.order)
    if data.currency in {None, currency}:
        return [entry_of(at_ms, kind, reference, hundredths(data.amount))]
    return [entry_of(at_ms, AccountKind.OTHER_CURRENCY, reference), entry_of(at_ms, kind, reference)]


def _joined(data: JoinedData, at_ms: int, currency: str) -> list[AccountEntry]:
    entries = _terms(data, at_ms, AccountKind.JOINED, currency, told=Told.REFERRED if data.referred else 0)
    if data.revenue_before and data.currency in {None, currency}:
        entries.append(entry_of(at_ms, AccountKind.PAID_BEFORE, amount=hundredths(data.revenue_before)))
    return entries


def _changed(data: ChangedData, at_ms: int, currency: str) -> list[AccountEntry]:
    if data.plan is None and data.group is None and data.monthly is None:
        return []
    return _terms(data, at_ms, AccountKind.CHANGED, currency)


def _terms(data: ChangedData, at_ms: int, kind: int, currency: str, *, told: int = 0) -> list[AccountEntry]:
    """Return the entry of joining or changing, with all that is told of plan, group and what is paid in a month."""
    names, amount = "", 0
    entries: list[AccountEntry] = []
    if data.plan is not None:
        told, names = told | Told.PLAN, data.plan
    if data.group is not None:
        told, names = told | Told.GROUP, f"{names}\n{data.group}"
    if data.monthly is not None:
        if data.currency in {None, currency}:
            told, amount = told | Told.MONTHLY, hundredths(data.monthly)
        else:
            entries.append(entry_of(at_ms, AccountKind.OTHER_CURRENCY))
    # Of what was told at one instant the reference decides which stands: any will do, but always the same.
    return [entry_of(at_ms, kind, reference_of(names) if names else 0, amount, told=told), *entries]


ENTRIES: Final[dict[type[Event], Callable[[Any, int, str], list[AccountEntry]]]] = {
    CustomerPurchased: _purchased,
    CustomerRefunded: _refunded,
    CustomerLeft: _left,
    CustomerJoined: _joined,
    CustomerChanged: _changed,
}
"""By kind of event, what its data add to the account at an instant, by the currency in which money is told."""
