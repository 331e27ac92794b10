"""What WooCommerce posts: the fields that figures are made of, and no other."""

from datetime import UTC, datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from stream.families.customers.payloads import Currency
from stream.sources.shops.money import MoneyText, money_in

__all__ = ["DeletedUser", "ShopOrder"]

_Number = Annotated[int, Meta(ge=0)]
_Gmt = Annotated[datetime, Meta(tz=False)]
"""A time in UTC that does not say so: of each there is one of the shop's own clock beside it, which is not read."""

_FROM_CARTS: Final = frozenset({"checkout", "store-api"})
"""How an order was made that began as a cart; others are of staff, of an API, or of a subscription."""

_BOUGHT: Final = frozenset({"processing", "completed", "refunded"})
_AT_THE_TILL: Final = frozenset({"checkout-draft", "pending", "failed"})


class _Billing(Struct, frozen=True):
    email: str | None = None


class _Refund(Struct):
    id: _Number
    total: Annotated[str, Meta(pattern=r"^-?[0-9]{1,10}(\.[0-9]{1,6})?\Z")]
    """Below zero."""

    @property
    def value(self) -> float:
        """What was paid back."""
        return money_in(self.total.removeprefix("-"))


class ShopOrder(Struct, kw_only=True):
    """Of `order.…`: as it stands then."""

    id: _Number
    status: str
    currency: Currency
    total: MoneyText
    """What was to be paid; refunds do not change it."""
    customer_id: _Number = 0
    billing: _Billing = _Billing()
    created_via: str = ""
    date_created_gmt: _Gmt
    date_modified_gmt: _Gmt
    date_paid_gmt: _Gmt | None = None
    refunds: list[_Refund] = []

    @property
    def account(self) -> int | None:
        """The number of its customer; None of a guest."""
        return self.customer_id or None

    @property
    def value(self) -> float:
        """What was to be paid."""
        return money_in(self.total)

    @property
    def created_at(self) -> datetime:
        """When it was made: with checkout blocks, when the customer came to the till."""
        return self.date_created_gmt.replace(tzinfo=UTC)

    @property
    def modified_at(self) -> datetime:
        """When it was last touched."""
        return self.date_modified_gmt.replace(tzinfo=UTC)

    @property
    def placed_at(self) -> datetime:
        """When it was paid; of one that is paid on delivery or by a transfer, when it was made."""
        return (self.date_paid_gmt or self.date_created_gmt).replace(tzinfo=UTC)

    @property
    def is_cart(self) -> bool:
        """Whether a customer put it together."""
        return self.created_via in _FROM_CARTS

    @property
    def is_at_the_till(self) -> bool:
        """Whether it waits for its customer."""
        return self.status in _AT_THE_TILL

    @property
    def is_bought(self) -> bool:
        """Whether somebody is bound to pay it, or did; a plugin may have a status of its own for that."""
        return self.status in _BOUGHT or self.date_paid_gmt is not None

    @property
    def is_placed(self) -> bool:
        """Whether its customer is done with it; what is on hold waits for the money."""
        return self.is_bought or self.status == "on-hold"


class DeletedUser(Struct):
    """Of `customer.deleted`."""

    id: _Number
