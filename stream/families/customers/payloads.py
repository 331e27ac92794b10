"""What each kind of event of a customer or cart says: the `data` of the CloudEvents, and the types of its fields."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from stream.core.cloudevents import Channel, Id, Name

__all__ = [
    "ActiveData",
    "Amount",
    "AskedData",
    "CartData",
    "ChangedData",
    "ContactedData",
    "Currency",
    "CustomerData",
    "HandedOverData",
    "JoinedData",
    "OrderedData",
    "PurchasedData",
    "RefundedData",
    "SolvedData",
    "hundredths",
]

Amount = Annotated[float, Meta(ge=0, le=1_000_000_000)]
"""Money in the main unit of its currency, such as 12.34 euros; figures know hundredths of it."""

Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$")]
"""By ISO 4217."""


def hundredths(amount: float) -> int:
    """Return an amount of money in hundredths."""
    return round(amount * 100)


class CustomerData(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Nothing but that it happened."""


class ChangedData(CustomerData, frozen=True, kw_only=True):
    """What the customer has from now on; what is not told stays as it is."""

    plan: Name | None = None
    """What was subscribed to. There may only be few plans: each has figures of its own."""
    group: Name | None = None
    """A group of customers, such as private or business; there may only be few."""
    monthly: Amount | None = None
    """What the customer pays in a month; of a yearly contract a twelfth."""
    currency: Currency | None = None
    """By default that of the policy; money in another one is counted apart and not added up."""


class JoinedData(ChangedData, frozen=True, kw_only=True):
    """How the customer begins, or comes back."""

    referred: bool = False
    """Whether another customer has sent this one."""
    revenue_before: Amount = 0
    """What the customer has paid before anything of that was told here."""


class ActiveData(CustomerData, frozen=True, kw_only=True):
    """How the customer was seen: a log-in, a visit, a use of the product."""


class PurchasedData(CustomerData, frozen=True, kw_only=True):
    """An order that the customer is bound to pay, or a payment of a subscription."""

    order: Id
    amount: Amount
    currency: Currency | None = None


class RefundedData(PurchasedData, frozen=True, kw_only=True):
    """What the customer gets back of an order."""


class ContactedData(CustomerData, frozen=True, kw_only=True):
    """Where the customer came, and in which matter."""

    contact: Id
    """The call, chat or case; what is told of one contact several times counts once."""
    queue: Name | None = None
    """Of one contact at least one event has to tell it."""
    channel: Channel | None = None
    topic: Name | None = None
    """What it is about, where somebody knows that."""
    served: bool = False
    """Whether somebody of us has answered by now."""
    message: bool = False
    """Whether it is one more message of a contact that goes on, and no contact of its own."""


class HandedOverData(CustomerData, frozen=True, kw_only=True):
    """Whom the customer has to tell it all again."""

    contact: Id
    queue: Name
    """To which it goes."""
    transfer: bool = True
    """False where it is only told who has it: it counts as handed over where that is another queue than before."""


class SolvedData(CustomerData, frozen=True, kw_only=True):
    """What was solved, as far as we know; of whom nothing else is told of it, the customer did not come."""

    contact: Id
    queue: Name | None = None
    channel: Channel | None = None
    topic: Name | None = None


class AskedData(CustomerData, frozen=True, kw_only=True):
    """Which survey it was, and what it rates."""

    survey: Id
    queue: Name | None = None
    channel: Channel | None = None
    what: Literal["invited", "answered"] = "invited"


class CartData(CustomerData, frozen=True, kw_only=True):
    """What is in the cart, and whose it is; what is not told stays as it was."""

    value: Amount | None = None
    """Of all that is in it."""
    currency: Currency | None = None
    customer: Id | None = None
    """An opaque id, never a name or address; a cart of somebody unknown has none."""
    plan: Name | None = None
    group: Name | None = None


class OrderedData(CartData, frozen=True, kw_only=True):
    """
    The order that the cart has become.

    Each event is read by itself: it is a purchase of its customer where it tells customer, order and value, and what
    the cart told before is not looked up.
    """

    order: Id | None = None
    """With customer and value in this same event it is a purchase of the customer, too; else tell that apart."""
