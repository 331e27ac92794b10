"""
What contacts, cases and surveys tell about the customer whom an event names; nothing of events that name none.

It happens at the instant of its event, and has its name: whatever is told twice, customers know it once.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from stream.core.cloudevents import Event
from stream.core.family import Derive
from stream.core.policies import Policies
from stream.families.cases.events import CaseAssigned, CaseOpened, CaseResolved, MessageReceived
from stream.families.contacts.events import ContactAnswered, ContactEnded, ContactEnqueued, ContactTransferred
from stream.families.customers.events import (
    CartOrdered,
    CustomerAsked,
    CustomerContacted,
    CustomerHandedOver,
    CustomerPurchased,
    CustomerSolved,
)
from stream.families.customers.payloads import AskedData, ContactedData, HandedOverData, PurchasedData, SolvedData
from stream.families.customers.rules import RULES
from stream.families.surveys.events import SurveyAnswered, SurveyChanged, SurveyInvited

__all__ = ["told_by_cart", "told_by_case", "told_by_contact", "told_by_survey"]

_LONGEST_ID: Final = 200
"""Of the id of an event so much stands in that of what follows: with what is added, it stays within the contract."""

_QUEUES_REMEMBERED: Final = 10_000

Told = Iterable[Event]


def told_by_contact(policies: Policies) -> Mapping[type[Event], Derive]:
    """Return what contacts tell: a `Family.derive`."""
    solved_by = _finder(policies)

    def enqueued(event: ContactEnqueued) -> Told:
        data = event.data
        # Whom we call back did not come again.
        if data.customer is not None and data.direction == "inbound" and data.reason != "callback":
            yield _contacted(event, data.customer, served=False)

    def answered(event: ContactAnswered) -> Told:
        data = event.data
        if data.customer is not None and data.direction == "inbound":
            yield _contacted(event, data.customer, served=True)

    def transferred(event: ContactTransferred) -> Told:
        data = event.data
        if data.customer is not None and data.direction == "inbound":
            went = HandedOverData(contact=event.subject, queue=data.to_queue or data.queue)
            yield CustomerHandedOver(data=went, **_of(event, data.customer))

    def ended(event: ContactEnded) -> Told:
        data = event.data
        if data.customer is None or data.disposition is None:
            return
        if data.disposition in solved_by(event.tenantid, data.queue, data.channel):
            solved = SolvedData(contact=event.subject, queue=data.queue, channel=data.channel, topic=data.topic)
            yield CustomerSolved(data=solved, **_of(event, data.customer))

    return {
        ContactEnqueued: enqueued,
        ContactAnswered: answered,
        ContactTransferred: transferred,
        ContactEnded: ended,
    }


def _finder(policies: Policies) -> Callable[[str, str, str], frozenset[str]]:
    @lru_cache(_QUEUES_REMEMBERED)
    def solved_by(tenant: str, queue: str, channel: str) -> frozenset[str]:
        return policies.of(RULES, tenant, queue, channel).solved_dispositions

    return solved_by


def _contacted(event: ContactEnqueued | ContactAnswered, customer: str, *, served: bool) -> CustomerContacted:
    data = event.data
    came = ContactedData(contact=event.subject, queue=data.queue, channel=data.channel, topic=data.topic, served=served)
    return CustomerContacted(data=came, **_of(event, customer))


def told_by_case(_: Policies) -> Mapping[type[Event], Derive]:
    """Return what cases tell: a `Family.derive`."""

    def opened(event: CaseOpened) -> Told:
        data = event.data
        if data.customer is not None and data.opened_by == "customer":
            came = ContactedData(contact=event.subject, queue=data.queue, channel=data.channel, topic=data.topic)
            yield CustomerContacted(data=came, **_of(event, data.customer))

    def received(event: MessageReceived) -> Told:
        data = event.data
        if data.customer is not None and not data.automatic:
            yield CustomerContacted(
                data=ContactedData(contact=event.subject, message=True), **_of(event, data.customer)
            )

    def assigned(event: CaseAssigned) -> Told:
        data = event.data
        if data.customer is not None:
            went = HandedOverData(contact=event.subject, queue=data.queue, transfer=False)
            yield CustomerHandedOver(data=went, **_of(event, data.customer))

    def resolved(event: CaseResolved) -> Told:
        data = event.data
        if data.customer is not None:
            solved = SolvedData(contact=event.subject, queue=data.queue, channel=data.channel, topic=data.topic)
            yield CustomerSolved(data=solved, **_of(event, data.customer))

    return {CaseOpened: opened, MessageReceived: received, CaseAssigned: assigned, CaseResolved: resolved}


def told_by_survey(_: Policies) -> Mapping[type[Event], Derive]:
    """Return what surveys tell: a `Family.derive`."""

    def invited(event: SurveyInvited) -> Told:
        data = event.data
        if data.customer is not None:
            asked = AskedData(survey=event.subject, queue=data.queue, channel=data.channel)
            yield CustomerAsked(data=asked, **_of(event, data.customer))

    def answered(event: SurveyAnswered | SurveyChanged) -> Told:
        data = event.data
        if data.customer is not None:
            told = AskedData(survey=event.subject, queue=data.queue, channel=data.channel, what="answered")
            yield CustomerAsked(data=told, **_of(event, data.customer))

    return {SurveyInvited: invited, SurveyAnswered: answered, SurveyChanged: answered}


def told_by_cart(_: Policies) -> Mapping[type[Event], Derive]:
    """Return what carts tell: a `Family.derive`. An order is a purchase where it says whose, how much, and which."""

    def ordered(event: CartOrdered) -> Told:
        data = event.data
        if data.customer is not None and data.order is not None and data.value is not None:
            bought = PurchasedData(order=data.order, amount=data.value, currency=data.currency)
            yield CustomerPurchased(data=bought, **_of(event, data.customer))

    return {CartOrdered: ordered}


def _of(told: Event, customer: str) -> dict[str, Any]:
    return {
        "id": f"{told.id[-_LONGEST_ID:]}/customer",
        "source": told.source,
        "time": told.time,
        "subject": customer,
        "tenantid": told.tenantid,
        "specversion": "1.0",
    }
