"""Events of customers and carts, for shops, billing and apps that produce their own.

    events = CustomerEvents(EventFactory(source="/shop", tenant="acme"))
    await producer.send(events.purchased("c-4711", order="o-1", amount=74.5))

What customers do in contacts, cases and surveys nobody has to tell here: it follows from those events that name one.
"""

from datetime import datetime
from typing import Literal, TypedDict, Unpack

from stream.core.cloudevents import Channel
from stream.families.customers import events as e
from stream.families.customers import payloads
from stream.sdk.factory import EventFactory, check_keywords

__all__ = ["AccountFields", "CartFields", "CustomerEvents", "PlaceFields"]


class AccountFields(TypedDict, total=False):
    """What may be told of a customer's account; what is not told stays as it was."""

    plan: str | None
    """There may only be few plans, and few groups: each has figures of its own."""
    group: str | None
    monthly: float | None
    """What the customer pays in a month, in the main unit of the currency; of a yearly contract a twelfth."""
    currency: str | None
    """By ISO 4217; by default that of the policy."""


class CartFields(TypedDict, total=False):
    """What may be told of a cart; what is not told stays as it was."""

    value: float | None
    """Of all that is in it."""
    currency: str | None
    customer: str | None
    """An opaque id, never a name or address; a cart of somebody unknown has none."""
    plan: str | None
    group: str | None


class PlaceFields(TypedDict, total=False):
    """Where a customer came, and about what."""

    queue: str | None
    channel: Channel | None
    topic: str | None


class CustomerEvents:
    """
    Makes events of customers and carts for the source and tenant of an `EventFactory`.

    Each method takes the customer or cart first, an opaque id, and `at`: when it happened, if that was not now. Values
    are checked when the event is sent; a keyword that is none raises InvalidEvent at once.
    """

    def __init__(self, factory: EventFactory) -> None:
        self._envelope = factory.envelope

    def joined(
        self,
        customer: str,
        *,
        referred: bool = False,
        revenue_before: float = 0,
        at: datetime | None = None,
        **account: Unpack[AccountFields],
    ) -> e.CustomerJoined:
        """
        Somebody became a customer, or is one again; `referred` where another customer has sent this one.

        Of a customer who was there before anything was told, tell `at` when it began and `revenue_before`, what was
        paid until now.
        """
        check_keywords(account, AccountFields)
        data = payloads.JoinedData(referred=referred, revenue_before=revenue_before, **account)
        return e.CustomerJoined(**self._envelope(customer, at), data=data)

    def changed(
        self, customer: str, *, at: datetime | None = None, **account: Unpack[AccountFields]
    ) -> e.CustomerChanged:
        """The customer has another plan, belongs to another group, or pays something else from now on."""
        check_keywords(account, AccountFields)
        return e.CustomerChanged(**self._envelope(customer, at), data=payloads.ChangedData(**account))

    def left(self, customer: str, *, at: datetime | None = None) -> e.CustomerLeft:
        """The customer is none any more; of a contract that was cancelled, when it ends."""
        return e.CustomerLeft(**self._envelope(customer, at))

    def forgotten(self, customer: str, *, at: datetime | None = None) -> e.CustomerForgotten:
        """All that is kept of the customer is to be erased."""
        return e.CustomerForgotten(**self._envelope(customer, at))

    def active(self, customer: str, *, at: datetime | None = None) -> e.CustomerActive:
        """The customer logged in, visited, or used the product; once a day is enough."""
        return e.CustomerActive(**self._envelope(customer, at))

    def purchased(
        self, customer: str, order: str, amount: float, *, currency: str | None = None, at: datetime | None = None
    ) -> e.CustomerPurchased:
        """The customer is bound to pay an order, or paid for another period; told twice, an order counts once."""
        data = payloads.PurchasedData(order=order, amount=amount, currency=currency)
        return e.CustomerPurchased(**self._envelope(customer, at), data=data)

    def refunded(
        self, customer: str, order: str, amount: float, *, currency: str | None = None, at: datetime | None = None
    ) -> e.CustomerRefunded:
        """The customer gets so much of an order back."""
        data = payloads.RefundedData(order=order, amount=amount, currency=currency)
        return e.CustomerRefunded(**self._envelope(customer, at), data=data)

    # For systems that report no contacts, cases or surveys: of these all that follows is told already.

    def contacted(
        self,
        customer: str,
        contact: str,
        *,
        served: bool = False,
        message: bool = False,
        at: datetime | None = None,
        **place: Unpack[PlaceFields],
    ) -> e.CustomerContacted:
        """The customer came to us; `served` when one of us answers, `message` where a contact goes on with one more."""
        check_keywords(place, PlaceFields)
        data = payloads.ContactedData(contact=contact, served=served, message=message, **place)
        return e.CustomerContacted(**self._envelope(customer, at), data=data)

    def handed_over(
        self, customer: str, contact: str, queue: str, *, transfer: bool = True, at: datetime | None = None
    ) -> e.CustomerHandedOver:
        """The contact went on to a queue; without `transfer` it is only told which one has it."""
        data = payloads.HandedOverData(contact=contact, queue=queue, transfer=transfer)
        return e.CustomerHandedOver(**self._envelope(customer, at), data=data)

    def solved(
        self, customer: str, contact: str, *, at: datetime | None = None, **place: Unpack[PlaceFields]
    ) -> e.CustomerSolved:
        """The customer was given a solution."""
        check_keywords(place, PlaceFields)
        return e.CustomerSolved(**self._envelope(customer, at), data=payloads.SolvedData(contact=contact, **place))

    def asked(  # what may be told of a survey
        self,
        customer: str,
        survey: str,
        *,
        queue: str | None = None,
        channel: Channel | None = None,
        what: Literal["invited", "answered"] = "invited",
        at: datetime | None = None,
    ) -> e.CustomerAsked:
        """The customer was invited to a survey about a queue, or answered it."""
        data = payloads.AskedData(survey=survey, queue=queue, channel=channel, what=what)
        return e.CustomerAsked(**self._envelope(customer, at), data=data)

    # Carts, by an id of their own: each has one life, from the first thing in it to the order.

    def cart_created(self, cart: str, *, at: datetime | None = None, **told: Unpack[CartFields]) -> e.CartCreated:
        """Something was put into a new cart."""
        check_keywords(told, CartFields)
        return e.CartCreated(**self._envelope(cart, at), data=payloads.CartData(**told))

    def cart_changed(self, cart: str, *, at: datetime | None = None, **told: Unpack[CartFields]) -> e.CartChanged:
        """Something was put into the cart, or taken out; or its customer looked at it."""
        check_keywords(told, CartFields)
        return e.CartChanged(**self._envelope(cart, at), data=payloads.CartData(**told))

    def cart_checked_out(
        self, cart: str, *, at: datetime | None = None, **told: Unpack[CartFields]
    ) -> e.CartCheckedOut:
        """The customer went to the till."""
        check_keywords(told, CartFields)
        return e.CartCheckedOut(**self._envelope(cart, at), data=payloads.CartData(**told))

    def cart_ordered(
        self, cart: str, *, order: str | None = None, at: datetime | None = None, **told: Unpack[CartFields]
    ) -> e.CartOrdered:
        """The cart became an order; with `order`, `customer` and `value`, told here, it is a purchase as well."""
        check_keywords(told, CartFields)
        return e.CartOrdered(**self._envelope(cart, at), data=payloads.OrderedData(order=order, **told))
