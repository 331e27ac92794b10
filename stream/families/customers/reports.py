"""What each kind of event adds to the history of its customer."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from stream.core.cloudevents import Event
from stream.core.windows import EPOCH
from stream.families.customers.events import (
    CustomerActive,
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
from stream.families.customers.history import ACTIVITIES, AccountEntry, AccountKind, Touch, reference_of
from stream.families.customers.matters import NOWHERE
from stream.families.customers.payloads import ChangedData, ContactedData, SolvedData

__all__ = ["ACTIVITY", "ANSWER", "TOUCHES", "ToldTouch", "entries_of", "hundredths", "ms_of"]

NO_QUEUE: Final = "(none)"
"""Stands where a survey rates no queue but the tenant as a whole."""


def ms_of(at: datetime) -> int:
    """Return milliseconds since 1970."""
    since = at - EPOCH  # a third of the price of dividing timedeltas
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def hundredths(amount: float) -> int:
    """Return an amount of money in hundredths."""
    return round(amount * 100)


ToldTouch = tuple[int, str, str, str, str | None]
"""
What an event tells of a touchpoint: its kind (`Touch`), contact or survey, queue, channel and topic.

The channel is empty where nobody told.
"""


def _contacted(event: CustomerContacted) -> ToldTouch:
    data = event.data
    kind = Touch.MESSAGE if data.message else Touch.SERVED if data.served else Touch.CAME
    return kind, data.contact, data.queue or NOWHERE, _channel(data), data.topic


def _channel(data: ContactedData | SolvedData) -> str:
    return "" if data.queue is None else data.channel or "voice"


def _handed_over(event: CustomerHandedOver) -> ToldTouch:
    data = event.data
    kind = Touch.HANDED_OVER if data.transfer else Touch.IS_WITH
    return kind, data.contact, data.queue, "", None


def _solved(event: CustomerSolved) -> ToldTouch:
    data = event.data
    return Touch.SOLVED, data.contact, data.queue or NOWHERE, _channel(data), data.topic


def _asked(event: CustomerAsked) -> ToldTouch:
    data = event.data
    return Touch.ASKED, data.survey, data.queue or NO_QUEUE, data.channel or "", None


TOUCHES: Final[dict[type[Event], Callable[[Any], ToldTouch]]] = {
    CustomerContacted: _contacted,
    CustomerHandedOver: _handed_over,
    CustomerSolved: _solved,
    CustomerAsked: _asked,
}
"""By kind of event, what it tells of a touchpoint; of surveys the invitation, not the answer."""

ACTIVITY: Final[dict[type[Event], int]] = {
    CustomerContacted: ACTIVITIES.index("contact"),
    CustomerPurchased: ACTIVITIES.index("purchase"),
    CustomerActive: ACTIVITIES.index("visit"),
}
"""By kind of event, which of `ACTIVITIES` it is, by number. An answer to a survey is one, too, but no invitation."""

ANSWER: Final = ACTIVITIES.index("answer")


def entries_of(event: Event, at_ms: int, currency: str) -> list[AccountEntry]:
    """Return what an event adds to the account, by the *currency* in which money is told."""
    when = at_ms << 8
    if isinstance(event, CustomerPurchased):
        return [*_order(event, when, AccountKind.PURCHASED, currency)]
    if isinstance(event, CustomerRefunded):
        return [*_order(event, when, AccountKind.REFUNDED, currency)]
    if isinstance(event, CustomerLeft):
        return [(when | AccountKind.LEFT, 0, 0)]
    if isinstance(event, CustomerJoined):
        return [*_joined(event, when, currency), *_changed(event.data, when, currency)]
    if isinstance(event, CustomerChanged):
        return [*_changed(event.data, when, currency)]
    return []


def _order(event: CustomerPurchased | CustomerRefunded, when: int, kind: int, currency: str) -> Iterator[AccountEntry]:
    data, reference = event.data, reference_of(event.data.order)
    if data.currency in {None, currency}:
        yield when | kind, reference, hundredths(data.amount)
    else:
        yield when | AccountKind.OTHER_CURRENCY, reference, 0
        yield when | kind, reference, 0


def _joined(event: CustomerJoined, when: int, currency: str) -> Iterator[AccountEntry]:
    yield when | AccountKind.JOINED, 0, 0
    if event.data.referred:
        yield when | AccountKind.REFERRED, 0, 0
    if event.data.revenue_before and event.data.currency in {None, currency}:
        yield when | AccountKind.PAID_BEFORE, 0, hundredths(event.data.revenue_before)


def _changed(data: ChangedData, when: int, currency: str) -> Iterator[AccountEntry]:
    if data.plan is not None:
        yield when | AccountKind.PLAN, reference_of(data.plan), 0
    if data.group is not None:
        yield when | AccountKind.GROUP, reference_of(data.group), 0
    if data.monthly is None:
        return
    if data.currency in {None, currency}:
        yield when | AccountKind.MONTHLY, 0, hundredths(data.monthly)
    else:
        yield when | AccountKind.OTHER_CURRENCY, 0, 0
