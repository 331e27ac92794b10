"""Calls as Segment's specification has them: the fields that figures are made of, and no other."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from stream.core.cloudevents import Instant
from stream.families.customers.payloads import Currency
from stream.sources.requests.parts import UnusablePart
from stream.sources.shops.money import MoneyText, Quantity
from stream.sources.shops.shop import ShopId, in_utc

__all__ = [
    "CartProperties",
    "OrderProperties",
    "RefundProperties",
    "SegmentCall",
    "SubscriptionProperties",
    "UserDeletion",
]

_Money = Annotated[float, Meta(ge=0, le=1_000_000_000)] | MoneyText
"""A number by the specification; some libraries send texts."""

_LONGEST_PLAN: Final = 128

_REFERRED: Final = frozenset({"invited", "referral", "referred"})
"""The first is the specification's own word for it."""


class _Traits(Struct, frozen=True):
    email: str | None = None
    plan: Any = None
    """Traits are whatever a site says of its users."""


class _Context(Struct, frozen=True):
    traits: _Traits | None = None


class SegmentCall(Struct, rename="camel"):
    """What all calls have."""

    message_id: Annotated[str, Meta(min_length=1, max_length=120)]
    user_id: ShopId | None = None
    timestamp: Instant | None = None
    """When it happened, as Segment corrects it."""
    original_timestamp: Instant | None = None
    """The same by the clock of the device."""
    sent_at: Instant | None = None
    """Likewise."""
    received_at: Instant | None = None
    # Of what there is nothing to tell, some libraries tell null.
    traits: _Traits | None = None
    context: _Context | None = None
    properties: dict[str, Any] | None = None

    @property
    def at(self) -> datetime:
        """When it happened by Segment's clock, not by that of the device; raises UnusablePart."""
        if self.timestamp is not None:
            return in_utc(self.timestamp)
        if self.received_at is None or self.sent_at is None or self.original_timestamp is None:
            raise UnusablePart("no_time", "it has neither timestamp nor the three times that make one")
        try:
            return in_utc(self.received_at - (self.sent_at - self.original_timestamp))
        except OverflowError:
            raise UnusablePart("not_an_instant", "its times are too far apart") from None

    @property
    def address(self) -> str | None:
        """The address of who has no id."""
        around = None if self.context is None else self.context.traits
        return next((one.email for one in (self.traits, around) if one is not None and one.email), None)

    @property
    def plan(self) -> str | None:
        """The plan of the user, where it is called by a name."""
        told = None if self.traits is None else self.traits.plan
        return told[:_LONGEST_PLAN] if isinstance(told, str) and told else None


class UserDeletion(Struct, rename="camel"):
    """Of `delete`, which has no other fields, and no id of its own: somebody wants to be forgotten."""

    user_id: ShopId
    timestamp: Instant | None = None


class _Product(Struct):
    price: _Money = 0.0
    quantity: Quantity | Annotated[str, Meta(pattern=r"^[0-9]{1,6}\Z")] = 1


class CartProperties(Struct):
    """Of calls about a cart."""

    cart_id: ShopId | None = None
    order_id: ShopId | None = None
    currency: Currency | None = None
    value: _Money | None = None
    total: _Money | None = None
    revenue: _Money | None = None
    products: Any = None
    """Read where nothing else tells what they come to: sites say in their own ways what a product is."""

    @property
    def worth(self) -> float | None:
        """What all of it comes to; None where that is not told. May raise msgspec's errors."""
        told = [one for one in (self.total, self.value, self.revenue) if one is not None]
        if told:
            return float(told[0])
        products = msgspec.convert(self.products, list[_Product] | None)
        return None if products is None else round(sum(float(one.price) * int(one.quantity) for one in products), 2)


class OrderProperties(CartProperties, kw_only=True):
    """Of `Order Completed`."""

    order_id: ShopId


class RefundProperties(Struct):
    """Of `Order Refunded`."""

    order_id: ShopId
    total: _Money
    """What was paid back of it."""
    currency: Currency | None = None


class SubscriptionProperties(Struct):
    """Of `Signed Up` and `Subscription …`: the specification names none."""

    plan: Annotated[str, Meta(min_length=1, max_length=_LONGEST_PLAN)] | None = None
    monthly: _Money | None = None
    currency: Currency | None = None
    type: Any = None
    """Of `Signed Up`: what brought the user here."""
    referred: Any = None

    @property
    def is_referred(self) -> bool:
        """Whether another customer has sent this one."""
        return self.referred is True or (isinstance(self.type, str) and self.type.casefold() in _REFERRED)
