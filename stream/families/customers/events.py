"""
What customers do, and what is told of them: the source of truth of the contract.

Of what a customer does in contacts, cases and surveys, other families tell (`stream.families.about_customers`).
`schemas/` is generated from this file and `payloads.py`. The vocabulary is this project's own.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar, get_args

from stream.core.cloudevents import Event, KeyParts
from stream.families.customers.payloads import (
    ActiveData,
    AskedData,
    CartData,
    ChangedData,
    ContactedData,
    CustomerData,
    HandedOverData,
    JoinedData,
    OrderedData,
    PurchasedData,
    RefundedData,
    SolvedData,
)

__all__ = [
    "EVENTS",
    "CartChanged",
    "CartCheckedOut",
    "CartCreated",
    "CartEvent",
    "CartOrdered",
    "CustomerActive",
    "CustomerAsked",
    "CustomerChanged",
    "CustomerContacted",
    "CustomerEvent",
    "CustomerForgotten",
    "CustomerHandedOver",
    "CustomerJoined",
    "CustomerLeft",
    "CustomerPurchased",
    "CustomerRefunded",
    "CustomerSolved",
]


class _OfCustomer(Event, frozen=True, kw_only=True):
    """Keyed by tenant and subject, which is a customer or a cart: one partition holds the whole truth of it."""

    topic: ClassVar[str] = "customers"
    key_parts: ClassVar[Callable[[Any], KeyParts]] = attrgetter("tenantid", "subject")


class CustomerContacted(_OfCustomer, frozen=True, kw_only=True, tag="customer.contacted"):
    """The customer came to us: a call, a chat, a case, a further message."""

    data: ContactedData


class CustomerHandedOver(_OfCustomer, frozen=True, kw_only=True, tag="customer.handed_over"):
    """The customer's contact went on elsewhere."""

    data: HandedOverData


class CustomerSolved(_OfCustomer, frozen=True, kw_only=True, tag="customer.solved"):
    """The customer was given a solution."""

    data: SolvedData


class CustomerAsked(_OfCustomer, frozen=True, kw_only=True, tag="customer.asked"):
    """The customer was invited to a survey, or answered one."""

    data: AskedData


class CustomerActive(_OfCustomer, frozen=True, kw_only=True, tag="customer.active"):
    """The customer was seen: logged in, visited, used the product."""

    data: ActiveData = ActiveData()


class CustomerPurchased(_OfCustomer, frozen=True, kw_only=True, tag="customer.purchased"):
    """The customer bought something, or paid for another period."""

    data: PurchasedData


class CustomerRefunded(_OfCustomer, frozen=True, kw_only=True, tag="customer.refunded"):
    """The customer got money back."""

    data: RefundedData


class CustomerJoined(_OfCustomer, frozen=True, kw_only=True, tag="customer.joined"):
    """Somebody became a customer, or is one again; whoever buys something without that is one from then on."""

    data: JoinedData = JoinedData()


class CustomerChanged(_OfCustomer, frozen=True, kw_only=True, tag="customer.changed"):
    """The customer has another plan, belongs to another group, or pays something else."""

    data: ChangedData


class CustomerLeft(_OfCustomer, frozen=True, kw_only=True, tag="customer.left"):
    """The customer is none any more: has cancelled, or was lost otherwise."""

    data: CustomerData = CustomerData()


class CustomerForgotten(_OfCustomer, frozen=True, kw_only=True, tag="customer.forgotten"):
    """All that is kept of the customer is to be erased; a customer who is still there is lost by it."""

    data: CustomerData = CustomerData()


class CartCreated(_OfCustomer, frozen=True, kw_only=True, tag="cart.created"):
    """Something was put into a new cart; the subject is the cart."""

    data: CartData = CartData()


class CartChanged(_OfCustomer, frozen=True, kw_only=True, tag="cart.changed"):
    """Something was put into the cart, or taken out."""

    data: CartData = CartData()


class CartCheckedOut(_OfCustomer, frozen=True, kw_only=True, tag="cart.checked_out"):
    """The customer went to the till."""

    data: CartData = CartData()


class CartOrdered(_OfCustomer, frozen=True, kw_only=True, tag="cart.ordered"):
    """The cart became an order."""

    data: OrderedData = OrderedData()


# Written out, most frequent first.
CustomerEvent = (
    CustomerContacted
    | CustomerActive
    | CustomerPurchased
    | CustomerSolved
    | CustomerHandedOver
    | CustomerAsked
    | CustomerJoined
    | CustomerChanged
    | CustomerLeft
    | CustomerRefunded
    | CustomerForgotten
)
CartEvent = CartChanged | CartCreated | CartCheckedOut | CartOrdered

EVENTS: tuple[type[Event], ...] = (*get_args(CustomerEvent), *get_args(CartEvent))
"""Every event of customers and carts, in the order of the contract."""
