"""What Stripe posts: the fields that figures are made of, and no other."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from stream.core.windows import EPOCH
from stream.sources.shops.money import Interval, SmallestUnits, money_of, months_in
from stream.sources.shops.shop import AFTER_LEAVING

__all__ = [
    "CheckoutSession",
    "PaidInvoice",
    "RefundedCharge",
    "StripeCustomer",
    "StripeEvent",
    "StripeSubscription",
]

_Seconds = Annotated[int, Meta(ge=31_536_000, le=4_102_444_800)]
"""Since 1970, and not milliseconds."""

_ShortId = Annotated[str, Meta(min_length=1, max_length=100)]
_LowerCurrency = Annotated[str, Meta(pattern="^[a-z]{3}$")]
_UnitPrice = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?\Z")]

_LONGEST_PLAN: Final = 128


class _Before(Struct, frozen=True):
    status: str | None = None
    amount_refunded: SmallestUnits = 0


class _Content(Struct):
    object: dict[str, Any]
    previous_attributes: _Before = _Before()
    """Of what has changed, what it was before."""


class StripeEvent(Struct):
    """The envelope of all."""

    id: _ShortId
    created: _Seconds
    livemode: bool
    data: _Content

    @property
    def at(self) -> datetime:
        """When it happened: events may come three days late, in any order."""
        return EPOCH + timedelta(seconds=self.created)

    @property
    def terms_at(self) -> datetime:
        """When a customer has what it tells of a subscription, also where another one ended in the same second."""
        return self.at + AFTER_LEAVING


class _Recurring(Struct):
    interval: Interval
    interval_count: Annotated[int, Meta(ge=1, le=10_000)] = 1
    usage_type: str = "licensed"


class _Packages(Struct):
    divide_by: Annotated[int, Meta(ge=1)]
    round: Literal["up", "down"]


class _PriceOfItem(Struct):
    unit_amount: SmallestUnits | None = None
    unit_amount_decimal: _UnitPrice | None = None
    recurring: _Recurring | None = None
    transform_quantity: _Packages | None = None
    product: str | None = None
    nickname: str | None = None
    lookup_key: str | None = None


class _Item(Struct):
    price: _PriceOfItem
    quantity: Annotated[int, Meta(ge=0, le=10**9)] | None = None
    """None of what is metered, and paid by use."""

    def monthly(self) -> Decimal | None:
        """Return what it comes to in a month, in the smallest unit; None where that is not told."""
        price, how = self.price, self.price.recurring
        if how is None or how.usage_type == "metered":
            return Decimal(0)
        told = price.unit_amount if price.unit_amount_decimal is None else price.unit_amount_decimal
        # Of tiers a subscription tells no price.
        return None if told is None else Decimal(told) * self._times() / months_in(how.interval, how.interval_count)

    def _times(self) -> int:
        quantity, packages = 1 if self.quantity is None else self.quantity, self.price.transform_quantity
        if packages is None:
            return quantity
        # Rounded up, as whole packages are sold; or down, where only full ones are paid.
        return -(-quantity // packages.divide_by) if packages.round == "up" else quantity // packages.divide_by


class _Items(Struct):
    data: list[_Item]
    has_more: bool = False


class StripeSubscription(Struct):
    """Of `customer.subscription.…`."""

    id: _ShortId
    customer: _ShortId
    status: str
    currency: _LowerCurrency
    items: _Items
    ended_at: _Seconds | None = None

    @property
    def monthly(self) -> float | None:
        """What is paid in a month before discounts and taxes; None where that is not told."""
        if self.status == "trialing":
            return 0.0
        parts = [item.monthly() for item in self.items.data]
        known = [part for part in parts if part is not None]
        if self.items.has_more or len(known) < len(parts):
            return None
        return round(money_of(sum(known, Decimal(0)), self.currency.upper()), 2)

    @property
    def plan(self) -> str | None:
        """What the first of its prices is called, else its product."""
        if not self.items.data:
            return None
        price = self.items.data[0].price
        return (price.lookup_key or price.nickname or price.product or "")[:_LONGEST_PLAN] or None

    @property
    def ended(self) -> datetime | None:
        """When it ended, if it has."""
        return None if self.ended_at is None else EPOCH + timedelta(seconds=self.ended_at)


class StripeCustomer(Struct):
    """Of `customer.deleted`."""

    id: _ShortId


class _WithAddress(Struct):
    email: str | None = None


class PaidInvoice(Struct):
    """Of `invoice.paid`."""

    id: _ShortId
    amount_paid: SmallestUnits
    currency: _LowerCurrency
    customer: _ShortId | None = None
    customer_email: str | None = None


class CheckoutSession(Struct):
    """Of `checkout.session.…`."""

    id: _ShortId
    mode: str
    payment_status: str
    amount_total: SmallestUnits | None = None
    currency: _LowerCurrency | None = None
    invoice: _ShortId | None = None
    customer: _ShortId | None = None
    customer_details: _WithAddress | None = None


class RefundedCharge(Struct):
    """Of `charge.refunded`."""

    id: _ShortId
    amount_refunded: SmallestUnits
    """By now: of several refunds all of it."""
    currency: _LowerCurrency
    customer: _ShortId | None = None
    billing_details: _WithAddress | None = None
