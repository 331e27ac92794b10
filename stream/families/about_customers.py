"""
What contacts, cases and surveys tell about the customer whom an event names; nothing of events that name none.

It happens at the instant of its event, and has its name: whatever is told twice, customers know it once.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from stream.core.cloudevents import Event
from stream.core.derivation import envelope_after
from stream.core.family import Derive, OfCustomer
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
from stream.families.customers.rules import RULES, CustomerPolicy
from stream.families.surveys.events import SurveyAnswered, SurveyChanged, SurveyInvited

__all__ = ["told_by_cart", "told_by_case", "told_by_contact", "told_by_survey"]

_QUEUES_REMEMBERED: Final = 10_000

_Told = Sequence[Event]


def told_by_contact(policies: Policies) -> Mapping[type[Event], Derive]:
    """Return what contacts tell: a `Family.derive`."""
    policy_of = _finder(policies)

    def ended(event: ContactEnded, customer: str) -> _Told:
        data = event.data
        policy = policy_of(event.tenantid, data.queue, data.channel)
        if data.disposition is None or data.disposition not in policy.solved_dispositions:
            # What a contact was about is often known when it ends.
            tells = policy.matter_by_topic and data.topic is not None and data.direction == "inbound"
            return (_contacted(event, customer, served=True),) if tells else ()
        solved = SolvedData(contact=event.subject, queue=data.queue, channel=data.channel, topic=data.topic)
        return (CustomerSolved(data=solved, **_of(event, customer)),)

    return {
        ContactEnqueued: OfCustomer(_enqueued),
        ContactAnswered: OfCustomer(_answered),
        ContactTransferred: OfCustomer(_transferred),
        ContactEnded: OfCustomer(ended),
    }


def _enqueued(event: ContactEnqueued, customer: str) -> _Told:
    data = event.data
    # Whom we call back did not come again.
    if data.direction != "inbound" or data.reason == "callback":
        return ()
    return (_contacted(event, customer, served=False),)


def _answered(event: ContactAnswered, customer: str) -> _Told:
    data = event.data
    if data.direction != "inbound":
        return ()
    return (_contacted(event, customer, served=True),)


def _transferred(event: ContactTransferred, customer: str) -> _Told:
    data = event.data
    if data.direction != "inbound":
        return ()
    went = HandedOverData(contact=event.subject, queue=data.to_queue or data.queue)
    return (CustomerHandedOver(data=went, **_of(event, customer)),)


def _finder(policies: Policies) -> Callable[[str, str, str], CustomerPolicy]:
    @lru_cache(_QUEUES_REMEMBERED)
    def policy_of(tenant: str, queue: str, channel: str) -> CustomerPolicy:
        return policies.of(RULES, tenant, queue, channel)

    return policy_of


def _contacted(
    event: ContactEnqueued | ContactAnswered | ContactEnded, customer: str, *, served: bool
) -> CustomerContacted:
    data = event.data
    came = ContactedData(contact=event.subject, queue=data.queue, channel=data.channel, topic=data.topic, served=served)
    return CustomerContacted(data=came, **_of(event, customer))


def told_by_case(_: Policies) -> Mapping[type[Event], Derive]:
    """Return what cases tell: a `Family.derive`."""
    return {
        CaseOpened: OfCustomer(_opened),
        MessageReceived: OfCustomer(_received),
        CaseAssigned: OfCustomer(_assigned),
        CaseResolved: OfCustomer(_resolved),
    }


def _opened(event: CaseOpened, customer: str) -> _Told:
    data = event.data
    if data.opened_by != "customer":
        return ()
    came = ContactedData(contact=event.subject, queue=data.queue, channel=data.channel, topic=data.topic)
    return (CustomerContacted(data=came, **_of(event, customer)),)


def _received(event: MessageReceived, customer: str) -> _Told:
    data = event.data
    if data.automatic:
        return ()
    wrote = ContactedData(contact=event.subject, message=True)
    return (CustomerContacted(data=wrote, **_of(event, customer)),)


def _assigned(event: CaseAssigned, customer: str) -> _Told:
    data = event.data
    went = HandedOverData(contact=event.subject, queue=data.queue, transfer=False)
    return (CustomerHandedOver(data=went, **_of(event, customer)),)


def _resolved(event: CaseResolved, customer: str) -> _Told:
    data = event.data
    solved = SolvedData(contact=event.subject, queue=data.queue, channel=data.channel, topic=data.topic)
    return (CustomerSolved(data=solved, **_of(event, customer)),)


def told_by_survey(_: Policies) -> Mapping[type[Event], Derive]:
    """Return what surveys tell: a `Family.derive`."""
    return {
        SurveyInvited: OfCustomer(_invited),
        SurveyAnswered: OfCustomer(_survey_answered),
        SurveyChanged: OfCustomer(_survey_answered),
    }


def _invited(event: SurveyInvited, customer: str) -> _Told:
    data = event.data
    asked = AskedData(survey=event.subject, queue=data.queue, channel=data.channel)
    return (CustomerAsked(data=asked, **_of(event, customer)),)


def _survey_answered(event: SurveyAnswered | SurveyChanged, customer: str) -> _Told:
    data = event.data
    told = AskedData(survey=event.subject, queue=data.queue, channel=data.channel, what="answered")
    return (CustomerAsked(data=told, **_of(event, customer)),)


def told_by_cart(_: Policies) -> Mapping[type[Event], Derive]:
    """Return what carts tell: a `Family.derive`. An order is a purchase where it says whose, how much, and which."""
    return {CartOrdered: OfCustomer(_ordered)}


def _ordered(event: CartOrdered, customer: str) -> _Told:
    data = event.data
    if data.order is None or data.value is None:
        return ()
    bought = PurchasedData(order=data.order, amount=data.value, currency=data.currency)
    return (CustomerPurchased(data=bought, **_of(event, customer)),)


def _of(told: Event, customer: str) -> dict[str, Any]:
    return envelope_after(told, "customer", customer)
